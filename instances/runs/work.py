"""What a worker does with a run: its share of the items, and the end when all have an outcome."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from ceadmin.audit.choices import Action
from ceadmin.lib.nudge import nudge
from ceadmin.teams.permissions import may
from instances import reconnect
from instances.actions.calls import Flow, Result
from instances.actions.case import Case
from instances.actions.drill import drill
from instances.actions.probe import probe
from instances.actions.revoke import revoke
from instances.choices import ChunkStatus, ItemStatus, LinkStatus, Outcome, RunKind, RunStatus
from instances.engine import Shard
from instances.engine.shard import Starter
from instances.models import Chunk, Hold, Item, ReconnectLink, Run
from instances.runs.acts import ACT_OF_KIND
from instances.runs.plan import record_run
from instances.runs.sync import work_sync

#: A shard gives its place back after so many seconds, far below the broker's patience.
TIME_BOX = 30.0


def _ask_person(case: Case) -> Flow[Result]:
    """Return the flow of a reconnect item: nothing is sent before a person opens the link."""
    if case.app is None:
        return Result(
            Outcome.MISCONFIGURED,
            cause="no_app",
            explanation="No provider app is assigned to this instance. Assign one on the instance's page.",
        )
    return Result(Outcome.WAITING)
    yield  # a flow is a generator, also one without a call


FLOWS: dict[str, Starter] = {
    RunKind.PROBE: probe,
    RunKind.REVOKE: revoke,
    RunKind.DRILL: drill,
    RunKind.RECONNECT: _ask_person,
}


def work(run_id: int, *, worker: str, seconds: float = TIME_BOX) -> None:
    """Work a share of a running run, then see whether it is finished; returns early when there is nothing to do."""
    run = Run.objects.select_related("organization", "requested_by").filter(pk=run_id).first()
    if run is None or run.status != RunStatus.RUNNING:
        return
    if not _still_allowed(run):
        fail(run, "not_allowed", "Whoever asked for this run may no longer do it.", timezone.now())
        return
    if run.kind == RunKind.SYNC:
        work_sync(run, worker=worker)
    else:
        Shard(run, FLOWS[run.kind], worker=worker, clock=timezone.now, seconds=seconds).work()
    make_links(run, timezone.now())
    finish_if_done(run, timezone.now())
    if Chunk.objects.claimable().filter(run=run, run__status=RunStatus.RUNNING).exists():
        nudge("instances.work_run", run_id=run.pk)


def _still_allowed(run: Run) -> bool:
    return run.requested_by is None or may(run.requested_by, ACT_OF_KIND[run.kind], run.organization)


def make_links(run: Run, now: datetime) -> None:
    """Make the links of items that wait for a person and have none yet; safe to repeat."""
    waiting = Item.objects.filter(run=run, status=ItemStatus.WAITING, links__isnull=True)
    for item in waiting.select_related("instance").order_by("pk"):
        if item.instance is not None:
            reconnect.make_link(item.instance, item=item, user=run.requested_by, now=now)
    if run.options.get("self_consent"):
        # Also those whose first message was lost: a consent in hand is not begun twice.
        for pk in Item.objects.filter(run=run, status=ItemStatus.WAITING).values_list("pk", flat=True):
            nudge("instances.consent", item_id=pk)


def consent(item_id: int, *, now: datetime) -> None:
    """Let an item of a drill on the emulator play the person at the consent page itself."""
    item = Item.objects.select_related("run__organization").filter(pk=item_id, status=ItemStatus.WAITING).first()
    link = ReconnectLink.objects.filter(item_id=item_id).order_by("-pk").first()
    if item is None or link is None or not item.run.options.get("self_consent"):
        return
    reconnect.consent_by_itself(link, now=now)
    finish_if_done(item.run, timezone.now())


def finish_if_done(run: Run, now: datetime) -> bool:
    """Finish a running run when every item has an outcome; return whether this call did it."""
    with transaction.atomic():
        if Item.objects.open().filter(run=run).exists():
            return False
        if Chunk.objects.filter(run=run).exclude(status=ChunkStatus.DONE).exists() and run.kind == RunKind.SYNC:
            return False
        running = Run.objects.filter(pk=run.pk, status=RunStatus.RUNNING)
        if running.update(status=RunStatus.FINISHED, finished_at=now) != 1:
            return False
        run.refresh_from_db()
        record_run(run, Action.RUN_FINISHED, now)
        return True


def finish_stop(run: Run, now: datetime) -> bool:
    """End a stopping run once no worker holds a part of it; return whether it ended."""
    with transaction.atomic():
        if Chunk.objects.filter(run=run, status=ChunkStatus.CLAIMED).exists():
            return False
        if Run.objects.filter(pk=run.pk, status=RunStatus.STOPPING).update(
            status=RunStatus.STOPPED, finished_at=now
        ) != 1:
            return False
        _cancel_open(run, "stopped", "The run was stopped before this item's turn.", now)
        run.refresh_from_db()
        record_run(run, Action.RUN_FINISHED, now)
        return True


def fail(run: Run, code: str, sentence: str, now: datetime) -> None:
    """End a run that can't work at all; what was not begun is cancelled."""
    with transaction.atomic():
        open_run = Run.objects.filter(pk=run.pk, status__in=[RunStatus.PLANNING, RunStatus.RUNNING, RunStatus.DRAFT])
        if open_run.update(status=RunStatus.FAILED, finished_at=now, problem=code, problem_text=sentence[:500]) != 1:
            return
        _cancel_open(run, code, sentence, now)
        run.refresh_from_db()
        record_run(run, Action.RUN_FINISHED, now)


def _cancel_open(run: Run, cause: str, sentence: str, now: datetime) -> None:
    items = Item.objects.filter(run=run, status__in=[ItemStatus.QUEUED, ItemStatus.WAITING, ItemStatus.RUNNING])
    pks = list(items.values_list("pk", flat=True))
    ReconnectLink.objects.filter(item__in=pks, status__in=[LinkStatus.MADE, LinkStatus.OPENED]).update(
        status=LinkStatus.CANCELLED, finished_at=now
    )
    items.update(
        status=ItemStatus.DONE,
        outcome=Outcome.CANCELLED,
        cause=cause[:64],
        explanation=sentence[:500],
        finished_at=now,
    )
    Hold.objects.filter(item_id__in=pks).delete()
    Chunk.objects.filter(run=run).update(status=ChunkStatus.DONE, worker="", lease_until=None)
