"""When a call may leave: limits, pauses and slots that all workers of all runs keep together.

    gate → the intent is committed → the call is sent

A call to the platform counts for its organization; one to a provider for the host and for
the provider app. What waits here holds no connection. Where nothing is limited or paused
a call passes without a question to Redis; a look every second tells what others found out.
"""

from __future__ import annotations

import math
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable

from ceadmin.lib import http
from ceadmin.lib.ratelimit import LATE, Limit, Limiter, State
from ceadmin.lib.ratelimit_scripts import AHEAD, SAME_TROUBLE
from instances.actions.calls import Call
from instances.choices import RunKind
from instances.engine.lanes import Lane, Scope, Thread, Waiter
from providers.answers import retry_after
from providers.limits import Limits
from providers.own import is_own

#: A pause that is longer gives items back that have changed nothing yet: what was read
#: for them would be old when their turn comes.
SHORT_PAUSE = 5.0
#: So many seconds of work are begun at once where a limit is low.
_AT_ONCE = 10.0
#: Turns of so many seconds may leave at once: a thousandth of what a second has.
_NO_BURST = 0.001
#: What is slowed down without a limit had at least so many calls a second.
_LEAST_PACE = 10.0
#: An item's calls to the platform and to the provider, when all goes well.
CALLS: dict[str, tuple[float, float]] = {
    RunKind.PROBE: (1, 0),
    RunKind.REVOKE: (2, 3),
    RunKind.DRILL: (3, 3),
    RunKind.RECONNECT: (0, 0),
}

#: Provider → scopes of its hosts that this process has called: a pause of theirs is
#: known before the first item is read. Some providers have a host for each customer.
_hosts: dict[str, set[str]] = defaultdict(set)
_MOST_HOSTS = 50


