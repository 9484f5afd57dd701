"""100,000 instances of one host that takes one call a second: said beforehand, held to, and paused at once."""

import threading
import time

import pytest
from django.db import connection, connections
from django.urls import reverse
from django.utils import timezone

from instances import runs
from instances.choices import ChunkStatus, ItemStatus, RunKind, RunStatus
from instances.models import Instance, Run
from providers.choices import LimitScope
from providers.models import Limit
from tests.instances.fleet import Fleet
from tests.people import PASSWORD
from tests.services import wait_until

MANY = 100_000
#: So many are there at the platform too, and their turn comes first.
REAL = 30

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]


@pytest.fixture
def fleet(emulator, team, broker):
    """Some instances at the platform, and as many copies of one here as make a large run."""
    fleet = Fleet(emulator, team.acme, team.rita)
    fleet.synced("box", REAL)
    Limit.objects.create(organization=team.acme, scope=LimitScope.PLATFORM, rate=1.0)
    copy_instance(MANY - REAL)
    return fleet


def copy_instance(times: int) -> None:
    """Copy an instance in the database itself; copies differ by uid, remote id and name."""
    uid, count = (
        "printf('%%032x', n)",
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < %s)",
    )
    if connection.vendor == "postgresql":
        uid, count = (
            "lpad(to_hex(n), 32, '0')::uuid",
            "WITH c AS (SELECT generate_series(1, %s) AS n)",
        )
    # A sealed token opens in its own row only.
    own = {
        "element_token": "''",
        "uid": uid,
        "remote_id": "'c' || n",
        "name": "'copy ' || n",
    }
    columns = [
        field.column for field in Instance._meta.local_fields if field.column != "id"
    ]
    wanted = ", ".join(own.get(column, f"i.{column}") for column in columns)
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO instances_instance ({names}) {count} "
            f"SELECT {wanted} FROM instances_instance i, c "
            "WHERE i.id = (SELECT MIN(id) FROM instances_instance)",
            [times],
        )


def calls(fleet) -> int:
    return len(fleet.emulator.log())


@pytest.fixture
def at_work():
    """A function that works a run in a thread, which has ended before the tables are emptied."""
    begun = []

    def start(run: Run) -> threading.Thread:
        begun.append((run, threading.Thread(target=work, args=(run,))))
        begun[-1][1].start()
        return begun[-1][1]

    yield start
    for run, thread in begun:
        Run.objects.filter(pk=run.pk, status=RunStatus.RUNNING).update(
            status=RunStatus.PAUSED
        )
        thread.join(20)


def test_a_day_of_work_is_foretold_held_to_and_paused_within_seconds(
    fleet, client, at_work
):
    run = fleet.draft(RunKind.PROBE)
    assert (run.status, run.total) == (RunStatus.RUNNING, MANY)
    before, began = calls(fleet), time.monotonic()

    worker = at_work(run)
    wait_until(lambda: ended(run) >= 3, 15, "three ended items")

    # It keeps to the limit …
    spent = time.monotonic() - began
    assert calls(fleet) - before <= spent + 2

    # … says how long that takes and because of whom …
    assert client.login(username=fleet.user.email, password=PASSWORD)
    page = client.get(reverse("admin:instances_run_live", args=[run.pk])).json()
    assert "28 hours" in page["eta"], page["eta"]
    assert "1/s" in page["eta"]

    # … and a pause does not wait for its turn.
    runs.pause(run, user=fleet.user, now=timezone.now())
    worker.join(5)
    assert not worker.is_alive()
    assert_quiet(fleet, run)

    # It goes on where it was, and a stop ends it.
    runs.resume(run, user=fleet.user, now=timezone.now())
    runs.stop(run, user=fleet.user, now=timezone.now())
    runs.sweep(now=timezone.now())
    run.refresh_from_db()
    assert run.status == RunStatus.STOPPED
    assert sum(runs.progress(run).outcomes.values()) == MANY


def assert_quiet(fleet, run: Run) -> None:
    """A paused run sends nothing, holds nothing, and what it had not begun is no try."""
    held = calls(fleet)
    time.sleep(1.5)
    assert calls(fleet) == held
    run.refresh_from_db()
    assert run.status == RunStatus.PAUSED
    assert not run.chunks.filter(status=ChunkStatus.CLAIMED).exists()
    left = run.items.exclude(status=ItemStatus.DONE)
    assert left.count() == left.filter(status=ItemStatus.QUEUED, tries=0).count()
    assert left.count() >= MANY - held


def work(run: Run) -> None:
    try:
        runs.work(run.pk, worker="one of many", seconds=60)
    finally:
        connections.close_all()


def ended(run: Run) -> int:
    return run.items.filter(status=ItemStatus.DONE).count()
