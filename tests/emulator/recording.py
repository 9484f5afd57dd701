"""What providers publish of their own calls: recordings/<key>.toml, one per provider.

Each is written from the provider's pages or code, which it names, and never from the
product's records: two readings of one source are what finds a slip. README.md explains
the keys.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from .messages import Answer, Headers, dump
from .strictly import BadRecording, build
from .templates import fill, fill_all, names

FOLDER = Path(__file__).parent / "recordings"
KINDS = frozenset({"access", "refresh", "account"})
SIGNED = ("hmac-sha1", "hmac-sha256")
#: How a client shows who it is, and which of its two words the request then carries.
CLIENTS = {
    "none": set(),
    "id": {"client_id"},
    "fields": {"client_id", "client_secret"},
    "query": {"client_id", "client_secret"},
    "header": {"client_id", "client_secret"},
    "basic": set(),
    **{way: set() for way in SIGNED},
}
#: RFC 6749 §5.2 and RFC 6750 §3.1: what is answered where a provider publishes nothing.
_STANDARD = {
    "wrong_client": (401, "invalid_client"),
    "refused": (400, "invalid_request"),
}


@dataclass(frozen=True)
class Reply:
    """One answer as it is published; the body is one of json, text and form, or empty."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    text: str = ""
    form: Mapping[str, str] = field(default_factory=dict)
    assumed: bool = False  # observed or inferred, not published
    ambiguous: str = ""  # why it cannot be told from another answer
    doubtful: bool = False  # it can also mean less, as a missing scope
    why: str = ""  # for readers

    def answer(self, values: Mapping[str, str]) -> Answer:
        """Return the answer with the names in it replaced."""
        headers = tuple(
            (name, fill(text, values)) for name, text in self.headers.items()
        )
        body, kind = self._body(values)
        return Answer(self.status, body, kind, headers)

    def _body(self, values: Mapping[str, str]) -> tuple[bytes, str]:
        if self.json is not None:
            return dump(fill_all(self.json, values)), "application/json"
        if self.form:
            fields = urlencode(fill_all(self.form, values))
            return fields.encode(), "application/x-www-form-urlencoded"
        return fill(self.text, values).encode(), "text/plain" if self.text else ""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One request as it is published: `POST https://host/path?query`, `<names>` in it."""

    request: str
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    json: Mapping[str, str] | None = None
    client: str = "none"
    no_client: str = ""  # why no client is shown
    realm: str = ""  # of a signature
    takes: tuple[str, ...] = ("access",)

    @property
    def method(self) -> str:
        """Return the HTTP method."""
        return self.request.partition(" ")[0]

    @property
    def address(self) -> str:
        """Return the address without its query."""
        return self.request.partition(" ")[2].partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """Return the query's fields."""
        return dict(parse_qsl(self.request.partition("?")[2], keep_blank_values=True))

    def names(self) -> set[str]:
        """Return every name that stands in the request."""
        tables = (self.headers, self.form or {}, self.json or {})
        texts = [text for table in tables for text in table.values()]
        return {name for text in [self.request, *texts] for name in names(text)}


@dataclass(frozen=True, kw_only=True)
class Revoke(Ask):
    """The call that revokes, what dies by it, and its answers."""

    effect: str
    done: tuple[Reply, ...]
    gone: tuple[Reply, ...]  # the token is dead already, or unknown
    wrong_client: tuple[Reply, ...] = ()
    refused: tuple[
        Reply, ...
    ] = ()  # the first one is given to a request that is not in order
    throttled: tuple[Reply, ...] = ()
    unclear: tuple[Reply, ...] = ()
    by_access: tuple[str, ...] = ()  # the kinds of token that die by this one
    by_refresh: tuple[str, ...] = ()
    by_account: tuple[str, ...] = ()
    access_lives_seconds: int = 0  # once its refresh token is dead
    propagation_seconds: int = 0

    def dies(self, kind: str) -> tuple[str, ...]:
        """Return the kinds of token that die when one of this kind is sent."""
        return {"access": self.by_access, "refresh": self.by_refresh}.get(
            kind, self.by_account
        )


@dataclass(frozen=True, kw_only=True)
class Check(Ask):
    """A call that shows whether a token lives."""

    alive: tuple[Reply, ...]
    dead: tuple[Reply, ...]


@dataclass(frozen=True, kw_only=True)
class Identity(Ask):
    """A call that names the account."""

    answer: Reply
    account: str = "<holder>"  # what the answer says of it


