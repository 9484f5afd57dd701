"""Take from the database all that flows may know, in a few queries for a whole chunk of items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.conf import settings

from ceadmin.audit.actors import SCHEDULE, Actor
from ceadmin.lib import redact
from ceadmin.lib.sealed import SealError
from ceadmin.teams.models import Organization
from ceadmin.teams.permissions import actor_of
from instances.actions.calls import Result
from instances.actions.case import App, Case
from instances.choices import AttemptState, Outcome
from instances.cloud_elements import Credentials
from instances.models import Attempt, Instance, Item, Run
from providers import catalogue
from providers.models import ProviderApp

#: What a flow is to be started with, or how the item ended before it could start.
Start = Case | Result

#: How an item ends whose instance was removed here.
GONE = Result(
    Outcome.MISCONFIGURED,
    cause="gone",
    explanation="The instance was removed here after the run was planned.",
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
    )


def callback_address(provider_key: str) -> str:
    """Return our callback for a provider: each has a path of its own, which is the defence against mix-up (RFC 9700 §4.4)."""
    return f"{settings.PUBLIC_URL.rstrip('/')}/oauth/callback/{provider_key}/"


def actor_of_run(run: Run) -> Actor:
    """Return who stands behind a run: its requester, or the schedule."""
    if run.requested_by is None:
        return SCHEDULE
    return actor_of(run.requested_by, run.organization)


def load_cases(items: Sequence[Item], run: Run) -> dict[int, Start]:
    """Return item id → the case of its flow, or the result of an item that can't start."""
    pks = [item.instance_id for item in items if item.instance_id]
    found = Instance.objects.select_related("provider_app").in_bulk(pks)
    sent = _revoked_before(items)
    try:
        credentials = credentials_of(run.organization)
    except SealError as error:
        return {item.pk: _sealed(error) for item in items}
    return {item.pk: _start(item, found, run, credentials, sent) for item in items}


def _revoked_before(items: Sequence[Item]) -> set[int]:
    """Return the items of which an earlier try may have sent a revocation: they are looked at first."""
    sent = Attempt.objects.filter(item__in=items, purpose__startswith="revoke")
    return set(
        sent.exclude(state=AttemptState.NOT_SENT).values_list("item_id", flat=True)
    )


def load_case(item: Item, run: Run) -> Start:
    """Return the case of one item, or the result of an item that can't start."""
    return load_cases([item], run)[item.pk]


def _sealed(error: SealError) -> Result:
    return Result(Outcome.MISCONFIGURED, cause="key_missing", explanation=str(error))


def _start(
    item: Item,
    found: Mapping[int, Instance],
    run: Run,
    credentials: Credentials,
    sent: set[int],
) -> Start:
    instance = found.get(item.instance_id or 0)
    if instance is None:
        return GONE
    try:
        return case_of(instance, run, credentials, prior_intent=item.pk in sent)
    except SealError as error:
        return _sealed(error)


def case_of(
    instance: Instance,
    run: Run,
    credentials: Credentials,
    *,
    prior_intent: bool = False,
) -> Case:
    """Return what a flow may know of `instance`; raise SealError when a key is missing."""
    token = instance.element_token.reveal()
    redact.learn(token)
    provider_key = (
        instance.provider_app.provider_key
        if instance.provider_app
        else instance.provider_key
    )
    return Case(
        credentials=credentials,
        pk=instance.pk,
        uid=instance.uid,
        remote_id=instance.remote_id,
        name=instance.name,
        element_key=instance.element_key,
        hub=instance.hub,
        element_token=token,
        provider=catalogue.find(provider_key),
        app=app_of(instance.provider_app) if instance.provider_app else None,
        site=dict(instance.site),
        options={**run.options, "account": instance.account},
        status=instance.status,
        prior_intent=prior_intent,
        our_callback_url=callback_address(provider_key),
        reauthenticate_by=run.organization.reauthenticate_by,
    )
