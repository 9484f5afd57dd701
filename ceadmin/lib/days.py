"""Days and weeks as people count them: by their own clock, as moments in UTC.

A day of a zone may have 23, 24, 25 or 24½ hours; it ends where the next one begins, so
that days next to each other neither overlap nor leave a gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days of one zone, from `first` to `last`: the moments from `start` up to before `end`, in UTC."""

    first: date
    last: date
    start: datetime
    end: datetime


def midnight(day: date, zone: tzinfo) -> datetime:
    """Return the first moment of a day, in UTC.

    Where clocks are put forward at midnight the day begins when they are; where they are
    put back over it, at the first of the two midnights (PEP 495, fold 0).
    """
    return datetime.combine(day, time(), zone).astimezone(UTC)


def span(first: date, last: date, zone: tzinfo) -> Span:
    """Return the days from `first` to `last`, both of them included."""
    end = midnight(last + timedelta(days=1), zone)
    return Span(first, last, midnight(first, zone), end)


def last_days(now: datetime, zone: tzinfo, count: int) -> Sequence[Span]:
    """Return `count` days one by one, the oldest first, up to the one in which `now` is."""
    today = now.astimezone(zone).date()
    days = [today - timedelta(days=back) for back in reversed(range(count))]
    return [span(day, day, zone) for day in days]


def last_weeks(now: datetime, zone: tzinfo, count: int) -> Sequence[Span]:
    """Return `count` weeks from Monday to Sunday, the oldest first, up to the one in which `now` is."""
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    firsts = [monday - timedelta(weeks=back) for back in reversed(range(count))]
    return [span(first, first + timedelta(days=6), zone) for first in firsts]