@dataclass(frozen=True)
class Source:
    """Where something is published, and whether it was read."""

    address: str
    read: bool


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One provider; `key` is the file's name."""

    key: str
    name: str
    refresh_token: str  # rotates, stays, optional, none, unknown
    revoke: Revoke
    check: Check
    sources: tuple[Source, ...]
    authorize: str = ""
    token: str = ""
    oauth1: bool = False
    refresh_opt_in: bool = False  # an app has to ask for refresh tokens
    site: Mapping[str, str] = field(default_factory=dict)  # an example of what differs
    also: tuple[Mapping[str, str], ...] = ()  # further examples, from other regions
    introspection: Check | None = None
    identity: Identity | None = None

    def asks(self) -> dict[str, Ask]:
        """Return its calls by the names of their tables."""
        named = {"revoke": self.revoke, "check": self.check}
        more = {"introspection": self.introspection, "identity": self.identity}
        return {**named, **{name: ask for name, ask in more.items() if ask}}

    @property
    def gives_refresh_tokens(self) -> bool:
        """Whether a grant has one unless the app opted in to it."""
        never = self.refresh_token == "none" or self.oauth1
        return not never and not self.refresh_opt_in


def replies(revoke: Revoke, part: str) -> tuple[Reply, ...]:
    """Return the published answers of a part, or the standard's where there are none."""
    published: tuple[Reply, ...] = getattr(revoke, part)
    status, error = _STANDARD.get(part, (0, ""))
    return published or (
        (Reply(status, json={"error": error}, assumed=True),) if status else ()
    )


def parse(text: str, file: str) -> Recording:
    """Read one recording; raises BadRecording naming file and key."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadRecording(file, f"is not TOML: {error}") from None
    return read(table, file)


def read(table: Mapping[str, Any], file: str) -> Recording:
    """Return the recording of a file's table; raises BadRecording naming file and key."""
    if "key" in table:
        raise BadRecording(f"{file}.key", "is the file's name and not written")
    made = build(Recording, {**table, "key": Path(file).stem}, file)
    _consistent(made, file)
    return made


def _consistent(recording: Recording, file: str) -> None:
    if not recording.sources:
        raise BadRecording(f"{file}.sources", "is empty: say where it is published")
    revoke = recording.revoke
    for kind in revoke.takes:
        if not revoke.dies(kind):
            raise BadRecording(f"{file}.revoke.by_{kind}", "is missing: what dies?")
    for part in ("done", "gone"):
        if not getattr(revoke, part):
            raise BadRecording(f"{file}.revoke.{part}", "is empty")
    for name, ask in recording.asks().items():
        _in_order(recording, ask, f"{file}.{name}")


def _in_order(recording: Recording, ask: Ask, place: str) -> None:
    target = fill(ask.address, recording.site)
    if ask.method not in ("GET", "POST", "DELETE") or not target.startswith("https://"):
        raise BadRecording(f"{place}.request", "is no method with an https address")
    if ask.client not in CLIENTS:
        raise BadRecording(f"{place}.client", f"is none of {', '.join(CLIENTS)}")
    if not set(ask.takes) <= KINDS:
        raise BadRecording(f"{place}.takes", f"is none of {', '.join(sorted(KINDS))}")
    carried = ask.names()
    if not CLIENTS[ask.client] <= carried:
        raise BadRecording(f"{place}.client", "is not what the request carries")
    if isinstance(ask, Revoke) and (ask.client == "none") != bool(ask.no_client):
        raise BadRecording(
            f"{place}.no_client", "says why no client is shown, else nothing"
        )
    own = {"token", "access_token", "client_id", "client_secret", "kind", "holder"}
    unknown = carried - own - set(recording.site)
    if unknown:
        raise BadRecording(
            f"{place}.request", f"names {sorted(unknown)}, which site lacks"
        )


@cache
def load(folder: Path) -> Mapping[str, Recording]:
    """Return the recordings of a folder by key; raises BadRecording at the first fault."""
    files = sorted(folder.glob("*.toml"))
    read = [parse(file.read_text(encoding="utf-8"), file.name) for file in files]
    return {recording.key: recording for recording in read}


class Shelf:
    """The recordings that one emulator plays: its own, and those that were handed in."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder
        self._added: dict[str, Recording] = {}

    def add(self, key: str, text: str) -> Recording:
        """Play this one as well, from now until `clear`; raises BadRecording."""
        self._added[key] = parse(text, f"{key}.toml")
        return self._added[key]

    def find(self, key: str) -> Recording | None:
        """Return the recording of a provider, None if there is none."""
        return self._added.get(key) or load(self.folder).get(key)

    def all(self) -> Iterable[Recording]:
        """Return every recording, those that were handed in first."""
        own = load(self.folder)
        return [
            *self._added.values(),
            *(own[key] for key in own if key not in self._added),
        ]

    def clear(self) -> None:
        """Forget what was handed in."""
        self._added.clear()


__all__ = [
    "FOLDER",
    "SIGNED",
    "Ask",
    "BadRecording",
    "Check",
    "Headers",
    "Identity",
    "Recording",
    "Reply",
    "Revoke",
    "Shelf",
    "Source",
    "load",
    "parse",
    "read",
    "replies",
]
