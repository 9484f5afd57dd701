"""One call at a time, each thread with a handle of its own whose connections are kept."""

from __future__ import annotations

import os
import threading

import pycurl

from ceadmin.lib.http_handle import Exchange
from ceadmin.lib.http_types import Answer, Request

_threads = threading.local()


def send(request: Request) -> Answer:
    """Make one call and return the answer, whatever its status; raise HttpError."""
    exchange = Exchange(request)
    curl = _handle()
    exchange.configure(curl)
    try:
        curl.perform()
    except pycurl.error as error:
        raise exchange.error(curl, error.args[0]) from None
    else:
        return exchange.answer(curl)
    finally:
        curl.reset()  # lets go of the call's secrets, keeps the connection


def _handle() -> pycurl.Curl:
    """Return this thread's handle; a forked process begins with none."""
    if getattr(_threads, "process", None) != os.getpid():
        # Kept, not closed: closing would say goodbye on the parent's connections.
        _threads.inherited = getattr(_threads, "curl", None)
        _threads.curl, _threads.process = pycurl.Curl(), os.getpid()
    handle: pycurl.Curl = _threads.curl
    return handle
