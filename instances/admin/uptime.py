"""How one instance has been lately: its periods, its days, and the share of time in which it worked."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext

from ceadmin import ui
from ceadmin.lib.days import Span, last_days
from ceadmin.lib.sayings import inside
from instances.admin.when import short_day
from instances.choices import InstanceStatus
from instances.models import Flip, Instance

_DAYS = 90
#: So many periods are told in words; an instance may flap all day.
_TOLD = 30

#: The worst of a day gives it its colour.
_WORST = (
    InstanceStatus.NEEDS_REAUTH,
    InstanceStatus.REVOKED,
    InstanceStatus.DISABLED,
    InstanceStatus.MISSING,
    InstanceStatus.DEGRADED,
    InstanceStatus.CONNECTED,
    InstanceStatus.UNKNOWN,
)


@dataclass(frozen=True, slots=True)
class Period:
    """One status, from a moment up to another."""

    status: str
    start: datetime
    end: datetime

    @property
    def lasted(self) -> str:
        """How long it lasted."""
        return ui.short_duration(self.end - self.start)


@dataclass(frozen=True, slots=True)
class Day:
    """One day as a bar: where, in which colour, and what it says."""

    x: int
    tone: str  # "none" where nothing is known of it
    name: str
    told: str

    @property
    def words(self) -> str:
        """The day, and how it was."""
        return f"{self.name}: {self.told}"


@dataclass(frozen=True, slots=True)
class Uptime:
    """The last days of one instance."""

    days: tuple[Day, ...]
    periods: tuple[Period, ...]  # the newest first
    share: str  # how much of the known time it was connected; "" where none is known
    summary: str

    @property
    def first(self) -> str:
        """The first day's date."""
        return self.days[0].name


def uptime_of(instance: Instance, now: datetime, zone: tzinfo) -> Uptime:
    """Return how `instance` has been, by days of a zone, as far back as changes are kept."""
    days = last_days(now, zone, _DAYS)
    begin = max(days[0].start, instance.created_at)
    if settings.RETAIN_FLIPS_DAYS is not None:
        begin = max(begin, now - settings.RETAIN_FLIPS_DAYS)
    periods = _periods(instance, begin, now)
    share = _share(periods)
    return Uptime(
        days=tuple(
            _day(x, day, lasted)
            for x, (day, lasted) in enumerate(
                zip(days, _by_day(days, periods), strict=True)
            )
        ),
        periods=tuple(reversed(periods[-_TOLD:])),
        share=share,
        summary=_summary(share),
    )


def _summary(share: str) -> str:
    told = {"days": _DAYS, "share": share}
    if not share:
        return (
            gettext("The last %(days)d days, one bar a day: nothing known yet.") % told
        )
    return (
        gettext(
            "The last %(days)d days, one bar a day: connected %(share)s of the known time."
        )
        % told
    )


def _periods(instance: Instance, begin: datetime, now: datetime) -> Sequence[Period]:
    """Return the periods since `begin`; what was before the first change says that change."""
    flips = Flip.objects.filter(instance=instance, at__gte=begin).order_by("at", "pk")
    told = list(flips.values_list("at", "from_status", "to_status"))
    status = told[0][1] if told else instance.status
    periods: list[Period] = []
    for at, _before, after in told:
        if at > begin:
            periods.append(Period(status, begin, at))
        status, begin = after, at
    return [*periods, Period(status, begin, now)]


def _share(periods: Sequence[Period]) -> str:
    """Return the connected share of the known time, never rounded up to all of it."""
    lasted = {known: timedelta() for known in (True, False)}
    for one in periods:
        if one.status != InstanceStatus.UNKNOWN:
            lasted[one.status == InstanceStatus.CONNECTED] += one.end - one.start
    whole = lasted[True] + lasted[False]
    if not whole:
        return ""
    tenths = 1000 * lasted[True] // whole
    return "100 %" if not lasted[False] else f"{_short(tenths)} %"


def _short(tenths: int) -> str:
    """Write so many tenths with the point that the current language has, and no needless zero."""
    whole, left = divmod(tenths, 10)
    return number_format(tenths / 10, 1, use_l10n=True) if left else str(whole)


def _by_day(
    days: Sequence[Span], periods: Sequence[Period]
) -> list[dict[str, timedelta]]:
    """Return status → how long it lasted, for each day; one pass, however often it changed."""
    told: list[dict[str, timedelta]] = [{} for _ in days]
    starts = [day.start for day in days]
    for one in periods:
        number = max(bisect_right(starts, one.start) - 1, 0)
        while number < len(days) and days[number].start < one.end:
            day, lasted = days[number], told[number]
            part = min(one.end, day.end) - max(one.start, day.start)
            lasted[one.status] = lasted.get(one.status, timedelta()) + part
            number += 1
    return told


def _day(x: int, day: Span, lasted: Mapping[str, timedelta]) -> Day:
    name, seen = short_day(day.first), [one for one in _WORST if one in lasted]
    if not seen or seen == [InstanceStatus.UNKNOWN]:
        return Day(x, "none", name, gettext("not known"))
    tone = ui.look(seen[0]).tone.value
    if len(seen) == 1:
        return Day(x, tone, name, inside(ui.look(seen[0]).label))
    told = [
        f"{inside(ui.look(status).label)} {ui.short_duration(lasted[status])}"
        for status in sorted(seen, key=lambda one: -lasted[one])
    ]
    return Day(x, tone, name, ", ".join(told))
