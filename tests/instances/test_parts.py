"""A few of each provider go first: judged by whoever writes the last of them."""

from datetime import timedelta

import pytest
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
from instances.engine import claim, reap
from instances.models import Attempt, Chunk, Hold, Item, Part, Run
from tests.instances.killing import fleet, quick, revocations
from tests.instances.parting import crowd, end, part, started, work_off, worker

__all__ = ["fleet", "quick"]

pytestmark = pytest.mark.usefixtures("quick")


# Planning


def test_chunks_take_turns_over_the_providers_and_the_first_few_go_first(fleet):
    crowd(fleet, box=600, salesforce=60, quickbooks=49)
    run = started(fleet, RunKind.PROBE)

    chunks = Chunk.objects.filter(run=run).order_by("number")
    sizes = [
        (
            one.provider_key,
            Item.objects.filter(run=run, chunk_number=one.number).count(),
        )
        for one in chunks
    ]
    assert sizes == [
        ("box", 5),
        ("quickbooks", 49),
        ("salesforce", 5),
        ("box", 250),
        ("salesforce", 55),
        ("box", 250),
        ("box", 95),
    ]
    assert [one.number for one in chunks] == list(range(7))
    parts = Part.objects.filter(run=run).order_by("provider_key")
    assert list(
        parts.values_list("provider_key", "status", "canary_chunk", "total")
    ) == [
        ("box", "canary", 0, 600),
        ("quickbooks", "open", None, 49),
        ("salesforce", "canary", 2, 60),
    ]
    numbers = run.items.order_by("instance_id").values_list("number", flat=True)
    assert list(numbers) == list(range(1, 710))


def test_links_are_made_without_a_first_few(fleet):
    crowd(fleet, box=60)
    run = started(fleet, RunKind.RECONNECT)

    assert part(run, "box").status == PartStatus.OPEN


def test_behind_the_first_few_nothing_is_claimed(fleet):
    crowd(fleet, box=60, salesforce=60)
    run = started(fleet, RunKind.PROBE)

    first, second = claim(run, "one"), claim(run, "two")

    assert [len(items) for _, items in (first, second)] == [5, 5]
    assert claim(run, "three") is None


def test_a_worker_takes_nothing_of_providers_it_can_send_nothing_to(fleet):
    crowd(fleet, box=10, salesforce=10)
    run = started(fleet, RunKind.PROBE)

    chunk, _ = claim(run, "one", {"box"})
    assert chunk.provider_key == "salesforce"
    assert claim(run, "one", {"box"}) is None
    assert claim(run, "one")[0].provider_key == "box"


# Judging


def test_a_good_first_few_open_the_part_and_wake_the_workers(
    fleet, django_capture_on_commit_callbacks
):
    crowd(fleet, box=60)
    run = started(fleet, RunKind.PROBE)
    writer = worker(run)
    _, items = claim(run, "one")

    assert all(writer.watch.urgent(item) for item in items)
    with django_capture_on_commit_callbacks() as messages:
        end(writer, items, Outcome.CONNECTED, Outcome.DEAD)

    assert part(run, "box").status == PartStatus.OPEN
    assert writer.watch.opened
    assert len(messages) == 1
    assert len(claim(run, "one")[1]) == 55


def test_they_are_judged_when_the_last_one_ended_and_once(fleet):
    crowd(fleet, box=60)
    run = started(fleet, RunKind.REVOKE)
    writer = worker(run)
    _, items = claim(run, "one")

    end(writer, items[:4], Outcome.REFUSED)
    assert part(run, "box").status == PartStatus.CANARY
    end(writer, items[4:], Outcome.VERIFIED_DEAD)

    assert part(run, "box").status == PartStatus.HELD
    runs.sweep(now=timezone.now())
    assert Event.objects.filter(action="part_held").count() == 1


@pytest.mark.parametrize("outcome", ["refused", "still_alive", "unclear"])
def test_one_revocation_that_the_record_does_not_expect_pauses_the_run(fleet, outcome):
    crowd(fleet, box=60, salesforce=60)
    run = started(fleet, RunKind.REVOKE)
    writer = worker(run)
    _, items = claim(run, "one")
    Attempt.objects.create(
        item=items[0],
        number=1,
        purpose="revoke",
        method="POST",
        url="https://api.box.com/oauth2/revoke",
        state="answered",
        status_code=400,
        code="invalid_client",
        excerpt='{"error": "invalid_client"}',
        at=timezone.now(),
    )
    end(writer, items, outcome, Outcome.VERIFIED_DEAD, cause="invalid_client")

    run.refresh_from_db()
    assert (run.status, run.problem) == (RunStatus.PAUSED, "canary")
    assert "Box" in run.problem_text
    held = part(run, "box")
    assert (held.status, held.cause) == (PartStatus.HELD, "canary")
    assert held.explanation.startswith("1 of the first 5 ")
    assert held.evidence["outcomes"] == {outcome: 1}
    (shown,) = held.evidence["items"]
    assert shown["excerpt"] == '{"error": "invalid_client"}'
    assert (shown["status"], shown["cause"]) == (400, "invalid_client")
    event = Event.objects.get(action="part_held")
    assert event.provider_key == "box"
    assert '"refused"' in event.text or outcome != "refused"
    assert claim(run, "one") is None


def test_what_is_our_own_fault_holds_no_provider(fleet):
    crowd(fleet, box=60)
    run = started(fleet, RunKind.REVOKE)
    _, items = claim(run, "one")

    end(worker(run), items, Outcome.UNCLEAR, cause="internal_error")

    assert part(run, "box").status == PartStatus.OPEN


