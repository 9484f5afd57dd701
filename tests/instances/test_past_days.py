"""Instances by what they were on a day of the past: found by their changes, however many others there are."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from instances.models import Flip, Instance
from tests.instances.charted import changed
from tests.instances.crowds import vm_steps
from tests.instances.listing import made, many, names, page, tagged, walked
from tests.instances.test_progress import plan_of
from tests.people import PASSWORD

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MIDNIGHT = datetime(2026, 11, 4, tzinfo=UTC)
LONG_AGO = {"status_since": NOON - 60 * DAY}
DEAD = "?was=needs_reauth@2026-11-03"


@pytest.fixture
def rita(client, team):
    """The revoker's browser."""
    assert client.login(username=team.rita.email, password=PASSWORD)
    return client


def history(organization, name: str, *steps: tuple[datetime, str], **fields):
    """Make an instance that went through these changes."""
    (row,) = made(organization, name, **{"status": "unknown", **LONG_AGO, **fields})
    return changed(row, *steps)


def others(organization, count: int) -> None:
    """Make instances that were connected long ago, of which some came and went since."""
    rows = many(organization, count, "Other", **LONG_AGO)
    Flip.objects.bulk_create(
        Flip(instance=row, from_status=before, to_status="connected", at=NOON - back)
        for row in rows
        for back, before in ((60 * DAY, "unknown"), (50 * DAY, "needs_reauth"))
    )
    flips = [
        Flip(instance=row, from_status=before, to_status=after, at=NOON + back * DAY)
        for row in rows[:: max(1, count // 20)]
        for back, before, after in (
            (2, "connected", "needs_reauth"),
            (3, "needs_reauth", "connected"),
        )
    ]
    Flip.objects.bulk_create(flips)
    flipped = [one.instance_id for one in flips]
    since = NOON + 3 * DAY
    Instance.objects.filter(pk__in=flipped).update(status_since=since)


def some(acme) -> None:
    """Make one instance of each way to be, or not to be, dead at the end of 3 November."""
    history(acme, "Dead since", (NOON, "needs_reauth"))
    history(acme, "Dead then", (NOON, "needs_reauth"), (NOON + DAY, "connected"))
    twice = (NOON + 2 * DAY, "needs_reauth"), (NOON + 3 * DAY, "revoked")
    history(acme, "Dead again", (NOON, "needs_reauth"), (MIDNIGHT, "missing"), *twice)
    history(acme, "Dead before", (NOON - DAY, "needs_reauth"), (NOON, "connected"))
    history(acme, "Dead later", (NOON, "connected"), (MIDNIGHT, "needs_reauth"))
    history(acme, "Never", (NOON, "connected"))


def test_a_past_day_shows_who_was_so_then(rita, acme):
    some(acme)

    found = names(page(rita, DEAD))

    assert found == ["Dead again", "Dead since", "Dead then"]


def test_two_changes_of_one_moment_are_told_apart_by_their_order(rita, acme):
    history(acme, "Both", (NOON, "connected"), (MIDNIGHT, "degraded"))
    history(acme, "Flash", (MIDNIGHT, "needs_reauth"), (MIDNIGHT, "connected"))

    assert names(page(rita, "?was=connected@2026-11-03")) == ["Both"]
    assert names(page(rita, DEAD)) == []


def test_other_filters_narrow_a_past_day(rita, team, acme):
    some(acme)
    sales = {"provider_key": "salesforce"}
    row = history(acme, "Sales", (NOON, "needs_reauth"), (MIDNIGHT, "missing"), **sales)
    history(team.other, "Foreign", (NOON, "needs_reauth"), (MIDNIGHT, "missing"))
    tagged([row], "eu")

    assert names(page(rita, f"{DEAD}&provider=salesforce")) == ["Sales"]
    assert names(page(rita, f"{DEAD}&tag=eu")) == ["Sales"]
    assert names(page(rita, f"{DEAD}&q=dead+s")) == ["Dead since"]
    assert names(page(rita, f"{DEAD}&status=connected")) == ["Dead then"]
    assert "Foreign" not in names(page(rita, DEAD))


def test_few_are_those_that_were_and_more_are_none(acme, team):
    some(acme)
    history(team.other, "Foreign", (NOON, "needs_reauth"), (MIDNIGHT, "missing"))
    rows = Instance.objects.of(acme)

    were = rows.were("needs_reauth", MIDNIGHT).values_list("pk", flat=True)

    assert sorted(rows.few_that_were("needs_reauth", MIDNIGHT, 3)) == sorted(were)
    assert len(were) == 3
    for most in (0, 1, 2):
        assert rows.few_that_were("needs_reauth", MIDNIGHT, most) is None


def test_many_are_turned_over_like_few(rita, acme):
    others(acme, 5_100)

    first = page(rita, "?was=connected@2026-11-03")

    assert names(first) == [f"Other {n:05d}" for n in range(50)]
    second = page(rita, first.context["cl"].next_query)
    assert names(second) == [f"Other {n:05d}" for n in range(50, 100)]
    assert "1,000+" in first.content.decode()


def test_every_page_of_a_past_day_is_reached(rita, acme):
    for number in range(120):
        history(
            acme, f"Dead {number:03}", (NOON, "needs_reauth"), (MIDNIGHT, "missing")
        )

    pages = walked(rita, DEAD)

    assert [len(one) for one in pages] == [50, 50, 20]
    assert [one for rows in pages for one in rows] == [
        f"Dead {number:03}" for number in range(120)
    ]


def test_a_past_day_is_found_along_indexes(acme):
    some(acme)
    others(acme, 2_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # what PostgreSQL does by itself after a while
    with CaptureQueriesContext(connection) as asked:
        Instance.objects.of(acme).few_that_were("needs_reauth", MIDNIGHT, 1_000)
    stayed, left = (plan_of(one["sql"]) for one in asked)

    assert "instance_by_status" in stayed, stayed
    assert "flips_by_status_left" in left, left
    assert "SCAN " not in stayed + left, stayed + left
    assert "Seq Scan" not in stayed + left, stayed + left


@pytest.mark.skipif(connection.vendor != "sqlite", reason="counts SQLite's own steps")
def test_a_past_day_costs_the_same_among_ten_times_as_many(acme):
    some(acme)
    steps = []
    for count in (400, 4_000):
        others(acme, count)
        Flip.objects.filter(instance__name__startswith="Other").delete()
        with vm_steps() as counted:
            found = Instance.objects.of(acme).few_that_were(
                "needs_reauth", MIDNIGHT, 1_000
            )
        steps.append(counted[0])

    assert len(found) == 3
    assert steps[1] <= steps[0] + 1, steps
