"""From a draft to a run at work: start it, or ask for the approval that it needs."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Unpack

from django.db import transaction
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ceadmin import ui
from ceadmin.audit.choices import Action
from ceadmin.lib.sayings import inside, later
from ceadmin.teams.models import User
from instances.choices import RunStatus
from instances.models import Approval, Run
from instances.runs.approval import open_question, use
from instances.runs.errors import Denied, RunError
from instances.runs.plan import wake
from instances.runs.recording import denials_recorded, hand_of, record_act
from instances.runs.rights import requester_may, require_for
from instances.runs.wishes import Wish, wanted_of


@denials_recorded
def start(run: Run, *, user: User, now: datetime, **wish: Unpack[Wish]) -> None:
    """Set a draft going, its options replaced where given ("" takes one away).

    Raises RunError when it can't be started, Denied among them when nobody approved
    exactly this, and NotAllowed.
    """
    require_for(user, run)
    _check_drafter(run)
    hand = hand_of(user, run, now, wish.get("address", ""))
    with transaction.atomic():
        _read_ready(run)
        wanted = wanted_of(run, wish)
        approved = use(run, wanted, user, hand)
        # Whoever starts it answers for it, and the worker asks what they may do.
        begin_draft(run, user, now, wanted)
        record_act(run, Action.RUN_STARTED, hand, **approved)
        wake(run)


@denials_recorded
def ask(run: Run, *, user: User, now: datetime, **wish: Unpack[Wish]) -> Approval:
    """Ask for the approval of a draft, its options replaced as `start` does.

    Raises RunError and NotAllowed.
    """
    require_for(user, run)
    _check_drafter(run)
    hand = hand_of(user, run, now, wish.get("address", ""))
    with transaction.atomic():
        _read_ready(run)
        wanted = wanted_of(run, wish)
        if _ready(run).update(**wanted) != 1:
            raise why_not(Run.objects.get(pk=run.pk))
        run.refresh_from_db()
        return open_question(run, user=user, hand=hand)


def _check_drafter(run: Run) -> None:
    """Refuse what somebody left behind who may no longer do it: nobody answers for it."""
    if run.status == RunStatus.DRAFT and not requester_may(run):
        raise Denied(
            "drafter_lost_role",
            _(
                "%(name)s drafted this and may no longer do it. Discard it, and draft "
                "it again yourself if it is still wanted."
            ),
            name=run.requested_by_name,
        )


def begin_draft(
    run: Run, requester: User, now: datetime, wanted: dict[str, Any]
) -> None:
    """Let a frozen draft run in somebody's name; raise RunError when it is none."""
    _check_ready(run)
    fields = {
        "status": RunStatus.RUNNING,
        "requested_by": requester,
        "requested_by_name": str(requester),
        "started_at": now,
        **wanted,
    }
    if _ready(run).update(**fields) != 1:
        raise why_not(Run.objects.get(pk=run.pk))
    run.refresh_from_db()


def _read_ready(run: Run) -> None:
    """Read a frozen draft anew: how many it hits decides who has to approve it.

    Whoever loaded it while its list was being written has it without a number.
    """
    _check_ready(run)
    run.refresh_from_db()


def _check_ready(run: Run) -> None:
    if run.options.get("dry_run") or not _ready(run).exists():
        raise why_not(Run.objects.get(pk=run.pk))


def _ready(run: Run) -> QuerySet[Run]:
    return Run.objects.filter(
        pk=run.pk, status=RunStatus.DRAFT, planned_at__isnull=False, total__gt=0
    )


def why_not(run: Run) -> RunError:
    """Return why a draft can't be started or dropped."""
    if run.options.get("dry_run"):
        return RunError(
            "dry_run",
            _("This is a dry run: it shows what would happen and can't be started."),
        )
    if run.status != RunStatus.DRAFT:
        return RunError(
            "not_a_draft",
            _("The run is %(status)s already."),
            status=status_inside(run),
        )
    if run.planned_at is None:
        return RunError(
            "not_planned",
            _("The worker is still freezing the list; try again in a moment."),
        )
    return RunError(
        "empty_selection",
        _("Nothing matches the selection, so there is nothing to start."),
    )


def status_inside(run: Run) -> Promise:
    """Return the status of a run as a sentence has it."""
    return later(lambda: inside(ui.look(run.word).label))
