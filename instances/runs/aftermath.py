"""What a run did to instances that were not on its list: they died with it, so that has to be known.

Who held a token that was seen dead is dead: its status says so, and its history names the run.
Who was of the same account and app, with a token of its own, is unknown until a probe has
looked; that probe is begun here. Nothing else is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_noop

from ceadmin.audit.record import record_many
from ceadmin.lib.nudge import nudge
from ceadmin.lib.sayings import Saying, english
from instances import selection
from instances.actions.load import actor_of_run
from instances.actions.settle import turn_many
from instances.choices import (
    DESTRUCTIVE,
    InstanceStatus,
    Outcome,
    RunKind,
    RunStatus,
)
from instances.models import GrantClaim, Instance, Item, Run
from instances.querysets import InstanceQuerySet

_BATCH = 500
#: The reason of the probe that looks at them.
WHY_PROBED = Saying(
    gettext_noop(
        "They share a grant with instances of %(run)s: did they die with them?"
    )
)
_DEAD = (InstanceStatus.REVOKED.value, "died_along")
_UNSEEN = (InstanceStatus.UNKNOWN.value, "died_unseen")


def tell_siblings(run: Run, now: datetime) -> list[int]:
    """Give whoever died with a run's list the status that follows; return whom a probe has to look at.

    In transactions of its own, a few hundred rows each; safe to repeat.
    """
    if run.kind not in DESTRUCTIVE:
        return []
    wanted = dict.fromkeys(_of_grants(run).values_list("pk", flat=True), _UNSEEN)
    wanted |= dict.fromkeys(_of_tokens(run).values_list("pk", flat=True), _DEAD)
    for some in _in_batches(wanted):
        with transaction.atomic():
            entries = turn_many(run, some, actor=actor_of_run(run), now=now)
            if entries:
                record_many(run.organization.chain, entries, at=now)
    return sorted(pk for pk, follows in wanted.items() if follows == _UNSEEN)


def look_at_siblings(run: Run, pks: list[int], now: datetime) -> None:
    """Begin a probe of these in nobody's name, inside the transaction that ends the run."""
    if not pks:
        return
    made = Run.objects.create(
        organization=run.organization,
        kind=RunKind.PROBE,
        selection=selection.of_instances(pks),
        reason=WHY_PROBED.english(run=english(run)),
        ticket=run.ticket,
        status=RunStatus.PLANNING,
        created_at=now,
    )
    nudge("instances.plan_run", run_id=made.pk)


def _killed(run: Run) -> Q:
    return Q(run=run, facts__revoked=True)


def _of_tokens(run: Run) -> InstanceQuerySet:
    """Return those beside the list that hold a token which was seen dead."""
    seen = Q(facts__source="dead") | Q(facts__platform="dead")
    items = Item.objects.filter(_killed(run), seen).exclude(outcome__in=_NOT_PROVEN)
    claims = GrantClaim.objects.filter(run=run, item_id__in=items.values("pk"))
    holders = _beside(run).exclude(grant_fingerprint="")
    return holders.filter(grant_fingerprint__in=claims.values("fingerprint"))


#: The provider said yes to these, and the grant was not seen dead.
_NOT_PROVEN = (
    Outcome.ACCEPTED,
    Outcome.EXPIRING,
    Outcome.STILL_ALIVE,
    Outcome.UNCLEAR,
)


def _of_grants(run: Run) -> InstanceQuerySet:
    """Return those beside the list that a revocation reached, unless they were reconnected since."""
    items = Item.objects.filter(_killed(run), instance__isnull=False)
    own = Instance.objects.filter(pk__in=items.values("instance_id"))
    since = Q(reconnected_at__gte=run.started_at or run.created_at)
    found = own.siblings(run.organization).exclude(since)
    return _beside(run).filter(pk__in=found.values("pk"))


def _beside(run: Run) -> InstanceQuerySet:
    """Return what of the organization is not on the list and may still work."""
    listed = Item.objects.filter(run=run, instance__isnull=False)
    own = Instance.objects.of(run.organization).filter(status__in=_ASKED)
    return own.exclude(pk__in=listed.values("instance_id"))


_ASKED = (
    InstanceStatus.CONNECTED,
    InstanceStatus.DEGRADED,
    InstanceStatus.UNKNOWN,
)


def _in_batches(
    wanted: Mapping[int, tuple[str, str]],
) -> Iterator[dict[int, tuple[str, str]]]:
    pks = sorted(wanted)
    for start in range(0, len(pks), _BATCH):
        yield {pk: wanted[pk] for pk in pks[start : start + _BATCH]}
