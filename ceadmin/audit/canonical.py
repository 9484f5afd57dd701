"""The text of an event: the same event always gives the same letters.

What came from outside may hold anything. NUL and lone surrogates, which PostgreSQL does
not store, and other control characters are written as visible escapes before they reach
a column or the text. The text itself is JSON in ASCII with sorted keys, so that its hash
depends on no database's encoding.
"""

import hashlib
import json
import math
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_ENCODE = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), allow_nan=False
).encode
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def visible(value: object) -> str:
    """Return text that every database stores and every person sees."""
    text = value if isinstance(value, str) else str(value)
    if type(text) is str and text.isprintable():
        return text  # nearly all are, and what is printable can be stored
    return _UNSTORABLE.sub(_escape, str.__str__(text))


def clipped(value: object, limit: int) -> str:
    """Return visible text of at most `limit` characters, with a sign where it was cut."""
    if type(value) is str and len(value) <= limit and value.isprintable():
        return value
    text = visible(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def moment(at: datetime) -> str:
    """Return a time as the text has it: UTC, to the microsecond."""
    if at.tzinfo is None:
        raise ValueError("an event needs a time with a time zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def dump(content: Mapping[str, Any]) -> str:
    """Return the canonical text of an event's content."""
    return _ENCODE(content)


def digest(text: str) -> str:
    """Return the hash of an event's text; the text holds the hash before it."""
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def plain(value: Any) -> Any:
    """Turn facts into what JSON holds; raise `TypeError` for anything unexpected.

    A sealed `Secret` is unexpected, on purpose.
    """
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, (str, uuid.UUID)):
        return visible(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return _composed(value)


def _composed(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, bytes):
        return visible(value.decode("utf-8", "backslashreplace"))
    if isinstance(value, Mapping):
        return {visible(key): plain(part) for key, part in value.items()}
    if isinstance(value, Sequence):
        return [plain(part) for part in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(part) for part in value)
    raise TypeError(f"An audit event cannot hold a {type(value).__name__}.")


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
