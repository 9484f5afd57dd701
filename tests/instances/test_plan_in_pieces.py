"""A plan lets others write while it is made, and is what the selection meant at one moment."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from instances import runs, selection
from instances.choices import ChunkStatus, RunKind, RunStatus
from instances.engine import reap
from instances.models import Chunk, Instance, Item, Part, Run
from instances.runs import freezing, pieces
from tests.instances.crowds import make_instances

pytestmark = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL plans by one statement"
)
COUNT, PIECE = 1_000, 100


class Killed(BaseException):
    """What ends a planner at once."""


@pytest.fixture
def small(monkeypatch):
    """Plan in many small pieces."""
    for name in ("FIRST", "LEAST", "MOST"):
        monkeypatch.setattr(pieces, name, PIECE)


@pytest.fixture
def after(monkeypatch):
    """Let something happen once after the piece with a number, counted from 1."""
    rest, wanted, seen = pieces.Planner._rest, {}, []

    def rested(planner, took):
        seen.append(took)
        rest(planner, took)
        if len(seen) in wanted:
            wanted.pop(len(seen))()

    monkeypatch.setattr(pieces.Planner, "_rest", rested)
    return wanted


def ask(team, kind: str = RunKind.REVOKE, count: int = COUNT, **parts) -> Run:
    """Return a run over an organization's instances that nobody has planned."""
    if count:
        make_instances(team.acme, count)
    return runs.create(
        kind,
        team.acme,
        selection.of_filter(parts),
        user=team.rita,
        now=timezone.now(),
    )


def plan(run: Run) -> Run:
    runs.plan(run.pk, now=timezone.now())
    run.refresh_from_db()
    return run


def assert_whole(run: Run, count: int = COUNT) -> None:
    """The list is complete, each instance once, and its hash is that of its rows."""
    items = Item.objects.filter(run=run)
    assert run.planned_at
    assert run.total == count == items.count()
    assert sorted(items.values_list("number", flat=True)) == [*range(1, count + 1)]
    assert run.selection_hash == freezing.list_hash(run)
    chunks = Chunk.objects.filter(run=run)
    numbers = set(items.values_list("chunk_number", flat=True))
    assert set(chunks.values_list("number", flat=True)) == numbers
    assert set(chunks.values_list("status", "worker")) == {("queued", "")}
    totals = Part.objects.filter(run=run).values_list("total", flat=True)
    assert sum(totals) == count


def nothing_of(run: Run) -> bool:
    rows = (one.objects.filter(run=run).exists() for one in (Item, Chunk, Part))
    return not any(rows)


# Others who write


def test_whoever_wants_to_write_gets_a_turn(transactional_db, team, monkeypatch):
    monkeypatch.setattr(pieces, "FIRST", 2_000)
    monkeypatch.setattr(pieces, "MOST", 2_000)
    run = ask(team, count=30_000)
    planner = threading.Thread(target=in_a_thread, args=(run,))
    waits = []
    planner.start()
    while planner.is_alive():
        began = time.monotonic()
        with transaction.atomic():  # as a request that drafts a run
            Run.objects.filter(pk=run.pk).update(ticket=str(len(waits)))
        waits.append(time.monotonic() - began)
        time.sleep(0.02)
    planner.join()

    run.refresh_from_db()
    assert_whole(run, 30_000)
    assert len(waits) > 10
    assert max(waits) < 2  # some pieces, on a busy machine


def in_a_thread(run: Run) -> None:
    try:
        runs.plan(run.pk, now=timezone.now())
    finally:
        connection.close()


def test_reading_the_list_takes_no_lock(transactional_db, team, monkeypatch):
    run, seen = ask(team), []
    reckon = selection.frozen_hash

    def hashed(uids):
        writer = threading.Thread(target=in_a_moment, args=(run, seen))
        writer.start()
        writer.join(10)
        return reckon(uids)

    monkeypatch.setattr(freezing.selection, "frozen_hash", hashed)
    plan(run)

    assert seen == [1]
    assert_whole(run)


def in_a_moment(run: Run, seen: list[int]) -> None:
    try:
        seen.append(Run.objects.filter(pk=run.pk).update(ticket="while it is read"))
    finally:
        connection.close()


def test_each_piece_costs_as_many_statements_as_the_others(team, small):
    counts = []
    for times in (1, 3):
        Instance.objects.all().delete()
        run = ask(team, count=times * COUNT)
        with CaptureQueriesContext(connection) as asked:
            plan(run)
        counts.append(len(asked))
        assert_whole(run, times * COUNT)

    each = (counts[1] - counts[0]) / (2 * COUNT / PIECE)
    assert each == int(each) <= 8


def test_pieces_fit_the_time_they_should_take(team, monkeypatch):
    sizes = {"FIRST": 100, "LEAST": 50, "MOST": 300}
    for name, size in sizes.items():
        monkeypatch.setattr(pieces, name, size)
    run, took = ask(team), []
    rest = pieces.Planner._rest
    slow = iter([0.001, 0.001, 5.0])

    def rested(planner, seconds):
        rest(planner, next(slow, 0.5))
        took.append(planner._size)

    monkeypatch.setattr(pieces.Planner, "_rest", rested)
    plan(run)

    assert took[:3] == [200, 300, 50]
    assert_whole(run)


# One moment


