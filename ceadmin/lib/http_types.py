"""What goes out, what comes back, and what can go wrong on the way.

HttpError            request, code
├── NotSent          certain: nothing reached the server
│   ├── Withdrawn    it was not wanted any more when its turn came
│   ├── Blocked      the guard refused the address, the scheme or the request itself
│   └── Unreachable  no name, nobody listens, no TLS, no connection in time
└── Lost             the server may have received it: time-out, cut, too much, garbage
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

#: Seconds of wall-clock time, from name look-up to the last byte.
DEADLINE = 20.0

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One call to make; `repr` shows neither query nor headers nor body."""

    method: str
    url: str = field(repr=False)
    headers: Headers = field(default=(), repr=False)
    body: bytes | None = field(default=None, repr=False)
    deadline: float = DEADLINE

    @property
    def host(self) -> str:
        """Return the host that is meant, "" where the URL names none."""
        try:
            return urlsplit(self.url).hostname or ""
        except ValueError:
            return ""

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.host}>"

    @classmethod
    def get(cls, url: str, headers: Headers = ()) -> Request:
        """Return a GET request."""
        return cls("GET", url, headers)

    @classmethod
    def form(
        cls,
        method: str,
        url: str,
        fields: Sequence[tuple[str, str]],
        headers: Headers = (),
    ) -> Request:
        """Return a request with a form body (application/x-www-form-urlencoded)."""
        kind = ("Content-Type", "application/x-www-form-urlencoded")
        return cls(method, url, (*headers, kind), urlencode(fields).encode())

    @classmethod
    def json(
        cls, method: str, url: str, payload: Any, headers: Headers = ()
    ) -> Request:
        """Return a request with a JSON body."""
        kind = ("Content-Type", "application/json")
        return cls(method, url, (*headers, kind), json.dumps(payload).encode())


class BadBody(ValueError):
    """A body is not the JSON it should be; `code` says how: empty, html, nul, encoding, truncated or json."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the body is not JSON ({code})")
        self.code = code


class AnswerHeaders(Mapping[str, str]):
    """Header fields, found whatever their letters' case; repeated ones are joined by a comma (RFC 9110 §5.3).

    `lines`, as they came, are read when somebody asks for the first field.
    """

    __slots__ = ("_fields", "_lines")

    def __init__(
        self, pairs: Sequence[tuple[str, str]] = (), *, lines: Sequence[bytes] = ()
    ) -> None:
        self._lines = lines
        self._fields = _fields(pairs)

    def _read(self) -> dict[str, tuple[str, str]]:
        if self._lines:
            self._fields, self._lines = _fields(last_head(self._lines)[0]), ()
        return self._fields

    def __getitem__(self, name: str) -> str:
        return self._read()[name.lower()][1]

    def get(self, name: str, default: Any = None) -> Any:
        """Return a field's value, `default` where the answer has none."""
        found = self._read().get(name.lower())
        return found[1] if found else default

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._read().values())

    def __len__(self) -> int:
        return len(self._read())


def _fields(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, str]]:
    fields: dict[str, tuple[str, str]] = {}
    for name, value in pairs:
        lower = name.lower()
        known = fields.get(lower)
        fields[lower] = (name, f"{known[1]}, {value}" if known else value)
    return fields


def last_head(lines: Iterable[bytes]) -> tuple[list[tuple[str, str]], bool]:
    """Return the fields of the last answer in header lines, and whether its head has ended.

    A status line begins anew (after 100 Continue), and what comes after the head is none of it.
    """
    head: list[tuple[str, str]] = []
    ended = False
    for line in lines:
        text = line.decode("latin-1").strip()
        if text.startswith("HTTP/"):
            head, ended = [], False
        elif not text:
            ended = True
        elif not ended:
            name, _, value = text.partition(":")
            head.append((name.strip(), value.strip()))
    return head, ended


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said; `repr` shows the status alone. `elapsed` is in seconds."""

    status: int
    headers: Mapping[str, str] = field(default_factory=AnswerHeaders, repr=False)
    body: bytes = field(default=b"", repr=False)
    elapsed: float = 0.0
    _read: list[Any] = field(
        default_factory=list, init=False, repr=False, compare=False
    )

    @property
    def text(self) -> str:
        """Return the body as text; what is not UTF-8 is replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body's JSON value, which is read once and not to be changed; raise BadBody."""
        if self._read:
            return self._read[0]
        self._read.append(self._parsed())
        return self._read[0]

    def _parsed(self) -> Any:
        if not self.body.strip():
            raise BadBody("empty")
        try:
            text = self.body.decode("utf-8-sig")  # some servers put a BOM in front
        except UnicodeDecodeError as error:
            raise BadBody("encoding") from error
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadBody(_fault(text)) from error


def _fault(text: str) -> str:
    if text.lstrip().startswith("<"):
        return "html"
    if "\x00" in text:
        return "nul"
    return "truncated" if text.lstrip()[:1] in "{[" else "json"


class HttpError(Exception):
    """A call that brought no answer; its text holds host and code, never query, header or body."""

    def __init__(self, request: Request, code: str) -> None:
        super().__init__(f"{request.method} {request.host}: {code}")
        self.request = request
        self.code = code


class NotSent(HttpError):
    """Nothing reached the server."""


class Blocked(NotSent):
    """The guard refused before anything was sent."""


class Unreachable(NotSent):
    """There was no connection to send it on."""


class Withdrawn(NotSent):
    """Whoever wanted it was not sure any more when it could have left."""


class Lost(HttpError):
    """The server may have received the call; what it did is not known."""
