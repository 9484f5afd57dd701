"""What limits make of a run: how long it takes at least, and whose limit decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.core.cache import cache
from django.utils.translation import gettext

from ceadmin import ui
from ceadmin.lib.ratelimit import Limit
from instances.choices import RunKind
from instances.models import Run
from instances.runs.history import Cost, costs, usual
from providers.limits import limits_of

#: What an item costs where none was ever worked: the calls of the usual way, as fast as can be.
FIRST = {
    RunKind.PROBE: Cost(platform_calls=1, provider_calls=0, call_seconds=0),
    RunKind.REVOKE: Cost(platform_calls=2, provider_calls=3, call_seconds=0),
    RunKind.DRILL: Cost(platform_calls=6, provider_calls=3, call_seconds=0),
}
#: What was learned of calls is kept for so many seconds.
_KEPT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit, and how long something takes at least because of it."""

    seconds: float
    rate: float | None  # calls a second
    concurrency: int | None  # calls at once
    name: str  # whose limit: "Box", "the platform"

    @property
    def words(self) -> str:
        """Return what limits: "limited to 1/s by Box"."""
        if self.rate is not None:
            return gettext("limited to %(rate)s by %(name)s") % {
                "rate": ui.per_second(self.rate),
                "name": self.name,
            }
        return gettext("limited to %(calls)s at once by %(name)s") % {
            "calls": ui.things(self.concurrency or 0, "call", "calls"),
            "name": self.name,
        }


def binding(run: Run, items: Mapping[str, int]) -> Bound | None:
    """Return the limit that decides how long `items` (provider → how many) take; None when nothing limits them."""
    found = list(_bounds(run, items))
    return max(found, key=lambda one: one.seconds) if found else None


def _bounds(run: Run, items: Mapping[str, int]) -> Iterator[Bound]:
    limits = limits_of(run.organization)
    paces = {key: limits.provider(key) for key, count in items.items() if count}
    if not any(_limits(pace) for pace in (limits.platform, *paces.values())):
        return
    each = expected(run, items)
    yield from _of(gettext("Cloud Elements"), limits.platform, _platform(items, each))
    for key, pace in paces.items():
        cost, count = each[key], items[key]
        calls = count * cost.provider_calls
        yield from _of(
            limits.book.name_of(key), pace, (calls, calls * cost.call_seconds)
        )


def _limits(pace: Limit) -> bool:
    return pace.rate is not None or pace.concurrency is not None


def _platform(
    items: Mapping[str, int], each: Mapping[str, Cost]
) -> tuple[float, float]:
    """Return calls to the platform, and how long they take one after the other."""
    calls = [(items[key] * cost.platform_calls, cost) for key, cost in each.items()]
    return (
        sum(count for count, _ in calls),
        sum(count * cost.call_seconds for count, cost in calls),
    )


def _of(name: str, pace: Limit, work: tuple[float, float]) -> Iterator[Bound]:
    calls, seconds = work
    if pace.rate is not None and calls:
        yield Bound(calls / pace.rate, pace.rate, None, name)
    if pace.concurrency is not None and seconds:
        yield Bound(seconds / pace.concurrency, None, pace.concurrency, name)


def expected(run: Run, items: Mapping[str, int]) -> dict[str, Cost]:
    """Return provider → what an item costs, by what was seen lately, or by what is usual."""
    key = f"costs-{run.uid}"
    known = cache.get(key)
    if known is None:
        known = costs(run)
        cache.set(key, known, _KEPT_SECONDS)
    first = FIRST.get(RunKind(run.kind), Cost(1, 0, 0))
    like = usual(known) or first
    return {name: known.get(name, like) for name, count in items.items() if count}
