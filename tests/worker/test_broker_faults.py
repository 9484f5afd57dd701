"""A broker that is away, loses its memory, has none left, or stands behind a bad network."""

import time

import pytest
import redis
from django.urls import reverse

from ceadmin.lib import broker as broker_client
from instances.models import Run
from tests.services import wait_until
from tests.worker.ledger import Ledger
from tests.worker.rig import rig

__all__ = ["rig"]

pytestmark = pytest.mark.in_earnest


def test_a_broker_killed_with_all_it_held_comes_back_empty(rig):
    count = rig.crowd()
    rig.slow(0, 1)
    worker, beat = rig.worker(), rig.beat()
    run = rig.begin()
    rig.until(run, lambda: rig.revoked() >= 20)
    asked = rig.ask()

    rig.kill_broker()
    late = rig.ask()  # nothing can be sent now
    rig.until(run, lambda: rig.revoked() >= 40)  # the shard needs no broker
    rig.start_broker()
    for one in (run, asked, late):
        rig.ended(one, ticking=False)

    Ledger(rig.fleet, run).check(count, verified_dead=count)
    Ledger(rig.fleet, asked).check(count)
    Ledger(rig.fleet, late).check(count)
    assert (worker.ended(), beat.ended()) == (None, None)
    assert rig.revoked() == count


def test_workers_that_start_before_their_broker_wait_for_it(rig):
    count = rig.crowd(20)
    rig.kill_broker()
    worker = rig.worker()
    run = rig.begin("probe")
    wait_until(lambda: "Cannot connect" in "".join(worker.last_lines), 30, "a try")

    rig.start_broker()
    rig.ended(run)

    Ledger(rig.fleet, run).check(count)


def test_a_broker_without_memory_stops_neither_pages_nor_workers(rig, client):
    count = rig.crowd()
    rig.slow(0, 1)
    client.force_login(rig.fleet.user)
    worker = rig.worker()
    run = rig.begin()
    rig.until(run, lambda: rig.revoked() >= 10)
    rig.ask()  # lies in the queue while there is no memory

    broker = broker_client.client()
    broker.config_set("maxmemory", "1")
    with pytest.raises(redis.RedisError):
        broker.set("full", "x" * 100)
    page = client.get(reverse("admin:instances_run_change", args=[run.pk]))
    assert page.status_code == 200
    asked = client.post(
        reverse("admin:instances_instance_changelist"),
        {"action": "probe", "select_across": "1", "_selected_action": some(run)},
    )
    assert asked.status_code == 302
    rig.until(run, lambda: rig.revoked() >= 40)
    time.sleep(3)  # whatever the worker sends meanwhile is refused
    assert worker.ended() is None

    broker.config_set("maxmemory", "0")
    for one in Run.objects.exclude(kind="sync"):
        rig.ended(one)
    for one in Run.objects.exclude(kind="sync"):
        Ledger(rig.fleet, one).check(count)
    assert rig.revoked() == count
    assert worker.ended() is None


def some(run) -> str:
    return str(run.items.values_list("instance_id", flat=True)[0])


def test_a_network_that_cuts_and_stalls_between_worker_and_broker(rig):
    count = rig.crowd()
    rig.slow(0, 0.5)
    relay = rig.relay(rig.socket)
    worker = rig.worker(REDIS_URL=f"redis://127.0.0.1:{relay.port}/0")
    run = rig.begin()
    rig.until(run, lambda: rig.revoked() >= 10)

    for _ in range(3):
        relay.cut()
        passed = relay.passed
        wait_until(lambda: relay.passed > passed, 30, "a new connection")  # noqa: B023
    asked = rig.ask()
    relay.stall()
    time.sleep(7)  # longer than any patience of a socket
    relay.cut()
    relay.flow()
    rig.ended(run)
    rig.ended(asked)

    Ledger(rig.fleet, run).check(count, verified_dead=count)
    Ledger(rig.fleet, asked).check(count)
    assert worker.ended() is None
    assert rig.revoked() == count
