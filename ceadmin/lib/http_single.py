"""One call at a time, each thread with a handle of its own whose connections are kept."""

from __future__ import annotations

import os
import threading

import pycurl

from ceadmin.lib.http_handle import Exchange
from ceadmin.lib.http_types import Answer, HttpError, Request

_threads = threading.local()


def send(request: Request) -> Answer:
    """Make one call and return the answer, whatever its status; raise HttpError."""
    exchange = Exchange(request)
    curl = _handle()
    exchange.configure(curl)
    try:
        outcome = exchange.outcome(curl, _perform(curl))
    finally:
        curl.reset()  # lets go of the call's secrets, keeps the connection
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


def _handle() -> pycurl.Curl:
    """Return this thread's handle; a forked process begins with none."""
    if getattr(_threads, "process", None) != os.getpid():
        # Kept, not closed: closing would say goodbye on the parent's connections.
        _threads.inherited = getattr(_threads, "curl", None)
        _threads.curl, _threads.process = pycurl.Curl(), os.getpid()
    handle: pycurl.Curl = _threads.curl
    return handle
