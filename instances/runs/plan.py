"""Freeze a run's selection as item and chunk rows, in a handful of statements however many match."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Count

from ceadmin.audit.choices import Action
from ceadmin.audit.record import Subject, record
from ceadmin.lib.nudge import nudge
from instances import selection
from instances.actions.load import actor_of_run
from instances.choices import DESTRUCTIVE, ItemStatus, RunKind, RunStatus
from instances.models import Chunk, Instance, Item, Run

CHUNK_SIZE = 250

_FREEZE = """
INSERT INTO instances_item
  (run_id, instance_id, number, chunk_number, instance_uid, instance_name, remote_id, element_key,
   provider_key, facts, status, outcome, cause, explanation, tries)
SELECT %s, s.id, s.n, (s.n - 1) / {size}, s.uid, s.name, s.remote_id, s.element_key,
       s.provider_key, '{{}}', 'queued', '', '', '', 0
FROM (SELECT id, uid, name, remote_id, element_key, provider_key, ROW_NUMBER() OVER (ORDER BY id) AS n
      FROM instances_instance WHERE id IN ({rows})) s
"""
_CHUNKS = """
INSERT INTO instances_chunk (run_id, number, status, worker, claims)
SELECT DISTINCT %s, chunk_number, 'queued', '', 0 FROM instances_item WHERE run_id = %s
"""


#: What planning may change of a run.
_PLANNED_FIELDS = [
    "total",
    "selection_hash",
    "planned_at",
    "status",
    "started_at",
    "finished_at",
    "problem",
]


def plan(run_id: int, *, now: datetime) -> None:
    """Freeze the selection of a run that has not been planned; safe to call twice or at once.

    A draft stays a draft, now with its list; any other run begins.
    """
    with transaction.atomic():
        run = Run.objects.select_for_update().filter(pk=run_id, planned_at=None).first()
        if run is None or run.status not in (RunStatus.DRAFT, RunStatus.PLANNING):
            return
        try:
            _select(run)
        except selection.BadSelection as problem:
            _refuse(run, str(problem), now)
            return
        _planned(run, now)


def _select(run: Run) -> None:
    if run.kind == RunKind.SYNC:
        # Its lease says who works; items come with the pages.
        Chunk.objects.create(run=run, number=0)
    else:
        _freeze(run)


def _refuse(run: Run, words: str, now: datetime) -> None:
    """End a run whose selection is not understood, as another version may have written it."""
    run.status, run.planned_at, run.finished_at = RunStatus.FAILED, now, now
    run.problem, run.problem_text = "bad_selection", words[:500]
    run.save(update_fields=[*_PLANNED_FIELDS, "problem_text"])
    record_run(run, Action.RUN_FINISHED, now)


def _freeze(run: Run) -> None:
    own = selection.narrow(Instance.objects.of(run.organization), run.selection)
    try:
        sql, parameters = own.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return  # an empty list of ids: nothing can match
    with connection.cursor() as cursor:
        cursor.execute(_FREEZE.format(size=CHUNK_SIZE, rows=sql), [run.pk, *parameters])
        cursor.execute(_CHUNKS, [run.pk, run.pk])


def _planned(run: Run, now: datetime) -> None:
    uids = (
        Item.objects.filter(run=run)
        .order_by("number")
        .values_list("instance_uid", flat=True)
    )
    run.total = Item.objects.filter(run=run).count()
    run.selection_hash = selection.frozen_hash(str(uid) for uid in uids.iterator())
    run.planned_at = now
    if run.status == RunStatus.PLANNING:
        begin(run, now)
    run.save(update_fields=_PLANNED_FIELDS)


def begin(run: Run, now: datetime) -> None:
    """Set a planned run going (fields only; the caller saves), or end it when nothing was selected."""
    run.started_at = now
    if run.total == 0 and run.kind != RunKind.SYNC:
        run.status, run.finished_at, run.problem = (
            RunStatus.FINISHED,
            now,
            "empty_selection",
        )
        record_run(run, Action.RUN_FINISHED, now)
        return
    run.status = RunStatus.RUNNING
    if run.kind not in DESTRUCTIVE:
        record_run(run, Action.RUN_STARTED, now)
    wake(run)


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
        subject=Subject("run", str(run.uid), str(run)),
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
