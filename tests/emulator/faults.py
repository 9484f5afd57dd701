"""Faults: rules that spoil the requests they match. Set by `POST /_control/faults`; README.md lists the kinds."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from email.utils import formatdate
from fnmatch import fnmatchcase
from time import time
from typing import Any

from .bodies import MASK
from .messages import PREFIX, Answer, Delivery, Request, dump
from .world import World

_MATCHERS = frozenset({"host", "path", "method", "instance", "provider", "side"})
_PAGE = b"<!DOCTYPE html><html><head><title>Service unavailable</title></head><body><h1>Oops</h1></body></html>"


class BadFault(ValueError):
    """A fault that makes no sense."""


@dataclass
class Fault:
    """One rule: what it matches, how often, and what it does."""

    kind: str
    match: dict[str, Any] = field(default_factory=dict)
    times: int = 1  # 0 = until it is removed
    skip: int = 0  # matching requests to let by first
    when: str = "before"  # answer instead of acting ("before"), or act and spoil the answer ("after")
    options: dict[str, Any] = field(default_factory=dict)
    id: int = 0
    hits: int = 0

    @property
    def spent(self) -> bool:
        """Tell whether it will never match again."""
        return bool(self.times) and self.hits >= self.times

    @property
    def replaces(self) -> bool:
        """Tell whether it can answer in the emulator's place."""
        return KINDS[self.kind].replaces

    def matches(self, request: Request) -> bool:
        """Tell whether a request is meant by this rule."""
        return all(_MATCH[name](request, wanted) for name, wanted in self.match.items())

    def shown(self) -> dict[str, Any]:
        """Return the rule as the control endpoint shows it."""
        return asdict(self) | {"spent": self.spent}


def _host(request: Request, wanted: str) -> bool:
    if wanted in ("platform", "provider"):
        return request.platform == (wanted == "platform")
    return fnmatchcase(request.host, wanted)


def _path(request: Request, wanted: str) -> bool:
    full = PREFIX + request.path if request.platform else request.path
    return fnmatchcase(request.path, wanted) or fnmatchcase(full, wanted)


_MATCH: dict[str, Callable[[Request, Any], bool]] = {
    "host": _host,
    "path": _path,
    "method": lambda request, wanted: request.method == str(wanted).upper(),
    "instance": lambda request, wanted: int(wanted) in request.trace.instances,
    "provider": lambda request, wanted: request.trace.provider == wanted,
    "side": lambda request, wanted: request.trace.side == wanted,
}


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []
        self._last = 0

    def add(self, rule: dict[str, Any]) -> Fault:
        """Add a rule from its JSON; raises BadFault."""
        known = {
            name: rule.pop(name)
            for name in ("kind", "match", "times", "skip", "when")
            if name in rule
        }
        fault = Fault(**known, options=rule)
        if fault.kind not in KINDS:
            raise BadFault(
                f"no fault of kind {fault.kind!r}; there are {', '.join(sorted(KINDS))}"
            )
        if not set(fault.match) <= _MATCHERS or fault.when not in ("before", "after"):
            raise BadFault(f"match takes {sorted(_MATCHERS)}; when is before or after")
        if not set(rule) <= KINDS[fault.kind].options:
            raise BadFault(f"{fault.kind} takes {sorted(KINDS[fault.kind].options)}")
        self._last += 1
        fault.id = self._last
        self._rules.append(fault)
        return fault

    def clear(self, number: int | None = None) -> None:
        """Remove one rule, or all of them."""
        self._rules = [
            rule for rule in self._rules if number is not None and rule.id != number
        ]

    def all(self) -> list[dict[str, Any]]:
        """Return every rule, spent ones too."""
        return [rule.shown() for rule in self._rules]

    def matching(self, request: Request) -> list[Fault]:
        """Return the rules that spoil this request, and count them as used.

        Of the kinds that answer instead of the emulator only the first one acts; the next
        ones wait for the next request, so that several make a sequence.
        """
        found: list[Fault] = []
        for rule in self._rules:
            if rule.spent or not rule.matches(request):
                continue
            if rule.skip:
                rule.skip -= 1
            elif not (rule.replaces and any(other.replaces for other in found)):
                rule.hits += 1
                found.append(rule)
        return found


# -- what each kind does -------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """How a kind of fault acts: on the world first, on the answer, on the delivery; or instead of acting."""

    options: frozenset[str] = frozenset()
    prepare: Callable[[World, Request, Fault], None] | None = None
    answer: Callable[[Answer, Fault], Answer] | None = None
    deliver: Callable[[Delivery, Fault], None] | None = None
    replaces: bool = False  # with when=before the request has no effect


def _status(_answer: Answer, fault: Fault) -> Answer:
    headers = [
        (name, str(value)) for name, value in fault.options.get("headers", {}).items()
    ]
    retry = fault.options.get("retry_after")
    if isinstance(retry, str) and retry.startswith("date:"):
        headers.append(
            ("Retry-After", formatdate(time() + float(retry[5:]), usegmt=True))
        )
    elif retry is not None:
        headers.append(("Retry-After", str(retry)))
    body = fault.options.get("body", "")
    if isinstance(body, str):
        return Answer(
            fault.options.get("status", 503),
            body.encode(),
            "text/plain" if body else "",
            tuple(headers),
        )
    return Answer(
        fault.options.get("status", 503), dump(body), "application/json", tuple(headers)
    )


