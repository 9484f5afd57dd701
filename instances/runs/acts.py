"""What people do with runs: make, start, pause, resume, stop, retry. Each asks the one deciding function."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.db import transaction

from ceadmin.audit.choices import Action
from ceadmin.audit.record import Subject, record
from ceadmin.lib import http
from ceadmin.lib.nudge import nudge
from ceadmin.teams.choices import Act
from ceadmin.teams.models import Organization, User
from ceadmin.teams.permissions import actor_of, require
from instances import selection as selections
from instances.choices import DESTRUCTIVE, MEANINGS, RunKind, RunStatus, Weight
from instances.models import Instance, Item, Run
from instances.runs.errors import RunError
from instances.runs.plan import wake

#: What a person must be allowed to do for each kind of run.
ACT_OF_KIND: dict[str, Act] = {
    RunKind.SYNC: Act.OPERATE,
    RunKind.PROBE: Act.OPERATE,
    RunKind.RECONNECT: Act.OPERATE,
    RunKind.REVOKE: Act.REVOKE,
    RunKind.DRILL: Act.REVOKE,
}

#: Options and the values each may take.
OPTIONS: dict[str, tuple[Any, ...]] = {
    "only": ("access", "refresh"),
    "form": ("default", "article"),
    "self_consent": (True, False),
    "dry_run": (True, False),
}


class Wish(TypedDict, total=False):
    """Why a run is made, and how it is to work."""

    reason: str
    ticket: str
    options: Mapping[str, Any]


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

    Revocations and drills become drafts that `start` sets going; the others begin by
    themselves. Raises NotAllowed, RunError (unknown option) and selection.BadSelection.
    """
    kind, options = RunKind(kind), dict(wish.get("options") or {})
    require(user, ACT_OF_KIND[kind], organization)
    _check(organization, selection, options)
    drafted = kind in DESTRUCTIVE or options.get("dry_run")
    run = Run(
        organization=organization,
        requested_by=user,
        requested_by_name=str(user),
        kind=kind,
        selection=dict(selection),
        options=options,
        reason=wish.get("reason", "").strip()[:500],
        ticket=wish.get("ticket", "").strip()[:120],
        status=RunStatus.DRAFT if drafted else RunStatus.PLANNING,
        created_at=now,
    )
    with transaction.atomic():
        run.save()
        _record(run, Action.RUN_DRAFTED, user, now)
        nudge("instances.plan_run", run_id=run.pk)
    return run


def _check(
    organization: Organization,
    selection: Mapping[str, Any],
    options: Mapping[str, Any],
) -> None:
    """Refuse what the planner would not understand."""
    selections.narrow(Instance.objects.of(organization), selection)
    _check_options(options)


def _check_options(options: Mapping[str, Any]) -> None:
    if options.get("self_consent") and not http.emulated():
        raise RunError(
            "self_consent",
            "Only a drill on the emulator consents by itself; here a person has to.",
        )
    for name, value in options.items():
        if value not in OPTIONS.get(name, ()):
            raise RunError("bad_option", f"The option {name}={value!r} does not exist.")


def start(
    run: Run,
    *,
    user: User,
    now: datetime,
    reason: str = "",
    ticket: str = "",
    options: Mapping[str, Any] | None = None,
) -> None:
    """Set a draft going, its options replaced where given ("" takes one away); raise RunError when it can't be started and NotAllowed."""
    require(user, ACT_OF_KIND[run.kind], run.organization)
    wanted = {**run.options, **(options or {})}
    chosen = {name: value for name, value in wanted.items() if value != ""}
    _check_options(chosen)
    reason = (reason or run.reason).strip()[:500]
    ticket = (ticket or run.ticket).strip()[:120]
    if not reason:
        raise RunError(
            "reason_missing",
            "Say why: a revocation needs a reason, which the audit keeps.",
        )
    with transaction.atomic():
        fields = {
            "status": RunStatus.RUNNING,
            # Whoever starts it answers for it, and the worker asks what they may do.
            "requested_by": user,
            "requested_by_name": str(user),
            "started_at": now,
            "reason": reason,
            "ticket": ticket,
            "options": chosen,
        }
        ready = Run.objects.filter(
            pk=run.pk, status=RunStatus.DRAFT, planned_at__isnull=False, total__gt=0
        )
        if run.options.get("dry_run") or ready.update(**fields) != 1:
            raise _why_not(Run.objects.get(pk=run.pk))
        run.refresh_from_db()
        _record(run, Action.RUN_STARTED, user, now)
        wake(run)


