"""Old rows go in small batches, beside workers and other sweeps, found by indexes."""

import threading

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from instances import runs
from instances.choices import RunKind
from instances.models import Attempt
from instances.runs import retention
from tests.instances.aged import CALLS, NOW, left, old, thin
from tests.instances.fleet import Fleet

__all__ = ["old"]


def test_no_transaction_and_no_sweep_is_large(old, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 10)
    monkeypatch.setattr(retention, "ITEMS_AT_ONCE", 4)
    run = old(40)

    batches = list(retention._batches(NOW))

    assert max(batches) <= 14
    assert sum(batches) == 40 + 80 + 1
    assert left(run) == (0, 0)


def test_a_sweep_ends_after_its_rows_and_the_next_goes_on(old, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 10)
    run = old(40, ago=CALLS)

    assert thin(rows=30) == 30
    assert left(run) == (40, 50)
    assert thin(rows=30) == 30
    assert thin() == 20
    assert left(run) == (40, 0)


def test_a_sweep_ends_after_its_seconds(old, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 10)
    monkeypatch.setattr(retention, "SECONDS_A_SWEEP", 0.0)
    run = old(40, ago=CALLS)

    assert thin() == 10
    assert left(run) == (40, 70)


def test_a_crash_in_the_middle_loses_no_count(old, monkeypatch):
    monkeypatch.setattr(retention, "ITEMS_AT_ONCE", 4)
    run = old(10)
    before = runs.progress(run)
    batches = retention._items(run.pk, NOW)
    next(batches)
    batches.close()

    run.refresh_from_db()
    assert left(run) == (6, 12)
    assert runs.progress(run) == before

    thin()
    run.refresh_from_db()
    assert left(run) == (0, 0)
    assert runs.progress(run) == before


def test_a_crash_inside_a_batch_takes_the_batch_back(old, monkeypatch):
    run = old(10)

    def dies(*_):
        raise RuntimeError("the database went away")

    with monkeypatch.context() as failing:
        failing.setattr(retention.QuerySet, "delete", dies)
        with pytest.raises(RuntimeError):
            thin()

    run.refresh_from_db()
    assert left(run) == (10, 20)
    assert run.tallies is None


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_remove_each_row_once(old, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 20)
    monkeypatch.setattr(retention, "ITEMS_AT_ONCE", 5)
    made = [old(60) for _ in range(4)]
    before = [runs.progress(run) for run in made]
    counts, errors = [], []

    def sweep() -> None:
        try:
            counts.append(thin())
        except Exception as error:  # noqa: BLE001
            errors.append(error)
        finally:
            connections.close_all()

    sweeps = [threading.Thread(target=sweep) for _ in range(2)]
    for one in sweeps:
        one.start()
    for one in sweeps:
        one.join()
    counts.append(thin())  # what one of them left to the other

    assert errors == []
    assert sum(counts) == 4 * (60 + 120 + 1)
    for run, count in zip(made, before, strict=True):
        run.refresh_from_db()
        assert run.emptied
        assert runs.progress(run) == count


# What it asks the database


def plan_of(rows) -> str:
    words = rows.explain()
    return words if connection.vendor == "sqlite" else words.lower()


def test_runs_to_thin_out_and_their_rows_are_found_by_indexes(old):
    run = old(40)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
    asked = {
        "runs_to_thin": retention._ended(NOW),
        "links_closed": retention._closed_links(NOW),
        "item": retention._free_items(run).filter(number__gt=3).order_by("number"),
        "instances_attempt": Attempt.objects.filter(
            item__gte=1, item__lte=10**6, item__run=run
        ).order_by("item_id"),
    }

    if connection.vendor == "sqlite":
        del asked["links_closed"]  # a partial index is no use to a list of parameters
    for index, rows in asked.items():
        plan = plan_of(rows)
        assert index in plan, plan
        assert "SCAN instances_item" not in plan
        assert "SCAN instances_attempt" not in plan


def test_an_empty_sweep_asks_little(db):
    with CaptureQueriesContext(connection) as asked:
        thin()

    assert len(asked) < 25


@pytest.mark.django_db(transaction=True)
def test_a_run_that_is_worked_meanwhile_loses_nothing(old, emulator, team, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 20)
    monkeypatch.setattr(retention, "ITEMS_AT_ONCE", 5)
    fleet = Fleet(emulator, team.acme, team.rita)
    fleet.synced("box", 30)
    gone = [old(60) for _ in range(4)]
    run = fleet.draft(RunKind.REVOKE)
    runs.start(run, user=team.rita, now=timezone.now(), reason="a test")

    def work() -> None:
        runs.work(run.pk, worker="beside")
        connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    while thin(rows=50):
        pass
    worker.join()

    run.refresh_from_db()
    assert runs.progress(run).outcomes == {"verified_dead": 30}
    assert all(left(one) == (0, 0) for one in gone)
