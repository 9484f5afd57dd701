"""Take from the database all that flows may know, in a few queries for a whole chunk of items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_noop

from ceadmin.audit.actors import SCHEDULE, Actor
from ceadmin.audit.people import last_address
from ceadmin.lib import redact
from ceadmin.lib.rows import among
from ceadmin.lib.sealed import Sealed, SealError, unseal
from ceadmin.teams.models import Organization
from ceadmin.teams.permissions import actor_of
from instances.actions.calls import Result
from instances.actions.case import App, Case
from instances.choices import DESTRUCTIVE, AttemptState, Outcome
from instances.cloud_elements import Credentials
from instances.models import Attempt, Instance, Item, Run
from providers.book import Book, book_of
from providers.models import ProviderApp, enabled_keys
from providers.own import is_own

#: Under which its column seals an element token.
_TOKEN = "instance.element_token"  # noqa: S105 (a label)

#: What a flow is to be started with, or how the item ended before it could start.
Start = Case | Result

#: How an item ends whose instance was removed here.
GONE = Result(
    Outcome.MISCONFIGURED,
    cause="gone",
    explanation=gettext_noop(
        "The instance was removed here after the run was planned."
    ),
)


def credentials_of(organization: Organization) -> Credentials:
    """Return the organization's secrets, opened; raise SealError when a key is missing."""
    user, own = (
        organization.user_secret.reveal(),
        organization.organization_secret.reveal(),
    )
    redact.learn(user, own)
    return Credentials(organization.base_url, user, own)


def app_of(app: ProviderApp) -> App:
    """Return a provider app as flows see it; raise SealError when a key is missing."""
    secret = app.client_secret.reveal()
    redact.learn(secret)
    return App(
        app.client_id,
        secret,
        app.callback_mode,
        app.callback_url,
        app.scope,
        dict(app.site),
        app.pk,
    )


def callback_address(provider_key: str, organization: Organization) -> str:
    """Return our callback for a provider: each has a path of its own, which is the defence against mix-up (RFC 9700 §4.4)."""
    path = f"/oauth/callback/{callback_name(provider_key, organization)}/"
    return f"{settings.PUBLIC_URL.rstrip('/')}{path}"


def callback_name(provider_key: str, organization: Organization) -> str:
    """Return what names a provider in its callback's path.

    Two organizations may have own records of one key and of two servers: each a path of
    its own.
    """
    own = is_own(provider_key)
    return f"{provider_key}-{organization.uid.hex}" if own else provider_key


def actor_of_run(run: Run) -> Actor:
    """Return who stands behind a run, and from where they set it going; or the schedule."""
    if run.requested_by is None:
        return SCHEDULE
    address = last_address(run.requested_by.uid, str(run.uid))
    return actor_of(run.requested_by, run.organization, address)


class _Known(NamedTuple):
    """What is read of an instance."""

    pk: int
    uid: UUID
    remote_id: str
    name: str
    element_key: str
    hub: str
    element_token: Sealed
    provider_key: str
    provider_app_id: int | None
    site: Mapping[str, str]
    account: str
    status: str


def load_cases(items: Sequence[Item], run: Run) -> dict[int, Start]:
    """Return item id → the case of its flow, or the result of an item that can't start."""
    try:
        credentials = credentials_of(run.organization)
    except SealError as error:
        return {item.pk: _sealed(error) for item in items}
    wanted = [item.instance_id for item in items if item.instance_id]
    instances = Instance.objects.filter(among(Instance, "id", wanted))
    rows = instances.values_list(*_Known._fields)
    found = {row[0]: _Known._make(row) for row in rows}
    apps, book = _apps(found.values()), book_of(run.organization)
    off = _switched_off(run, found.values(), apps, book)
    frame = _Frame(run, credentials, apps, _revoked_before(items, run), off, book)
    return {item.pk: _start(item, found, frame) for item in items}


@dataclass(frozen=True, slots=True)
class _Frame:
    """What the cases of a chunk have in common."""

    run: Run
    credentials: Credentials
    apps: Mapping[int, tuple[str, App | SealError]]  # with the provider's key
    sent: set[int]  # items, see `_revoked_before`
    off: frozenset[str]  # the providers that nobody switched on
    book: Book  # its records as they are while these items are worked


def _apps(rows: Iterable[_Known]) -> dict[int, tuple[str, App | SealError]]:
    """Return the provider apps of some instances, each opened once."""
    pks = {row.provider_app_id for row in rows if row.provider_app_id}
    return {
        app.pk: (app.provider_key, _opened(app))
        for app in ProviderApp.objects.filter(pk__in=pks)
    }


def _switched_off(
    run: Run,
    rows: Iterable[_Known],
    apps: Mapping[int, tuple[str, App | SealError]],
    book: Book,
) -> frozenset[str]:
    """Return the providers whose record is off here; asks only where a record is off by itself."""
    if run.kind not in DESTRUCTIVE:
        return frozenset()
    keys = {row.provider_key for row in rows} | {key for key, _ in apps.values()}
    records = [record for key in keys if (record := book.find(key))]
    off = {record.key for record in records if record.needs_switch}
    return frozenset(off - enabled_keys(run.organization)) if off else frozenset()


def _opened(app: ProviderApp) -> App | SealError:
    try:
        return app_of(app)
    except SealError as error:
        return error


def _revoked_before(items: Sequence[Item], run: Run) -> set[int]:
    """Return the items of which an earlier try may have sent a revocation: they are looked at first."""
    if run.kind not in DESTRUCTIVE:
        return set()
    mine = among(Attempt, "item_id", [item.pk for item in items])
    sent = Attempt.objects.filter(mine, purpose__startswith="revoke")
    return set(
        sent.exclude(state=AttemptState.NOT_SENT).values_list("item_id", flat=True)
    )


def load_case(item: Item, run: Run) -> Start:
    """Return the case of one item, or the result of an item that can't start."""
    return load_cases([item], run)[item.pk]


def _sealed(error: SealError) -> Result:
    return Result(Outcome.MISCONFIGURED, cause="key_missing", explanation=str(error))


def _start(item: Item, found: Mapping[int, _Known], frame: _Frame) -> Start:
    known = found.get(item.instance_id or 0)
    if known is None:
        return GONE
    provider_key, app = frame.apps.get(
        known.provider_app_id or 0, (known.provider_key, None)
    )
    if isinstance(app, SealError):
        return _sealed(app)
    try:
        token = unseal(_TOKEN, known.uid, known.element_token)
    except SealError as error:
        return _sealed(error)
    redact.learn(token)
    return _case(known, frame, token, provider_key, app, item.pk in frame.sent)


def _case(
    known: _Known,
    frame: _Frame,
    token: str,
    provider_key: str,
    app: App | None,
    prior_intent: bool,
) -> Case:
    run = frame.run
    return Case(
        credentials=frame.credentials,
        pk=known.pk,
        uid=known.uid,
        remote_id=known.remote_id,
        name=known.name,
        element_key=known.element_key,
        hub=known.hub,
        element_token=token,
        provider=frame.book.find(provider_key),
        record_version=frame.book.version(provider_key),
        switched_off=provider_key in frame.off,
        app=app,
        site=dict(known.site),
        options={**run.options, "account": known.account},
        status=known.status,
        prior_intent=prior_intent,
        our_callback_url=callback_address(provider_key, run.organization),
        reauthenticate_by=run.organization.reauthenticate_by,
    )