def _why_not(run: Run) -> RunError:
    if run.options.get("dry_run"):
        return RunError(
            "dry_run",
            "This is a dry run: it shows what would happen and can't be started.",
        )
    if run.status != RunStatus.DRAFT:
        return RunError(
            "not_a_draft", f"The run is {run.get_status_display().lower()} already."
        )
    if run.planned_at is None:
        return RunError(
            "not_planned",
            "The worker is still freezing the list; try again in a moment.",
        )
    return RunError(
        "empty_selection",
        "Nothing matches the selection, so there is nothing to start.",
    )


def pause(run: Run, *, user: User, now: datetime) -> None:
    """Begin no further item; calls in flight end. Raises RunError and NotAllowed."""
    _move(run, RunStatus.RUNNING, RunStatus.PAUSED, Action.RUN_PAUSED, user, now)


def resume(run: Run, *, user: User, now: datetime) -> None:
    """Go on with a paused run. Raises RunError and NotAllowed."""
    _move(run, RunStatus.PAUSED, RunStatus.RUNNING, Action.RUN_RESUMED, user, now)
    wake(run)


def stop(run: Run, *, user: User, now: datetime) -> None:
    """End a run for good: what is done stays, the rest is cancelled. Raises RunError and NotAllowed."""
    if run.status == RunStatus.DRAFT:
        discard(run, user=user, now=now)
        return
    old = RunStatus(run.status)
    _move(run, old, RunStatus.STOPPING, Action.RUN_STOPPED, user, now)
    nudge("instances.sweep")


def discard(run: Run, *, user: User, now: datetime) -> None:
    """Drop a draft that was never started. Raises RunError and NotAllowed."""
    require(user, ACT_OF_KIND[run.kind], run.organization)
    with transaction.atomic():
        draft = Run.objects.filter(pk=run.pk, status=RunStatus.DRAFT)
        if (
            draft.update(status=RunStatus.EXPIRED, finished_at=now, problem="discarded")
            != 1
        ):
            raise _why_not(Run.objects.get(pk=run.pk))
        run.refresh_from_db()
        _record(run, Action.RUN_STOPPED, user, now)


def _move(
    run: Run, old: RunStatus, new: RunStatus, action: Action, user: User, now: datetime
) -> None:
    require(user, ACT_OF_KIND[run.kind], run.organization)
    movable = old in (RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.PLANNING)
    with transaction.atomic():
        if (
            not movable
            or Run.objects.filter(pk=run.pk, status=old).update(status=new) != 1
        ):
            now_is = Run.objects.get(pk=run.pk).get_status_display().lower()
            raise RunError(
                "wrong_state",
                f"The run is {now_is}, so this can't be done now. Reload the page.",
            )
        run.refresh_from_db()
        _record(run, action, user, now)


def retry(run: Run, *, user: User, now: datetime) -> Run:
    """Return a new run over those items of an ended one that need attention. Raises RunError and NotAllowed."""
    outcomes = [
        o
        for (kind, o), m in MEANINGS.items()
        if kind == run.kind and m.weight == Weight.ATTENTION
    ]
    failed = Item.objects.filter(run=run, outcome__in=outcomes, instance__isnull=False)
    pks = list(failed.values_list("instance_id", flat=True))
    if not pks:
        raise RunError("nothing_failed", "No item of this run needs another try.")
    if run.kind == RunKind.SYNC:
        raise RunError("sync", "A sync has no items to retry; start a new sync.")
    return create(
        run.kind,
        run.organization,
        selections.of_instances(pks),
        user=user,
        now=now,
        reason=run.reason,
        ticket=run.ticket,
        options=_for_another_try(run.options),
    )


def _for_another_try(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run's options, without the one that made the platform heal what died."""
    healed = ("only", "access")
    return {name: value for name, value in options.items() if (name, value) != healed}


def _record(run: Run, action: Action, user: User, now: datetime) -> None:
    record(
        action,
        chain=str(run.organization.uid),
        actor=actor_of(user, run.organization),
        at=now,
        subject=Subject("run", str(run.uid), str(run)),
        run_uid=str(run.uid),
        reason=run.reason,
        ticket=run.ticket,
        facts={
            "kind": run.kind,
            "total": run.total,
            "selection_hash": run.selection_hash,
            "options": run.options,
        },
    )
