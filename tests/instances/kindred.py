"""Instances that share what providers keep one grant for: account, client, token."""

from django.utils import timezone

from instances import runs, selection
from instances.choices import RunKind
from instances.models import Instance, Run
from instances.models.instance import instance_uid
from providers import catalogue
from providers.models import ProviderApp


def element_of(provider: str) -> str:
    """Return an element of a provider's."""
    record = catalogue.find(provider)
    return record.element_keys[0] if record and record.element_keys else "unheard-of"


class Kindred:
    """The instances of one organization, made one by one; Rita revokes."""

    def __init__(self, organization, user) -> None:
        self.organization, self.user = organization, user

    def app(self, provider: str, client: str) -> ProviderApp:
        """Return the app with this client id, made when there is none."""
        element = element_of(provider)
        own = {"organization": self.organization, "element_key": element}
        found = ProviderApp.objects.filter(client_id=client, **own).first()
        made = found or ProviderApp(
            name=f"{provider} {client}",
            provider_key=provider,
            client_id=client,
            **own,
        )
        if not found:
            made.client_secret = "client-secret-canary-8Hq2"
            made.save()
        return made

    def hold(
        self, provider: str, account: str = "", client: str = "app", **fields
    ) -> Instance:
        """Return a saved instance; `client` "" means that nobody knows the client."""
        number = str(Instance.objects.count() + 1)
        now = timezone.now()
        wanted = {"name": f"{provider} {number}", "status": "connected"}
        return Instance.objects.create(
            uid=instance_uid(self.organization.uid, number),
            organization=self.organization,
            remote_id=number,
            element_key=element_of(provider),
            provider_key=provider,
            provider_app=self.app(provider, client) if provider and client else None,
            client_id="" if client else "********",
            account=account,
            status_since=now,
            created_at=now,
            **(wanted | fields),
        )

    def draft(self, *chosen: Instance, kind: str = RunKind.REVOKE, **wish) -> Run:
        """Return a planned draft over these."""
        run = runs.create(
            kind,
            self.organization,
            selection.of_instances([one.pk for one in chosen]),
            user=self.user,
            now=timezone.now(),
            **wish,
        )
        runs.plan(run.pk, now=timezone.now())
        run.refresh_from_db()
        return run
