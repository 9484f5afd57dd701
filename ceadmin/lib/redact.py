"""Keep secrets out of what is written down.

By value, in every spelling they travel in, and by the name of the field they stand in.
"""

from __future__ import annotations

import logging
import re
import threading
import traceback
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ceadmin.lib.spellings import MASK, SHORTEST, Known, known, looked_through
from ceadmin.lib.suspects import Reading, Remembered, among, reach, spelled

__all__ = [
    "MASK",
    "SHORTEST",
    "RedactingFilter",
    "excerpt",
    "forget",
    "is_masked",
    "learn",
    "mapping",
    "text",
    "url",
]

#: How many live secrets a process remembers at least; it holds up to twice as many.
REMEMBERED = 20_000
#: Levels of nested values that are looked through.
_DEPTH = 8

#: Field names whose values are secret wherever they stand.
_NAME = re.compile(
    r"(?i)(?:.*(?:token|secret|password|passwd|token_secret)"
    r"|(?:.*[._-])?(?:api_?key|code_?verifier|verifier|assertion|signature"
    r"|authorization|cookie)|code|state)"
)
#: Names of codes and states of runs, too: those are words.
_LOOSE = frozenset({"code", "state"})
_WORD = re.compile(r"[A-Z_.]{1,60}|[a-z_.-]{1,60}|[0-9]{1,6}")
_SEPARATOR = re.compile(r"=|%3[Dd]")
_NAME_END = re.compile(r"%[0-9A-Fa-f]{2}|[^\w.-]")
_PAIR_END = re.compile(r"(?:(?!%26)[^&\s\"'<>])*")
#: A name and the beginning of its value, in JSON, in Python, or in JSON inside of JSON.
_QUOTED = re.compile(r"(\\{0,7}[\"'])([\w.-]{1,60}+)\1\s*:\s*b?(\\{0,7}[\"'])")
_ENDS = {
    '"': re.compile(r'(?s)(?:\\.|[^\\"])*'),
    "'": re.compile(r"(?s)(?:\\.|[^\\'])*"),
}
#: Long and in one piece; `_like_a_token` tells whether it may be one.
_LONG = re.compile(r"(?<![\w.~+/=%-])[\w.~+/=%-]{20,}", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{32,}|[0-9A-F]{32,}")
_HEADER = re.compile(
    r"(?i)\b((?:authorization|cookie)\s*[:=]\s*)[^\r\n\"']+"
    r"|\b((?:bearer|basic)\s+)[a-z0-9+/_.~=-]{16,}"
)
_HEADER_WORDS = ("authorization", "cookie", "bearer", "basic")
#: What Cloud Elements takes: User …, Organization …, Element ….
_PLATFORM = re.compile(
    r"(?i)\b(?:user|organization|element)\s+[^\s,\"']{6,}"
    r"(?:,\s*(?:user|organization|element)\s+[^\s,\"']{6,})+"
)
_ELEMENT = re.compile(r"<([\w.:-]{1,60}+)>([^<]*)</")
_USERINFO = re.compile(r"(://)[^/\s@\"'<>]{1,200}@")
_KEY = re.compile(r"(?i)secret|token|password")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_lock = threading.Lock()
#: The newer and the older half, read at once: other threads learn meanwhile.
_learned = (Remembered(), Remembered())

#: Addresses in which nothing was masked, as they read: calls go to a few of them.
_addresses: dict[str, Reading] = {}
_ADDRESSES, _ADDRESS = 512, 500


def is_masked(value: str) -> bool:
    """Tell whether a value is the platform's mask (asterisks only), not a value."""
    return value[:3] == "***" and not value.strip("*")


def learn(*values: str | bytes | None) -> None:
    """Remember live secrets of this process, so that its log filter masks them by value."""
    global _learned
    for value in map(_plain, values):
        if len(value) < SHORTEST or value in _learned[0].values or is_masked(value):
            continue
        with _lock:
            if len(_learned[0].values) >= REMEMBERED:
                _learned = (Remembered(), _learned[0])
            _learned[0].add(value)


def forget() -> None:
    """Forget everything learned."""
    global _learned
    with _lock:
        _learned = (Remembered(), Remembered())
    known.cache_clear()
    _addresses.clear()


def text(value: str | bytes | None, *secrets: str | bytes | None) -> str:
    """Return a text without secrets.

    Masked are those given, those learned, and what stands under a secret's name.
    """
    return _by_name(_by_value(_plain(value), secrets))


def url(address: str, *secrets: str | bytes | None) -> str:
    """Return an address whose secret query values and path parts are masked."""
    reading = _addresses.get(address)
    if reading is None:
        return _new_address(address, secrets)
    return text(address, *secrets) if _suspects(reading, secrets) else address


def _new_address(address: str, secrets: tuple[str | bytes | None, ...]) -> str:
    """Return what `url` does; keep how the address reads if it shows nothing like a secret."""
    masked = text(address, *secrets)
    if masked == address and len(address) <= _ADDRESS:
        if len(_addresses) >= _ADDRESSES:
            _addresses.clear()
        _addresses[address] = Reading(address)
    return masked


def excerpt(
    body: str | bytes | None, *secrets: str | bytes | None, limit: int = 200
) -> str:
    """Return the beginning of a remote text.

    It is masked before it is cut, and control characters are made visible. A server may
    say back a token that nobody here has seen, so what looks like one is masked as well.
    """
    if not body:
        return ""
    masked = _by_name(_by_value(_plain(body), secrets, enough=limit * 3))
    masked = _LONG.sub(_unless_a_word, masked)
    return _CONTROL.sub(_visible, masked[:limit])[:limit]


def _unless_a_word(found: re.Match[str]) -> str:
    """Mask what may be a token; words, paths and most ids lack large letters or digits."""
    text = found.group()
    mixed = any(map(str.isupper, text)) and any(map(str.islower, text))
    token = (mixed and any(map(str.isdigit, text))) or _HEX.fullmatch(text)
    return MASK if token else text


def mapping(values: Mapping[Any, Any], depth: int = _DEPTH) -> dict[str, Any]:
    """Return a copy in which values under a secret's name are masked, the others searched."""
    return {
        _by_name(_by_value(str(key), ())): _value(str(key), value, depth - 1)
        for key, value in values.items()
    }


def _plain(value: str | bytes | None) -> str:
    if type(value) is str:
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return "" if value is None else str(value)


def _by_value(
    value: str, secrets: tuple[str | bytes | None, ...], enough: int | None = None
) -> str:
    if enough is not None and len(value) > enough:
        # A secret that begins in what is needed ends within the longest spelling's reach.
        rest = max(_reach(secrets), *(one.reach for one in _learned))
        begin = value[: 2 * enough + rest]
        masked, at = looked_through(begin, _suspects(Reading(begin), secrets), enough)
        if len(begin) == len(value) or at + rest <= len(begin):
            return masked
    return looked_through(value, _suspects(Reading(value), secrets), enough)[0]


def _reach(secrets: tuple[str | bytes | None, ...]) -> int:
    return reach(map(_plain, secrets))


def _suspects(reading: Reading, secrets: tuple[str | bytes | None, ...]) -> list[Known]:
    """Return what a text has to be searched for: most hold none of our secrets."""
    newer, older = _learned
    other = [
        _plain(one)
        for one in secrets
        if one not in newer.values and one not in older.values
    ]
    # After that: what is left out above was learned by now.
    found = [*newer.suspects(reading), *older.suspects(reading)]
    if other:
        given = (one for one in other if len(one) >= SHORTEST and not is_masked(one))
        found += spelled(among(reading, given))
    return found


def _by_name(value: str) -> str:
    value = _quoted(_pairs(value))
    if "</" in value:
        value = _ELEMENT.sub(_element, value)
    if "://" in value:
        value = _USERINFO.sub(rf"\1{MASK}@", value)
    lower = value.lower()
    if "organization" in lower or "element" in lower:
        value = _PLATFORM.sub(MASK, value)
    if any(word in lower for word in _HEADER_WORDS):
        value = _HEADER.sub(lambda found: f"{found[1] or found[2]}{MASK}", value)
    return value


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return bool(_NAME.fullmatch(name))


def _hides(name: str, value: str) -> bool:
    """Tell whether a value has to be masked because of its name."""
    if name.lower() in _LOOSE and _WORD.fullmatch(value):
        return False
    return bool(value) and _is_secret(name)


def _pairs(text: str) -> str:
    """Mask in `name=value&…`, also where it is percent-encoded once more."""
    parts: list[str] = []
    at = 0
    for found in _SEPARATOR.finditer(text):
        begin, end = found.span()
        name = _NAME_END.split(text[max(0, begin - 60) : begin])[-1]
        if begin >= at and _is_secret(name):
            after = _end(_PAIR_END, text, end)
            if _hides(name, text[end:after]):
                parts += [text[at:end], MASK]
                at = after
    return "".join([*parts, text[at:]])


def _quoted(text: str) -> str:
    """Mask in `"name": "value"`."""
    parts: list[str] = []
    at = 0
    for head in _QUOTED.finditer(text):
        if head.start() >= at and _is_secret(head[2]):
            after = _end_of_quoted(text, head.end(), head[3])
            if _hides(head[2], text[head.end() : after]):
                parts += [text[at : head.end()], MASK]
                at = after
    return "".join([*parts, text[at:]])


def _element(found: re.Match[str]) -> str:
    """Mask in `<name>value</name>`."""
    name = found[1].rpartition(":")[2]
    return f"<{found[1]}>{MASK}</" if _hides(name, found[2]) else found[0]


def _end_of_quoted(text: str, begin: int, quote: str) -> int:
    """Return where a quoted value ends; quotes that are escaped themselves end by their like."""
    if quote in _ENDS:
        return _end(_ENDS[quote], text, begin)
    end = text.find(quote, begin)
    return end if end >= 0 else len(text)


def _end(pattern: re.Pattern[str], text: str, begin: int) -> int:
    found = pattern.match(text, begin)
    return found.end() if found else begin


def _visible(found: re.Match[str]) -> str:
    return found.group().encode("unicode_escape").decode()


def _value(key: str, value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Mapping):
        return mapping(value, depth) if depth > 0 else MASK
    if isinstance(value, list | tuple | set | frozenset):
        return [_value(key, one, depth - 1) for one in value] if depth > 0 else MASK
    plain = isinstance(value, str | bytes)
    if _KEY.search(key) or (plain and _hides(key, _plain(value))):
        return MASK
    return text(value) if plain else value


#: Attributes that every log record has; the others were given as `extra`.
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


class RedactingFilter(logging.Filter):
    """Masks message, arguments, exception texts and extra fields of every record that passes."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place and let it pass."""
        record.msg, record.args = text(_message(record)), None
        if record.exc_info:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
            record.exc_info = None
        if record.exc_text:
            record.exc_text = text(record.exc_text)
        if record.stack_info:
            record.stack_info = text(record.stack_info)
        for name in set(record.__dict__) - _STANDARD:
            record.__dict__[name] = _extra(name, record.__dict__[name])
        return True


def _message(record: logging.LogRecord) -> str:
    """Return a record's message; one that can't be made must not stop who logs it."""
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - whatever an argument's __str__ raises
        return record.msg if isinstance(record.msg, str) else "(no readable message)"


def _extra(name: str, value: Any) -> Any:
    """Return an extra field; objects such as Django's request stay what they are."""
    if isinstance(value, BaseException):
        return text("".join(traceback.format_exception_only(value)).rstrip())
    return _value(name, value, _DEPTH)
