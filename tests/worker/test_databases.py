"""A database that is locked, cut off, or out of reach for some of those who work."""

import os
import signal
import sys
import time
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.urls import reverse

from instances.models import Run
from tests.services import database_url, wait_until
from tests.worker.ledger import Ledger
from tests.worker.rig import on_postgresql, rig

__all__ = ["rig"]

only_sqlite = pytest.mark.skipif(on_postgresql(), reason="SQLite's own lock")
only_postgresql = pytest.mark.skipif(
    not on_postgresql(), reason="PostgreSQL NOT there: set TEST_DATABASE_URL"
)

HOLDS = """
import sqlite3, sys, time
database = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
database.execute("BEGIN IMMEDIATE")
open(sys.argv[2], "w").close()
time.sleep(float(sys.argv[3]))
database.execute("ROLLBACK")
"""


@only_sqlite
def test_sqlite_is_locked_for_ten_seconds(rig, client):
    count = rig.crowd()
    rig.slow(0, 0.5)
    client.force_login(rig.fleet.user)
    patient, other = rig.worker("patient"), rig.worker("other", "impatient=2")
    run = rig.begin()
    page = reverse("admin:instances_run_change", args=[run.pk])
    assert client.get(page).status_code == 200
    rig.until(run, lambda: rig.revoked() >= 10)

    holder = lock(rig, 10)
    page = client.get(page)
    assert page.status_code == 200
    assert holder.ended() is None  # looking waits for nobody
    asked = client.post(
        reverse("admin:instances_instance_changelist"),
        {"action": "probe", "select_across": "1", "_selected_action": some(run)},
    )
    assert asked.status_code == 302
    rig.ended(run)
    probe = Run.objects.get(kind="probe")
    rig.ended(probe)

    Ledger(rig.fleet, run).check(count, verified_dead=count)
    Ledger(rig.fleet, probe).check(count)
    assert (patient.ended(), other.ended()) == (None, None)


def lock(rig, seconds: float):
    """Let another process hold SQLite's one write lock."""
    flag = rig.folder / "locked"
    file = str(connection.settings_dict["NAME"])
    holder = rig.start(
        "holder", [sys.executable, "-c", HOLDS, file, str(flag), str(seconds)]
    )
    wait_until(flag.exists, 30, "a lock")
    return holder


def some(run) -> str:
    return str(run.items.values_list("instance_id", flat=True)[0])


@only_postgresql
def test_postgresql_ends_every_session_again_and_again(rig):
    count = rig.crowd()
    rig.slow(0, 0.5)
    workers = [rig.worker(f"worker-{n}") for n in range(2)]
    run = rig.begin()
    rig.until(run, lambda: rig.revoked() >= 5)

    ended = 0
    for _ in range(6):
        ended += end_sessions()
        until = time.monotonic() + 1.5
        rig.until(run, lambda: time.monotonic() > until)  # noqa: B023
    rig.ended(run)

    assert ended >= 2
    Ledger(rig.fleet, run).check(count, verified_dead=count)
    assert [worker.ended() for worker in workers] == [None, None]


def end_sessions() -> int:
    """End every session of this database but the test's own; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return len(cursor.fetchall())


@only_postgresql
def test_a_network_that_cuts_and_stalls_between_worker_and_database(rig):
    count = rig.crowd()
    rig.slow(0, 1)
    url = urlsplit(database_url())
    relay = rig.relay((url.hostname, url.port or 5432))
    there = url._replace(netloc=f"{url.username}@127.0.0.1:{relay.port}").geturl()
    far = rig.worker("far", DATABASE_URL=there)
    run = rig.begin()
    rig.until(run, lambda: rig.revoked() >= 5)
    for _ in range(2):
        rig.until(run, relay.cut)  # between two tasks there may be nothing to cut
        passed = relay.passed
        rig.until(run, lambda: relay.passed > passed + 10_000)  # noqa: B023

    rig.until(run, lambda: run.chunks.filter(status="claimed").exists())
    relay.stall()
    rig.worker("near")
    rig.ended(run)  # the other takes over what is held behind the stall
    relay.flow()  # and now the late one has its say
    Ledger(rig.fleet, run).check(count, verified_dead=count)

    again = rig.begin("probe")
    rig.ended(again)
    Ledger(rig.fleet, run).check(count, verified_dead=count)
    assert far.ended() is None


@only_postgresql
def test_a_worker_that_freezes_in_a_transaction_keeps_no_locks(rig):
    count = rig.crowd()
    flag = rig.folder / "once"
    flag.touch()
    impatient = "options=-c%20idle_in_transaction_session_timeout%3D2s"
    url = f"{database_url()}?{impatient}"
    frozen = rig.worker("frozen", f"freezes={flag}", DATABASE_URL=url)
    run = rig.begin()
    rig.until(run, lambda: not flag.exists())

    rig.worker("other")
    rig.ended(run)
    Ledger(rig.fleet, run).check(count, verified_dead=count)

    os.killpg(frozen.pid, signal.SIGCONT)
    again = rig.begin("probe")
    rig.ended(again)
    Ledger(rig.fleet, run).check(count, verified_dead=count)
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("1min",)
