"""Days as people count them, where clocks are put forward and back."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from ceadmin.lib.days import last_days, last_weeks, span


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("UTC", date(2026, 3, 29), 24),
        ("Europe/Berlin", date(2026, 3, 28), 24),
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Asia/Kolkata", date(2026, 3, 29), 24),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        # At midnight itself: there is no 00:00, and there are two of them.
        ("Africa/Cairo", date(2026, 4, 24), 23),
        ("America/Havana", date(2026, 11, 1), 25),
    ],
)
def test_a_day_has_the_hours_that_its_zone_gives_it(zone, day, hours):
    one = span(day, day, ZoneInfo(zone))

    assert one.end - one.start == timedelta(hours=hours)


def test_days_begin_by_the_clock_of_the_zone():
    berlin = span(date(2026, 3, 29), date(2026, 3, 29), ZoneInfo("Europe/Berlin"))
    kolkata = span(date(2026, 3, 29), date(2026, 3, 29), ZoneInfo("Asia/Kolkata"))

    assert berlin.start == datetime(2026, 3, 28, 23, 0, tzinfo=UTC)
    assert berlin.end == datetime(2026, 3, 29, 22, 0, tzinfo=UTC)
    assert kolkata.start == datetime(2026, 3, 28, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe"])
@pytest.mark.parametrize("month", [4, 10])
def test_days_and_weeks_leave_no_gap(zone, month):
    now = datetime(2026, month, 28, 22, 30, tzinfo=UTC)

    days = last_days(now, ZoneInfo(zone), 30)
    weeks = last_weeks(now, ZoneInfo(zone), 6)

    for spans in (days, weeks):
        assert all(one.end == next.start for one, next in pairwise(spans))
        assert spans[-1].start <= now < spans[-1].end
    assert {one.first.weekday() for one in weeks} == {0}


def test_today_is_that_of_the_zone():
    late = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)

    assert last_days(late, ZoneInfo("UTC"), 1)[0].first == date(2026, 11, 30)
    assert last_days(late, ZoneInfo("Europe/Berlin"), 1)[0].first == date(2026, 12, 1)
