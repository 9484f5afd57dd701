"""The stand-in's control endpoint: seeding, steering, and what it says it received."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from ceadmin.lib import http

#: The seam leads every host to the stand-in; this one is its control endpoint.
_CONTROL = "https://_control"


class NoStandIn(Exception):
    """The stand-in does not answer, or refuses."""


def ask(path: str, **query: object) -> Any:
    """Return what a control path shows; raise NoStandIn."""
    tail = f"?{urlencode(query)}" if query else ""
    return _sent(http.Request.get(f"{_CONTROL}/{path}{tail}"))


def tell(path: str, payload: Any, method: str = "POST") -> Any:
    """Change something and return the answer; raise NoStandIn."""
    return _sent(http.Request.json(method, f"{_CONTROL}/{path}", payload))


def forget_faults() -> None:
    """Remove every fault; raise NoStandIn."""
    _sent(http.Request("DELETE", f"{_CONTROL}/faults"))


def last_entry() -> int:
    """Return the number of the last request that the stand-in received; raise NoStandIn."""
    number: int = ask("log", since=2**62)["last"]
    return number


def log_since(number: int) -> list[dict[str, Any]]:
    """Return what the stand-in received after that number; raise NoStandIn."""
    entries: list[dict[str, Any]] = ask("log", since=number)["entries"]
    return entries


def _sent(request: http.Request) -> Any:
    if not http.emulated():
        raise NoStandIn("There is no stand-in: the demo runs by `make demo`.")
    try:
        answer = http.send(request)
        shown = answer.json()
    except (http.HttpError, http.BadBody) as error:
        raise NoStandIn(f"The stand-in does not answer ({error}).") from error
    if answer.status >= 400:
        raise NoStandIn(f"The stand-in refuses: {shown.get('error')}")
    return shown