class Gate:
    """The way out of one shard; not for sharing between threads."""

    def __init__(
        self, kind: str, organization: str, limits: Limits, limiter: Limiter
    ) -> None:
        """`organization` is its uid: its calls to the platform are one scope."""
        self.limits, self.limiter = limits, limiter
        self.organization = organization
        self.calls = CALLS.get(kind, (1, 1))
        self.waiting = 0
        self.caps: dict[str, int | None] = {}  # provider → flows in the air
        self.scopes: dict[str, Scope] = {}
        self.platform = self._lane("", (f"org:{organization}", limits.platform))
        self.lanes: dict[tuple[str, int], Lane] = {}
        self.room = 1
        self._is_set = limits.is_set
        for key in list(_hosts) if self.calls[1] else ():
            for name in _hosts[key]:
                self._scope(name, limits.shared(key))
        self._beaten_at = time.monotonic()

    # A call's way

    def lane(self, call: Call, thread: Thread) -> Lane:
        """Return the lane of a call."""
        if call.held is None:
            return self.platform
        parts = call.request.url.split("/", 3)  # a fifth of what urlsplit takes
        host = parts[2] if len(parts) > 2 else ""
        return self.lanes.get((host, thread.app)) or self._open(host, thread)

    def turn(self, lane: Lane, thread: Thread, *, early: bool) -> float | None:
        """Return when a call may leave (0: at once), None when it has to wait."""
        if lane.free:
            lane.sent += 1
            return 0.0
        if lane.urgent or lane.others:
            return None
        return self._turn(lane, thread, time.monotonic(), early=early)

    def wait(self, lane: Lane, waiter: Waiter) -> None:
        """Let a call wait; it goes on in `pump`."""
        thread = waiter.thread
        thread.resting = True
        (lane.urgent if thread.acted else lane.others).append(waiter)
        lane.free, lane.due = False, 0.0
        self.waiting += 1

    def done(
        self, thread: Thread, lane: Lane, answer: http.Answer | http.HttpError
    ) -> None:
        """Take note that a call has ended, and of a server that wants fewer."""
        if thread.placed:
            self.free(thread)
        if isinstance(answer, http.Answer) and answer.status in (429, 503):
            self._told(lane, answer)

    @staticmethod
    def free(thread: Thread) -> None:
        """Free the slots of a call."""
        if thread.placed and thread.lane is not None:
            thread.placed = False
            thread.lane.due = 0.0
            for scope in thread.lane.capped:
                scope.used, scope.slots_at = scope.used - 1, 0.0

    def pump(self) -> None:
        """Let go what may leave now."""
        if self.waiting:
            for lane in self._all():
                if lane.waiting:
                    self._serve(lane)

    def patience(self, most: float) -> float:
        """Return after how many seconds the next call may leave, at most `most`."""
        if not self.waiting:
            return most
        due = min(lane.due for lane in self._all() if lane.waiting)
        return max(0.0, min(most, due - time.monotonic()))

    def withdraw(self, unwanted: Callable[[Lane, Thread], bool]) -> list[Thread]:
        """Take flows out of the queues; return them."""
        gone: list[Thread] = []
        for lane in self._all():
            for queue in (lane.urgent, lane.others):
                for _ in range(len(queue)):
                    waiter = queue.popleft()
                    if unwanted(lane, waiter.thread):
                        gone.append(waiter.thread)
                    else:
                        queue.append(waiter)
        self.waiting -= len(gone)
        return gone

    def stuck(self) -> list[tuple[Thread, float]]:
        """Take out what would wait long for a paused host and has not acted, and for how long."""
        now = time.monotonic()
        gone = self.withdraw(
            lambda lane, thread: (
                lane.paused_until() > now + SHORT_PAUSE and not thread.acted
            )
        )
        return [
            (thread, thread.lane.paused_until() - now) for thread in gone if thread.lane
        ]

    # Turns

    def _serve(self, lane: Lane) -> None:
        while lane.waiting:
            queue = lane.urgent or lane.others
            waiter = queue[0]
            now = time.monotonic()
            turn = self._turn(lane, waiter.thread, now, early=waiter.early)
            if turn is None:
                return
            queue.popleft()
            self.waiting -= 1
            waiter.thread.resting = False
            waiter.go(turn)
        lane.refresh(time.monotonic())

    def _turn(
        self, lane: Lane, thread: Thread, now: float, *, early: bool
    ) -> float | None:
        """Take the turn of a call; None when it is not there yet (`lane.due`)."""
        if now < lane.due:
            return None
        if lane.capped and not self._has_slots(lane, now):
            return None
        self._lose_late(lane, now)
        if not lane.left and not self._take(lane, now):
            return None
        if lane.next > now + (AHEAD if early else 0.001):
            lane.due = lane.next - (AHEAD if early else 0.0)
            return None
        turn = lane.next
        lane.left, lane.next = lane.left - 1, turn + lane.turns.apart
        for scope in lane.capped:
            scope.used, thread.placed = scope.used + 1, True
        lane.sent += 1
        return turn

    @staticmethod
    def _lose_late(lane: Lane, now: float) -> None:
        """Drop turns that nobody took in time: they would leave in one burst.

        What is worth less than a burst that anybody could tell may leave late.
        """
        behind, apart = now - 2 * LATE - lane.next, lane.turns.apart
        if behind > 0 and lane.left * apart > _NO_BURST:
            lost = min(lane.left, math.ceil(behind / apart))
            lane.left, lane.next = lane.left - lost, lane.next + lost * apart

    def _take(self, lane: Lane, now: float) -> bool:
        scopes = [(scope.name, scope.limit.rate) for scope in lane.scopes]
        # Half a second's calls; the limit's own tenth of a second is kept by who gives them.
        wanted = max(lane.waiting, self.room, math.ceil(lane.pace / 2))
        lane.turns = turns = self.limiter.take(wanted, scopes)
        lane.left, lane.next = turns.count, now + turns.delay
        if turns.count:
            return True
        # Spread out after a pause: all workers wait for the same moment.
        spread = random.uniform(0.0, 0.3 if turns.again > 1 else 0.002)  # noqa: S311
        lane.due = now + turns.again + spread
        return False

    def _has_slots(self, lane: Lane, now: float) -> bool:
        for scope in lane.capped:
            if scope.used >= min(scope.held, scope.most) and not self._more(
                scope, lane.waiting, now
            ):
                lane.due = max(scope.slots_at, now + 0.02)
                return False
        return True

    def _more(self, scope: Scope, waiting: int, now: float) -> bool:
        """Ask for more slots; tell whether there is one free now."""
        if now < scope.slots_at or scope.used >= scope.most:
            return False
        wanted = min(scope.used + max(waiting, self.room), scope.most)
        got = self.limiter.slots(scope.name, wanted, scope.limit.concurrency or 1)
        scope.held = got.held
        if scope.held > scope.used:
            return True
        scope.slots_at = now + random.uniform(0.05, 0.15)  # noqa: S311 (spread)
        return False

    # What servers say

    def _told(self, lane: Lane, answer: http.Answer) -> None:
        """Pause a host that says Retry-After (RFC 9110 §10.2.3), slow it down otherwise."""
        scope, now = lane.scopes[0], time.monotonic()
        seconds = retry_after(answer)
        if seconds:
            if scope.paused_until < now + seconds - 0.5:
                self.limiter.pause(scope.name, seconds)
                scope.paused_until = now + seconds
        elif now - scope.told_at > SAME_TROUBLE:
            scope.told_at = now
            pace = max(lane.pace, lane.sent, _LEAST_PACE) * self.limiter.peers
            self.limiter.slow(scope.name, scope.limit.rate or pace)
            self._look([scope])
        self._refresh(now)

    def beat(self, peers: int, room: int) -> None:
        """Look once a second at what others found out, and keep the slots."""
        now = time.monotonic()
        elapsed = max(now - self._beaten_at, 0.001)
        self._beaten_at, self.limiter.peers, self.room = now, peers, room
        for lane in self._all():
            lane.pace, lane.sent = lane.sent / elapsed, 0
        self._look(self.scopes.values())
        for lane in self._all():
            for scope in lane.capped:
                self._keep(scope, lane.waiting)
        self._refresh(now)

    def _keep(self, scope: Scope, waiting: int) -> None:
        """Renew the lease of slots, give back what is not needed, and share with who has none."""
        most = scope.limit.concurrency or 1
        if not (scope.held or scope.used or waiting):
            return
        wanted = max(scope.used, min(scope.used + waiting, scope.most))
        got = self.limiter.slots(scope.name, wanted if wanted or waiting else -1, most)
        scope.held, fair = got.held, most // max(got.workers, 1)
        fewer = fair if scope.held > fair else scope.held - 1
        scope.most = max(fewer, 0) if got.starving and scope.held else most

    def _look(self, scopes: Iterable[Scope]) -> None:
        known = list(scopes)
        states = self.limiter.look([scope.name for scope in known])
        now = time.monotonic()
        for scope in known:
            state = states.get(scope.name, State(0.0, None))
            scope.paused_until = now + state.pause if state.pause else 0.0
            scope.slow = state.rate

    def _refresh(self, now: float) -> None:
        for lane in self._all():
            lane.refresh(now)
        keys = {"", *_hosts, *self.limits.providers}
        caps = {key: self._cap(key, now) for key in keys}
        self.caps = {key: cap for key, cap in caps.items() if cap is not None}

    # How much to begin

    @property
    def limits_anything(self) -> bool:
        """Tell whether something is limited, paused or slowed down."""
        return self._is_set or bool(self.caps) or self.waiting > 0

    def cap(self, key: str) -> int | None:
        """Return how many flows of a provider may be in the air; None: as there is room."""
        if key not in self.caps:
            self.caps[key] = self._cap(key, time.monotonic())
        caps = [self.caps[key], self.caps.get("")]
        return min((one for one in caps if one is not None), default=None)

    def _cap(self, key: str, now: float) -> int | None:
        scopes = self._scopes_of(key)
        if scopes and all(one.paused_until > now + SHORT_PAUSE for one in scopes):
            return 0
        rate = self._items_a_second(key)
        if rate is None:
            return None
        most = math.ceil(rate / max(self.limiter.peers, 1) * _AT_ONCE)
        # Where the room binds first it alone does: it knows which flows make no call.
        return max(2, most) if most < self.room else None

    def _scopes_of(self, key: str) -> list[Scope]:
        """Return the hosts of a provider that this run calls; of "" the platform."""
        if not key:
            return list(self.platform.scopes)
        # The hand asks too, while the loop may find one more host.
        names = tuple(_hosts.get(self._known(key), ())) if self.calls[1] else ()
        return [self.scopes[name] for name in names if name in self.scopes]

    def _items_a_second(self, key: str) -> float | None:
        calls = self.calls[1 if key else 0]
        limit = self.limits.provider(key) if key else self.limits.platform
        scopes = self._scopes_of(key)
        slow = [one.slow for one in scopes if one.slow]
        # One host of several that is slow does not slow down the others.
        rates = [max(slow)] if slow and len(slow) == len(scopes) else []
        rates += [limit.rate] if limit.rate else []
        return min(rates) / calls if rates and calls else None

    def closed(self) -> dict[str, float]:
        """Return providers ("": the platform) to which nothing goes now → for how many seconds."""
        now = time.monotonic()
        return {
            key: min(one.paused_until for one in self._scopes_of(key)) - now
            for key, cap in self.caps.items()
            if cap == 0
        }

    def workable(self, key: str, seconds: float) -> int | None:
        """Return how many items of a provider can be worked in a time; None: no limit."""
        rates = [self._items_a_second(one) for one in (key, "")]
        slowest = min((one for one in rates if one is not None), default=None)
        if slowest is None:
            return None
        share = slowest / max(self.limiter.peers, 1)
        return max(2, math.ceil(share * max(seconds, 1.0)))

    # Lanes

    def _open(self, host: str, thread: Thread) -> Lane:
        key = thread.item.provider_key
        name, own = f"host:{host.lower()}", self.limits.own(key)
        scopes = [(name, self.limits.shared(key))]
        if own.is_set:  # of one organization, so it stops no other's calls
            scopes.append((f"org:{self.organization}:{name}", own))
        if thread.app and self.limits.app(thread.app).is_set:
            scopes.append((f"app:{thread.app}", self.limits.app(thread.app)))
        if len(_hosts[self._known(key)]) < _MOST_HOSTS:
            _hosts[self._known(key)].add(scopes[0][0])
        lane = self.lanes[host, thread.app] = self._lane(key, *scopes)
        self._look(lane.scopes)
        self._refresh(time.monotonic())
        return lane

    def _known(self, key: str) -> str:
        return f"{self.organization}:{key}" if is_own(key) else key

    def _lane(self, key: str, *wanted: tuple[str, Limit]) -> Lane:
        return Lane(tuple(self._scope(name, limit) for name, limit in wanted), key)

    def _scope(self, name: str, limit: Limit) -> Scope:
        if name not in self.scopes:
            self.scopes[name] = Scope(name, limit, most=limit.concurrency or 0)
        return self.scopes[name]

    def _all(self) -> list[Lane]:
        return [self.platform, *self.lanes.values()]

    def close(self) -> None:
        """Give back turns and slots that were not used."""
        for lane in self._all():
            if lane.left and lane.turns.apart:
                self.limiter.give_back(lane.turns, lane.left)
            for scope in lane.capped:
                if scope.held:
                    self.limiter.slots(scope.name, -1, scope.limit.concurrency or 1)
