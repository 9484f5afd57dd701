"""What the overview's charts count: a few grouped queries each, however many instances there are.

Every query returns at most as many rows as its chart has parts. Days and weeks are cut by
the database at moments worked out here, so that a day may have 23 or 25 hours. What is over
and cannot change any more is counted once and remembered by the process: days that ended,
runs and links while none has ended since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from hashlib import sha256
from typing import Any, cast

from django.core.cache import cache
from django.db.models import Case, Count, F, Max, Min, Q, QuerySet, Value, When

from ceadmin.lib.days import Span
from ceadmin.teams.models import Organization
from instances.choices import InstanceStatus, ItemStatus, LinkStatus, RunKind
from instances.models import Flip, Item, ReconnectLink, Run

Organizations = QuerySet[Organization]

#: Nothing is still being written of a day that ended so long ago.
_SETTLED = timedelta(minutes=10)
_REMEMBERED_SECONDS = 26 * 60 * 60

#: Word → what took less than this; the last one has no end.
PACES: dict[str, timedelta | None] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "3-days": timedelta(days=3),
    "week": timedelta(days=7),
    "longer": None,
}


def slot(name: str, edges: Sequence[datetime]) -> Any:
    """Return the expression that counts how many of `edges` (in order) a moment has reached.

    It asks log₂ of their number of questions a row, and means the same on both databases.
    """

    def between(low: int, high: int) -> Any:
        if low == high:
            return Value(low)
        middle = (low + high) // 2
        before = When(**{f"{name}__lt": edges[middle]}, then=between(low, middle))
        return Case(before, default=between(middle + 1, high))

    return between(0, len(edges))


def kept(
    count: int, days: timedelta | None, each: timedelta = timedelta(days=1)
) -> int:
    """Return how many of `count` spans of a chart lie wholly in what is kept for `days` (None: for ever)."""
    return count if days is None else max(1, min(count, days // each))


@dataclass(frozen=True, slots=True)
class View:
    """Whose rows somebody looks at, when, and by which clock."""

    own: Organizations
    now: datetime
    zone: tzinfo
    mark: str  # the same for the same organizations and zone

    @classmethod
    def of(cls, own: Organizations, now: datetime, zone: tzinfo) -> View:
        """Return the view of these organizations; one query."""
        uids = sorted(map(str, own.values_list("uid", flat=True)))
        mark = sha256(f"{uids} {zone}".encode()).hexdigest()
        return cls(own, now, zone, mark)

    def remembered(self, what: str, token: object, count: Callable[[], Any]) -> Any:
        """Return what `count` returned when it was last asked with this token, else ask it."""
        key = f"trend-{what}-{self.mark}"
        kept = cache.get(key)
        if kept is None or kept[0] != token:
            kept = (token, count())
            cache.set(key, kept, _REMEMBERED_SECONDS)
        return kept[1]


# Health

#: How many days had ended → status → how many more are in it since then.
Changes = dict[int, Counter[str]]


def health(
    view: View, days: Sequence[Span], now_in: Mapping[str, int]
) -> list[Counter[str]]:
    """Return status → how many instances were in it at the end of each day; today's are `now_in`.

    Past days are today's counts without what changed since. An instance begins as
    unknown and without a change, so that unknown is not told: nobody had looked.
    """
    counts: Counter[str] = Counter(now_in)
    changes = _changes(view, days)
    told: list[Counter[str]] = []
    for number in reversed(range(len(days))):
        known = {
            status: count
            for status, count in counts.items()
            if count > 0 and status != InstanceStatus.UNKNOWN
        }
        told.append(Counter(known))
        counts.subtract(changes.get(number, Counter()))
    return told[::-1]


def _changes(view: View, days: Sequence[Span]) -> Changes:
    """Return the changes of each day but the first; those of days that are over are remembered."""
    edges = [day.end for day in days[:-1]]
    if not edges:
        return {}
    flips = Flip.objects.filter(instance__organization__in=view.own).order_by()

    def past() -> tuple[Changes, int]:
        over = flips.filter(at__gte=edges[0], at__lt=edges[-1])
        return _grouped(over, edges), _first_since(edges[-1])

    if view.now - edges[-1] < _SETTLED:
        return _grouped(flips.filter(at__gte=edges[0]), edges)
    changes, first = view.remembered("health", edges, past)
    today = flips.filter(pk__gte=first, at__gte=edges[-1])
    return {**changes, **_grouped(today, edges)}


def _first_since(moment: datetime) -> int:
    """Return the least primary key that a change since a moment has, or will have."""
    found = Flip.objects.aggregate(
        least=Min("pk", filter=Q(at__gte=moment)), last=Max("pk")
    )
    return int(found["least"] or (found["last"] or 0) + 1)


def _grouped(flips: QuerySet[Flip], edges: Sequence[datetime]) -> Changes:
    rows = flips.values("from_status", "to_status", day=slot("at", edges))
    changes: Changes = {}
    for row in rows.annotate(count=Count("*")):
        change = changes.setdefault(row["day"], Counter())
        change[row["to_status"]] += row["count"]
        change[row["from_status"]] -= row["count"]
    return changes


# Revocations


def _runs(view: View, since: datetime) -> QuerySet[Run]:
    return Run.objects.order_by().filter(
        organization__in=view.own, kind=RunKind.REVOKE, started_at__gte=since
    )


def _ended(view: View, since: datetime) -> QuerySet[Item]:
    """Return what ended of the revocations that were started since a moment.

    A run is counted on the day of its start: its items are then read from an index alone.
    """
    return Item.objects.order_by().filter(
        run__organization__in=view.own,
        run__kind=RunKind.REVOKE,
        run__started_at__gte=since,
        status=ItemStatus.DONE,
    )


def _of_runs(view: View, what: str, since: datetime, count: Callable[[], Any]) -> Any:
    """Return what `count` says of runs since a moment, remembered while all of them have ended."""
    found = _runs(view, since).aggregate(
        open=Count("pk", filter=Q(finished_at__isnull=True)),
        many=Count("pk"),
        last=Max("finished_at"),
        thinned=Count("items_removed_at"),
    )
    if found.pop("open"):
        return count()
    return view.remembered(what, (since, found), count)


def outcomes(view: View, since: datetime) -> dict[str, Counter[str]]:
    """Return provider → outcome → how many revocations started since then came to it."""

    def count() -> dict[str, Counter[str]]:
        rows = _ended(view, since).values("provider_key", "outcome")
        told: dict[str, Counter[str]] = {}
        for row in rows.annotate(count=Count("*")):
            of_provider = told.setdefault(row["provider_key"], Counter())
            of_provider[row["outcome"]] = row["count"]
        return told

    return cast(dict[str, Counter[str]], _of_runs(view, "outcomes", since, count))


def revocations(view: View, weeks: Sequence[Span]) -> list[Counter[str]]:
    """Return outcome → how many revocations came to it, for each of the weeks in which they started."""
    edges, since = [week.start for week in weeks[1:]], weeks[0].start

    def count() -> list[Counter[str]]:
        week = slot("run__started_at", edges)
        rows = _ended(view, since).values("outcome", week=week)
        told: list[Counter[str]] = [Counter() for _ in weeks]
        for row in rows.annotate(count=Count("*")):
            told[row["week"]][row["outcome"]] = row["count"]
        return told

    return cast(list[Counter[str]], _of_runs(view, "weeks", since, count))


# Reconnects


@dataclass(frozen=True, slots=True)
class Pace:
    """How long people took from getting a link to being reconnected."""

    counts: Mapping[str, int]  # by the words of PACES
    median: timedelta
    ninth: timedelta  # nine of ten took no longer

    @property
    def total(self) -> int:
        """How many were reconnected."""
        return sum(self.counts.values())


def pace(view: View, since: datetime) -> Pace | None:
    """Return how long the reconnects took that ended since a moment; None where there were none."""
    links = ReconnectLink.objects.order_by().filter(
        instance__organization__in=view.own,
        status=LinkStatus.FINISHED,
        finished_at__gte=since,
        expires_at__gte=since,  # no link is used after its end; this has an index
    )
    found = links.aggregate(total=Count("pk"), last=Max("finished_at"))
    if not found["total"]:
        return None

    def count() -> Pace:
        return _measured(links, found["total"])

    return cast(Pace, view.remembered("pace", (since, found), count))


def _measured(links: QuerySet[ReconnectLink], total: int) -> Pace:
    rows = links.values(pace=_pace()).annotate(count=Count("*"))
    counts = {row["pace"]: row["count"] for row in rows}
    duration = F("finished_at") - F("made_at")
    lasted = links.order_by(duration, "pk").values_list(duration, flat=True)
    return Pace(counts, lasted[(total - 1) // 2], lasted[(9 * total - 1) // 10])


def _pace() -> Any:
    whens = [
        When(finished_at__lt=F("made_at") + bound, then=Value(word))
        for word, bound in PACES.items()
        if bound is not None
    ]
    return Case(*whens, default=Value("longer"))


def took(links: QuerySet[ReconnectLink], word: str) -> QuerySet[ReconnectLink]:
    """Return those of `links` whose reconnect took as long as a word of PACES says."""
    words = list(PACES)
    if word not in words:
        return links.none()
    rows, bound = links.filter(finished_at__isnull=False), PACES[word]
    if bound is not None:
        rows = rows.filter(finished_at__lt=F("made_at") + bound)
    place = words.index(word)
    if place and (least := PACES[words[place - 1]]) is not None:
        rows = rows.filter(finished_at__gte=F("made_at") + least)
    return rows
