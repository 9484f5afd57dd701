"""A shard that stood still for longer than its lease, and then gets the same chunk again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from instances import runs
from instances.choices import ChunkStatus, RunKind, RunStatus
from instances.engine import reap
from instances.engine.claim import give_back
from instances.engine.shard import Shard
from instances.engine.stock import Stock
from instances.models import Attempt, Hold, Run
from instances.runs.work import FLOWS, bring_on
from tests.instances.killing import fleet, quick, revocations
from tests.worker.ledger import Ledger

__all__ = ["fleet", "quick"]

pytestmark = pytest.mark.usefixtures("quick")

COUNT = 12


def begun(fleet):
    fleet.synced("box", COUNT)
    run = fleet.draft(RunKind.REVOKE)
    runs.start(run, user=fleet.user, now=timezone.now(), reason="a test")
    run.refresh_from_db()
    return run


def stand_still(run) -> None:
    """Let so much time pass that the sweep takes the worker for dead."""
    past = timezone.now() - timedelta(minutes=1)
    run.chunks.filter(status=ChunkStatus.CLAIMED).update(lease_until=past)
    Hold.objects.update(until=past)
    reap(timezone.now())


@pytest.mark.parametrize("turns", [1, 3, 6, 10, 14, 18])
def test_what_was_under_way_does_not_mix_with_what_begins_anew(fleet, turns):
    """Wherever it stood still: with calls in the air, intents waiting, results unwritten."""
    run = begun(fleet)
    shard = Shard(run, FLOWS[run.kind], worker="one", clock=timezone.now)
    for _ in range(turns):
        shard._turn()
    stand_still(run)
    shard.next_claim = 0.0
    shard._claim()

    shard.work()
    bring_on(run, timezone.now())

    Ledger(fleet, run).check(COUNT, verified_dead=COUNT)


def test_results_that_were_not_written_yet_are_left_to_the_new_try(fleet, monkeypatch):
    run = begun(fleet)
    shard = Shard(run, FLOWS[run.kind], worker="one", clock=timezone.now)
    monkeypatch.setattr(shard, "_due", lambda: bool(shard.writer.intents))
    while not shard.writer.ends:
        shard._turn()
    monkeypatch.undo()
    stand_still(run)
    shard.next_claim = 0.0
    shard._claim()

    shard.work()
    bring_on(run, timezone.now())

    Ledger(fleet, run).check(COUNT, verified_dead=COUNT)


def held_up(fleet, run) -> Shard:
    """Return a shard with revocations that are committed and wait for a connection."""
    fleet.fault("latency", "*revoke", times=0, when="after", seconds=0.4)
    shard = Shard(run, FLOWS[run.kind], worker="one", clock=timezone.now, connections=2)
    while not any(waiting[0].url.endswith("revoke") for waiting in shard.multi._queue):
        shard._turn()
    while len(revocations(fleet)) < 2:  # the two that have a connection
        shard.multi.poll(0.02)
    return shard


def others_end_it(run) -> None:
    stand_still(run)
    Shard(run, FLOWS[run.kind], worker="two", clock=timezone.now).work()


def test_what_waits_to_be_sent_stays_here_when_the_lease_is_seen_to_be_lost(fleet):
    run = begun(fleet)
    shard = held_up(fleet, run)
    others_end_it(run)

    shard.next_beat = 0.0
    shard.work()
    bring_on(run, timezone.now())

    Ledger(fleet, run).check(COUNT, verified_dead=COUNT)
    assert len(revocations(fleet)) == COUNT


def test_what_waits_to_be_sent_stays_here_when_the_lease_may_be_lost(fleet):
    """A process that wakes up in the middle of its loop has asked nobody yet."""
    run = begun(fleet)
    shard = held_up(fleet, run)
    others_end_it(run)

    shard.stock.sure_until = 0.0
    shard.work()
    bring_on(run, timezone.now())

    Ledger(fleet, run).check(COUNT, verified_dead=COUNT)
    assert len(revocations(fleet)) == COUNT


def test_what_waits_to_be_sent_stays_here_once_the_run_is_seen_stopped(fleet):
    run = begun(fleet)
    shard = held_up(fleet, run)
    sent = len(revocations(fleet))
    Run.objects.filter(pk=run.pk).update(status=RunStatus.STOPPING)

    shard.next_beat = 0.0
    shard.work()

    assert len(revocations(fleet)) == sent == 2
    assert not Attempt.objects.filter(state="lost").exists()


def test_what_may_not_leave_in_time_is_tried_again(fleet):
    """Nobody took the lease meanwhile: the item is begun anew, and nothing is lost."""
    run = begun(fleet)
    shard = held_up(fleet, run)

    shard.stock.sure_until = 0.0
    shard.multi.poll(0.0)
    shard.work()
    fleet.work(run)

    Ledger(fleet, run).check(COUNT, verified_dead=COUNT)
    assert len(revocations(fleet)) == COUNT
    assert Attempt.objects.filter(state="not_sent", code="not_sure").exists()


def test_a_chunk_whose_items_have_ended_is_done_also_when_its_worker_died(fleet):
    run = begun(fleet)
    fleet.work(run)
    past = timezone.now() - timedelta(minutes=1)
    run.chunks.update(status=ChunkStatus.CLAIMED, worker="dead", lease_until=past)

    reap(timezone.now())

    Ledger(fleet, run).check(COUNT, verified_dead=COUNT)


def test_a_chunk_is_kept_until_its_last_result_is_written(fleet):
    run = begun(fleet)
    stock = Stock(run, "one")
    fetched = stock.fetch((), lambda _: None)
    stock.add(fetched, partly=False)
    chunk, items, _ = fetched
    stock.ready.clear()  # all are worked; what they came to is not written yet

    stock.release_finished(())

    assert list(stock.chunks) == [chunk.pk]
    assert stock.renew(()) == []
    assert run.chunks.get().status == ChunkStatus.CLAIMED

    give_back(run, "one", items)
    stock.release_finished(())

    assert not stock.chunks
    assert run.chunks.get().status == ChunkStatus.QUEUED
