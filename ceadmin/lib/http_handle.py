"""One call, and the libcurl handle that it is made with.

Every protection is set here, alike for single calls and for many at once.
"""

from __future__ import annotations

import io
import socket
from typing import Any

import certifi
import pycurl
from django.conf import settings

from ceadmin.lib.http_guard import destination, is_loopback, is_public
from ceadmin.lib.http_types import (
    Answer,
    AnswerHeaders,
    Blocked,
    HttpError,
    Lost,
    Request,
    Unreachable,
    last_head,
)

USER_AGENT = "ceadmin/0.1"
#: Bytes of a decoded body, and of all header lines, that are read before the call is cut.
BODY_CAP, HEADER_CAP = 1 << 20, 64 << 10
_CONNECT = 5.0
#: Seconds after which a connection that nobody used is not used again. Servers close theirs
#: after a minute, and a call that meets the closing door is lost: nobody knows what it did.
_IDLE = 45
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_READS = frozenset({"GET", "HEAD", "OPTIONS"})

_TLS = frozenset(
    {
        pycurl.E_SSL_CONNECT_ERROR,
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_CERTPROBLEM,
        pycurl.E_SSL_CACERT_BADFILE,
        pycurl.E_SSL_CIPHER,
        pycurl.E_SSL_ENGINE_NOTFOUND,
    }
)
_REFUSED = frozenset({pycurl.E_COULDNT_CONNECT, pycurl.E_ABORTED_BY_CALLBACK})
_GARBAGE = frozenset(
    {
        pycurl.E_UNSUPPORTED_PROTOCOL,
        pycurl.E_BAD_CONTENT_ENCODING,
        pycurl.E_FTP_WEIRD_SERVER_REPLY,  # today's CURLE_WEIRD_SERVER_REPLY
    }
)
_FINAL, _REDIRECTS = 200, 300  # statuses below the first announce another answer
_TOO_LARGE = 100  # CURLE_TOO_LARGE: a header line beyond libcurl's own cap


class _Handed(socket.socket):
    """A socket of which libcurl keeps a duplicate, so that ours goes without a warning."""

    def __del__(self) -> None:
        self.close()


class Exchange:
    """One call under way: what it is, and what has come of it so far."""

    __slots__ = (
        "body",
        "body_size",
        "head",
        "head_size",
        "loopback",
        "oversize",
        "refused",
        "request",
        "url",
    )

    def __init__(self, request: Request) -> None:
        self.request = request
        self.url, self.loopback = destination(request)
        self.head: list[bytes] = []
        self.body: list[bytes] = []
        self.head_size = self.body_size = 0
        self.refused = self.oversize = False

    def may(self, text: str) -> bool:
        """Tell whether an address may be connected to, and note where it may not.

        With OUTBOUND_PROXY the address seen here is the proxy's, for which the operator
        vouches, and names are resolved by the proxy: what they lead to is its business.
        """
        if self.loopback:
            fine = bool(text) and is_loopback(text)
        else:
            fine = bool(settings.OUTBOUND_PROXY) or (bool(text) and is_public(text))
        self.refused = self.refused or not fine
        return fine

    def write(self, data: bytes) -> int | None:
        """Keep a part of the body; returning a short count makes libcurl cut the call."""
        self.body_size += len(data)
        if self.body_size > BODY_CAP:
            self.oversize = True
            return 0
        self.body.append(data)
        return None

    def header(self, line: bytes) -> int | None:
        """Keep a header line."""
        self.head_size += len(line)
        if self.head_size > HEADER_CAP:
            self.oversize = True
            return 0
        self.head.append(line)
        return None

    def outcome(self, curl: pycurl.Curl, number: int = 0) -> Answer | HttpError:
        """Return what came of the call, once it is over; `number` is libcurl's error."""
        if number:
            return self._error(curl, number)
        status = curl.getinfo(pycurl.RESPONSE_CODE)
        head = self.head
        ended = bool(head) and (head[-1] == b"\r\n" or last_head(head)[1])
        if not ended or status < _FINAL:
            # libcurl takes half a header for a whole one
            return Lost(self.request, "cut")
        return Answer(
            status=status,
            headers=AnswerHeaders(lines=head),
            body=b"".join(self.body),
            elapsed=curl.getinfo(pycurl.TOTAL_TIME),
        )

    def _error(self, curl: pycurl.Curl, number: int) -> HttpError:
        """Return what went wrong; certain is only what failed before a byte of the call was written."""
        if self.refused and number in _REFUSED:
            return Blocked(self.request, "blocked_address")
        if curl.getinfo(pycurl.REQUEST_SIZE):  # bytes of the call that were written
            return Lost(self.request, self._lost_code(number))
        if number == pycurl.E_UNSUPPORTED_PROTOCOL:
            return Blocked(self.request, "blocked_scheme")
        if number == pycurl.E_URL_MALFORMAT:
            return Blocked(self.request, "blocked_url")
        said = curl.getinfo(pycurl.HTTP_CONNECTCODE)  # by the proxy
        code = "proxy" if said >= _REDIRECTS else _unreachable_code(number)
        return Unreachable(self.request, code)

    def _lost_code(self, number: int) -> str:
        if self.oversize or number == _TOO_LARGE:
            return "too_large"
        if number == pycurl.E_OPERATION_TIMEDOUT:
            return "timeout"
        return "garbage" if number in _GARBAGE else "cut"


