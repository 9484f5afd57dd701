"""An HTTP/1.1 server on asyncio: keep-alive, one write per answer, and every way of answering badly."""

from __future__ import annotations

import asyncio
import gzip
import logging
from collections.abc import Callable
from email.utils import formatdate
from functools import partial
from http import HTTPStatus
from time import time

from .messages import Answer, Delivery, nothing, page

Handle = Callable[[str, str, dict[str, str], bytes], Delivery]

_HEAD_LIMIT = 256 * 1024
_BODY_LIMIT = 32 * 1024 * 1024
_BLOCK = 64 * 1024
#: Seconds that a client may go on sending what was refused before the door is shut.
_LINGER = 2.0
_reasons = {status.value: status.phrase for status in HTTPStatus}
logger = logging.getLogger("emulator")


class Connection(asyncio.Protocol):
    """One client connection; answers its requests one after the other."""

    def __init__(
        self,
        handle: Handle,
        loop: asyncio.AbstractEventLoop,
        open_ones: set[Connection],
    ) -> None:
        self._handle = handle
        self._loop = loop
        self._open_ones = open_ones
        self._received = bytearray()
        self._busy = False
        self._keep = True
        self._deaf = False  # what still comes is not read
        self._paused: Callable[[], None] | None = None
        self._writing = True

    # -- asyncio's side --------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._open_ones.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._open_ones.discard(self)
        self._busy = True

    def data_received(self, data: bytes) -> None:
        """Take what came and answer as soon as a request is complete."""
        if self._deaf:
            return
        self._received += data
        if not self._busy:
            self._next()

    def pause_writing(self) -> None:
        """Stop a big answer until the client has read."""
        self._writing = False

    def resume_writing(self) -> None:
        """Go on with a big answer."""
        self._writing = True
        if self._paused is not None:
            go_on, self._paused = self._paused, None
            go_on()

    # -- requests --------------------------------------------------------------------------------

    def _next(self) -> None:
        """Answer the first complete request in the buffer, if there is one."""
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            if len(self._received) > _HEAD_LIMIT:
                self._reject(431)
            return
        lines = self._received[:end].decode("latin-1").split("\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines[1:])
        }
        length = headers.get("content-length", "0")
        words = lines[0].split(" ")
        if len(words) != 3 or not length.isdigit() or "transfer-encoding" in headers:
            self._reject(400)
        elif int(length) > _BODY_LIMIT:
            self._reject(413)
        elif len(self._received) - end - 4 >= int(length):
            self._take(words, headers, end + 4, int(length))
        elif (
            headers.pop("expect", "").lower() == "100-continue"
            and len(self._received) == end + 4
        ):
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _take(
        self, words: list[str], headers: dict[str, str], start: int, length: int
    ) -> None:
        body = bytes(self._received[start : start + length])
        del self._received[: start + length]
        self._busy = True
        self._keep = (
            headers.get("connection", "").lower() != "close" and words[2] == "HTTP/1.1"
        )
        try:
            delivery = self._handle(words[0], words[1], headers, body)
        except Exception:
            logger.exception("A request could not be answered")
            delivery = Delivery(page("500", "<h1>The emulator failed</h1>", 500))
        self._deliver(delivery, words[0] == "HEAD")

    def _reject(self, status: int) -> None:
        self._busy = self._deaf = True
        self._keep = False
        self._deliver(Delivery(nothing(status)), False)

    # -- answers ---------------------------------------------------------------------------------

    def _deliver(self, delivery: Delivery, bare: bool) -> None:
        if delivery.delay > 0:
            self._loop.call_later(delivery.delay, self._send, delivery, bare)
        else:
            self._send(delivery, bare)

    def _send(self, delivery: Delivery, bare: bool) -> None:
        if self.transport.is_closing() or delivery.manner == "never":
            return
        head, body = encode(delivery.answer, self._keep)
        ways: dict[str, Callable[[bytes, bytes], None]] = {
            "whole": self._send_whole,
            "cut": lambda *_: self.transport.abort(),
            "cut_midway": self._send_half,
            "drip_headers": partial(self._drip, 0, delivery.interval),
            "drip_body": partial(self._drip, len(head), delivery.interval),
            "oversize": partial(self._send_oversize, delivery),
        }
        ways[delivery.manner](head, b"" if bare else body)

    def _send_whole(self, head: bytes, body: bytes) -> None:
        self.transport.write(head + body)
        self._done()

    def _send_half(self, head: bytes, body: bytes) -> None:
        self.transport.write(head + body[: len(body) // 2])
        self._keep = False
        self._done()

    def _drip(self, start: int, interval: float, head: bytes, body: bytes) -> None:
        """Send everything before `start` at once and the rest byte by byte."""
        self.transport.write((head + body)[:start])
        self._drop(interval, (head + body)[start:])

    def _drop(self, interval: float, rest: bytes) -> None:
        if self.transport.is_closing():
            return
        self.transport.write(rest[:1])
        if len(rest) > 1:
            self._loop.call_later(interval, self._drop, interval, rest[1:])
        else:
            self._done()

    def _send_oversize(self, delivery: Delivery, _head: bytes, _body: bytes) -> None:
        """Send `size` bytes that never end within reason; gzipped when the answer says so."""
        headers = dict(delivery.answer.headers)
        squeezed = (
            gzip.compress(bytes(delivery.size), 9)
            if headers.get("Content-Encoding") == "gzip"
            else b""
        )
        length = len(squeezed) or delivery.size
        head, _ = encode(delivery.answer, False, length)
        self.transport.write(head)
        self._keep = False
        self._pour(squeezed, 0, length)

    def _pour(self, source: bytes, at: int, length: int) -> None:
        while at < length and not self.transport.is_closing():
            if not self._writing:
                self._paused = partial(self._pour, source, at, length)
                return
            block = source[at : at + _BLOCK] or b" " * min(_BLOCK, length - at)
            self.transport.write(block)
            at += len(block)
        self._done()

    def _done(self) -> None:
        if self._deaf:
            # Closed with bytes unread, the connection is reset, and the answer lost with it.
            self.transport.write_eof()
            self._loop.call_later(_LINGER, self.transport.close)
            return
        if not self._keep:
            self.transport.close()
            return
        self._busy = False
        if self._received:
            self._loop.call_soon(self._resume)

    def _resume(self) -> None:
        if not self._busy:
            self._next()


def encode(
    answer: Answer, keep: bool, length: int | None = None
) -> tuple[bytes, bytes]:
    """Return the head and the body of an answer as bytes."""
    lines = [f"HTTP/1.1 {answer.status} {_reasons.get(answer.status, 'Unknown')}"]
    if answer.content_type:
        lines.append(f"Content-Type: {answer.content_type}")
    lines.append(f"Content-Length: {len(answer.body) if length is None else length}")
    names = {name.lower() for name, _ in answer.headers}
    if "date" not in names:
        lines.append(f"Date: {_date(int(time()))}")
    lines += [f"{name}: {value}" for name, value in answer.headers]
    if not keep:
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"), answer.body


_last_date = (0, "")


def _date(second: int) -> str:
    """Return the Date header's value, made once a second."""
    global _last_date
    if _last_date[0] != second:
        _last_date = (second, formatdate(second, usegmt=True))
    return _last_date[1]
