"""List filters by day: of the reader's own time zone, as in the charts that lead here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ceadmin.lib.days import Span, midnight, span
from instances.admin.saying import SayingFilter
from instances.admin.trends import PACES, took
from instances.choices import InstanceStatus
from instances.models import Instance, ReconnectLink
from instances.querysets import InstanceQuerySet

_UPTO = ".."
#: So many instances are looked up by their keys; more are met often enough by a walk along all.
_FEW = 5_000
_PACE_WORDS = {
    "hour": _("Under an hour"),
    "day": _("Under a day"),
    "3-days": _("1 to 3 days"),
    "week": _("3 to 7 days"),
    "longer": _("7 days and longer"),
}


def since_word(first: date) -> str:
    """Return what an address says for "since this day"."""
    return f"{first.isoformat()}{_UPTO}"


def span_word(days: Span) -> str:
    """Return what an address says for whole days."""
    return f"{since_word(days.first)}{days.last.isoformat()}"


def was_word(status: str, day: date) -> str:
    """Return what an address says for "in this status at the end of this day"."""
    return f"{status}@{day.isoformat()}"


def short_day(day: date) -> str:
    """Write a day shortly: 3 Nov."""
    # Translators: How a day is written shortly, in Django's date format: 3 Nov.
    return date_format(day, gettext("j M"))


class DaysFilter(SayingFilter):
    """Rows whose moment lies in whole days: `2026-11-24..2026-11-30`, or `2026-11-29..`."""

    column = ""

    def lookups(
        self, request: HttpRequest, model_admin: Any
    ) -> Iterable[tuple[str, str]]:
        """Offer the usual spans, up to now; no query."""
        today = timezone.localdate()
        return [
            (since_word(today - timedelta(days=back)), str(words))
            for back, words in _USUAL.items()
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow to the chosen days; what names none shows nothing."""
        value = self.value()
        if value is None:
            return queryset
        days = _days(value)
        if days is None:
            return queryset.none()
        asked = {f"{self.column}__gte": days[0]}
        return queryset.filter(**asked, **_before(self.column, days[1]))

    def named(self, value: str) -> str:
        """Name the days."""
        first, _, last = value.partition(_UPTO)
        days = [one for one in map(_day, (first, last)) if one is not None]
        if not days:
            return value
        words = " – ".join(short_day(day) for day in dict.fromkeys(days))
        return words if last else gettext("since %(day)s") % {"day": words}


_USUAL = {
    0: _("Today"),
    1: _("Since yesterday"),
    6: _("Last 7 days"),
    29: _("Last 30 days"),
}


def _before(column: str, end: datetime | None) -> dict[str, datetime]:
    return {f"{column}__lt": end} if end else {}


def _days(value: str) -> tuple[datetime, datetime | None] | None:
    """Return the first moment of the days an address names, and the first one behind them."""
    first, upto, last = value.partition(_UPTO)
    begin, finish = _day(first), _day(last)
    if begin is None or not upto or (last and finish is None):
        return None
    zone = timezone.get_current_timezone()
    if finish is None:
        return midnight(begin, zone), None
    days = span(begin, finish, zone)
    return days.start, days.end


def _day(text: str) -> date | None:
    """Read a day that has one before it and one behind it."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1 < day.year < 9999 else None


class SinceFilter(DaysFilter):
    """Instances whose status has been as it is since these days."""

    title = _("changed")
    parameter_name = "since"
    column = "status_since"


class StartedFilter(DaysFilter):
    """Items of runs that were started in these days."""

    title = _("run started")
    parameter_name = "started"
    column = "run__started_at"


class FinishedFilter(DaysFilter):
    """Reconnect links that ended in these days."""

    title = _("finished")
    parameter_name = "finished"
    column = "finished_at"


class WasFilter(SayingFilter):
    """Instances by their status at the end of a day: `needs_reauth@2026-11-03`."""

    title = _("was")
    parameter_name = "was"

    def lookups(
        self, request: HttpRequest, model_admin: Any
    ) -> Iterable[tuple[str, str]]:
        """Offer nothing: the chart of the last 30 days does."""
        return []

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Instance]
    ) -> QuerySet[Instance]:
        """Narrow to those that were in it; what names no status and day shows nothing."""
        if (value := self.value()) is None:
            return queryset
        status, _, text = value.partition("@")
        day = _day(text)
        if day is None or status not in InstanceStatus.values:
            return queryset.none()
        end = span(day, day, timezone.get_current_timezone()).end
        assert isinstance(queryset, InstanceQuerySet)
        few = queryset.few_that_were(status, end, _FEW)
        if few is None:
            return queryset.were(status, end)  # many: a page meets them as it goes
        return Instance.objects.filter(pk__in=few)

    def named(self, value: str) -> str:
        """Name status and day."""
        status, _, text = value.partition("@")
        day = _day(text)
        if day is None or status not in InstanceStatus.values:
            return value
        return gettext("%(status)s, at the end of %(day)s") % {
            "status": InstanceStatus(status).label,
            "day": short_day(day),
        }


class PaceFilter(admin.SimpleListFilter):
    """Reconnect links by how long the person took."""

    title = _("took")
    parameter_name = "took"

    def lookups(
        self, request: HttpRequest, model_admin: Any
    ) -> Iterable[tuple[str, str]]:
        """Offer the columns of the chart; no query."""
        return [(word, pace_word(word)) for word in PACES]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[ReconnectLink]
    ) -> QuerySet[ReconnectLink]:
        """Narrow to those that took so long."""
        return queryset if self.value() is None else took(queryset, str(self.value()))


def pace_word(word: str) -> str:
    """Return what a word of PACES means for people."""
    return str(_PACE_WORDS[word])
