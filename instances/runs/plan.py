"""Freeze a run's selection as items, chunks and parts, beside others who write."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import Coalesce

from ceadmin.audit.choices import Action
from ceadmin.audit.record import Subject, record
from ceadmin.lib import trace
from ceadmin.lib.nudge import nudge
from ceadmin.lib.sayings import english
from instances import selection
from instances.actions.load import actor_of_run
from instances.choices import DESTRUCTIVE, ItemStatus, RunKind, RunStatus
from instances.models import Chunk, Item, Part, Run
from instances.runs.freezing import freeze_at_once, list_hash, selected
from instances.runs.known import OTHER_VERSION, knows
from instances.runs.pieces import Lost, Planner

logger = logging.getLogger(__name__)

#: What planning may change of a run.
_PLANNED_FIELDS = (
    "total",
    "selection_hash",
    "planned_at",
    "status",
    "started_at",
    "finished_at",
    "problem",
    "problem_text",
)
_PLANNABLE = (RunStatus.DRAFT, RunStatus.PLANNING)
_LOOK_SECONDS = 0.2
_ALONE = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))"


def plan(run_id: int, *, now: datetime) -> None:
    """Freeze the selection of a run that has not been planned; safe to call twice or at once.

    A draft stays a draft, now with its list; any other run begins. The list is what the
    selection meant at one moment, and it is there when `planned_at` is. Whoever stops or
    discards the run meanwhile waits for nothing, and nothing is left of the list.
    """
    run = _plannable(run_id).select_related("organization", "requested_by").first()
    if run is None:
        return
    with trace.about_run(run.uid), suppress(Lost):
        if not knows(run):
            return
        try:
            _plan(run, now)
        except selection.BadSelection as problem:
            _refuse(run, str(problem), now)


def wait_for_plan(run_id: int, *, now: datetime) -> None:
    """Plan a run, or wait for whoever is at it."""
    plan(run_id, now=now)
    while _plannable(run_id).exclude(problem=OTHER_VERSION).exists():
        time.sleep(_LOOK_SECONDS)
        plan(run_id, now=now)


def _plannable(run_id: int) -> QuerySet[Run]:
    return Run.objects.filter(pk=run_id, planned_at=None, status__in=_PLANNABLE)


def _plan(run: Run, now: datetime) -> None:
    if run.kind == RunKind.SYNC:
        with transaction.atomic():
            # Its lease says who works; items come with the pages.
            Chunk.objects.get_or_create(run=run, number=0)
            _planned(run, now)
    elif connection.vendor == "sqlite":
        _in_pieces(run, now)
    else:
        _at_once(run, now)


def _at_once(run: Run, now: datetime) -> None:
    """Plan in one transaction, for which nobody waits but another planner."""
    rows = selected(run)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ALONE, [f"ceadmin plans run {run.pk}"])
            alone = cursor.fetchone()[0]
        if not alone or not _plannable(run.pk).exists():
            return
        if rows is not None:
            freeze_at_once(run, rows)
        parts = Part.objects.filter(run=run)
        run.total = parts.aggregate(total=Coalesce(Sum("total"), 0))["total"]
        run.selection_hash = list_hash(run)
        _planned(run, now)


def _in_pieces(run: Run, now: datetime) -> None:
    planner = Planner(run)
    with planner.reading(selected(run)) as listed:
        planner.write(listed)
        with transaction.atomic():
            planner.complete(listed)
            run.total, run.selection_hash = listed.total, listed.hash
            _planned(run, now)


def _planned(run: Run, now: datetime) -> None:
    """Write down, within the caller's transaction, that the list is complete; raise Lost."""
    before, run.planned_at = run.status, now
    if run.status == RunStatus.PLANNING:
        _begin(run, now)
    _save(run, before)
    if run.status == RunStatus.FINISHED:
        record_run(run, Action.RUN_FINISHED, now)
    elif run.status == RunStatus.RUNNING:
        if run.kind not in DESTRUCTIVE:
            record_run(run, Action.RUN_STARTED, now)
        wake(run)
    logger.info("planned a run of %d items", run.total)


def _begin(run: Run, now: datetime) -> None:
    """Set a planned run going, or end it when nothing was selected; fields only."""
    run.started_at, run.status = now, RunStatus.RUNNING
    if run.total == 0 and run.kind != RunKind.SYNC:
        run.status, run.finished_at = RunStatus.FINISHED, now
        run.problem = "empty_selection"


def _save(run: Run, before: str) -> None:
    """Write what planning came to; raise Lost where the run was stopped or planned meanwhile."""
    fields = {name: getattr(run, name) for name in _PLANNED_FIELDS}
    if _plannable(run.pk).filter(status=before).update(**fields) != 1:
        raise Lost


def _refuse(run: Run, words: str, now: datetime) -> None:
    """End a run whose selection is not understood, as another version may have written it."""
    before = run.status
    run.status, run.planned_at, run.finished_at = RunStatus.FAILED, now, now
    run.problem, run.problem_text = "bad_selection", words[:500]
    with transaction.atomic():
        _save(run, before)
        record_run(run, Action.RUN_FINISHED, now)


def wake(run: Run) -> None:
    """Send as many messages as there are chunks to pull at once; one too many finds nothing to do."""
    chunks = Chunk.objects.filter(run=run).count()
    for _ in range(max(1, min(chunks, settings.WORKER_PROCESSES))):
        nudge("instances.work_run", run_id=run.pk)


def record_run(run: Run, action: Action, now: datetime) -> None:
    """Write the audit event of something that happened to a run, in its requester's name."""
    record(
        action,
        chain=run.organization.chain,
        actor=actor_of_run(run),
        at=now,
        subject=Subject("run", str(run.uid), english(run)),
        run_uid=str(run.uid),
        reason=run.reason,
        ticket=run.ticket,
        facts={
            "kind": run.kind,
            "total": run.total,
            "selection_hash": run.selection_hash,
            **(_end_of(run) if action == Action.RUN_FINISHED else {}),
        },
    )


def _end_of(run: Run) -> dict[str, Any]:
    """Return how a run ended; items that were only cancelled have no event of their own."""
    ended = Item.objects.filter(run=run, status=ItemStatus.DONE).order_by()
    counts = ended.values_list("outcome").annotate(count=Count("pk"))
    return {"status": run.status, "problem": run.problem, "outcomes": dict(counts)}
