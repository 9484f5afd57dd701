"""Failures that pile up hold one provider's part; the rest goes on, and a person decides."""

import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ceadmin.audit.models import Event
from instances import runs
from instances.choices import (
    ChunkStatus,
    ItemStatus,
    Outcome,
    PartStatus,
    RunKind,
    RunStatus,
)
from instances.engine import claim, parts, release
from instances.engine.claim import give_back
from instances.models import Item, Part
from tests.instances.killing import fleet, quick
from tests.instances.parting import crowd, end, part, started, work_off, worker

__all__ = ["fleet", "quick"]

pytestmark = pytest.mark.usefixtures("quick")


def opened(fleet, kind=RunKind.PROBE, **counts: int):
    """Return a run whose parts are open: the first few of each ended well."""
    crowd(fleet, **counts)
    run = started(fleet, kind)
    good = Outcome.CONNECTED if kind == RunKind.PROBE else Outcome.VERIFIED_DEAD
    for one in Part.objects.filter(run=run, status=PartStatus.CANARY):
        chunk, items = big(run, one.provider_key)
        end(worker(run), items, good)
        release(chunk)
    return run


def window(run, key: str) -> tuple[int, int]:
    """Return the ended and the failed items of a window."""
    one = part(run, key)
    return one.window_ended, one.window_failed


def big(run, key: str, name: str = "one"):
    """Claim the next chunk of one provider."""
    others = set(Part.objects.filter(run=run).values_list("provider_key", flat=True))
    return claim(run, name, others - {key})


def test_half_of_twenty_failing_holds_the_part_and_the_rest_goes_on(fleet):
    run = opened(fleet, box=49, salesforce=49)
    writer = worker(run)
    _, items = big(run, "box")

    end(writer, items[:19], Outcome.TRANSIENT, cause="http_503")
    assert part(run, "box").status == PartStatus.OPEN
    end(writer, items[19:20], Outcome.TRANSIENT, cause="http_503")

    held = part(run, "box")
    assert (held.status, held.cause) == (PartStatus.HELD, "breaker")
    assert held.explanation.startswith(
        "20 of the last 20 failed: 20 temporarily failing"
    )
    assert held.evidence["causes"] == {"http_503": 20}
    assert len(held.evidence["items"]) == 5
    assert writer.watch.shut == {"box"}
    run.refresh_from_db()
    assert (run.status, run.problem) == (RunStatus.RUNNING, "")
    assert Event.objects.get(action="part_held").provider_key == "box"
    assert work_off(run, Outcome.CONNECTED, "two") == ["salesforce"]


def test_under_half_failing_holds_nothing(fleet):
    run = opened(fleet, box=200)
    writer = worker(run)
    while got := claim(run, "one"):
        for place, item in enumerate(got[1]):
            end(
                writer,
                [item],
                Outcome.TRANSIENT if place % 3 == 0 else Outcome.CONNECTED,
            )
        release(got[0])

    assert part(run, "box").status == PartStatus.OPEN


@pytest.mark.parametrize(
    ("outcome", "cause"),
    [
        ("misconfigured", "no_app"),
        ("skipped", "same_grant"),
        ("dead", "grant_dead"),
        ("unclear", "worker_lost"),
        ("not_supported", "no_probe"),
    ],
)
def test_what_is_not_the_providers_fault_holds_nothing(fleet, outcome, cause):
    run = opened(fleet, box=49)

    end(worker(run), claim(run, "one")[1], outcome, cause=cause)

    assert part(run, "box").status == PartStatus.OPEN


def test_good_items_before_are_remembered_a_hundred_long(fleet):
    run = opened(fleet, box=600)
    writer = worker(run)
    release_all = [claim(run, "one"), claim(run, "one"), claim(run, "one")]
    items = [item for _, some in release_all for item in some]

    end(writer, items[:200], Outcome.CONNECTED)
    assert window(run, "box") == (100, 0)
    end(writer, items[200:240], Outcome.TRANSIENT)
    assert part(run, "box").status == PartStatus.OPEN
    end(writer, items[240:340], Outcome.TRANSIENT)
    assert part(run, "box").status == PartStatus.HELD


def test_the_window_counts_about_the_last_hundred(fleet):
    run = opened(fleet, box=10)
    chance, ended = random.Random(7), []
    for share in (0.0, 0.1, 0.4, 0.2):
        for _ in range(30):
            some = [chance.random() < share for _ in range(chance.randint(1, 20))]
            ended += some
            parts.add_to_window(run, "box", len(some), sum(some))
            count, failed = window(run, "box")
            assert count == min(len(ended), 100)
            assert abs(failed / count - sum(ended[-100:]) / count) < 0.2
    parts.add_to_window(run, "box", 500, 400)
    assert window(run, "box") == (100, 80)


def test_a_batch_of_good_items_costs_one_statement_and_often_none(fleet):
    run = opened(fleet, box=400)
    writer = worker(run)
    items = [item for _ in range(2) for item in claim(run, "one")[1]]
    writer.watch.urgent(items[0])

    def updates(some) -> int:
        with CaptureQueriesContext(connection) as asked:
            end(writer, some, Outcome.CONNECTED)
        return len([one for one in asked if "instances_part" in one["sql"]])

    assert updates(items[:50]) == 0
    assert updates(items[50:120]) == 1
    assert updates(items[120:121]) == 0


