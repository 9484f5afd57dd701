"""A requests adapter on the seam, so that OAuth2Session and OAuth1Session travel the one road.

What the seam decides can't be loosened from here: `verify`, `proxies`, `cert`, `stream` and
`allow_redirects` are of no effect.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import timedelta
from http.client import responses
from typing import Any, TypeVar

import requests
from requests.adapters import BaseAdapter
from requests.models import PreparedRequest, Response
from requests.structures import CaseInsensitiveDict
from urllib3.response import HTTPResponse

from ceadmin.lib.http_single import send
from ceadmin.lib.http_types import DEADLINE, Answer, HttpError, Lost, Request

S = TypeVar("S", bound=requests.Session)

#: libcurl writes these itself.
_OWN = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
    }
)
#: The seam hands the body over decoded.
_GONE = frozenset({"content-encoding", "transfer-encoding", "content-length"})


class CurlAdapter(BaseAdapter):
    """Sends prepared requests through the seam."""

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        """Return the response; the seam's HttpError is the cause of the requests exception raised."""
        ours = seam_request(request, timeout)
        try:
            answer = send(ours)
        except HttpError as error:
            raise _theirs(error)(str(error), request=request) from error
        return _response(answer, request)

    def close(self) -> None:
        """Do nothing: connections belong to the seam."""


class _FinalResponse(Response):
    """A response that a session takes as it is: no redirect is followed."""

    @property
    def is_redirect(self) -> bool:
        """Return False, whatever the status."""
        return False


def _theirs(error: HttpError) -> type[requests.exceptions.RequestException]:
    """Return what requests would raise."""
    if isinstance(error, Lost):
        late = error.code == "timeout"
        return requests.ReadTimeout if late else requests.ConnectionError
    if error.code == "connect_timeout":
        return requests.ConnectTimeout
    return (
        requests.exceptions.SSLError
        if error.code == "tls"
        else requests.ConnectionError
    )


def seam_request(request: PreparedRequest, timeout: Any = None) -> Request:
    """Return a prepared request of the requests library as the seam's own."""
    body = request.body.encode() if isinstance(request.body, str) else request.body
    if body is not None and not isinstance(body, bytes):
        raise TypeError("the seam sends bodies that are in memory")
    pairs = [(_text(name), _text(value)) for name, value in request.headers.items()]
    headers = tuple((name, value) for name, value in pairs if name.lower() not in _OWN)
    return Request(
        request.method or "GET", request.url or "", headers, body, _seconds(timeout)
    )


def _seconds(timeout: Any) -> float:
    """Return the deadline that a requests timeout means; a pair is (connect, read)."""
    if isinstance(timeout, tuple):
        timeout = timeout[1]
    return float(timeout) if isinstance(timeout, int | float) else DEADLINE


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _response(answer: Answer, request: PreparedRequest) -> Response:
    response = _FinalResponse()
    kept = {
        name: value
        for name, value in answer.headers.items()
        if name.lower() not in _GONE
    }
    response.status_code = answer.status
    response.reason = responses.get(answer.status, "")
    response.headers = CaseInsensitiveDict(kept)
    response.url = request.url or ""
    response.request = request
    response.encoding = requests.utils.get_encoding_from_headers(response.headers)
    response.elapsed = timedelta(seconds=answer.elapsed)
    response.raw = HTTPResponse(
        io.BytesIO(answer.body),
        headers=kept,
        status=answer.status,
        preload_content=False,
        decode_content=False,
    )
    _ = response.content  # read now: nothing streams
    return response


def mount(session: S) -> S:
    """Put a session of the requests family on the seam and take away its own habits; return it."""
    session.trust_env = False
    session.max_redirects = 0
    session.headers.clear()
    session.adapters.clear()
    adapter = CurlAdapter()
    session.mount("https://", adapter)
    session.mount("http://", adapter)  # the guard refuses it where it must
    return session


def session() -> requests.Session:
    """Return a plain session on the seam."""
    return mount(requests.Session())
