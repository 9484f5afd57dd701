"""Workers that are killed: the rest goes on, nothing is lost, and nothing is sent twice blindly."""

import os
import signal
import sqlite3
import time
from contextlib import closing

import pytest
from django.db import connection
from django.utils import timezone

from ceadmin.lib import broker as broker_client
from instances import runs
from instances.models import Attempt, Item
from tests.worker.ledger import Ledger
from tests.worker.rig import LEASE, on_postgresql, rig

__all__ = ["rig"]

pytestmark = pytest.mark.in_earnest


def test_a_worker_killed_in_mid_chunk_leaves_its_work_to_the_other(rig):
    count = rig.crowd()
    rig.slow(30, 3)
    doomed = rig.worker("doomed")
    run = rig.begin()
    rig.until(run, lambda: rig.revoked() >= 20)

    rig.kill(doomed)
    rig.worker("other")
    rig.ended(run)

    Ledger(rig.fleet, run).check(count, verified_dead=count)
    assert Attempt.objects.filter(code="worker_lost").exists()
    assert Item.objects.filter(run=run, cause="answer_lost").exists()


def test_all_workers_are_killed_and_a_new_one_goes_on_by_itself(rig):
    count = rig.crowd()
    rig.slow(0, 1.5)
    doomed = [rig.worker(f"doomed-{n}") for n in range(2)]
    run = rig.begin()
    rig.until(run, lambda: run.chunks.filter(status="claimed").count() >= 2)
    rig.until(run, lambda: rig.revoked() >= 20)

    for worker in doomed:
        rig.kill(worker)
    dead = set(run.chunks.exclude(worker="").values_list("worker", flat=True))
    assert dead
    assert runs.progress(run).done < count
    broker_client.client().delete(broker_client.WORKERS)
    rig.worker("new")
    rig.ready(1)
    lives = time.monotonic()
    rig.until(run, lambda: not run.chunks.filter(worker__in=dead).exists())
    waited = time.monotonic() - lives
    rig.ended(run)

    assert waited < LEASE + 15
    Ledger(rig.fleet, run).check(count, verified_dead=count)


def test_a_worker_that_is_told_to_stop_ends_soon_and_another_goes_on(rig):
    """As when a new version is rolled out: its calls are in the air when the signal comes."""
    count = rig.crowd()
    rig.slow(0, 1)
    leaving = rig.worker("leaving")
    run = rig.begin(calls=10)
    rig.until(run, lambda: rig.revoked() >= 10)

    os.kill(leaving.pid, signal.SIGTERM)
    rig.worker("other")
    told = time.monotonic()
    rig.until(run, lambda: leaving.ended() is not None, 60)
    waited = time.monotonic() - told
    rig.ended(run)

    assert waited < 20
    Ledger(rig.fleet, run).check(count, verified_dead=count)


def test_one_process_of_a_worker_is_killed_and_the_worker_goes_on(rig):
    count = rig.crowd(20)
    rig.slow(20, 2)
    rig.worker()
    run = rig.begin()
    rig.until(run, lambda: rig.revoked() >= 10)

    name = run.chunks.filter(status="claimed").values_list("worker", flat=True)[0]
    os.kill(pid_of(name), signal.SIGKILL)
    rig.ended(run)

    Ledger(rig.fleet, run).check(count, verified_dead=count)
    assert Attempt.objects.filter(code="worker_lost").exists()


def test_a_worker_killed_inside_a_plan_leaves_nothing_half(rig):
    count = rig.crowd(20)
    flag = rig.folder / "once"
    flag.touch()
    rig.worker("odd", f"dies_in_plan={flag}")
    run = rig.ask("revoke")
    rig.until(run, lambda: not flag.exists(), ticking=False)
    assert not run.items.exists()

    rig.until(run, lambda: run.planned_at)
    runs.start(run, user=rig.fleet.user, now=timezone.now(), reason="a test")
    rig.ended(run)

    Ledger(rig.fleet, run).check(count, verified_dead=count)


@pytest.mark.skipif(on_postgresql(), reason="PostgreSQL plans by one statement")
def test_a_worker_killed_between_the_pieces_of_a_plan_is_followed_by_another(rig):
    count = rig.crowd(20)
    flag = rig.folder / "once"
    flag.touch()
    rig.worker("odd", "plans_by=7", f"dies_in_plan={flag}")
    run = rig.ask("revoke")
    rig.until(run, lambda: not flag.exists(), ticking=False)
    assert run.items.count() == 35

    rig.until(run, lambda: run.planned_at)
    runs.start(run, user=rig.fleet.user, now=timezone.now(), reason="a test")
    rig.ended(run)

    Ledger(rig.fleet, run).check(count, verified_dead=count)


def test_a_worker_that_sleeps_past_its_lease_finds_others_at_its_work(rig):
    count = rig.crowd()
    rig.slow(0, 1)
    rig.worker("sleeper")
    run = rig.begin()
    rig.until(run, lambda: rig.revoked() >= 10)

    sleeper = put_to_sleep(run)
    rig.worker("other")
    rig.until(run, lambda: not run.chunks.filter(worker=sleeper).exists())
    rig.until(run, lambda: rig.revoked() >= 50)
    os.kill(pid_of(sleeper), signal.SIGCONT)
    rig.ended(run)

    Ledger(rig.fleet, run).check(count, verified_dead=count)
    assert run.items.filter(tries__gte=2).exists()


def put_to_sleep(run) -> str:
    """Stop the process that holds chunks of a run, at a moment when it holds no lock."""
    name = run.chunks.filter(status="claimed").values_list("worker", flat=True)[0]
    while True:
        os.kill(pid_of(name), signal.SIGSTOP)
        if nothing_locked():
            return name
        os.kill(pid_of(name), signal.SIGCONT)


def nothing_locked() -> bool:
    """Tell whether others can write: a process on SQLite may stop with its lock in hand."""
    if connection.vendor != "sqlite":
        return True
    file = connection.settings_dict["NAME"]
    with closing(sqlite3.connect(file, isolation_level=None, timeout=0.3)) as other:
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        other.execute("ROLLBACK")
    return True


def pid_of(worker: str) -> int:
    """Return the process of a worker, which its name tells."""
    return int(worker.rpartition(":")[2])