def test_in_flight_items_of_a_held_part_end_and_break_nothing(fleet):
    run = opened(fleet, box=49)
    writer = worker(run)
    _, items = claim(run, "one")
    end(writer, items[:20], Outcome.TRANSIENT)

    end(writer, items[20:], Outcome.TRANSIENT)

    assert window(run, "box") == (20, 20)
    assert Event.objects.filter(action="part_held").count() == 1
    assert runs.finish_if_done(run, timezone.now())


def test_only_one_of_two_workers_trips(fleet):
    run = opened(fleet, box=400)
    one, two = worker(run, "one"), worker(run, "two")
    mine, theirs = claim(run, "one")[1], claim(run, "two")[1]

    end(one, mine, Outcome.TRANSIENT)
    end(two, theirs, Outcome.TRANSIENT)

    assert Event.objects.filter(action="part_held").count() == 1
    assert (one.watch.shut, two.watch.shut) == ({"box"}, set())


# Decisions


def test_go_on_begins_the_window_anew(fleet):
    run = opened(fleet, box=300)
    writer = worker(run)
    chunk, items = claim(run, "one")
    end(writer, items, Outcome.TRANSIENT)
    release(chunk)
    assert claim(run, "one") is None

    runs.go_on(run, "box", user=fleet.user, now=timezone.now())

    again = part(run, "box")
    assert (again.status, again.decided_by) == (PartStatus.OPEN, str(fleet.user))
    assert window(run, "box") == (0, 0)
    _, more = claim(run, "one")
    end(writer, more[:19], Outcome.TRANSIENT)
    assert part(run, "box").status == PartStatus.OPEN
    event = Event.objects.get(action="part_went_on")
    assert (event.provider_key, event.run_uid) == ("box", str(run.uid))


def test_left_out_is_cancelled_and_what_acted_is_kept(fleet):
    run = opened(fleet, RunKind.REVOKE, box=300, salesforce=10)
    writer = worker(run)
    chunk, items = big(run, "box")
    end(writer, items[: len(items) - 1], Outcome.REFUSED)

    runs.leave_out(run, "box", user=fleet.user, now=timezone.now())
    # The one whose call is in the air is nobody's to cancel.
    assert Item.objects.get(pk=items[-1].pk).status == ItemStatus.RUNNING
    end(writer, items[-1:], Outcome.VERIFIED_DEAD)
    release(chunk)
    runs.sweep(now=timezone.now())

    counts = runs.progress(run).outcomes
    assert counts == {
        "refused": len(items) - 1,
        "verified_dead": 6,
        "cancelled": 295 - len(items),
    }
    assert set(
        run.items.filter(outcome="cancelled").values_list("cause", flat=True)
    ) == {"left_out"}
    run.refresh_from_db()
    assert run.status == RunStatus.RUNNING
    work_off(run, Outcome.VERIFIED_DEAD, "two")
    runs.sweep(now=timezone.now())
    run.refresh_from_db()
    assert run.status == RunStatus.FINISHED
    assert not run.chunks.exclude(status=ChunkStatus.DONE).exists()
    assert Event.objects.filter(action="part_left_out").count() == 1


def test_what_was_put_back_of_a_part_that_is_left_out_is_cancelled(fleet):
    run = opened(fleet, box=49)
    chunk, items = claim(run, "one")
    runs.leave_out(run, "box", user=fleet.user, now=timezone.now())
    assert not run.items.filter(status="done").exists()

    give_back(run, "one", items)
    release(chunk)
    runs.sweep(now=timezone.now())

    run.refresh_from_db()
    assert run.status == RunStatus.FINISHED
    assert set(run.items.values_list("outcome", "cause")) == {("cancelled", "left_out")}


def test_links_of_a_provider_that_is_left_out_are_cancelled(fleet):
    fleet.synced("box", 2)
    fleet.synced("salesforce", 1)
    run = fleet.run(RunKind.RECONNECT)

    runs.leave_out(run, "box", user=fleet.user, now=timezone.now())

    assert sorted(run.items.values_list("provider_key", "status", "cause")) == [
        ("box", "done", "left_out"),
        ("box", "done", "left_out"),
        ("salesforce", "waiting", ""),
    ]


def test_a_run_of_nothing_but_held_parts_keeps_running_and_asks_no_worker(
    fleet, django_capture_on_commit_callbacks
):
    run = opened(fleet, box=300)
    writer = worker(run)
    chunk, items = claim(run, "one")
    end(writer, items, Outcome.TRANSIENT)
    release(chunk)

    with django_capture_on_commit_callbacks() as messages:
        runs.sweep(now=timezone.now())
        runs.work(run.pk, worker="two")

    run.refresh_from_db()
    assert run.status == RunStatus.RUNNING
    assert messages == []


def test_stop_pause_and_retry_work_on_a_run_with_a_held_part(fleet):
    run = opened(fleet, box=300)
    writer = worker(run)
    chunk, items = claim(run, "one")
    end(writer, items, Outcome.TRANSIENT)
    release(chunk)
    now = timezone.now()

    runs.pause(run, user=fleet.user, now=now)
    runs.resume(run, user=fleet.user, now=now)
    assert part(run, "box").status == PartStatus.HELD
    runs.stop(run, user=fleet.user, now=now)
    runs.sweep(now=now)

    run.refresh_from_db()
    assert (run.status, run.problem) == (RunStatus.STOPPED, "")
    again = runs.retry(run, user=fleet.user, now=now)
    runs.plan(again.pk, now=now)
    assert again.items.count() == len(items)
