"""How long something takes: from limits, and from what its calls took lately."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from instances import runs
from instances.choices import AttemptState, RunKind, RunStatus
from instances.models import Attempt, Item
from providers.choices import LimitScope
from providers.models import Limit
from tests.instances.crowds import make_run
from tests.instances.fleet import Fleet
from tests.people import PASSWORD


@pytest.fixture(autouse=True)
def fresh():
    """Forget what was learned of other tests' calls."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def draft(team):
    """A probe of 12,000 that was not begun."""
    return make_run(team.acme, 12_000, started_at=None, status=RunStatus.DRAFT)


def history(team, *, provider: str, calls: int, milliseconds: int) -> None:
    """Save an earlier probe: ten items of a provider, so many calls each."""
    run = make_run(team.acme, 10, status=RunStatus.PAUSED)
    Item.objects.filter(run=run).update(provider_key=provider)
    Attempt.objects.bulk_create(
        Attempt(
            item=item,
            number=1,
            purpose="probe",
            method="GET",
            url=f"{team.acme.base_url}/elements/api-v2/ping",
            state=AttemptState.ANSWERED,
            at=timezone.now(),
            duration_ms=milliseconds,
        )
        for item in Item.objects.filter(run=run)
        for _ in range(calls)
    )


def said(run) -> str:
    return runs.forecast(run, {"box": 6_000, "salesforce": 6_000}).words


def test_without_history_and_limits_nothing_is_promised(draft):
    assert runs.forecast(draft, {"box": 5}).duration is None
    assert "No history here yet" in said(draft)


def test_history_and_connections_say_how_long(team, draft):
    history(team, provider="box", calls=1, milliseconds=1_000)
    history(team, provider="salesforce", calls=2, milliseconds=1_000)

    # 6,000 × 1 s + 6,000 × 2 s, fifty at once.
    assert said(draft) == "About 6 minutes at 50 connections."


def test_a_provider_that_was_never_met_costs_what_others_cost(team, draft):
    history(team, provider="box", calls=1, milliseconds=2_500)

    assert said(draft) == "About 10 minutes at 50 connections."


def test_one_item_takes_as_long_as_its_calls(team, draft):
    history(team, provider="box", calls=3, milliseconds=4_000)

    assert runs.forecast(draft, {"box": 1}).duration == timedelta(seconds=12)


def limit(team, **fields) -> None:
    wanted = {"organization": team.acme, "scope": LimitScope.PLATFORM}
    Limit.objects.create(**(wanted | fields))


def test_a_limit_of_one_a_second_is_a_day_and_more(team):
    run = make_run(team.acme, 10, status=RunStatus.RUNNING)
    limit(team, rate=1)

    seen = runs.forecast(run, {"box": 100_000})

    limited = "About 28 hours, limited to 1/s by Cloud Elements."
    assert seen.words == f"No history here yet. {limited}"


def test_the_tightest_limit_decides(team):
    run = make_run(team.acme, 10, kind=RunKind.REVOKE, reason="a test")
    limit(team, rate=100)
    limit(team, scope=LimitScope.PROVIDER, provider_key="box", rate=2)

    seen = runs.forecast(run, {"box": 1_000, "salesforce": 10})

    assert "limited to 2/s by Box" in seen.words
    assert seen.duration == timedelta(seconds=3 * 1_000 / 2)


def test_a_number_of_calls_at_once_limits_too(team, draft):
    history(team, provider="box", calls=1, milliseconds=1_000)
    limit(team, concurrency=2)

    seen = runs.forecast(draft, {"box": 1_200})

    assert (
        seen.words == "About 10 minutes, limited to 2 calls at once by Cloud Elements."
    )


def test_the_time_left_knows_the_limit_before_anything_is_done(team):
    run = make_run(team.acme, 36_000)
    limit(team, rate=1)

    seen = runs.pace(run, runs.progress(run), timezone.now())

    assert seen.words == "about 10 hours left, limited to 1/s by Cloud Elements"


def test_people_are_not_predicted(team):
    run = make_run(team.acme, 10, kind=RunKind.RECONNECT)

    assert runs.forecast(run, {"box": 10}) == runs.Forecast(None, "")


def test_a_draft_says_how_long_it_takes(emulator, team, client):
    fleet = Fleet(emulator, team.acme, team.rita)
    fleet.synced("box", 2)
    fleet.run(RunKind.REVOKE)
    draft = fleet.draft(RunKind.REVOKE)
    assert client.login(username=team.rita.email, password=PASSWORD)

    page = client.get(reverse("admin:instances_run_change", args=[draft.pk]))

    assert "at 50 connections." in page.content.decode()
    (cost,) = runs.costs(draft).values()
    assert cost.platform_calls > 0
    assert cost.provider_calls >= 1
