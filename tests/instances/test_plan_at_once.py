"""On PostgreSQL a plan is one statement, for which nobody waits but another planner."""

import sys
import threading
import time

import pytest
from django.db import connection
from django.utils import timezone

from instances import runs, selection
from instances.choices import RunKind, RunStatus
from instances.models import Chunk, Item, Run
from instances.runs import freezing
from tests.instances.crowds import make_instances

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite plans in pieces"
)
COUNT = 500


def ask(team, kind: str = RunKind.REVOKE) -> Run:
    make_instances(team.acme, COUNT)
    everything = selection.everything()
    return runs.create(kind, team.acme, everything, user=team.rita, now=timezone.now())


@pytest.fixture
def meanwhile(monkeypatch):
    """Let something happen on a connection of its own while a list is written."""
    took = []

    def arrange(act) -> list[float]:
        write = freezing.freeze_at_once

        def written(run, rows) -> None:
            write(run, rows)
            began = time.monotonic()
            other = threading.Thread(target=elsewhere, args=(act,))
            other.start()
            other.join(20)
            took.append(time.monotonic() - began)

        # The package has a function so named.
        planner = sys.modules["instances.runs.plan"]
        monkeypatch.setattr(planner, "freeze_at_once", written)
        return took

    return arrange


def elsewhere(act) -> None:
    try:
        act()
    finally:
        connection.close()


def test_who_discards_the_draft_waits_for_nothing(transactional_db, team, meanwhile):
    run = ask(team)
    took = meanwhile(
        lambda: runs.discard(
            Run.objects.get(pk=run.pk), user=team.rita, now=timezone.now()
        )
    )

    runs.plan(run.pk, now=timezone.now())
    run.refresh_from_db()

    assert took[0] < 5
    assert (run.status, run.problem) == (RunStatus.EXPIRED, "discarded")
    assert (run.planned_at, run.total) == (None, 0)
    assert not Item.objects.filter(run=run).exists()
    assert not Chunk.objects.filter(run=run).exists()


def test_who_stops_the_run_waits_for_nothing(transactional_db, team, meanwhile):
    run = ask(team, RunKind.PROBE)
    took = meanwhile(
        lambda: runs.stop(
            Run.objects.get(pk=run.pk), user=team.rita, now=timezone.now()
        )
    )

    runs.plan(run.pk, now=timezone.now())
    runs.sweep(now=timezone.now())
    run.refresh_from_db()

    assert took[0] < 5
    assert (run.status, run.planned_at) == (RunStatus.STOPPED, None)
    assert not Item.objects.filter(run=run).exists()


def test_a_second_planner_goes_away_at_once(transactional_db, team, meanwhile):
    run = ask(team)
    took = meanwhile(lambda: runs.plan(run.pk, now=timezone.now()))

    runs.plan(run.pk, now=timezone.now())
    run.refresh_from_db()

    assert took == [pytest.approx(0, abs=5)]
    assert run.total == COUNT == Item.objects.filter(run=run).count()
    assert run.selection_hash == freezing.list_hash(run)


def test_who_waits_for_a_plan_gets_it(transactional_db, team, meanwhile):
    run = ask(team)
    waits = threading.Thread(
        target=elsewhere,
        args=(lambda: runs.wait_for_plan(run.pk, now=timezone.now()),),
    )
    meanwhile(waits.start)

    runs.plan(run.pk, now=timezone.now())
    waits.join(20)
    run.refresh_from_db()

    assert not waits.is_alive()
    assert run.total == COUNT == Item.objects.filter(run=run).count()
