"""Rate and time left come from stored rows; who works is told, and when nobody can."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from redis.exceptions import ConnectionError as Gone

from ceadmin.lib import broker
from instances import runs
from instances.choices import (
    ChunkStatus,
    ItemStatus,
    Outcome,
    PartStatus,
    RunKind,
    RunStatus,
)
from instances.engine.claim import from_now
from instances.models import Chunk, Item, Part, Run
from tests.instances.crowds import end_items, make_run, vm_steps


@pytest.fixture(autouse=True)
def fresh():
    """Forget what was seen of the broker a moment ago."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def long_ago(team):
    """A run of 1,000 that began an hour ago."""
    return make_run(team.acme, 1_000, started_at=timezone.now() - timedelta(hours=1))


def pace(run):
    return runs.pace(run, runs.progress(run), timezone.now())


def test_the_rate_is_that_of_the_last_minute(long_ago):
    end_items(long_ago, share=0.6, seconds=120)

    seen = pace(long_ago)

    assert seen.rate == pytest.approx(5, rel=0.05)
    assert seen.left.total_seconds() == pytest.approx(80, rel=0.05)
    assert seen.words == "about 80 seconds left"


def test_a_run_that_slept_for_a_minute_goes_by_its_average(long_ago):
    end_items(long_ago, share=0.5, seconds=3)
    ended = Item.objects.filter(run=long_ago, status=ItemStatus.DONE)
    ended.update(finished_at=timezone.now() - timedelta(minutes=5))

    assert pace(long_ago).rate == pytest.approx(500 / 3600, rel=0.01)


def test_nothing_is_said_of_a_run_that_has_just_begun(team):
    run = make_run(team.acme, 100)
    end_items(run, share=0.1, seconds=0.1)

    assert pace(run).words == ""


@pytest.mark.parametrize("status", ["paused", "draft", "planning", "stopping"])
def test_what_does_not_run_has_no_time_left(long_ago, status):
    Run.objects.filter(pk=long_ago.pk).update(status=status)
    long_ago.refresh_from_db()

    assert pace(long_ago) == runs.Pace()


def test_a_clock_that_is_an_hour_ahead_breaks_nothing(long_ago):
    end_items(long_ago, share=0.5)
    ended = Item.objects.filter(run=long_ago, status=ItemStatus.DONE)
    ended.update(finished_at=timezone.now() + timedelta(hours=1))

    seen = pace(long_ago)

    assert seen.rate > 0
    assert seen.left > timedelta()


def test_an_ended_run_has_an_average(long_ago):
    end_items(long_ago)
    long_ago.status = RunStatus.FINISHED
    long_ago.finished_at = long_ago.started_at + timedelta(seconds=100)

    assert pace(long_ago) == runs.Pace(rate=10)


def test_what_is_held_is_not_waited_for(long_ago):
    end_items(long_ago, share=0.5)
    before = pace(long_ago).left
    Part.objects.create(run=long_ago, provider_key="box", status=PartStatus.HELD)

    assert pace(long_ago).left == pytest.approx(before / 2, rel=0.1)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="counts SQLite's own steps")
def test_the_rate_costs_at_the_end_what_it_costs_early(team):
    run = make_run(team.acme, 20_000, started_at=timezone.now() - timedelta(hours=1))
    steps = []
    for share in (0.3, 1.0):
        end_items(run, share=share)
        counts = runs.progress(run)
        with vm_steps() as counted:
            runs.pace(run, counts, timezone.now())
        steps.append(counted[0])

    assert steps[1] <= 1.1 * steps[0], steps


# Who works


def hold(run, *workers):
    for number, worker in enumerate(workers):
        Chunk.objects.create(
            run=run,
            number=number,
            status=ChunkStatus.CLAIMED,
            worker=worker,
            lease_until=from_now(timedelta(seconds=30)),
        )


def test_the_workers_of_a_run_are_counted(long_ago):
    hold(long_ago, "a:1", "a:1", "b:1")

    assert runs.crew(long_ago) == runs.Crew(2)


def test_a_run_that_nobody_can_work_says_so(long_ago, monkeypatch):
    Chunk.objects.create(run=long_ago, number=0)
    monkeypatch.setattr(broker, "live_workers", lambda: 0)

    seen = runs.crew(long_ago)

    assert seen.workers == 0
    assert "No worker is alive" in seen.problem
    assert "celery --app ceadmin worker" in seen.problem
    assert "goes on by itself" in seen.problem


def test_a_broker_that_is_away_is_what_is_said(long_ago, monkeypatch):
    def away():
        raise Gone

    Chunk.objects.create(run=long_ago, number=0)
    monkeypatch.setattr(broker, "live_workers", away)

    assert "the broker does not answer" in runs.crew(long_ago).problem


def test_a_run_that_waits_for_people_misses_no_worker(long_ago, monkeypatch):
    Chunk.objects.create(run=long_ago, number=0, status=ChunkStatus.DONE)
    monkeypatch.setattr(broker, "live_workers", lambda: 0)

    assert runs.crew(long_ago) == runs.Crew()


def test_many_viewers_ask_the_broker_once(long_ago, monkeypatch):
    asked = []
    Chunk.objects.create(run=long_ago, number=0)
    monkeypatch.setattr(broker, "live_workers", lambda: asked.append(1) or 1)

    for _ in range(5):
        runs.crew(long_ago)

    assert asked == [1]


