"""Keep secrets out of what is written down: by value, in every spelling they travel in, and by the name of their field."""

from __future__ import annotations

import base64
import json
import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "********"
#: Shorter values would take ordinary words apart.
SHORTEST = 6
#: How many live secrets a process remembers for its log filter.
_REMEMBERED = 20_000

#: Field names whose values are secret wherever they stand.
_NAMES = (
    r"(?:access_?|refresh_?|id_?|request_?|element_?)?token(?:_secret)?|client_?secret|api_?secret|apikey|api_?key"
    r"|user_?secret|organization_?secret|secret|password|passwd|code|code_verifier|state|oauth_verifier|assertion"
    r"|signature|oauth_signature|authorization|cookie"
)
_PAIR = re.compile(rf"(?i)\b({_NAMES})(=)([^&\s\"'<>]+)")
_JSON = re.compile(rf"(?i)(\"(?:[a-z0-9_.-]*[._-])?(?:{_NAMES})\"\s*:\s*\")((?:[^\"\\]|\\.)*)(\"?)")
_HEADER = re.compile(
    r"(?i)\b(authorization\s*[:=]\s*)[^\r\n\"']+|\b((?:bearer|basic|element|user|organization)\s+)([A-Za-z0-9+/_.~=-]{16,})"
)
_KEY = re.compile(rf"(?i)(?:^|[._-])(?:{_NAMES})$|(?:secret|token|password)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_lock = threading.Lock()
_live: OrderedDict[str, tuple[str, ...]] = OrderedDict()


def is_masked(value: str) -> bool:
    """Tell whether a value is the platform's mask (asterisks only), not a value."""
    return len(value) >= 3 and set(value) == {"*"}


def learn(*values: str) -> None:
    """Remember live secrets of this process, so that its log filter masks them by value."""
    with _lock:
        for value in values:
            if len(value) >= SHORTEST and not is_masked(value):
                _live[value] = _live.pop(value) if value in _live else spellings(value)
        while len(_live) > _REMEMBERED:
            _live.popitem(last=False)


def forget() -> None:
    """Forget everything learned."""
    with _lock:
        _live.clear()


def spellings(value: str) -> tuple[str, ...]:
    """Return the forms in which `value` may stand in a text: raw, percent, base64, hex, JSON, longest first."""
    raw = value.encode("utf-8", "surrogatepass")
    forms = {value, quote(value, safe=""), quote_plus(value), quote(value), raw.hex(), raw.hex().upper()}
    forms |= {_lower_percent(form) for form in (quote(value, safe=""), quote_plus(value))}
    forms |= {json.dumps(value)[1:-1], json.dumps(value)[1:-1].replace("/", "\\/")}
    forms |= set(_base64(raw))
    return tuple(sorted((form for form in forms if len(form) >= SHORTEST), key=len, reverse=True))


def _lower_percent(text: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda found: found.group().lower(), text)


def _base64(raw: bytes) -> Iterator[str]:
    """Yield what `raw` looks like inside base64, at each of the three places it may begin (as in Basic)."""
    for shift in range(3):
        coded = base64.b64encode(b"\x00" * shift + raw).decode()
        begin = -(-shift * 8 // 6)
        whole = (shift + len(raw)) * 8 // 6
        core = coded[begin:whole]
        yield core
        yield core.replace("+", "-").replace("/", "_")


def text(value: str, *secrets: str) -> str:
    """Return `value` without `secrets`, without what was learned, and without what stands under a secret's name."""
    for secret in secrets:
        if len(secret) >= SHORTEST:
            value = _without(value, spellings(secret))
    with _lock:
        known = list(_live.values())
    for forms in known:
        value = _without(value, forms)
    return _by_name(value)


def _without(value: str, forms: Iterable[str]) -> str:
    for form in forms:
        if form in value:
            value = value.replace(form, MASK)
    return value


def _by_name(value: str) -> str:
    value = _PAIR.sub(rf"\1\2{MASK}", value)
    value = _JSON.sub(rf"\1{MASK}\3", value)
    return _HEADER.sub(lambda found: f"{found.group(1) or found.group(2)}{MASK}", value)


def url(address: str, *secrets: str) -> str:
    """Return an address whose secret query values and path parts are masked."""
    return text(address, *secrets)


def excerpt(body: bytes | str, *secrets: str, limit: int = 200) -> str:
    """Return the beginning of a remote text, masked before it is cut, control characters made visible."""
    whole = body.decode("utf-8", "backslashreplace") if isinstance(body, bytes) else body
    masked = text(whole[: limit * 50], *secrets)
    shown = _CONTROL.sub(lambda found: found.group().encode("unicode_escape", "surrogatepass").decode(), masked)
    return shown[:limit]


def mapping(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy in which values under a secret's name are masked and the others are searched."""
    return {str(key): _value(str(key), value) for key, value in values.items()}


def _value(key: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return mapping(value)
    if isinstance(value, list | tuple):
        return [_value(key, one) for one in value]
    if value is None or isinstance(value, bool):
        return value
    if _KEY.search(key):
        return MASK
    return text(value) if isinstance(value, str) else value


#: Attributes that every log record has; the others were given as `extra`.
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


class RedactingFilter(logging.Filter):
    """Masks message, arguments, exception texts and extra fields of every record that passes."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place and let it pass."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = str(record.msg)  # wrong arguments: the message must come through all the same
        record.msg, record.args = text(message), None
        if record.exc_info:
            record.exc_text = text(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        elif record.exc_text:
            record.exc_text = text(record.exc_text)
        for name in set(record.__dict__) - _STANDARD:
            value = record.__dict__[name]
            if isinstance(value, str | Mapping | list | tuple):
                record.__dict__[name] = _value(name, value)
        return True
