"""Many calls at once in one thread: libcurl's multi interface on the operating system's selector."""

from __future__ import annotations

import heapq
import itertools
import selectors
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import pycurl

from ceadmin.lib.http_handle import Exchange
from ceadmin.lib.http_types import Answer, HttpError, Request

Done = Callable[[Answer | HttpError], None]

_EVENTS = {
    pycurl.POLL_IN: selectors.EVENT_READ,
    pycurl.POLL_OUT: selectors.EVENT_WRITE,
    pycurl.POLL_INOUT: selectors.EVENT_READ | selectors.EVENT_WRITE,
}


class Multi:
    """A loop of up to `connections` calls in flight; more wait in a queue. Not for sharing between threads."""

    def __init__(self, connections: int = 50) -> None:
        self.connections = connections
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self._multi.setopt(pycurl.M_MAXCONNECTS, connections)
        self._selector = selectors.DefaultSelector()
        self._curl_due: float | None = None
        self._queue: deque[tuple[Request, Done]] = deque()
        self._flying: dict[pycurl.Curl, tuple[Exchange, Done]] = {}
        self._spare: list[pycurl.Curl] = []
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._ready: deque[tuple[Done, Answer | HttpError]] = deque()
        self._numbers = itertools.count()

    @property
    def in_flight(self) -> int:
        """Return how many calls are under way."""
        return len(self._flying)

    @property
    def idle(self) -> bool:
        """Tell whether no call is under way or queued; timers may still run."""
        return not self._flying and not self._queue and not self._ready

    def add(self, request: Request, done: Done) -> None:
        """Make a call; `done` gets the answer, or the error as a value."""
        self._queue.append((request, done))
        self._fill()

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call `call` after `seconds`."""
        heapq.heappush(
            self._timers, (time.monotonic() + seconds, next(self._numbers), call)
        )

    def poll(self, timeout: float) -> None:
        """Go on with everything for at most `timeout` seconds, less when something happened."""
        self._fill()
        happened = (
            self._selector.select(self._patience(timeout))
            if self._selector.get_map()
            else self._nap(timeout)
        )
        for key, events in happened:
            self._multi.socket_action(key.fd, _bits(events))
        self._tick()
        self._collect()
        self._report()
        self._ring()

    def close(self) -> None:
        """Cut what is under way and release everything."""
        for curl in list(self._flying):
            self._multi.remove_handle(curl)
            curl.close()
        self._flying.clear()
        self._queue.clear()
        self._timers.clear()
        self._ready.clear()
        for curl in self._spare:
            curl.close()
        self._spare.clear()
        self._multi.close()
        self._selector.close()

    def _nap(self, timeout: float) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait where there is no socket to watch (epoll would, other selectors refuse)."""
        pause = self._patience(timeout)
        if pause > 0:
            time.sleep(pause)
        return []

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
            request, done = self._queue.popleft()
            try:
                exchange = Exchange(request)
            except HttpError as error:
                self._ready.append((done, error))
                continue
            curl = self._spare.pop() if self._spare else pycurl.Curl()
            exchange.configure(curl)
            self._flying[curl] = (exchange, done)
            self._multi.add_handle(curl)
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
        exchange, done = self._flying.pop(curl)
        self._multi.remove_handle(curl)
        self._ready.append((done, exchange.outcome(curl, number)))
        curl.reset()  # lets go of the call's secrets
        self._spare.append(curl)

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

    def _watch(self, event: int, fd: int, multi: Any, data: Any) -> None:
        # Taken out and put in again, not modified: the number may be that of a new socket.
        if fd in self._selector.get_map():
            self._selector.unregister(fd)
        if event in _EVENTS:
            self._selector.register(fd, _EVENTS[event])

    def _set_timer(self, milliseconds: int) -> None:
        self._curl_due = (
            None if milliseconds < 0 else time.monotonic() + milliseconds / 1000
        )


def _bits(events: int) -> int:
    read = pycurl.CSELECT_IN if events & selectors.EVENT_READ else 0
    write = pycurl.CSELECT_OUT if events & selectors.EVENT_WRITE else 0
    return int(read | write)
