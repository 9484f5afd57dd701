"""Where calls go and what holds them up there: a scope has a limit, a lane is the scopes of one call."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from ceadmin.lib.ratelimit import Limit, Turns
from instances.actions.calls import Flow, Result
from instances.models import Chunk, Item


@dataclass(slots=True, eq=False)
class Thread:
    """One flow in the air."""

    item: Item
    chunk: Chunk
    flow: Flow[Result]
    app: int = 0  # of which provider app
    began: float = 0.0  # by the monotonic clock
    acted: bool = False  # has an intent: it is worked to its end, whatever happens
    resting: bool = False  # has no call under way: it waits for its turn or its time
    lane: Lane | None = None  # of the call under way
    turn: float = 0.0  # when that call may leave; 0: at once
    placed: bool = False  # it has its slots


@dataclass(slots=True, eq=False)
class Scope:
    """One host, provider app or organization. Moments are of the monotonic clock."""

    name: str
    limit: Limit
    paused_until: float = 0.0
    slow: float | None = None  # calls a second, while a server asked for fewer
    told_at: float = 0.0  # when this process last said so to the others
    held: int = 0  # slots
    used: int = 0
    most: int = 0  # slots that this process may use; fewer while another one has none
    slots_at: float = 0.0  # before this there is no use in asking for more

    def rate(self) -> float | None:
        """Return the calls a second that all workers together may make now."""
        rates = [one for one in (self.limit.rate, self.slow) if one]
        return min(rates, default=None)

    def holds_up(self, now: float) -> bool:
        """Tell whether a call has to ask first."""
        return self.limit.is_set or self.slow is not None or self.paused_until > now


@dataclass(slots=True, eq=False)
class Waiter:
    """A call that waits for its turn."""

    thread: Thread
    go: Callable[[float], None]  # gets the moment of the turn, 0 for at once
    early: bool = False  # its intent is written first, so it goes on ahead of its turn


@dataclass(slots=True, eq=False)
class Lane:
    """What calls of one kind to one host count in; `free` ones need not ask."""

    scopes: tuple[Scope, ...]  # the host or the organization first
    key: str = ""  # the provider; "" at the platform
    free: bool = True
    sent: int = 0  # calls since the last heartbeat
    pace: float = 0.0  # calls a second before that
    turns: Turns = field(default_factory=lambda: Turns(0))
    left: int = 0  # of the turns
    next: float = 0.0  # when the first of these is
    ask_at: float = 0.0
    due: float = 0.0  # when to look again
    urgent: deque[Waiter] = field(default_factory=deque)  # those that have acted
    others: deque[Waiter] = field(default_factory=deque)
    capped: tuple[Scope, ...] = ()

    def __post_init__(self) -> None:
        self.capped = tuple(one for one in self.scopes if one.limit.concurrency)

    @property
    def waiting(self) -> int:
        """Return how many calls wait."""
        return len(self.urgent) + len(self.others)

    def paused_until(self) -> float:
        """Return when the last pause ends."""
        return max(scope.paused_until for scope in self.scopes)

    def refresh(self, now: float) -> None:
        """Find out whether calls have to ask."""
        held = any(scope.holds_up(now) for scope in self.scopes)
        self.free = not held and not self.waiting
        if self.free or self.paused_until() > now:
            self.left = 0  # turns of before
