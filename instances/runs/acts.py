"""What people do with runs: make, pause, resume, stop. Each asks the one deciding function."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Unpack

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from ceadmin.audit.choices import Action
from ceadmin.lib.nudge import nudge
from ceadmin.teams.choices import Answer
from ceadmin.teams.models import Organization, User
from ceadmin.teams.permissions import NotAllowed, require
from ceadmin.teams.users import Hand
from instances import selection as selections
from instances.choices import (
    DESTRUCTIVE,
    DISCARDED,
    RunKind,
    RunStatus,
)
from instances.models import Instance, Item, Run
from instances.models.run import default_connections
from instances.runs.approval import approver_of
from instances.runs.closing import close
from instances.runs.errors import Denied, RunError
from instances.runs.kin import kin_of
from instances.runs.known import OTHER_VERSION
from instances.runs.plan import wake
from instances.runs.recording import (
    denials_recorded,
    hand_of,
    record_act,
    record_denied_draft,
)
from instances.runs.rights import act_on_selection, may_do, require_for
from instances.runs.starting import status_inside, why_not
from instances.runs.wishes import (
    Wish,
    check_options,
    checked_connections,
    reason_of,
    ticket_of,
)

#: Why a run waits for a person who may do it; who resumes it takes it over.
NOT_ALLOWED = "not_allowed"


def create(
    kind: str,
    organization: Organization,
    selection: Mapping[str, Any],
    *,
    user: User,
    now: datetime,
    **wish: Unpack[Wish],
) -> Run:
    """Return a new run; the worker freezes its list.

    Revocations, drills, and what is wanted as a draft wait for `start`; the others begin
    by themselves. Raises NotAllowed, RunError (unknown option) and selection.BadSelection.
    """
    kind, options = RunKind(kind), dict(wish.get("options") or {})
    _may_make(kind, organization, selection, user, now, wish)
    _check(organization, selection, options)
    connections = checked_connections(wish.get("connections"))
    drafted = wish.get("draft") or kind in DESTRUCTIVE or options.get("dry_run")
    run = Run(
        organization=organization,
        requested_by=user,
        requested_by_name=str(user),
        kind=kind,
        selection=dict(selection),
        options=options,
        reason=reason_of(wish),
        ticket=ticket_of(wish),
        connections=connections or default_connections(),
        status=RunStatus.DRAFT if drafted else RunStatus.PLANNING,
        created_at=now,
    )
    with transaction.atomic():
        run.save()
        hand = hand_of(user, run, now, wish.get("address", ""))
        record_act(run, Action.RUN_DRAFTED, hand)
        nudge("instances.plan_run", run_id=run.pk)
    return run


def _may_make(
    kind: RunKind,
    organization: Organization,
    selection: Mapping[str, Any],
    user: User,
    now: datetime,
    wish: Wish,
) -> None:
    try:
        require(user, act_on_selection(kind, organization, selection), organization)
    except NotAllowed as refusal:
        record_denied_draft(kind, organization, user, now, wish.get("address", ""))
        refusal.recorded = True
        raise


def _check(
    organization: Organization,
    selection: Mapping[str, Any],
    options: Mapping[str, Any],
) -> None:
    """Refuse what the planner would not understand."""
    selections.narrow(Instance.objects.of(organization), selection)
    check_options(options)


@denials_recorded
def pause(run: Run, *, user: User, now: datetime, address: str = "") -> None:
    """Begin no further item; calls in flight end. Raises RunError and NotAllowed."""
    require_for(user, run)
    hand = hand_of(user, run, now, address)
    _move(run, RunStatus.RUNNING, RunStatus.PAUSED, Action.RUN_PAUSED, hand)


@denials_recorded
def resume(run: Run, *, user: User, now: datetime, address: str = "") -> None:
    """Go on with a paused run. Raises RunError and NotAllowed.

    Where its requester may no longer do it, whoever resumes it takes it over.
    """
    require_for(user, run)
    hand = hand_of(user, run, now, address)
    with transaction.atomic():
        _take_over(run, user)
        _move(run, RunStatus.PAUSED, RunStatus.RUNNING, Action.RUN_RESUMED, hand)
        wake(run)


def _take_over(run: Run, user: User) -> None:
    if may_do(run.requested_by, run):
        return
    if approver_of(run) == user.pk:
        raise Denied(
            "approver_starts",
            _("You approved this run, so somebody else has to take it over."),
        )
    paused = Run.objects.filter(pk=run.pk, status=RunStatus.PAUSED)
    paused.update(requested_by=user, requested_by_name=str(user))


@denials_recorded
def stop(run: Run, *, user: User, now: datetime, address: str = "") -> None:
    """End a run for good: what is done stays, the rest is cancelled. Raises RunError and NotAllowed."""
    require_for(user, run)
    hand = hand_of(user, run, now, address)
    if run.status == RunStatus.DRAFT:
        _drop(run, hand)
        return
    old = RunStatus(run.status)
    _move(run, old, RunStatus.STOPPING, Action.RUN_STOPPED, hand)
    nudge("instances.sweep")


@denials_recorded
def discard(run: Run, *, user: User, now: datetime, address: str = "") -> None:
    """Drop a draft that was never started. Raises RunError and NotAllowed."""
    require_for(user, run)
    _drop(run, hand_of(user, run, now, address))


@denials_recorded
def take_along(run: Run, *, user: User, now: datetime, address: str = "") -> Run:
    """Return a new draft over a draft's list and all that die with it; the old one is dropped.

    Raises RunError and NotAllowed.
    """
    require_for(user, run)
    kin = kin_of(run)
    if not kin:
        raise RunError("no_siblings", _("No other instance dies with these any more."))
    own = Item.objects.filter(run=run, instance__isnull=False)
    pks = [*own.values_list("instance_id", flat=True), *(one.pk for one in kin.rows)]
    with transaction.atomic():
        chosen = selections.of_instances(pks)
        made = like(run, chosen, run.options, user, now, address)
        hand = hand_of(user, run, now, address)
        _drop(run, hand, again=str(made.uid))
    return made


def like(
    run: Run,
    chosen: Mapping[str, Any],
    options: Mapping[str, Any],
    user: User,
    now: datetime,
    address: str,
) -> Run:
    """Return a new run of the same kind and for the same reason over another selection."""
    return create(
        run.kind,
        run.organization,
        chosen,
        user=user,
        now=now,
        reason=run.reason,
        ticket=run.ticket,
        options=options,
        connections=run.connections,
        address=address,
    )


def _drop(run: Run, hand: Hand, **facts: Any) -> None:
    ended = {"finished_at": hand.now, "problem": DISCARDED}
    with transaction.atomic():
        draft = Run.objects.filter(pk=run.pk, status=RunStatus.DRAFT)
        if draft.update(status=RunStatus.EXPIRED, **ended) != 1:
            raise why_not(Run.objects.get(pk=run.pk))
        run.refresh_from_db()
        close(run, Answer.WITHDRAWN, hand)
        record_act(run, Action.RUN_DISCARDED, hand, **facts)


def _move(run: Run, old: RunStatus, new: RunStatus, action: Action, hand: Hand) -> None:
    movable = old in (RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.PLANNING)
    with transaction.atomic():
        if (
            not movable
            or Run.objects.filter(pk=run.pk, status=old).update(status=new) != 1
        ):
            raise RunError(
                "wrong_state",
                _("The run is %(status)s, so this can't be done now. Reload the page."),
                status=status_inside(Run.objects.get(pk=run.pk)),
            )
        # Whoever goes on or stops has seen what was the matter; it is no failure.
        seen = ["canary", OTHER_VERSION, NOT_ALLOWED]
        own = Run.objects.filter(pk=run.pk, problem__in=seen)
        own.update(problem="", problem_text="")
        run.refresh_from_db()
        record_act(run, action, hand)
