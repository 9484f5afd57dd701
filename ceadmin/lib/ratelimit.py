"""How fast and how many at once: limits that all worker processes keep together, in Redis.

A limit belongs to a scope: a host, a provider app, an organization at the platform. Turns
are taken in batches, at most a tenth of a second's worth; a server that says Retry-After
(RFC 9110 §10.2.3, RFC 6585 §4) is left alone by everyone until then, and one that says 429
or 503 without it gets half, and more again as time passes. While Redis is away each
process keeps to its own share of the limit.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from ceadmin.lib import ratelimit_scripts as scripts
from ceadmin.lib.ratelimit_alone import Alone, Slots, State, Turns
from ceadmin.lib.ratelimit_scripts import LATE

__all__ = ["LATE", "Limit", "Limiter", "Slots", "State", "Turns", "limiter"]

logger = logging.getLogger(__name__)

#: What a server counts is not what leaves here: so much of a limit is used.
SHARE = 0.95
#: A worker that has been silent for so many seconds has no slots any more.
SLOT_LEASE = 10.0
#: A broker that is away is asked again after so many seconds, and given so many.
_AWAY, _PATIENCE = 5.0, 0.5


@dataclass(frozen=True, slots=True)
class Limit:
    """Calls a second and calls at once; None is no limit."""

    rate: float | None = None
    concurrency: int | None = None

    @property
    def is_set(self) -> bool:
        """Tell whether it limits anything."""
        return self.rate is not None or self.concurrency is not None


class Limiter:
    """One process's way to the limits of all; not for sharing between threads."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        """`name` tells this process from all others."""
        self.name = name
        self.peers = 1  # processes that work beside this one, itself among them
        self._clock = clock
        self._alone = Alone(clock)
        self._away_until = 0.0
        self._is_away = False
        self._scripts: dict[str, Any] = {}

    def take(self, wanted: int, scopes: Sequence[tuple[str, float | None]]) -> Turns:
        """Take up to `wanted` turns of calls that count in all `scopes`, with their rates."""
        rates = [rate * SHARE if rate else None for _, rate in scopes]
        apart = [round(1e6 / rate) if rate else 0 for rate in rates]
        keys = [_key(name) for name, _ in scopes]
        said = self._ask(scripts.TAKE, keys, [wanted, *apart])
        if said is None:
            names = [name for name, _ in scopes]
            own = [rate / self._processes if rate else None for rate in rates]
            return self._alone.take(wanted, list(zip(names, own, strict=True)))
        count, delay, between, again = (int(one) for one in said[:4])
        marks = dict(zip(keys, (int(one) for one in said[4:]), strict=False))
        return Turns(count, delay / 1e6, between / 1e6, again / 1e6, marks)

    def give_back(self, turns: Turns, count: int) -> None:
        """Give back the last `count` of some turns, where nobody took later ones."""
        args: list[Any] = []
        for mark in turns.marks.values():
            args += [mark, round(count * turns.apart * 1e6)]
        if args:
            self._ask(scripts.GIVE_BACK, list(turns.marks), args)

    def look(self, names: Sequence[str]) -> dict[str, State]:
        """Return which scopes are paused or slowed down; the others are left out."""
        keys = [_key(name) for name in names]
        said = self._ask(scripts.LOOK, keys) if keys else []
        if said is None:
            return self._alone.look(names)
        pairs = zip(names, said[::2], said[1::2], strict=True)
        return {
            name: State(int(pause) / 1e6, int(slow) / 1e3 if slow else None)
            for name, pause, slow in pairs
            if pause or slow
        }

    def pause(self, name: str, seconds: float) -> None:
        """Let nothing leave for a scope before so many seconds are over."""
        self._alone.pause(name, seconds)  # for the time when Redis is away
        self._ask(scripts.PAUSE, [_key(name)], [round(seconds * 1e6)])

    def slow(self, name: str, rate: float) -> None:
        """Halve a scope's rate, `rate` calls a second until now; it recovers by itself."""
        half = random.uniform(0.4, 0.55)  # noqa: S311 (spread, no secret)
        self._alone.slow(name, rate / self._processes, half)
        self._ask(scripts.SLOW, [_key(name)], [rate, half])

    def slots(self, name: str, wanted: int, most: int) -> Slots:
        """Hold up to `wanted` of a scope's `most` slots for SLOT_LEASE seconds; -1 leaves."""
        key = f"{_key(name)}:slots"
        args = [self.name, wanted, most, round(SLOT_LEASE * 1e6)]
        said = self._ask(scripts.SLOTS, [key], args)
        if said is None:
            own = max(1, most // self._processes)
            return Slots(min(max(wanted, 0), own), 1, starving=False)
        return Slots(int(said[0]), int(said[1]), starving=bool(said[2]))

    @property
    def _processes(self) -> int:
        return max(settings.WORKER_PROCESSES, self.peers, 1)

    # Redis

    def _ask(
        self, script: str, keys: Sequence[str], args: Sequence[Any] = ()
    ) -> list[Any] | None:
        """Return what a script says; None while Redis is away, for a while without asking."""
        if self._is_away and self._clock() < self._away_until:
            return None
        try:
            said: list[Any] | None = self._script(script)(keys=keys, args=args)
        except redis.RedisError as error:
            self._away_until = self._clock() + _AWAY
            if not self._is_away:
                logger.warning(
                    "limits are kept by each process alone, the broker is away: %s",
                    type(error).__name__,
                )
            self._is_away = True
            return None
        if self._is_away:
            self._is_away = False
            logger.warning("limits are kept by all processes together again")
        return said

    @cached_property
    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=_PATIENCE,
            socket_connect_timeout=_PATIENCE,
            retry=Retry(NoBackoff(), 0),
        )

    def _script(self, text: str) -> Any:
        if text not in self._scripts:
            self._scripts[text] = self._client.register_script(text)
        return self._scripts[text]


@lru_cache(maxsize=1)
def limiter(name: str) -> Limiter:
    """Return this process's limiter; what it knows outlives a single run."""
    return Limiter(name)


def _key(name: str) -> str:
    return f"ceadmin:limit:{name}"
