"""The limits of one process while Redis is away: the same rules, its own clock, its share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ceadmin.lib.ratelimit_scripts import (
    AHEAD,
    BATCH,
    LATE,
    RECOVERY,
    SAME_TROUBLE,
    SLOWEST,
)


@dataclass(frozen=True, slots=True)
class Turns:
    """Calls that may be made. Times are seconds from now."""

    count: int
    delay: float = 0.0  # until the first; below 0 it is late
    apart: float = 0.0  # between two
    again: float = 0.0  # until asking makes sense, when there are none
    marks: Mapping[str, int] = field(default_factory=dict)  # for giving them back


@dataclass(frozen=True, slots=True)
class State:
    """What holds a scope up: seconds of a pause, and the rate it is slowed down to."""

    pause: float
    rate: float | None


@dataclass(frozen=True, slots=True)
class Slots:
    """Calls at once that this process may have, among how many, and is one without any?"""

    held: int
    workers: int
    starving: bool


@dataclass(slots=True)
class _Scope:
    turn: float = 0.0
    until: float = 0.0
    slow: float = 0.0  # 0: not slowed down
    since: float = 0.0
    top: float = 0.0

    def rate(self, now: float) -> float | None:
        """Return what it is slowed down to, None when it has recovered."""
        rate = self.slow + self.top * RECOVERY * (now - self.since)
        return rate if self.slow and rate < self.top else None


class Alone:
    """Scopes as one process knows them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._scopes: dict[str, _Scope] = defaultdict(_Scope)

    def take(self, wanted: int, scopes: Sequence[tuple[str, float | None]]) -> Turns:
        """Take up to `wanted` turns; all of the scopes have one, or none is taken."""
        now = self._clock()
        rows = [(self._scopes[name], rate) for name, rate in scopes]
        each = [_between(row, rate, now) for row, rate in rows]
        start = max([now - LATE, *(row.turn for row, _ in rows)])
        wait = max([start - now - AHEAD, *(row.until - now for row, _ in rows)])
        if wait > 0:
            return Turns(0, again=wait)
        apart = max(each)
        if not apart:
            return Turns(wanted)
        count = min(wanted, int((now + AHEAD - start) / apart) + 1)
        count = min(count, max(1, int(BATCH / apart)))
        for (row, _), own in zip(rows, each, strict=True):
            row.turn = max(row.turn, now - LATE) + count * own
        return Turns(count, start - now, apart)

    def look(self, names: Sequence[str]) -> dict[str, State]:
        """Return which scopes are paused or slowed down."""
        now = self._clock()
        rows = {name: self._scopes[name] for name in names}
        states = {
            name: State(max(0.0, row.until - now), row.rate(now))
            for name, row in rows.items()
        }
        return {name: one for name, one in states.items() if one.pause or one.rate}

    def pause(self, name: str, seconds: float) -> None:
        """Let nothing leave for so long."""
        row = self._scopes[name]
        row.until = max(row.until, self._clock() + seconds)

    def slow(self, name: str, rate: float, factor: float) -> None:
        """Bring the rate down."""
        row, now = self._scopes[name], self._clock()
        current = row.rate(now)
        if current and now - row.since < SAME_TROUBLE:
            return
        row.top = max(row.top if current else 0.0, rate)
        row.slow = max((current or row.top) * factor, SLOWEST)
        row.top, row.since = max(row.top, row.slow), now
        row.turn = max(row.turn, now + 1 / row.slow)


def _between(row: _Scope, rate: float | None, now: float) -> float:
    """Return the seconds between two calls, 0 where nothing limits them."""
    rates = [one for one in (rate, row.rate(now)) if one]
    return 1 / min(rates) if rates else 0.0
