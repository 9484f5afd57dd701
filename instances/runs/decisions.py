"""What people decide while a run works: whether a held provider goes on, and how many calls fly."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from ceadmin.audit.choices import Action
from ceadmin.teams.models import User
from instances.choices import PartStatus, RunStatus
from instances.models import Part, Run
from instances.runs.ending import finish_if_done, finish_left_out
from instances.runs.errors import RunError
from instances.runs.plan import wake
from instances.runs.recording import denials_recorded, hand_of, record_act
from instances.runs.rights import require_for
from instances.runs.wishes import checked_connections
from providers.book import book_of

#: Runs whose items are worked, or will be as soon as somebody says so.
_AT_WORK = (RunStatus.RUNNING, RunStatus.PAUSED)
_NOT_ENDED = (RunStatus.DRAFT, RunStatus.PLANNING, *_AT_WORK)


@denials_recorded
def go_on(
    run: Run, provider_key: str, *, user: User, now: datetime, address: str = ""
) -> None:
    """Let a held provider go on, its window of failures empty. Raises RunError and NotAllowed."""
    require_for(user, run)
    hand = hand_of(user, run, now, address)
    with transaction.atomic():
        changes = {"status": PartStatus.OPEN, "window_ended": 0, "window_failed": 0}
        _decide(run, provider_key, (PartStatus.HELD,), changes, user, now)
        record_act(run, Action.PART_WENT_ON, hand, provider_key)
        _resume_when_decided(run)
        wake(run)


@denials_recorded
def leave_out(
    run: Run, provider_key: str, *, user: User, now: datetime, address: str = ""
) -> None:
    """Begin nothing more of a provider and cancel what nobody began. Raises RunError and NotAllowed.

    Calls in flight end, and what they came to is kept.
    """
    require_for(user, run)
    hand = hand_of(user, run, now, address)
    undecided = (PartStatus.HELD, PartStatus.OPEN, PartStatus.CANARY)
    with transaction.atomic():
        _decide(run, provider_key, undecided, _LEFT_OUT, user, now)
        record_act(run, Action.PART_LEFT_OUT, hand, provider_key)
        _resume_when_decided(run)
        wake(run)
    finish_left_out(run, now)
    finish_if_done(run, now)
    run.refresh_from_db()


_LEFT_OUT: dict[str, Any] = {"status": PartStatus.LEFT_OUT}


def _decide(
    run: Run,
    key: str,
    undecided: tuple[PartStatus, ...],
    changes: dict[str, Any],
    user: User,
    now: datetime,
) -> None:
    part = Part.objects.filter(run=run, provider_key=key, run__status__in=_AT_WORK)
    decided = {"decided_by": str(user)[:255], "decided_at": now, **changes}
    if part.filter(status__in=undecided).update(**decided) == 1:
        return
    if not Part.objects.filter(run=run, provider_key=key).exists():
        raise RunError(
            "no_such_provider", _("No item of the run is of “%(key)s”."), key=key
        )
    raise RunError(
        "decided_already",
        _("%(name)s waits for no decision in this run now. Reload the page."),
        name=book_of(run.organization).name_of(key),
    )


def _resume_when_decided(run: Run) -> None:
    """Go on with a run that paused for its first answers, once somebody judged each of them."""
    undecided = Part.objects.filter(run=run, status=PartStatus.HELD, cause="canary")
    paused = Run.objects.filter(pk=run.pk, status=RunStatus.PAUSED, problem="canary")
    if not undecided.exists():
        paused.update(status=RunStatus.RUNNING, problem="", problem_text="")
    run.refresh_from_db()


@denials_recorded
def set_connections(
    run: Run, connections: int, *, user: User, now: datetime, address: str = ""
) -> None:
    """Let a run have so many calls in flight, all workers together. Raises RunError and NotAllowed.

    Workers look once a second.
    """
    require_for(user, run)
    hand = hand_of(user, run, now, address)
    checked_connections(connections)
    before = run.connections
    with transaction.atomic():
        going = Run.objects.filter(pk=run.pk, status__in=_NOT_ENDED)
        if going.update(connections=connections) != 1:
            raise RunError("ended", _("The run has ended, so nothing is in flight."))
        run.refresh_from_db()
        record_act(run, Action.RUN_CHANGED, hand, before=before)