# The page


@pytest.fixture
def rita(client, team):
    client.force_login(team.rita)
    client.get(reverse("admin:index"))
    return client


def live(client, run) -> dict:
    return client.get(reverse("admin:instances_run_live", args=[run.pk])).json()


def test_the_page_says_how_far_how_fast_and_how_long(rita, long_ago):
    end_items(long_ago, share=0.6, seconds=120)
    hold(long_ago, "a:1", "b:1")

    told = live(rita, long_ago)
    page = rita.get(reverse("admin:instances_run_change", args=[long_ago.pk]))

    facts = "600 of 1,000 done · 5/s · 2 workers · up to 50 calls at once"
    assert told["facts"].replace("4.9/s", "5/s") == facts
    assert told["eta"].startswith("about 8")
    assert "about 8" in page.content.decode()
    assert told["verdict"] == "60 %"


def test_people_have_no_pace(rita, long_ago):
    Run.objects.filter(pk=long_ago.pk).update(kind=RunKind.RECONNECT)
    end_items(long_ago, share=0.6, seconds=50)
    ended = Item.objects.filter(run=long_ago, status=ItemStatus.DONE)
    ended.update(outcome=Outcome.RECONNECTED)
    waiting = Item.objects.filter(run=long_ago, status=ItemStatus.QUEUED)
    some = list(waiting.order_by("number").values_list("pk", flat=True)[:5])
    Item.objects.filter(pk__in=some).update(status=ItemStatus.WAITING)
    hold(long_ago, "a:1")

    told = live(rita, long_ago)

    assert told["facts"] == "600 of 1,000 done · 1 worker"
    assert told["eta"] == "waiting for 5 people to consent"
    assert "left" not in told["providers"]


def test_a_list_that_is_being_frozen_has_no_share_done(rita, team):
    run = make_run(team.acme, 0, status="planning", total=0)

    told = live(rita, run)

    assert (told["verdict"], told["percent"]) == ("", "")


def test_the_page_of_a_run_without_a_worker_says_so(rita, long_ago, monkeypatch):
    Chunk.objects.create(run=long_ago, number=0)
    monkeypatch.setattr(broker, "live_workers", lambda: 0)

    end_items(long_ago, share=0.6, seconds=50)
    Chunk.objects.filter(run=long_ago).update(status=ChunkStatus.QUEUED)

    page = rita.get(reverse("admin:instances_run_change", args=[long_ago.pk]))
    told = live(rita, long_ago)

    assert "No worker is alive" in told["problem"]
    assert told["eta"] == ""  # nobody works, so no time is promised
    assert "No worker is alive" in page.content.decode()


def test_a_run_that_is_being_stopped_says_what_it_waits_for(rita, long_ago):
    Run.objects.filter(pk=long_ago.pk).update(status="stopping")
    hold(long_ago, "a:1")

    assert live(rita, long_ago)["eta"] == "what is under way ends first"


def test_a_poll_is_as_many_queries_at_the_end_as_early(rita, long_ago):
    counts = []
    for share in (0.3, 1.0):
        end_items(long_ago, share=share)
        with CaptureQueriesContext(connection) as asked:
            live(rita, long_ago)
        counts.append(len(asked))

    assert counts[1] <= counts[0] <= 30, counts


@pytest.mark.skipif(connection.vendor != "sqlite", reason="counts SQLite's own steps")
@pytest.mark.parametrize("outcome", ["connected", "dead"])
def test_a_poll_costs_at_the_end_what_it_costs_at_the_start(rita, team, outcome):
    run = make_run(team.acme, 6_000, started_at=timezone.now() - timedelta(hours=1))
    Item.objects.filter(run=run, number__lte=6).update(status=ItemStatus.RUNNING)
    steps = []
    for share in (0.01, 1.0):
        end_items(run, share=share)
        Item.objects.filter(run=run, outcome="connected").update(outcome=outcome)
        cache.clear()
        with vm_steps() as counted:
            live(rita, run)
        steps.append(counted[0])

    # Counting is a third of it; the rate reads at most 5,000 entries of an index.
    assert steps[1] <= 2.5 * steps[0], steps


def test_the_worst_stand_first_and_little_of_what_is_under_way(rita, long_ago):
    end_items(long_ago, share=0.02)
    Item.objects.filter(run=long_ago, number__gt=900).update(status=ItemStatus.RUNNING)
    page = rita.get(reverse("admin:instances_run_change", args=[long_ago.pk]))

    shown = [item for item, _ in page.context["items"]]

    assert [one.outcome for one in shown[:2]] == ["transient"] * 2
    assert [one.status for one in shown].count("running") == 10
    assert len(shown) == 20
    assert long_ago.kind == RunKind.PROBE


def test_the_page_of_a_draft_that_nobody_can_plan_says_so(rita, team, monkeypatch):
    made = {"kind": RunKind.REVOKE, "status": "draft", "created_at": timezone.now()}
    draft = Run.objects.create(organization=team.acme, **made)
    monkeypatch.setattr(broker, "live_workers", lambda: 0)

    page = rita.get(reverse("admin:instances_run_change", args=[draft.pk]))

    assert "No worker is alive" in page.content.decode()
    assert "No worker is alive" in live(rita, draft)["problem"]