def _unreachable_code(number: int) -> str:
    if number in (pycurl.E_COULDNT_RESOLVE_HOST, pycurl.E_COULDNT_RESOLVE_PROXY):
        return "dns"
    if number == pycurl.E_OPERATION_TIMEDOUT:
        return "connect_timeout"
    return "tls" if number in _TLS else "nobody_listens"


class Handle:
    """A libcurl handle for one call after another.

    What is alike for all calls is set once; of a call that is over nothing stays. `curl` is
    libcurl's own handle: whoever makes the call needs it.
    """

    def __init__(self) -> None:
        self.curl = pycurl.Curl()
        self._exchange: Exchange | None = None
        self._source = io.BytesIO()
        self._terms: tuple[bool, str, str] | None = None
        self._deadline = 0.0
        self._manner: tuple[str, bool] | None = None

    def begin(self, exchange: Exchange) -> None:
        """Set the handle up for a call."""
        terms = (
            exchange.loopback,
            settings.OUTBOUND_PROXY,
            settings.OUTBOUND_CA_FILE,
        )
        if terms != self._terms:
            self._limit(*terms)
        request = exchange.request
        if request.deadline != self._deadline:
            self._set_deadline(request.deadline)
        if (request.method, bool(request.body)) != self._manner:
            self._set_manner(request.method, bool(request.body))
        if request.body or request.method in _WITH_BODY:
            body = request.body or b""
            self._source = io.BytesIO(body)
            self.curl.setopt(pycurl.POSTFIELDSIZE_LARGE, len(body))
        self.curl.setopt(pycurl.URL, exchange.url)
        self.curl.setopt(pycurl.HTTPHEADER, _lines(request))
        self.curl.setopt(pycurl.WRITEFUNCTION, exchange.write)
        self.curl.setopt(pycurl.HEADERFUNCTION, exchange.header)
        self._exchange = exchange

    def end(self) -> None:
        """Let go of the call and of its secrets; the handle's connection is kept."""
        self._exchange = None
        self._source = io.BytesIO()
        self.curl.setopt(pycurl.URL, "")
        self.curl.unsetopt(pycurl.HTTPHEADER)
        self.curl.unsetopt(pycurl.WRITEFUNCTION)
        self.curl.unsetopt(pycurl.HEADERFUNCTION)

    def close(self) -> None:
        """Release everything."""
        self._exchange = None
        self.curl.close()

    def _limit(self, loopback: bool, proxy: str, authorities: str) -> None:
        """Set every protection; nothing of what was set before is left."""
        curl, https = self.curl, pycurl.PROTO_HTTPS
        curl.reset()
        self._terms, self._manner, self._deadline = None, None, 0.0
        curl.setopt(pycurl.PROTOCOLS, https | pycurl.PROTO_HTTP if loopback else https)
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        curl.setopt(pycurl.FOLLOWLOCATION, False)
        curl.setopt(pycurl.NOSIGNAL, True)
        curl.setopt(pycurl.MAXAGE_CONN, _IDLE)
        # Given empty, both shut out what the environment says: a no_proxy from there would
        # lead past the proxy, and so past every judgement.
        curl.setopt(pycurl.PROXY, "" if loopback else proxy)
        curl.setopt(pycurl.NOPROXY, "")
        curl.setopt(pycurl.NETRC, pycurl.NETRC_IGNORED)
        curl.setopt(pycurl.ACCEPT_ENCODING, "")
        curl.setopt(pycurl.USERAGENT, USER_AGENT)
        curl.setopt(pycurl.CAINFO, authorities or certifi.where())
        curl.setopt(pycurl.SSL_VERIFYPEER, True)
        curl.setopt(pycurl.SSL_VERIFYHOST, 2)
        curl.setopt(pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2)
        curl.setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)
        curl.setopt(pycurl.PREREQFUNCTION, self._confirm)
        curl.setopt(pycurl.READFUNCTION, self._read)
        self._terms = (loopback, proxy, authorities)

    def _set_deadline(self, seconds: float) -> None:
        self.curl.setopt(pycurl.TIMEOUT_MS, _milliseconds(seconds))
        shorter = _milliseconds(min(seconds, _CONNECT))
        self.curl.setopt(pycurl.CONNECTTIMEOUT_MS, shorter)
        self._deadline = seconds

    def _set_manner(self, method: str, has_body: bool) -> None:
        """Say how the call is made; the body is handed over in a way that can't be read twice.

        libcurl silently sends a call again when a kept connection turns out to be dead; a
        revocation must not be repeated without anybody knowing, so its body can't be rewound.
        """
        curl = self.curl
        curl.setopt(pycurl.HTTPGET, True)  # takes back what a former call has set
        if has_body or method in _WITH_BODY:
            curl.setopt(pycurl.POST, True)
        if method == "HEAD":
            curl.unsetopt(pycurl.CUSTOMREQUEST)
            curl.setopt(pycurl.NOBODY, True)
        else:
            curl.setopt(pycurl.CUSTOMREQUEST, method)
        # Without a body there is nothing to rewind, so no kept connection either.
        curl.setopt(pycurl.FRESH_CONNECT, method not in _READS and not has_body)
        self._manner = (method, has_body)

    # libcurl calls these

    def _read(self, size: int) -> bytes:
        return self._source.read(size)

    def _open_socket(self, purpose: int, address: Any) -> Any:
        """Judge the very address that is connected to; asked for each new connection."""
        family, kind, protocol, where = address
        text = where[0] if isinstance(where, tuple) else ""
        text = text.decode() if isinstance(text, bytes) else text
        if self._exchange is None or not self._exchange.may(text):
            return pycurl.SOCKET_BAD
        return _Handed(family, kind, protocol)

    def _confirm(self, address: str, *_others: object) -> int:
        """Judge again just before the call is written: on a kept connection no socket is opened."""
        if self._exchange is not None and self._exchange.may(address):
            return int(pycurl.PREREQFUNC_OK)
        return int(pycurl.PREREQFUNC_ABORT)


def _lines(request: Request) -> list[str]:
    given = {name.lower() for name, _ in request.headers}
    lines = [
        f"{name}: {value}" if value else f"{name};" for name, value in request.headers
    ]
    lines.append("Expect:")  # never wait for 100 Continue
    if "content-type" not in given:
        lines.append("Content-Type:")
    if "accept" not in given:
        lines.append("Accept: */*")
    return lines


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))  # 0 would mean no limit
