"""How fast a run is and when it will be done: from rows that are stored, so that any process says the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, QuerySet
from django.utils.translation import gettext

from ceadmin import ui
from instances.choices import PART_SHUT, ItemStatus, RunKind, RunStatus
from instances.models import Item, Part, Run
from instances.runs.bounds import Bound, binding
from instances.runs.progress import Progress
from instances.runs.resting import resting

#: The rate is that of the last minute, or of the newest so many ended items.
WINDOW = timedelta(seconds=60)
_NEWEST = 5_000
#: Before this much was done of a run, its rate says nothing.
_EARLY = timedelta(seconds=2)
#: How a rate is shared by the providers is told by so many of the newest.
_SHARED = 500
#: The rate of fewer items says less than a limit does.
_FEW = 30


@dataclass(frozen=True, slots=True)
class Pace:
    """Items a second and the time to the end, as far as they are known."""

    rate: float | None = None
    left: timedelta | None = None
    bound: Bound | None = None  # the limit that decides, if one does
    rest: timedelta | None = None  # nothing is begun before this is over

    @property
    def words(self) -> str:
        """Return when it will be done: "about 28 hours left, limited to 1/s by Box"; "" when unknown."""
        if self.rest is not None:
            return gettext("goes on by itself in about %(time)s") % {
                "time": ui.roughly(self.rest)
            }
        if self.left is None:
            return ""
        if self.left < timedelta(seconds=1):
            return gettext("nearly done")
        left = gettext("about %(time)s left") % {"time": ui.roughly(self.left)}
        return f"{left}, {self.bound.words}" if self.bound else left


def pace(run: Run, counts: Progress, now: datetime) -> Pace:
    """Return how fast `run` is at `now`, from an index's newest entries; nothing before it began."""
    if run.started_at is None:
        return Pace()
    if run.finished_at is not None:
        spent = (run.finished_at - run.started_at).total_seconds()
        return Pace(counts.worked / spent if spent > 0 and counts.worked else None)
    if run.status != RunStatus.RUNNING or waits_for_people(run, counts):
        return Pace()
    return _going(run, counts, now)


def waits_for_people(run: Run, counts: Progress) -> bool:
    """Tell whether a run goes on as fast as people do: they have no pace, and no limit of calls.

    A reconnection ends by people alone, also while some of its links are still being made.
    """
    others = counts.total - counts.done - counts.waiting
    return counts.waiting > 0 and (run.kind == RunKind.RECONNECT or not others)


def _going(run: Run, counts: Progress, now: datetime) -> Pace:
    """Return how fast a run at work is: by what it did, by its limits, or when it goes on."""
    assert run.started_at is not None
    open_items = _to_come(run, counts)
    if rest := _all_rest(open_items, resting(run, now)):
        return Pace(rest=rest)
    rate = _recent(run, now)
    if rate is None and counts.done:
        rate = counts.done / max((now - run.started_at).total_seconds(), 1.0)
    early = now - run.started_at < _EARLY
    by_rate = sum(open_items.values()) / rate if rate and not early else None
    bound = binding(run, open_items)
    by_limit = bound.seconds if bound else 0.0
    few = counts.done < _FEW
    if bound is not None and (few or by_limit >= 0.8 * (by_rate or 0)):
        return Pace(rate, timedelta(seconds=by_limit), bound)
    left = None if by_rate is None else timedelta(seconds=by_rate)
    return Pace(rate, left)


def pace_by_provider(
    run: Run, counts: Progress, whole: Pace, now: datetime
) -> dict[str, Pace]:
    """Return provider → its share of the `whole` pace, and when it is done; of a run at work only.

    One query over an index's newest entries, however large the run is.
    """
    if run.status != RunStatus.RUNNING or run.started_at is None or not whole.rate:
        return {}
    since = max(run.started_at, now - WINDOW)
    newest = _ended_since(run, since).values_list("provider_key", flat=True)
    seen = Counter(newest[:_SHARED])
    early = now - run.started_at < _EARLY
    return {
        key: _share(whole.rate * count / seen.total(), counts.providers[key], early)
        for key, count in seen.items()
        if key in counts.providers
    }


def _share(rate: float, ended: tuple[int, int], early: bool) -> Pace:
    done, total = ended
    if early or done == total:
        return Pace(rate)
    return Pace(rate, timedelta(seconds=(total - done) / rate))


def _all_rest(
    open_items: Mapping[str, int], rests: Mapping[str, timedelta]
) -> timedelta | None:
    """Return when the first goes on of providers that are all left alone; None when one is not."""
    keys = {key for key, count in open_items.items() if count}
    return min(rests[key] for key in keys) if keys and keys <= {*rests} else None


def _recent(run: Run, now: datetime) -> float | None:
    """Return the rate of the last minute, None when nothing ended in it."""
    assert run.started_at is not None
    since = max(run.started_at, now - WINDOW)
    newest = _ended_since(run, since).values("finished_at")[:_NEWEST]
    seen = newest.aggregate(count=Count("finished_at"), first=Min("finished_at"))
    if not seen["count"]:
        return None
    if seen["count"] == _NEWEST:
        since = seen["first"]
    return float(seen["count"]) / max((now - since).total_seconds(), 1.0)


def _ended_since(run: Run, since: datetime) -> QuerySet[Item]:
    ended = Item.objects.filter(run=run, status=ItemStatus.DONE, finished_at__gte=since)
    return ended.order_by("-finished_at")


def _to_come(run: Run, counts: Progress) -> dict[str, int]:
    """Return provider → items that are still to be worked; what is held or waits for people is not."""
    shut: Collection[str] = Part.objects.filter(
        run=run, status__in=sorted(PART_SHUT)
    ).values_list("provider_key", flat=True)
    left = {
        key: total - done
        for key, (done, total) in counts.providers.items()
        if total > done and key not in set(shut)
    }
    return _without_people(left, counts.waiting)


def _without_people(left: dict[str, int], waiting: int) -> dict[str, int]:
    """Take out what waits for people; at which providers does not matter for the time."""
    kept = {}
    for key, count in left.items():
        taken = min(count, waiting)
        waiting -= taken
        kept[key] = count - taken
    return kept
