"""Many calls at once in one thread: libcurl's multi interface on the operating system's selector."""

from __future__ import annotations

import heapq
import itertools
import resource
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import pycurl

from ceadmin.lib.http_handle import Exchange, Handle
from ceadmin.lib.http_sockets import Sockets
from ceadmin.lib.http_types import Answer, HttpError, Request, Withdrawn

#: Connections kept beside those in use; each is a file of the process.
_SPARE = 200
#: What else a process has open: the database, the broker, logs.
_OTHER_FILES = 100

Done = Callable[[Answer | HttpError], None]
Sure = Callable[[], bool]


class Multi:
    """A loop of up to `connections` calls in flight; more wait in a queue. Not for sharing between threads."""

    def __init__(self, connections: int = 50) -> None:
        self.connections = connections
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self._keep()
        self._sockets = Sockets()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._sockets.watch)
        self._curl_due: float | None = None
        self._queue: deque[tuple[Request, Done, Sure | None]] = deque()
        self._flying: dict[pycurl.Curl, tuple[Handle, Exchange, Done]] = {}
        self._spare: list[Handle] = []
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._ready: deque[tuple[Done, Answer | HttpError]] = deque()
        self._numbers = itertools.count()

    def resize(self, connections: int) -> None:
        """Allow more or fewer calls in flight; those that are keep their connections."""
        if connections != self.connections:
            self.connections = connections
            self._keep()

    @property
    def in_flight(self) -> int:
        """Return how many calls are under way."""
        return len(self._flying)

    @property
    def idle(self) -> bool:
        """Tell whether no call is under way or queued; timers may still run."""
        return not self._flying and not self._queue and not self._ready

    def add(self, request: Request, done: Done, sure: Sure | None = None) -> None:
        """Make a call; `done` gets the answer, or the error as a value.

        `sure` is asked at the last moment, which may come late when many wait: where it
        says no, nothing leaves and the error is Withdrawn.
        """
        self._queue.append((request, done, sure))
        self._fill()

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call `call` after `seconds`."""
        heapq.heappush(
            self._timers, (time.monotonic() + seconds, next(self._numbers), call)
        )

    def poll(self, timeout: float) -> None:
        """Go on with everything for at most `timeout` seconds, less when something happened."""
        self._fill()
        for fd, bits in self._sockets.wait(self._patience(timeout)):
            self._multi.socket_action(fd, bits)
        self._tick()
        self._collect()
        self._report()
        self._ring()

    def close(self) -> None:
        """Cut what is under way and release everything."""
        for curl, (handle, _, _) in list(self._flying.items()):
            self._multi.remove_handle(curl)
            handle.close()
        self._flying.clear()
        self._queue.clear()
        self._timers.clear()
        self._ready.clear()
        for handle in self._spare:
            handle.close()
        self._spare.clear()
        self._multi.close()
        self._sockets.close()

    def _keep(self) -> None:
        """Keep enough connections for flows that talk to the platform and to a provider in turn.

        With as many as calls are in flight, each call to the one throws out a connection to
        the other, and every call begins with a handshake.
        """
        wanted = self.connections + min(3 * self.connections, _SPARE)
        kept = min(wanted, _files(wanted + _OTHER_FILES) - _OTHER_FILES)
        self._multi.setopt(pycurl.M_MAXCONNECTS, max(kept, self.connections))

    def _patience(self, timeout: float) -> float:
        if self._ready:
            return 0.0
        now = time.monotonic()
        due = [timeout]
        due += [self._curl_due - now] if self._curl_due is not None else []
        due += [self._timers[0][0] - now] if self._timers else []
        return max(0.0, min(due))

    def _fill(self) -> None:
        while self._queue and len(self._flying) < self.connections:
            request, done, sure = self._queue.popleft()
            if sure is not None and not sure():
                self._ready.append((done, Withdrawn(request, "not_sure")))
                continue
            try:
                exchange = Exchange(request)
            except HttpError as error:
                self._ready.append((done, error))
                continue
            handle = self._spare.pop() if self._spare else Handle()
            handle.begin(exchange)
            self._flying[handle.curl] = (handle, exchange, done)
            self._multi.add_handle(handle.curl)
            self._curl_due = time.monotonic()  # a new handle wants its first kick

    def _tick(self) -> None:
        if self._curl_due is not None and self._curl_due <= time.monotonic():
            self._curl_due = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    def _collect(self) -> None:
        more = 1
        while more:
            more, good, bad = self._multi.info_read()
            for curl in good:
                self._land(curl)
            for curl, number, _ in bad:
                self._land(curl, number)

    def _land(self, curl: pycurl.Curl, number: int = 0) -> None:
        handle, exchange, done = self._flying.pop(curl)
        self._multi.remove_handle(curl)
        self._ready.append((done, exchange.outcome(curl, number)))
        handle.end()
        self._spare.append(handle)

    def _report(self) -> None:
        for _ in range(len(self._ready)):
            if self._ready:  # a callback may have closed the loop
                done, answer = self._ready.popleft()
                done(answer)
        self._fill()

    def _ring(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            _, _, call = heapq.heappop(self._timers)
            call()

    def _set_timer(self, milliseconds: int) -> None:
        self._curl_due = (
            None if milliseconds < 0 else time.monotonic() + milliseconds / 1000
        )


def _files(wanted: int) -> int:
    """Let this process open `wanted` files if it may; return how many it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return wanted if soft == resource.RLIM_INFINITY else soft
    with suppress(OSError, ValueError):  # some systems allow less than they say
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return soft