def test_probes_hold_a_part_only_when_none_told_anything(fleet):
    crowd(fleet, box=60, salesforce=60)
    run = started(fleet, RunKind.PROBE)
    writer = worker(run)

    end(writer, claim(run, "one")[1], Outcome.TRANSIENT, Outcome.CONNECTED)
    end(writer, claim(run, "one")[1], Outcome.TRANSIENT, Outcome.UNCLEAR)

    assert part(run, "box").status == PartStatus.OPEN
    assert part(run, "salesforce").status == PartStatus.HELD


def test_revocations_hold_a_part_when_the_platform_answers_none(fleet):
    crowd(fleet, box=60)
    run = started(fleet, RunKind.REVOKE)

    end(worker(run), claim(run, "one")[1], Outcome.TRANSIENT)

    assert part(run, "box").status == PartStatus.HELD


def test_what_was_skipped_is_no_evidence(fleet):
    crowd(fleet, box=60)
    run = started(fleet, RunKind.PROBE)
    _, items = claim(run, "one")

    end(worker(run), items, Outcome.SKIPPED, Outcome.TRANSIENT)
    assert part(run, "box").status == PartStatus.HELD


def test_nothing_but_skipped_opens_the_part_to_the_breaker(fleet):
    crowd(fleet, box=60)
    run = started(fleet, RunKind.REVOKE)

    end(worker(run), claim(run, "one")[1], Outcome.SKIPPED)

    assert part(run, "box").status == PartStatus.OPEN


def test_a_part_does_not_wait_for_first_ones_that_another_run_holds(fleet):
    crowd(fleet, box=60)
    run = started(fleet, RunKind.REVOKE)
    busy = run.items.get(number=1)
    later = timezone.now() + timedelta(minutes=5)
    Hold.objects.create(instance=busy.instance, item_id=0, until=later)
    _, items = claim(run, "one")
    assert len(items) == 4

    end(worker(run), items, Outcome.VERIFIED_DEAD)

    assert part(run, "box").status == PartStatus.OPEN
    busy.refresh_from_db()
    assert busy.status == ItemStatus.QUEUED


def test_a_drill_that_waits_for_people_has_shown_what_the_provider_does(fleet):
    crowd(fleet, box=60)
    run = started(fleet, RunKind.DRILL)

    end(worker(run), claim(run, "one")[1], Outcome.WAITING)

    assert part(run, "box").status == PartStatus.OPEN


# Workers that die


def test_a_worker_that_dies_over_the_first_few_leaves_the_part_to_another(fleet):
    crowd(fleet, box=60)
    run = started(fleet, RunKind.PROBE)
    _, items = claim(run, "one")
    end(worker(run), items[:3], Outcome.CONNECTED)
    past = timezone.now() - timedelta(minutes=1)
    run.chunks.filter(status=ChunkStatus.CLAIMED).update(lease_until=past)

    runs.sweep(now=timezone.now())
    assert part(run, "box").status == PartStatus.CANARY
    _, rest = claim(run, "two")
    end(worker(run, "two"), rest, Outcome.CONNECTED)

    assert len(rest) == 2
    assert part(run, "box").status == PartStatus.OPEN


def test_the_sweep_judges_what_ended_without_a_judge(fleet):
    crowd(fleet, box=60)
    run = started(fleet, RunKind.PROBE)
    claim(run, "one")
    run.items.filter(chunk_number=0).update(
        status="done", outcome="transient", finished_at=timezone.now()
    )

    runs.sweep(now=timezone.now())
    runs.sweep(now=timezone.now())

    run.refresh_from_db()
    assert part(run, "box").status == PartStatus.HELD
    assert run.status == RunStatus.PAUSED
    assert Event.objects.filter(action="part_held").count() == 1


def test_a_chunk_over_which_workers_die_leaves_no_part_untried(fleet):
    crowd(fleet, box=60)
    run = started(fleet, RunKind.PROBE)
    claim(run, "one")
    past = timezone.now() - timedelta(minutes=1)
    run.chunks.filter(status="claimed").update(lease_until=past, claims=9)

    reap(timezone.now())
    runs.sweep(now=timezone.now())

    assert part(run, "box").status == PartStatus.HELD  # five that told nothing


# With the platform


def test_a_provider_that_refuses_loses_five_grants_of_sixty_and_no_more(fleet):
    fleet.synced("box", 60)
    fleet.fault("status", "*revoke", times=0, status=503)
    run = fleet.run(RunKind.REVOKE)

    assert (run.status, run.problem) == (RunStatus.PAUSED, "canary")
    tried = run.items.exclude(status="queued")
    assert tried.count() == 5
    assert len({row["path"] for row in revocations(fleet)}) == 1
    assert Item.objects.filter(run=run, status="running").count() == 0


def test_all_sixty_are_worked_by_one_message_when_the_first_five_are_well(fleet):
    fleet.synced("box", 60)

    run = fleet.run(RunKind.PROBE)

    assert run.status == RunStatus.FINISHED
    assert set(run.items.values_list("outcome", flat=True)) == {"connected"}


def test_work_off_in_turns(fleet):
    crowd(fleet, box=300, salesforce=300)
    run = started(fleet, RunKind.PROBE)

    order = work_off(run, Outcome.CONNECTED)

    assert order == ["box", "salesforce"] * 3
    assert runs.finish_if_done(Run.objects.get(pk=run.pk), timezone.now())
