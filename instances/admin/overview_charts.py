"""The overview's charts, each part a link to exactly the rows it counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ceadmin import ui
from ceadmin.charts import Chart, Column
from ceadmin.frame import organizations_in_view
from ceadmin.lib.days import Span, last_days, last_weeks
from ceadmin.lib.sayings import inside
from ceadmin.site import Panel
from instances.admin import trends
from instances.admin.when import (
    pace_word,
    short_day,
    since_word,
    span_word,
    was_word,
)
from instances.choices import InstanceStatus, ItemStatus, LinkStatus, Outcome, RunKind
from providers import catalogue

_DAYS, _WEEKS = 30, 12
#: So many providers have a bar; the others are found in the list of items.
_PROVIDERS = 8

#: From the ground up: what works is the ground on which trouble stands.
_STATUSES = (
    InstanceStatus.CONNECTED,
    InstanceStatus.DEGRADED,
    InstanceStatus.NEEDS_REAUTH,
    InstanceStatus.REVOKED,
    InstanceStatus.DISABLED,
    InstanceStatus.MISSING,
)
#: What outcomes have in common, the worst last: name, tone, and which they are.
_GROUPS: tuple[tuple[str | Promise, str, tuple[Outcome, ...]], ...] = (
    (_("Dead"), "revoked", (Outcome.VERIFIED_DEAD, Outcome.ALREADY_DEAD)),
    (_("Accepted, not verifiable"), "active", (Outcome.ACCEPTED,)),
    (
        _("Nothing done"),
        "muted",
        (Outcome.NOTHING_TO_REVOKE, Outcome.SKIPPED, Outcome.CANCELLED),
    ),
    (
        _("Look again"),
        "warn",
        (
            Outcome.EXPIRING,
            Outcome.UNSUPPORTED,
            Outcome.TRANSIENT,
            Outcome.MISCONFIGURED,
        ),
    ),
    (
        _("Alive or unclear"),
        "bad",
        (Outcome.UNCLEAR, Outcome.REFUSED, Outcome.STILL_ALIVE),
    ),
)
_OUTCOMES = tuple(outcome for *_about, group in _GROUPS for outcome in group)


def address(listing: str, **asked: Any) -> str:
    """Return the address of a list of this app, narrowed by its filters."""
    url = reverse(f"admin:instances_{listing}_changelist")
    return f"{url}?{urlencode(asked, safe='@,')}" if asked else url


def _view(request: HttpRequest) -> trends.View:
    """Return whose rows a request shows, and by which clock; worked out once a page."""
    kept = vars(request)
    if "trends_view" not in kept:
        own, zone = organizations_in_view(request), timezone.get_current_timezone()
        kept["trends_view"] = trends.View.of(own, timezone.now(), zone)
    view: trends.View = kept["trends_view"]
    return view


def health_chart(request: HttpRequest, now_in: Counter[str]) -> Chart | None:
    """Return the instances by status on each of the last days; None where none was ever looked at."""
    view = _view(request)
    count = trends.kept(_DAYS, settings.RETAIN_FLIPS_DAYS)
    days = last_days(view.now, view.zone, count)
    told = trends.health(view, days, now_in)
    columns = tuple(
        Column(short_day(day.first), _day_parts(day, counts, today=day is days[-1]))
        for day, counts in zip(days, told, strict=True)
    )
    summary = gettext(
        "Instances by status at the end of each of the last %(days)d days, the last of "
        "them now: %(counts)s."
    ) % {"days": count, "counts": _spoken(told[-1], _STATUSES)}
    chart = Chart(
        gettext("Instances by status, day by day"),
        summary,
        columns,
        tuple(str(ui.look(status).label) for status in _STATUSES),
        gettext("Day"),
    )
    return chart if chart.highest else None


def _day_parts(
    day: Span, counts: Counter[str], *, today: bool
) -> tuple[ui.Segment, ...]:
    def rows(status: str) -> str:
        if today:
            return address("instance", status=status)
        return address("instance", was=was_word(status, day.first))

    return _parts(counts, _STATUSES, rows)


def _parts(
    counts: Counter[str], order: Iterable[str], rows: Callable[[str], str]
) -> tuple[ui.Segment, ...]:
    """Return what there is of states in `order`; `rows` gives the address of those in one."""
    return tuple(
        ui.Segment(
            str(ui.look(state).label), counts[state], ui.look(state).tone, rows(state)
        )
        for state in map(str, order)
        if counts[state]
    )


def _spoken(counts: Counter[str], order: Iterable[Any]) -> str:
    told = [
        f"{ui.number(counts[state])} {inside(ui.look(state).label)}"
        for state in map(str, order)
        if counts[state]
    ]
    return ", ".join(told) or gettext("none")


def provider_outcomes(request: HttpRequest) -> Panel | None:
    """Show what the revocations of the last days came to, provider by provider."""
    view = _view(request)
    first = last_days(view.now, view.zone, _DAYS)[0]
    told = trends.outcomes(view, first.start)
    largest = sorted(told.items(), key=lambda one: (-sum(one[1].values()), one[0]))
    bars = [
        _bar(key, counts, since_word(first.first))
        for key, counts in largest[:_PROVIDERS]
    ]
    everything = _of_revocations(started=since_word(first.first))
    return Panel(
        gettext("Revocations by provider, last 30 days"),
        "instances/overview/providers.html",
        {
            "bars": bars,
            "more": len(largest) - len(bars),
            "listing": address("instance"),
        },
        url=everything if bars else "",
    )


def _bar(key: str, counts: Counter[str], started: str) -> dict[str, Any]:
    known = catalogue.find(key)
    here = {"started": started, "provider_key__exact": key}

    def rows(outcome: str) -> str:
        return _of_revocations(outcome__exact=outcome, **here)

    return {
        "name": known.name if known else key or gettext("Unknown provider"),
        "count": sum(counts.values()),
        "url": _of_revocations(status__exact=ItemStatus.DONE.value, **here),
        "segments": _parts(counts, _OUTCOMES, rows),
    }


def _of_revocations(**asked: Any) -> str:
    return address("item", run__kind__exact=RunKind.REVOKE.value, **asked)


def weekly_revocations(request: HttpRequest) -> Panel | None:
    """Show the revocations of each week by what they came to."""
    view = _view(request)
    count = trends.kept(_WEEKS, settings.RETAIN_ITEMS_DAYS, timedelta(days=7))
    weeks = last_weeks(view.now, view.zone, count)
    told = trends.revocations(view, weeks)
    columns = tuple(
        Column(_week(week), _grouped(counts, span_word(week)))
        for week, counts in zip(weeks, told, strict=True)
    )
    summary = gettext(
        "Revocations of each of the last %(weeks)d weeks by outcome, %(count)s in all."
    ) % {"weeks": count, "count": ui.number(sum(one.total for one in columns))}
    title = gettext("Revocations per week")
    chart = Chart(
        title,
        summary,
        columns,
        tuple(str(name) for name, *_others in _GROUPS),
        gettext("Week"),
    )
    context = {
        "chart": chart if chart.highest else None,
        "listing": address("instance"),
    }
    return Panel(title, "instances/overview/weeks.html", context)


def _week(week: Span) -> str:
    return f"{short_day(week.first)} – {short_day(week.last)}"


def _grouped(counts: Counter[str], started: str) -> tuple[ui.Segment, ...]:
    """Return a week's outcomes in groups that can be told apart by their colour."""
    told = []
    for name, tone, group in _GROUPS:
        count = sum(counts[outcome] for outcome in group)
        rows = _of_revocations(started=started, outcome__in=",".join(group))
        if count:
            told.append(ui.Segment(str(name), count, tone, rows))
    return tuple(told)


def time_to_reconnect(request: HttpRequest) -> Panel | None:
    """Show how long it took people to reconnect, from the link's making to its end."""
    view = _view(request)
    first = last_days(view.now, view.zone, _DAYS)[0]
    pace = trends.pace(view, first.start)
    ended = {
        "status__exact": LinkStatus.FINISHED.value,
        "finished": since_word(first.first),
    }
    context: dict[str, Any] = {"dead": address("instance", status="needs_reauth")}
    if pace is not None:
        context |= {
            "median": ui.short_duration(pace.median),
            "ninth": ui.short_duration(pace.ninth),
            "total": pace.total,
            "url": address("reconnectlink", **ended),
            "segments": _paces(pace.counts, ended),
        }
    title = gettext("Time to reconnect, last 30 days")
    return Panel(title, "instances/overview/pace.html", context)


def _paces(counts: Any, ended: dict[str, str]) -> Sequence[ui.Segment]:
    tones = ("ok", "active", "warn", "bad", "strong")
    return [
        ui.Segment(
            inside(pace_word(word)),
            counts[word],
            tone,
            address("reconnectlink", took=word, **ended),
        )
        for word, tone in zip(trends.PACES, tones, strict=True)
        if counts.get(word)
    ]