def test_the_list_is_what_the_filter_meant_before_the_first_piece(team, small, after):
    make_instances(team.acme, COUNT)
    first, middle, last = (
        Instance.objects.order_by("pk")[place] for place in (0, 500, COUNT - 1)
    )

    def change() -> None:
        Instance.objects.exclude(pk=first.pk).update(status="revoked")
        Instance.objects.filter(pk=middle.pk).update(
            name="Another", provider_key="salesforce"
        )
        make_one_more(team)
        last.delete()

    after[2] = change
    run = plan(ask(team, count=0, status=["connected"]))

    assert_whole(run)
    items = {item.instance_uid: item for item in Item.objects.filter(run=run)}
    kept = items[middle.uid]
    assert (kept.instance_name, kept.provider_key) == (middle.name, "box")
    assert items[last.uid].instance_name == last.name
    assert [one for one in items.values() if one.instance_id is None] in (
        [],  # written before it went: the row's own rule sees to it
        [items[last.uid]],
    )


def make_one_more(team) -> None:
    one = Instance.objects.order_by("pk")[0]
    one.pk, one.remote_id, one.uid = None, "one more", team.other.uid
    one.save()


def test_pieces_change_nothing_about_the_list(team, monkeypatch):
    make_instances(team.acme, COUNT)
    for place, key in enumerate(("salesforce", "quickbooks")):
        pks = Instance.objects.order_by("pk").values_list("pk", flat=True)
        chosen = list(pks)[place::7][: 30 + 100 * place]
        Instance.objects.filter(pk__in=chosen).update(provider_key=key)
    monkeypatch.setattr(pieces, "FIRST", COUNT - 1)  # what has more stands by uid
    whole = plan(ask(team, count=0))
    for name in ("FIRST", "LEAST", "MOST"):
        monkeypatch.setattr(pieces, name, 77)
    pieced = plan(ask(team, count=0))

    fields = ("number", "chunk_number", "instance_id", "instance_uid", "provider_key")
    lists = [
        list(Item.objects.filter(run=run).order_by("number").values_list(*fields))
        for run in (whole, pieced)
    ]
    assert lists[0] == lists[1]
    assert whole.selection_hash == pieced.selection_hash
    assert_whole(pieced)


# Planners that die, or meet


def test_a_planner_that_died_between_pieces_is_followed_by_another(team, small, after):
    def die() -> None:
        raise Killed

    run = ask(team)
    after[3] = die
    with pytest.raises(Killed):
        plan(run)
    assert Item.objects.filter(run=run).count() == 3 * PIECE

    plan(run)  # its lease is not over
    assert run.planned_at is None
    Chunk.objects.filter(run=run).update(lease_until=timezone.now() - timedelta(1))
    make_one_more(team)
    plan(run)

    assert_whole(run, COUNT + 1)


def test_the_reaper_frees_what_a_dead_planner_held(team, small, after):
    def die() -> None:
        raise Killed

    run = ask(team)
    after[1] = die
    with pytest.raises(Killed):
        plan(run)
    Chunk.objects.filter(run=run).update(lease_until=timezone.now() - timedelta(1))

    reap(timezone.now())
    runs.sweep(now=timezone.now())
    plan(run)

    assert_whole(run)


def test_two_planners_at_once_make_one_list(team, small, after):
    run = ask(team)
    after[1] = lambda: runs.plan(run.pk, now=timezone.now())

    plan(run)

    assert_whole(run)


def test_who_slept_past_its_lease_leaves_the_list_to_the_other(team, small, after):
    run = ask(team)

    def sleep() -> None:
        claimed = Chunk.objects.filter(run=run, status=ChunkStatus.CLAIMED)
        claimed.update(lease_until=timezone.now() - timedelta(1))
        plan(run)

    after[4] = sleep
    plan(run)

    assert_whole(run)


def test_who_reads_longer_than_a_lease_still_comes_to_an_end(team, small, monkeypatch):
    run = ask(team)
    make = freezing.FrozenList.__init__

    def slow(listed, *arguments, **how) -> None:
        make(listed, *arguments, **how)
        Chunk.objects.filter(run=run).update(worker="", status=ChunkStatus.QUEUED)

    monkeypatch.setattr(freezing.FrozenList, "__init__", slow)
    plan(run)

    assert_whole(run)


# Runs that are not to be planned any more


def test_a_draft_that_is_discarded_meanwhile_leaves_nothing(team, small, after):
    run = ask(team)
    after[2] = lambda: runs.discard(
        Run.objects.get(pk=run.pk), user=team.rita, now=timezone.now()
    )

    plan(run)

    assert (run.status, run.problem) == (RunStatus.EXPIRED, "discarded")
    assert (run.planned_at, run.total, run.selection_hash) == (None, 0, "")
    assert nothing_of(run)


def test_a_run_that_is_stopped_meanwhile_ends_with_nothing(team, small, after):
    run = ask(team, RunKind.PROBE)

    def stop() -> None:
        runs.stop(Run.objects.get(pk=run.pk), user=team.rita, now=timezone.now())
        runs.sweep(now=timezone.now())  # waits for the planner

    after[2] = stop
    plan(run)
    assert run.status == RunStatus.STOPPING
    runs.sweep(now=timezone.now())
    run.refresh_from_db()

    assert (run.status, run.planned_at) == (RunStatus.STOPPED, None)
    assert nothing_of(run)


def test_what_is_stopped_at_the_last_moment_is_not_begun(team, small, after):
    run = ask(team, RunKind.PROBE)
    after[COUNT // PIECE - 1] = lambda: Run.objects.filter(pk=run.pk).update(
        status=RunStatus.STOPPING
    )

    plan(run)

    assert (run.status, run.planned_at) == (RunStatus.STOPPING, None)
    assert nothing_of(run)


def test_a_run_that_is_gone_ends_its_planner(team, small, after):
    run = ask(team)

    def remove() -> None:
        for model in (Item, Chunk):
            model.objects.filter(run=run).delete()
        run.delete()

    pk = run.pk
    after[2] = remove
    runs.plan(pk, now=timezone.now())

    assert not Item.objects.exists()
    assert not Chunk.objects.exists()
