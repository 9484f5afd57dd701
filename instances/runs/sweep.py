"""Finds what messages forgot: lost nudges, dead workers, overdue links, stops to complete. Safe to run twice at once."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Q

from ceadmin.audit.actors import SCHEDULE
from ceadmin.audit.choices import Action
from ceadmin.lib import trace
from ceadmin.lib.nudge import nudge
from ceadmin.teams import policies
from ceadmin.teams.choices import Answer
from ceadmin.teams.users import Hand
from instances import engine, reconnect
from instances.choices import RunStatus
from instances.models import Chunk, Run
from instances.runs import closing
from instances.runs.plan import record_run
from instances.runs.work import bring_on

logger = logging.getLogger(__name__)

#: A run whose first message is younger than this is left to that message.
GRACE = timedelta(seconds=5)


def sweep(*, now: datetime) -> None:
    """Bring every open run forward, whatever got lost."""
    engine.reap(now)
    reconnect.expire_overdue(now=now)
    reconnect.recover(now=now)
    _plan_forgotten(now)
    open_runs = Run.objects.filter(status__in=[RunStatus.STOPPING, RunStatus.RUNNING])
    for run in open_runs.select_related("organization", "requested_by"):
        with trace.about_run(run.uid):
            _bring_on(run, now)
    _wake_workers()
    _expire_drafts(now)
    closing.expire_overdue(now)
    closing.void_unvouched(now)
    policies.expire_overdue(now)


def _bring_on(run: Run, now: datetime) -> None:
    try:
        bring_on(run, now)
    except DatabaseError:
        raise  # all of them would fail
    except Exception:  # the border: one broken run must not stop the others
        logger.exception("the run can't be brought on")


def _plan_forgotten(now: datetime) -> None:
    unplanned = Q(
        status__in=[RunStatus.DRAFT, RunStatus.PLANNING],
        planned_at=None,
        created_at__lt=now - GRACE,
    )
    for pk in Run.objects.filter(unplanned).values_list("pk", flat=True):
        nudge("instances.plan_run", run_id=pk)


def _wake_workers() -> None:
    claimable = Chunk.objects.claimable().filter(run__status=RunStatus.RUNNING)
    for run_id in (
        claimable.order_by("run_id").values_list("run_id", flat=True).distinct()
    ):
        nudge("instances.work_run", run_id=run_id)


def _expire_drafts(now: datetime) -> None:
    """Drop drafts that nobody started: what they would hit is no longer what people saw."""
    if settings.DRAFT_DAYS is None:
        return
    old = Run.objects.drafted_before(now - settings.DRAFT_DAYS)
    for run in old.select_related("organization", "requested_by"):
        with transaction.atomic():
            draft = Run.objects.filter(pk=run.pk, status=RunStatus.DRAFT)
            if (
                draft.update(
                    status=RunStatus.EXPIRED, finished_at=now, problem="never_started"
                )
                == 1
            ):
                run.refresh_from_db()
                closing.close(run, Answer.EXPIRED, Hand(SCHEDULE, now))
                record_run(run, Action.RUN_EXPIRED, now)
