"""What a worker does with a run: its share of the items, and the end when all have an outcome."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from ceadmin.lib.nudge import nudge
from ceadmin.teams.permissions import may
from instances import reconnect
from instances.actions.calls import Flow, Result
from instances.actions.case import Case
from instances.actions.drill import drill
from instances.actions.load import GONE, actor_of_run
from instances.actions.probe import probe
from instances.actions.revoke import revoke
from instances.actions.settle import settle
from instances.choices import ItemStatus, Outcome, RunKind, RunStatus
from instances.engine import Shard
from instances.engine.shard import Starter
from instances.models import Chunk, Item, ReconnectLink, Run
from instances.runs.acts import ACT_OF_KIND
from instances.runs.ending import (
    end_on_wrong_secrets,
    fail,
    finish_if_done,
    finish_stop,
)
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
    runs = Run.objects.select_related("organization", "requested_by")
    run = runs.filter(pk=run_id).first()
    if run is None or run.status != RunStatus.RUNNING:
        return
    if not _still_allowed(run):
        words = "Whoever asked for this run may no longer do it."
        fail(run, "not_allowed", words, timezone.now())
        return
    if run.kind == RunKind.SYNC:
        work_sync(run, worker=worker)
    else:
        _work_share(run, worker, seconds)
    bring_on(run, timezone.now())
    if (
        Chunk.objects.claimable()
        .filter(run=run, run__status=RunStatus.RUNNING)
        .exists()
    ):
        nudge("instances.work_run", run_id=run.pk)


def _work_share(run: Run, worker: str, seconds: float) -> None:
    flow = FLOWS[run.kind]
    shard = Shard(run, flow, worker=worker, clock=timezone.now, seconds=seconds)
    shard.work()
    if shard.secrets_refused:
        end_on_wrong_secrets(run, timezone.now())


def _still_allowed(run: Run) -> bool:
    if run.requested_by is None:
        return not run.requested_by_name  # the schedule's; else the account is gone
    return may(run.requested_by, ACT_OF_KIND[run.kind], run.organization)


def bring_on(run: Run, now: datetime) -> None:
    """Do what follows from the items as they are: links, the end of the run or of its stop."""
    make_links(run, now)
    if not finish_if_done(run, now):
        finish_stop(run, now)


def make_links(run: Run, now: datetime) -> None:
    """Make the links of items that wait for a person and have none yet; safe to repeat."""
    waiting = Item.objects.filter(
        run=run, status=ItemStatus.WAITING, links__isnull=True
    )
    for item in waiting.select_related("instance").order_by("pk"):
        if item.instance is None:
            settle(item, GONE, run=run, actor=actor_of_run(run), now=now)
        else:
            reconnect.make_link(
                item.instance, item=item, user=run.requested_by, now=now
            )
    if run.options.get("self_consent"):
        # Also those whose first message was lost: a consent in hand is not begun twice.
        own = Item.objects.filter(run=run, status=ItemStatus.WAITING)
        for pk in own.values_list("pk", flat=True):
            nudge("instances.consent", item_id=pk)


def consent(item_id: int, *, now: datetime) -> None:
    """Let an item of a drill on the emulator play the person at the consent page itself."""
    item = (
        Item.objects.select_related("run__organization")
        .filter(pk=item_id, status=ItemStatus.WAITING)
        .first()
    )
    link = ReconnectLink.objects.filter(item_id=item_id).order_by("-pk").first()
    if item is None or link is None or not item.run.options.get("self_consent"):
        return
    reconnect.consent_by_itself(link, now=now)
    bring_on(item.run, timezone.now())
