"""How one instance of the platform looks as a row here. Customers' tokens leave no trace but a fingerprint."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from ceadmin.lib import redact, sealed
from ceadmin.teams.models import Organization
from instances.choices import InstanceStatus
from instances.cloud_elements import RemoteInstance
from instances.models import Instance
from instances.models.instance import instance_uid
from providers import revocation
from providers.book import Book, book_of
from providers.models import ProviderApp
from providers.revocation import NotRevocable
from providers.spec import Provider

#: Fields whose change is drift worth reporting; tokens and times are not.
_DRIFT = (
    "name",
    "element_key",
    "provider_app_id",
    "callback_url",
    "disabled",
    "client_id",
)


@dataclass(frozen=True, slots=True)
class Mirror:
    """What is needed to turn remote instances of one organization into rows."""

    organization: Organization
    apps: dict[str, list[ProviderApp]]  # by element key
    book: Book

    def row(
        self, remote: RemoteInstance, known: Instance | None, now: datetime
    ) -> Instance:
        """Return the unsaved row of `remote`; what the answer lacks is taken from the `known` row."""
        app = self._app(remote, known)
        provider = (
            self.book.find(app.provider_key)
            if app
            else self.book.for_element(remote.element_key)
        )
        row = Instance(
            uid=instance_uid(self.organization.uid, remote.remote_id),
            organization=self.organization,
            remote_id=remote.remote_id,
            name=remote.name[:255],
            element_key=remote.element_key[:64],
            hub=remote.hub[:32],
            provider_key=provider.key if provider else "",
            provider_app=app,
            disabled=remote.disabled,
            status=known.status if known else InstanceStatus.UNKNOWN,
            status_since=known.status_since if known else now,
            created_at=known.created_at if known else now,
            synced_at=now,
        )
        self._token(row, remote, known)
        self._configuration(row, remote, known, app)
        return row

    def _token(
        self, row: Instance, remote: RemoteInstance, known: Instance | None
    ) -> None:
        if remote.token:
            row.element_token = remote.token
        elif known:
            row.element_token = known.element_token

    def _configuration(
        self,
        row: Instance,
        remote: RemoteInstance,
        known: Instance | None,
        app: ProviderApp | None,
    ) -> None:
        if remote.configuration is None:
            for name in (
                "grant_fingerprint",
                "client_id",
                "account",
                "callback_url",
                "site",
                "configuration_names",
            ):
                setattr(
                    row, name, getattr(known, name) if known else getattr(row, name)
                )
            return
        row.grant_fingerprint = _fingerprint(remote, self.book.find(row.provider_key))
        row.client_id = remote.client_id[:255]
        row.callback_url = remote.callback_url[:500]
        row.configuration_names = list(remote.configuration_names)
        row.site = self._site(row, remote, app)
        row.account = _account(row, remote, known, self.book.find(row.provider_key))

    def _site(
        self, row: Instance, remote: RemoteInstance, app: ProviderApp | None
    ) -> dict[str, str]:
        """Return the values the provider's record asks for; what does not fit its pattern is left out."""
        provider = self.book.find(row.provider_key)
        if provider is None:
            return {}
        try:
            return revocation.site_values(
                provider, remote.configuration or {}, app.site if app else {}
            )
        except NotRevocable:
            return {}

    def _app(
        self, remote: RemoteInstance, known: Instance | None
    ) -> ProviderApp | None:
        """Return the app by element key and client id; two candidates are nobody's guess but a person's choice."""
        candidates = self.apps.get(remote.element_key, [])
        if remote.client_id and not redact.is_masked(remote.client_id):
            return next(
                (app for app in candidates if app.client_id == remote.client_id), None
            )
        if known and known.provider_app_id in {app.pk for app in candidates}:
            return known.provider_app
        return candidates[0] if len(candidates) == 1 else None

    def drift(self, row: Instance, known: Instance | None) -> list[str]:
        """Return the names of what changed since the last sync."""
        if known is None:
            return []
        names = [name for name in _DRIFT if getattr(row, name) != getattr(known, name)]
        return [
            *names,
            *(["missing"] if known.status == InstanceStatus.MISSING else []),
        ]


def mirror_of(organization: Organization) -> Mirror:
    """Return the mirror of an organization with its provider apps."""
    apps: dict[str, list[ProviderApp]] = defaultdict(list)
    for app in ProviderApp.objects.filter(organization=organization).order_by("pk"):
        apps[app.element_key].append(app)
    return Mirror(organization, dict(apps), book_of(organization))


def _account(
    row: Instance,
    remote: RemoteInstance,
    known: Instance | None,
    provider: Provider | None,
) -> str:
    """Return the account's id at the provider: as the record finds it, else as the platform has it.

    What a reconnect learnt by asking the provider holds as long as the grant is the same.
    """
    own = row.site.get(provider.account_placeholder, "") if provider else ""
    told = own or (remote.configuration or {}).get("oauth.user.id") or ""
    if not told and known and known.grant_fingerprint == row.grant_fingerprint:
        told = known.account
    return told[:255]


def _fingerprint(remote: RemoteInstance, provider: Provider | None) -> str:
    """Return the only trace of a customer's token that is kept."""
    own = provider.entries.access if provider else ""
    token = remote.refresh_token or remote.access_token
    if own:
        token = remote.token_at(own)
    return sealed.fingerprint(token) if token else ""
