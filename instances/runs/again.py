"""What comes after a run that has ended: another try of what failed, links for what is dead."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from ceadmin.audit.choices import Action
from ceadmin.lib.sayings import later
from ceadmin.teams.models import User
from ceadmin.teams.permissions import require
from instances import selection as selections
from instances.choices import (
    MEANINGS,
    NEEDS_PERSON,
    RUN_TERMINAL,
    Meaning,
    Outcome,
    RunKind,
    Weight,
)
from instances.models import Item, Run
from instances.runs.acts import create, like
from instances.runs.errors import RunError
from instances.runs.progress import Progress
from instances.runs.recording import denials_recorded, hand_of, record_act
from instances.runs.rights import ACT_OF_KIND, require_for
from instances.runs.tallies import removed_words

#: Run kind → outcomes after which only a person at the provider brings an instance back.
_DEAD: dict[str, frozenset[Outcome]] = {
    RunKind.PROBE: frozenset({Outcome.DEAD, Outcome.DISABLED}),
    RunKind.REVOKE: frozenset({Outcome.VERIFIED_DEAD, Outcome.ALREADY_DEAD}),
    RunKind.DRILL: frozenset({Outcome.VERIFIED_DEAD, Outcome.NOT_ALIVE}),
}
#: What another try finds as it is, too: nothing here can be called.
_FOR_GOOD = frozenset({Outcome.UNSUPPORTED})


def worth_a_try(kind: str) -> frozenset[Outcome]:
    """Return the outcomes that need attention and that another run of the kind may change."""
    bad = {o for (k, o), m in MEANINGS.items() if k == kind and _needs_attention(m)}
    return frozenset(bad - _DEAD.get(kind, frozenset()) - _FOR_GOOD)


def _needs_attention(meaning: Meaning) -> bool:
    return meaning.weight == Weight.ATTENTION


def retriable(run: Run, counts: Progress) -> int:
    """Return how many items of an ended run another try can change."""
    return sum(counts.outcomes.get(one, 0) for one in worth_a_try(run.kind))


def to_bring_back(run: Run) -> QuerySet[Item]:
    """Return the items whose instances were found or made dead, and are so still."""
    dead = Item.objects.filter(run=run, outcome__in=_DEAD.get(run.kind, frozenset()))
    return dead.filter(instance__status__in=sorted(NEEDS_PERSON))


@denials_recorded
def bring_back(run: Run, *, user: User, now: datetime, address: str = "") -> Run:
    """Return a draft of reconnect links for what an ended run left dead.

    The same person's run over these that has not ended yet is the one. Raises RunError
    and NotAllowed.
    """
    require(user, ACT_OF_KIND[RunKind.RECONNECT], run.organization)
    pks = _instances_of(run, to_bring_back(run))
    if not pks:
        raise RunError(
            "nothing_dead", _("No instance of this run has to be reconnected any more.")
        )
    chosen = selections.of_instances(pks)
    with transaction.atomic():
        Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        under_way = _made_of(run, RunKind.RECONNECT, user, chosen)
        return under_way or create(
            RunKind.RECONNECT,
            run.organization,
            chosen,
            user=user,
            now=now,
            reason=run.reason,
            ticket=run.ticket,
            draft=True,
            address=address,
        )


@denials_recorded
def retry(run: Run, *, user: User, now: datetime, address: str = "") -> Run:
    """Return a new run over those items of an ended one that another try may change.

    The same person's retry of these that has not ended yet is the one. An approval is
    not inherited. Raises RunError and NotAllowed.
    """
    require_for(user, run)
    chosen = selections.of_instances(_failed(run))
    if run.kind == RunKind.SYNC:
        raise RunError("sync", _("A sync has no items to retry; start a new sync."))
    with transaction.atomic():
        # Whoever presses twice waits here, and finds what the first press made.
        Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        under_way = _made_of(run, run.kind, user, chosen)
        if under_way is not None:
            return under_way
        options = _for_another_try(run.options)
        made = like(run, chosen, options, user, now, address)
        hand = hand_of(user, run, now, address)
        record_act(run, Action.RUN_RETRIED, hand, again=str(made.uid))
    return made


def _made_of(run: Run, kind: str, user: User, chosen: Mapping[str, Any]) -> Run | None:
    """Return the run of these items that has not ended yet, if the person made one."""
    own = Run.objects.filter(
        organization=run.organization_id,
        kind=kind,
        requested_by=user,
        pk__gt=run.pk,
    ).exclude(status__in=sorted(RUN_TERMINAL))
    same = (one for one in own.order_by("-pk") if one.selection == chosen)
    return next(same, None)


def _failed(run: Run) -> list[int]:
    """Return the instances whose items may end better; raise RunError when there are none."""
    failed = Item.objects.filter(run=run, outcome__in=sorted(worth_a_try(run.kind)))
    pks = _instances_of(run, failed)
    if not pks:
        raise RunError("nothing_failed", _("No item of this run needs another try."))
    return pks


def _instances_of(run: Run, some: QuerySet[Item]) -> list[int]:
    """Return the instances of some items; raise RunError where these were removed."""
    if run.items_removed_at:
        raise RunError(
            "items_removed",
            _("%(removed)s Select them again."),
            removed=later(lambda: removed_words(run)),
        )
    known = some.filter(instance__isnull=False)
    return list(known.order_by().values_list("instance_id", flat=True))


def _for_another_try(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run's options, without the one that made the platform heal what died."""
    healed = ("only", "access")
    return {name: value for name, value in options.items() if (name, value) != healed}
