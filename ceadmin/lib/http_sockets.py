"""The sockets that libcurl wants watched, on the operating system's own poll."""

from __future__ import annotations

import select
import sys
from contextlib import suppress

import pycurl

_EVENTS = {
    pycurl.POLL_IN: select.POLLIN,
    pycurl.POLL_OUT: select.POLLOUT,
    pycurl.POLL_INOUT: select.POLLIN | select.POLLOUT,
}

if sys.platform == "linux":
    _poll, _UNIT = select.epoll, 1  # seconds
else:
    _poll, _UNIT = select.poll, 1000


class Sockets:
    """Sockets by number, each with what it is watched for."""

    def __init__(self) -> None:
        # The standard library's selectors cost more per call than all of our checks.
        self._poll = _poll()
        self._events: dict[int, int] = {}

    def watch(self, event: int, fd: int, *_others: object) -> None:
        """Take what libcurl says of one socket."""
        # Taken out and put in again, not modified: the number may be that of a new socket.
        if self._events.pop(fd, 0):
            with suppress(OSError, KeyError):  # closed in the meantime
                self._poll.unregister(fd)
        wanted = _EVENTS.get(event, 0)
        if wanted:
            self._poll.register(fd, wanted)
            self._events[fd] = wanted

    def wait(self, seconds: float) -> list[tuple[int, int]]:
        """Return socket and libcurl's bits for what has happened, after at most `seconds`."""
        happened = self._poll.poll(seconds * _UNIT)
        return [(fd, _bits(told, self._events.get(fd, 0))) for fd, told in happened]

    def close(self) -> None:
        """Forget all of them."""
        self._events.clear()
        if sys.platform == "linux":
            self._poll.close()


def _bits(told: int, wanted: int) -> int:
    """Return what may be tried: an error lets both be tried, as far as they were wanted."""
    read = told & ~select.POLLOUT and wanted & select.POLLIN
    write = told & ~select.POLLIN and wanted & select.POLLOUT
    bits = (pycurl.CSELECT_IN if read else 0) | (pycurl.CSELECT_OUT if write else 0)
    return int(bits)