def _html(_answer: Answer, fault: Fault) -> Answer:
    return Answer(fault.options.get("status", 200), _PAGE, "text/html; charset=utf-8")


def _empty(_answer: Answer, fault: Fault) -> Answer:
    return Answer(fault.options.get("status", 200), b"", "application/json")


def _truncated(answer: Answer, _fault: Fault) -> Answer:
    answer.body = answer.body[: len(answer.body) // 2]
    return answer


def _invalid_utf8(answer: Answer, _fault: Fault) -> Answer:
    answer.body = (
        answer.body.replace(b':"', b':"\xff\xfe', 1)
        if b':"' in answer.body
        else b'{"message":"\xff\xfe"}'
    )
    return answer


def _nul(answer: Answer, fault: Fault) -> Answer:
    """Put a NUL into the first text: escaped, as JSON allows it, or raw, as it does not."""
    piece = b"\x00" if fault.options.get("raw") else b"\\u0000"
    answer.body = (
        answer.body.replace(b':"', b':"' + piece, 1)
        if b':"' in answer.body
        else b'{"message":"' + piece + b'"}'
    )
    return answer


def _rewritten(change: Callable[[str, Any], Any]) -> Callable[[Answer, Fault], Answer]:
    def rewrite(answer: Answer, _fault: Fault) -> Answer:
        with suppress(ValueError):  # what is not JSON has nothing to rewrite
            answer.body = dump(_walk(json.loads(answer.body), change))
        return answer

    return rewrite


def _walk(value: Any, change: Callable[[str, Any], Any]) -> Any:
    if isinstance(value, dict):
        return {key: _walk(change(key, inner), change) for key, inner in value.items()}
    return (
        [_walk(inner, change) for inner in value] if isinstance(value, list) else value
    )


def _id_to_text(key: str, value: Any) -> Any:
    return (
        str(value) if key in ("id", "elementId") and isinstance(value, int) else value
    )


def _hide_tokens(key: str, value: Any) -> Any:
    return (
        MASK
        if key in ("oauth.user.token", "oauth.user.refresh_token") and value
        else value
    )


def _clock_skew(answer: Answer, fault: Fault) -> Answer:
    answer.headers = (
        *answer.headers,
        ("Date", formatdate(time() + fault.options.get("seconds", 3600), usegmt=True)),
    )
    return answer


def _delete_instance(world: World, request: Request, fault: Fault) -> None:
    for number in (
        [fault.options["instance"]]
        if "instance" in fault.options
        else request.trace.instances
    ):
        if number in world.instances:
            world.remove(world.instances[number])


def _disable_instance(world: World, request: Request, fault: Fault) -> None:
    for number in (
        [fault.options["instance"]]
        if "instance" in fault.options
        else request.trace.instances
    ):
        if number in world.instances:
            world.instances[number].disabled = True
            world.save(world.instances[number])


def _ignored_revoke(_world: World, request: Request, _fault: Fault) -> None:
    request.spoil["ignored"] = True


def _propagation(_world: World, request: Request, fault: Fault) -> None:
    request.spoil |= fault.options


def _travel(manner: str) -> Callable[[Delivery, Fault], None]:
    def set_manner(delivery: Delivery, fault: Fault) -> None:
        delivery.manner = manner
        delivery.interval = fault.options.get("interval", 0.2)

    return set_manner


def _drip(delivery: Delivery, fault: Fault) -> None:
    _travel("drip_" + fault.options.get("part", "body"))(delivery, fault)


def _cut(delivery: Delivery, fault: Fault) -> None:
    _travel("cut_midway" if fault.options.get("midway") else "cut")(delivery, fault)


def _latency(delivery: Delivery, fault: Fault) -> None:
    delivery.delay += fault.options.get("seconds", 1.0)


def _oversize(delivery: Delivery, fault: Fault) -> None:
    delivery.manner = "oversize"
    delivery.size = fault.options.get("bytes", 100_000_000)
    gzipped = (("Content-Encoding", "gzip"),) if fault.options.get("gzip") else ()
    delivery.answer.headers = (*delivery.answer.headers, *gzipped)


def _options(*names: str) -> frozenset[str]:
    return frozenset(names)


KINDS = {
    "status": Kind(
        _options("status", "retry_after", "body", "headers"),
        answer=_status,
        replaces=True,
    ),
    "html": Kind(_options("status"), answer=_html, replaces=True),
    "empty": Kind(_options("status"), answer=_empty, replaces=True),
    "truncated": Kind(answer=_truncated),
    "invalid_utf8": Kind(answer=_invalid_utf8),
    "nul": Kind(_options("raw"), answer=_nul),
    "ids_as_strings": Kind(answer=_rewritten(_id_to_text)),
    "masked_tokens": Kind(answer=_rewritten(_hide_tokens)),
    "clock_skew": Kind(_options("seconds"), answer=_clock_skew),
    "delete_instance": Kind(_options("instance"), prepare=_delete_instance),
    "disable_instance": Kind(_options("instance"), prepare=_disable_instance),
    "ignored_revoke": Kind(prepare=_ignored_revoke),
    "propagation": Kind(_options("seconds", "checks"), prepare=_propagation),
    "latency": Kind(_options("seconds"), deliver=_latency),
    "timeout": Kind(deliver=_travel("never"), replaces=True),
    "cut": Kind(_options("midway"), deliver=_cut, replaces=True),
    "drip": Kind(_options("part", "interval"), deliver=_drip),
    "oversize": Kind(_options("bytes", "gzip"), deliver=_oversize),
}
