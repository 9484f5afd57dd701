"""The overview: each number is that of the rows its link opens, whoever looks, whatever their zone."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.cache import cache
from django.db import connection
from django.http import QueryDict
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import resolve, reverse
from django.utils import timezone

from ceadmin.lib.days import last_days
from ceadmin.teams.models import Membership, Organization
from instances.admin import trends
from instances.models import Instance, Part, Run
from providers.models import ProviderApp
from tests.instances.approving import court
from tests.instances.charted import a_link, a_run, an_instance, an_item, changed
from tests.teams.inviting import browser

__all__ = ["court"]

OVERVIEW = reverse("admin:index")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def busy(team):
    """Acme with something of everything, over weeks; Rita is in Berlin."""
    team.rita.time_zone = "Europe/Berlin"
    team.rita.save()
    now = timezone.now()
    make_instances(team.acme, now)
    make_runs(team.acme, now)
    make_links(team.acme, now)
    Instance.objects.filter(remote_id__in=["3", "4", "5"]).update(provider_key="sfdc")
    return team


def make_instances(organization, now) -> None:
    """Make instances that were found alive, died, and came back on different days."""
    for number in range(6):
        one = an_instance(organization, number)
        changed(one, (now - 40 * DAY, "connected"), (now - number * DAY, "degraded"))
    for number in range(6, 12):
        one, died = an_instance(organization, number), now - (number - 5) * 3 * DAY
        changed(one, (now - 20 * DAY, "connected"), (died, "needs_reauth"))
    changed(an_instance(organization, 12), (now - HOUR, "needs_reauth"))
    changed(
        an_instance(organization, 13),
        *((now - 9 * DAY, "connected"), (now - 5 * DAY, "revoked")),
        *((now - 4 * DAY, "disabled"), (now - 2 * DAY, "missing")),
    )
    an_instance(organization, 14, status="unknown")


def make_runs(organization, now) -> None:
    """Make revocations of several weeks, and runs that go on."""
    instances = list(Instance.objects.order_by("pk"))
    outcomes = ["verified_dead", "accepted", "refused", "unsupported", "skipped"]
    for week, outcome in enumerate(outcomes):
        run = a_run(organization, now - week * 7 * DAY)
        for instance in instances[: week + 2]:
            an_item(run, instance, outcome, cleared_at=now)
        an_item(run, instances[10], "still_alive")
    probe = a_run(organization, now, kind="probe")
    an_item(probe, instances[0], "connected")
    goes_on = {"status": "running", "finished_at": None}
    held = a_run(organization, now, **goes_on)
    Part.objects.create(run=held, provider_key="box", status="held", total=3)


def make_links(organization, now) -> None:
    """Make links that took their time, some of which wait."""
    instances = list(Instance.objects.order_by("pk")[:9])
    took = (HOUR / 2, 5 * HOUR, 6 * HOUR, 30 * HOUR, 100 * HOUR, 300 * HOUR)
    for instance, one in zip(instances, took, strict=False):
        a_link(instance, now - 15 * DAY, one)
    a_link(instances[0], now - 50 * DAY, 3 * HOUR)  # longer ago than what is told
    for instance in instances[7:]:
        a_link(instance, now - HOUR)


def told(shown: Any) -> Iterator[tuple[str, int]]:
    """Yield the address and the number of everything that a part of the overview counts."""
    if isinstance(shown, dict):
        keys = [key for key in ("number", "count", "total") if key in shown]
        yield from ((shown["url"], shown[key]) for key in keys)
        yield from told(list(shown.values()))
    elif isinstance(shown, list | tuple):
        for one in shown:
            yield from told(one)
    elif hasattr(shown, "count") and hasattr(shown, "url"):
        yield shown.url, shown.count
    else:
        yield from told(getattr(shown, "columns", getattr(shown, "segments", ())))


def numbers(page) -> dict[str, int]:
    """Return every address that the overview counts rows of, and how many it says."""
    parts = [panel.context for panel in page.context["panels"]]
    found = {**dict(told(parts)), **dict(told(page.context["needs"]))}
    return {url: count for url, count in found.items() if "/change/" not in url}


def rows_behind(user, url: str) -> int:
    """Return how many rows the list at an address has for somebody; nothing is drawn."""
    path, _, asked = url.partition("?")
    request = RequestFactory().get(path, QueryDict(asked).dict())
    request.user, request.session = user, {}
    request.resolver_match = resolve(path)
    app, model = request.resolver_match.url_name.split("_")[:2]
    listing = admin.site._registry[apps.get_model(app, model)]
    with timezone.override(user.time_zone):
        return listing.get_changelist_instance(request).result_count


def test_every_number_is_that_of_the_rows_its_link_opens(busy):
    page = browser(busy.rita).get(OVERVIEW)
    said = numbers(page)

    counted = {url: rows_behind(busy.rita, url) for url in said}

    assert counted == said
    html = page.content.decode().replace("&amp;", "&").replace("&#x27;", "'")
    assert [url for url in said if f'href="{url}"' not in html] == []
    # Each kind of number is there: now, a day, a provider, a week, a pace.
    for mark in ("was=", "since=", "provider_key__exact=", "outcome__in=", "took="):
        assert sum(mark in url for url in said) > 1 or mark == "since="
    assert min(said.values()) == 0 < max(said.values())


def test_it_says_what_needs_somebody(busy):
    wanted = {"provider_key": "box", "last_problem": "invalid_client"}
    ProviderApp.objects.create(organization=busy.acme, name="Acme for Box", **wanted)
    page = browser(busy.rita).get(OVERVIEW)

    needs = [str(need.sentence) for need in page.context["needs"]]

    assert "5 instances are still alive after revocation" in needs
    assert "Box is held in a run: decide how it goes on" in needs
    assert "The last use or test of provider app Acme for Box failed" in needs
    assert "sfdc is failing: 3 instances are degraded" in needs
    assert not any("Box is failing" in one for one in needs)  # 3 of 12


def test_who_is_dead_stays_seen_whatever_a_probe_makes_of_it(team):
    lost, locked, killed = (an_instance(team.acme, number) for number in range(3))
    now, client = timezone.now(), browser(team.rita)
    changed(lost, (now, "needs_reauth"))
    changed(locked, (now, "needs_reauth"), (now + HOUR, "disabled"))
    changed(killed, (now, "revoked"))

    page = client.get(OVERVIEW)

    needs = [str(need.sentence) for need in page.context["needs"]]
    assert needs == [
        "1 instance needs reauthentication",
        "1 instance was disabled by the platform and needs reauthentication",
    ]
    listing = reverse("admin:instances_instance_changelist")
    assert numbers(page)[f"{listing}?status=not_working"] == 3


def test_a_draft_that_waits_for_an_approver_waits_for_nobody_else(court):
    court.asked()
    court.again()
    page = browser(court.team.rita).get(OVERVIEW)

    needs = {str(need.sentence): need for need in page.context["needs"]}

    mine = needs["1 draft of yours waits to be started or discarded"]
    assert rows_behind(court.team.rita, mine.url) == 1
    (shown,) = [one for one in page.context["panels"] if "runs" in one.context]
    words = [word for _, word in shown.context["runs"]]
    assert words == ["draft", "approval_waiting"]


def test_somebody_else_counts_nothing_of_it(busy):
    said = numbers(browser(busy.eve).get(OVERVIEW))
    theirs = numbers(browser(busy.rita).get(OVERVIEW))

    opened = {rows_behind(busy.eve, url) for url in theirs}

    assert set(said.values()) == {0}
    assert opened == {0}


def test_the_chosen_organization_narrows_numbers_and_rows_alike(busy):
    Membership.objects.create(organization=busy.other, user=busy.rita)
    changed(an_instance(busy.other, 1), (timezone.now(), "needs_reauth"))
    client = browser(busy.rita)
    both = numbers(client.get(OVERVIEW))
    client.post(reverse("admin:switch"), {"organization": busy.acme.uid})

    one = numbers(client.get(OVERVIEW))

    dead = f"{reverse('admin:instances_instance_changelist')}?status=needs_reauth"
    assert one[dead] == both[dead] - 1
    assert client.get(dead).context["cl"].result_count == one[dead]


def test_an_empty_overview_says_how_to_get_something(team):
    page = browser(team.rita).get(OVERVIEW).content.decode()

    for words in (
        "Sync an organization: its instances are mirrored here.",
        "No run revoked anything in the last 30 days. Drills are not counted here.",
        "No revocations in these weeks.",
        "Nobody has reconnected by a link in the last 30 days.",
    ):
        assert words in page


def test_instances_that_nobody_probed_have_no_history(team):
    an_instance(team.acme, 1, status="unknown")

    page = browser(team.rita).get(OVERVIEW).content.decode()

    assert "None of them was probed yet, so there is no history." in page


def test_its_queries_are_as_many_and_bring_as_little_however_much_there_is(busy):
    client = browser(busy.rita)
    client.get(OVERVIEW)
    cache.clear()
    with CaptureQueriesContext(connection) as few:
        client.get(OVERVIEW)
    for number in range(100, 160):
        moments = [timezone.now() - hour * HOUR for hour in (30, 20, 10)]
        states = ("connected", "degraded", "needs_reauth")
        changed(an_instance(busy.acme, number), *zip(moments, states, strict=True))

    cache.clear()
    with CaptureQueriesContext(connection) as many:
        client.get(OVERVIEW)

    assert len(many) == len(few) < 60
    assert most_rows(many) <= most_rows(few) + 6  # the kinds of change, not the changes


def most_rows(queries) -> int:
    """Return how many rows those of the queries brought that looked at changes of status."""
    flips = [one["sql"] for one in queries if "instances_flip" in one["sql"]]
    assert flips
    with connection.cursor() as cursor:
        return max(len(cursor.execute(sql).fetchall()) for sql in flips)


def test_what_is_over_is_counted_once_and_what_ends_now_is_seen_at_once(busy):
    client = browser(busy.rita)
    client.get(OVERVIEW)
    run = Run.objects.filter(status="running").get()
    Run.objects.filter(pk=run.pk).update(status="finished", finished_at=timezone.now())
    first = client.get(OVERVIEW)

    with CaptureQueriesContext(connection) as again:
        client.get(OVERVIEW)
    grouped = [one["sql"] for one in again if "GROUP BY" in one["sql"]]
    changed(an_instance(busy.acme, 99), (timezone.now(), "disabled"))
    an_item(a_run(busy.acme, timezone.now()), Instance.objects.first(), "expiring")
    a_link(Instance.objects.first(), timezone.now() - HOUR, HOUR / 3)
    second = client.get(OVERVIEW)

    revocations = [sql for sql in grouped if '"instances_run"."started_at"' in sql]
    assert revocations == []
    assert len([sql for sql in grouped if 'FROM "instances_flip"' in sql]) == 1
    more = Counter(numbers(second)) - Counter(numbers(first))
    marks = ("disabled", "took=hour", "outcome__exact=expiring", "expiring,")
    assert [any(mark in url for url in more) for mark in marks] == [True] * 4


# Days


def view_of(organization, now, name: str) -> trends.View:
    """Return an organization as somebody in a zone sees it."""
    own = Organization.objects.filter(pk=organization.pk)
    return trends.View.of(own, now, ZoneInfo(name))


ZONES = [
    ("Europe/Berlin", datetime(2026, 3, 31, 12, tzinfo=UTC)),  # 23 hours on the 29th
    ("Europe/Berlin", datetime(2026, 10, 27, 12, tzinfo=UTC)),  # 25 hours on the 25th
    ("Asia/Kolkata", datetime(2026, 3, 31, 12, tzinfo=UTC)),  # half an hour off
    ("Australia/Lord_Howe", datetime(2026, 4, 7, 12, tzinfo=UTC)),  # 24½ hours
]


@pytest.mark.parametrize(("name", "now"), ZONES)
def test_a_change_counts_for_the_day_of_the_zone_in_which_it_was(team, name, now):
    days = last_days(now, ZoneInfo(name), 5)
    minute = timedelta(minutes=1)
    # Each day one instance dies in its last minute, and one in its first.
    for number, day in enumerate(days[1:-1]):
        early, late = (
            an_instance(team.acme, number),
            an_instance(team.acme, -number - 1),
        )
        alive = (now - 60 * DAY, "connected")
        changed(early, alive, (day.start, "needs_reauth"))
        changed(late, alive, (day.end - minute, "needs_reauth"))

    found = trends.health(view_of(team.acme, now, name), days, Counter(needs_reauth=6))

    assert [counts["needs_reauth"] for counts in found] == [0, 2, 4, 6, 6]
    assert [counts["connected"] for counts in found] == [6, 4, 2, 0, 0]


@pytest.mark.parametrize(("name", "now"), ZONES)
def test_the_rows_of_a_past_day_are_those_its_column_counts(team, name, now):
    days = last_days(now, ZoneInfo(name), 8)
    states = ("connected", "needs_reauth", "connected", "revoked", "disabled")
    for number in range(7):
        steps = [
            (day.start + number * HOUR * 4, state)
            for day, state in zip(days[number % 3 :], states, strict=False)
        ]
        changed(an_instance(team.acme, number), *steps)
    now_in = Counter(Instance.objects.values_list("status", flat=True))

    found = trends.health(view_of(team.acme, now, name), days, now_in)

    rows = Instance.objects.of(team.acme)
    for day, counts in zip(days, found, strict=True):
        then = {state: rows.were(state, day.end).count() for state in set(states)}
        assert then == {state: counts[state] for state in set(states)}


def test_a_list_s_days_are_those_of_the_reader(team):
    team.rita.time_zone = "Australia/Lord_Howe"
    team.rita.save()
    # 7 April 2026 there began at 13:30 UTC the day before.
    first = datetime(2026, 4, 6, 13, 30, tzinfo=UTC)
    for number, at in enumerate((first - timedelta(seconds=1), first, first + DAY)):
        an_instance(team.acme, number, status_since=at)
    listing = reverse("admin:instances_instance_changelist")

    rows = browser(team.rita).get(f"{listing}?since=2026-04-07..2026-04-07")

    assert [one.remote_id for one in rows.context["cl"].result_list] == ["1"]
    assert "Changed: 7 Apr" in rows.content.decode()


def test_a_chart_goes_back_no_further_than_changes_are_kept(busy, settings):
    settings.RETAIN_FLIPS_DAYS = 5 * DAY
    page = browser(busy.rita).get(OVERVIEW)

    health = next(one for one in page.context["panels"] if "segments" in one.context)

    assert len(health.context["chart"].columns) == 5


def test_what_is_exported_is_in_utc_whatever_the_reader_s_zone(busy):
    run = Run.objects.filter(status="finished").earliest("pk")
    file = browser(busy.rita).get(reverse("admin:instances_run_items", args=[run.pk]))

    rows = b"".join(file.streaming_content).decode().splitlines()

    at = run.started_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    assert all(f",{at}" in row and row.endswith("+00:00") for row in rows[1:])


@pytest.mark.parametrize(
    "asked",
    [
        *("since=yesterday", "since=..", "since=2026-13-01..", "since=0001-01-01.."),
        *("since=2026-01-01..x", "was=connected", "was=alive@2026-11-03"),
        "was=connected@9999-12-31",
    ],
)
def test_an_address_that_names_no_day_shows_nothing(team, asked):
    an_instance(team.acme, 1)
    listing = reverse("admin:instances_instance_changelist")

    rows = browser(team.rita).get(f"{listing}?{asked}")

    assert (rows.status_code, rows.context["cl"].result_count) == (200, 0)
