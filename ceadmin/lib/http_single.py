"""One call at a time, each thread with a handle of its own whose connections are kept."""

from __future__ import annotations

import os
import threading

import pycurl

from ceadmin.lib.http_handle import Exchange, Handle
from ceadmin.lib.http_types import Answer, HttpError, Request

_threads = threading.local()


def send(request: Request) -> Answer:
    """Make one call and return the answer, whatever its status; raise HttpError."""
    exchange = Exchange(request)
    handle = _handle()
    try:
        handle.begin(exchange)
        outcome = exchange.outcome(handle.curl, _perform(handle.curl))
    finally:
        handle.end()
    if isinstance(outcome, HttpError):
        raise outcome
    return outcome


def _perform(curl: pycurl.Curl) -> int:
    """Make the call and return libcurl's error number, 0 for none."""
    try:
        curl.perform()
    except pycurl.error as error:
        return int(error.args[0])
    return 0


def _handle() -> Handle:
    """Return this thread's handle; a forked process begins with none."""
    if getattr(_threads, "process", None) != os.getpid():
        # Kept, not closed: closing would say goodbye on the parent's connections.
        _threads.inherited = getattr(_threads, "handle", None)
        _threads.handle, _threads.process = Handle(), os.getpid()
    handle: Handle = _threads.handle
    return handle
