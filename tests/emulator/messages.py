"""What comes in and what goes out: requests, answers, and the way an answer is delivered."""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode

#: Where the platform's API begins; `Request.path` of a platform call is what follows.
PREFIX = "/elements/api-v2"
Headers = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Trace:
    """What the log says about a request; ids only, never a secret."""

    side: str = (
        "provider"  # who was called: platform, element (through the platform), provider
    )
    effect: str = ""
    instances: list[int] = field(default_factory=list)
    organization: int | None = None
    provider: str = ""
    client: str = ""
    fault: str = ""


@dataclass(slots=True)
class Request:
    """One received request, addressed to the real host it was meant for."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes
    host: str = ""
    platform: bool = False
    trace: Trace = field(default_factory=Trace)
    #: What a fault does to a revocation: "ignored", or a delay in seconds or checks.
    spoil: dict[str, Any] = field(default_factory=dict)
    _form: list[tuple[str, str]] | None = None

    def arg(self, name: str, default: str = "") -> str:
        """Return the first query value of this name."""
        return next((value for key, value in self.query if key == name), default)

    def args(self, name: str) -> list[str]:
        """Return every query value of this name."""
        return [value for key, value in self.query if key == name]

    def content_type(self) -> str:
        """Return the media type of the body, lower-case and without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def form(self) -> dict[str, str]:
        """Return the fields of a form body; empty for any other body."""
        if self._form is None:
            is_form = self.content_type() == "application/x-www-form-urlencoded"
            self._form = (
                parse_qsl(self.body.decode("utf-8", "replace"), True) if is_form else []
            )
        return dict(self._form)

    def json(self) -> Any:
        """Return the JSON body; raises ValueError when it is none."""
        return json.loads(self.body.decode("utf-8"))

    def bearer(self) -> str:
        """Return the bearer token, or an empty string."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def basic(self) -> tuple[str, str]:
        """Return the user and password of a Basic header, or two empty strings."""
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return "", ""
        try:
            user, _, password = (
                b64decode(value.strip(), validate=True).decode("utf-8").partition(":")
            )
        except (Base64Error, UnicodeDecodeError):
            return "", ""
        return unquote_plus(user), unquote_plus(password)

    def note(self, effect: str, *instances: int) -> None:
        """Say in the log what this request did, and to which instances."""
        self.trace.effect = effect
        if instances:
            self.trace.instances = list(instances)


@dataclass(slots=True)
class Answer:
    """One answer, complete."""

    status: int = 200
    body: bytes = b""
    content_type: str = ""
    headers: Headers = ()


@dataclass(slots=True)
class Delivery:
    """An answer and how it travels; the plain case is whole and at once."""

    answer: Answer
    delay: float = 0.0
    manner: str = (
        "whole"  # whole, never, cut, cut_midway, drip_headers, drip_body, oversize
    )
    interval: float = 0.2
    size: int = 0


class Refused(Exception):
    """Ends a request early with this answer."""

    def __init__(self, answer: Answer, effect: str = "refused") -> None:
        super().__init__(effect)
        self.answer = answer
        self.effect = effect


def dump(payload: Any) -> bytes:
    """Return compact JSON."""
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()


def as_json(payload: Any, status: int = 200, headers: Headers = ()) -> Answer:
    """Answer with a JSON body."""
    return Answer(status, dump(payload), "application/json;charset=UTF-8", headers)


def as_form(fields: Sequence[tuple[str, str]], status: int) -> Answer:
    """Answer with a form-encoded body, as some OAuth servers do for errors."""
    return Answer(
        status, urlencode(fields).encode(), "application/x-www-form-urlencoded"
    )


def nothing(status: int = 200, headers: Headers = ()) -> Answer:
    """Answer with an empty body."""
    return Answer(status, headers=headers)


def page(title: str, body: str, status: int = 200) -> Answer:
    """Answer with a self-contained HTML page; `body` is trusted markup."""
    markup = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>{body}</main></body></html>"
    )
    guard = (
        (
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
    )
    return Answer(status, markup.encode(), "text/html; charset=utf-8", guard)


_STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:0;background:Canvas;color:CanvasText}"
    "main{max-width:30rem;margin:3rem auto;padding:0 1rem}h1{font-size:1.4rem}"
    ".note{border:2px dashed;border-radius:8px;padding:.5rem .75rem;font-size:.9rem}"
    "fieldset{border:1px solid;border-radius:8px;margin:1rem 0}label{display:block;padding:.25rem 0}"
    "button{font:inherit;padding:.6rem 1.4rem;margin-right:.5rem;border-radius:6px;border:1px solid;cursor:pointer}"
    "code{overflow-wrap:anywhere}"
)
