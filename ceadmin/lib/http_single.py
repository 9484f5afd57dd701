"""One call at a time, each thread with a handle of its own whose connections are kept."""

from __future__ import annotations

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
    return exchange.answer(curl)


def _handle() -> pycurl.Curl:
    if not hasattr(_threads, "curl"):
        _threads.curl = pycurl.Curl()
    handle: pycurl.Curl = _threads.curl
    return handle
