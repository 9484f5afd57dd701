"""One libcurl handle for one call.

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
)

USER_AGENT = "ceadmin/0.1"
#: Bytes of a decoded body, and of all header lines, that are read before the call is cut.
BODY_CAP, HEADER_CAP = 1 << 20, 64 << 10
_CONNECT = 5.0
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
    """What one handle collects while its call is under way."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.url, self.loopback = destination(request)
        self.out = io.BytesIO()
        self.source = io.BytesIO(request.body or b"")
        self.head: list[tuple[str, str]] = []
        self.head_size = 0
        self.head_ended = False
        self.refused = self.oversize = False

    def open_socket(self, purpose: int, address: Any) -> Any:
        """Judge the very address that is connected to; libcurl calls this for each new connection."""
        family, kind, protocol, where = address
        text = where[0] if isinstance(where, tuple) else ""
        if not self._may(text.decode() if isinstance(text, bytes) else text):
            self.refused = True
            return pycurl.SOCKET_BAD
        return _Handed(family, kind, protocol)

    def confirm(self, address: str, *_others: object) -> int:
        """Judge again just before the call is written: on a kept connection no socket is opened."""
        if self._may(address):
            return int(pycurl.PREREQFUNC_OK)
        self.refused = True
        return int(pycurl.PREREQFUNC_ABORT)

    def _may(self, text: str) -> bool:
        """Tell whether an address may be connected to.

        With OUTBOUND_PROXY the address seen here is the proxy's, for which the operator
        vouches, and names are resolved by the proxy: what they lead to is its business.
        """
        if self.loopback:
            return bool(text) and is_loopback(text)
        return bool(settings.OUTBOUND_PROXY) or (bool(text) and is_public(text))

    def write(self, data: bytes) -> int | None:
        """Keep a part of the body; returning a short count makes libcurl cut the call."""
        if self.out.tell() + len(data) > BODY_CAP:
            self.oversize = True
            return 0
        self.out.write(data)
        return None

    def header(self, line: bytes) -> int | None:
        """Keep a header line; a new status line begins anew (after 100 Continue)."""
        self.head_size += len(line)
        if self.head_size > HEADER_CAP:
            self.oversize = True
            return 0
        text = line.decode("latin-1").strip()
        if text.startswith("HTTP/"):
            self.head, self.head_ended = [], False
        elif not text:
            self.head_ended = True
        elif not self.head_ended:  # what comes after the body is no header
            name, _, value = text.partition(":")
            self.head.append((name.strip(), value.strip()))
        return None

    def configure(self, curl: pycurl.Curl) -> None:
        """Set `curl` up for this call."""
        curl.reset()
        _limit(curl, self.request, loopback=self.loopback)
        curl.setopt(pycurl.URL, self.url)
        curl.setopt(pycurl.OPENSOCKETFUNCTION, self.open_socket)
        curl.setopt(pycurl.PREREQFUNCTION, self.confirm)
        curl.setopt(pycurl.WRITEFUNCTION, self.write)
        curl.setopt(pycurl.HEADERFUNCTION, self.header)
        curl.setopt(pycurl.HTTPHEADER, self._headers())
        self._body(curl)

    def _headers(self) -> list[str]:
        given = {name.lower() for name, _ in self.request.headers}
        lines = [
            f"{name}: {value}" if value else f"{name};"
            for name, value in self.request.headers
        ]
        lines += ["Expect:"]  # never wait for 100 Continue
        lines += [] if "content-type" in given else ["Content-Type:"]
        lines += [] if "accept" in given else ["Accept: */*"]
        return lines

    def _body(self, curl: pycurl.Curl) -> None:
        """Hand over the body in a way that can't be read twice.

        libcurl silently sends a call again when a kept connection turns out to be dead; a
        revocation must not be repeated without anybody knowing, so its body can't be rewound.
        """
        method = self.request.method
        if self.request.body or method in _WITH_BODY:
            curl.setopt(pycurl.POST, True)
            curl.setopt(pycurl.POSTFIELDSIZE_LARGE, len(self.request.body or b""))
            curl.setopt(pycurl.READFUNCTION, self.source.read)
        if method == "HEAD":
            curl.setopt(pycurl.NOBODY, True)
        else:
            curl.setopt(pycurl.CUSTOMREQUEST, method)
        if method not in _READS and not self.request.body:
            curl.setopt(
                pycurl.FRESH_CONNECT, True
            )  # nothing to rewind, so no kept connection either

    def outcome(self, curl: pycurl.Curl, number: int = 0) -> Answer | HttpError:
        """Return what came of the call, once it is over; `number` is libcurl's error."""
        if number:
            return self._error(curl, number)
        status = curl.getinfo(pycurl.RESPONSE_CODE)
        if not self.head_ended or status < _FINAL:
            return Lost(
                self.request, "cut"
            )  # libcurl takes half a header for a whole one
        return Answer(
            status=status,
            headers=AnswerHeaders(self.head),
            body=self.out.getvalue(),
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


def _limit(curl: pycurl.Curl, request: Request, *, loopback: bool) -> None:
    https = pycurl.PROTO_HTTPS
    curl.setopt(pycurl.PROTOCOLS, https | pycurl.PROTO_HTTP if loopback else https)
    curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
    curl.setopt(pycurl.FOLLOWLOCATION, False)
    curl.setopt(pycurl.TIMEOUT_MS, _milliseconds(request.deadline))
    curl.setopt(
        pycurl.CONNECTTIMEOUT_MS, _milliseconds(min(request.deadline, _CONNECT))
    )
    curl.setopt(pycurl.NOSIGNAL, True)
    # Given empty, both shut out what the environment says: a no_proxy from there would lead
    # past the proxy, and so past every judgement.
    curl.setopt(pycurl.PROXY, "" if loopback else settings.OUTBOUND_PROXY)
    curl.setopt(pycurl.NOPROXY, "")
    curl.setopt(pycurl.NETRC, pycurl.NETRC_IGNORED)
    curl.setopt(pycurl.ACCEPT_ENCODING, "")
    curl.setopt(pycurl.USERAGENT, USER_AGENT)
    curl.setopt(pycurl.CAINFO, settings.OUTBOUND_CA_FILE or certifi.where())
    curl.setopt(pycurl.SSL_VERIFYPEER, True)
    curl.setopt(pycurl.SSL_VERIFYHOST, 2)
    curl.setopt(pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2)


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))  # 0 would mean no limit
