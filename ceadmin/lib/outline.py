"""What a JSON body looks like without what it says: its keys stay, its values go."""

from __future__ import annotations

import json
import re
from typing import Any

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_. -]{0,39}")
#: Deeper than this, and longer than this, it is only told that there is more.
_DEPTH, _LIST = 3, 1
_GONE = "…"


def outline(body: bytes | str, limit: int = 200) -> str:
    """Return the shape of a JSON body in at most `limit` characters: `{id: …, disabled: false}`.

    Texts and numbers are left out, whatever their key; true, false and null say what
    the answer means and stay. Anything but JSON is told by its size alone.
    """
    if not body:
        return ""
    try:
        shape = _shape(json.loads(body), _DEPTH)
    except (ValueError, RecursionError):
        return f"({len(body)} bytes)"
    return shape if len(shape) <= limit else f"{shape[: limit - 2]} {_GONE}"


def _shape(value: Any, depth: int) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, dict):
        return f"{{{_members(value, depth)}}}"
    if isinstance(value, list):
        return f"[{_entries(value, depth)}]"
    return _GONE


def _members(value: dict[str, Any], depth: int) -> str:
    if not depth:
        return _GONE if value else ""
    return ", ".join(
        f"{key if _is_a_name(key) else _GONE}: {_shape(one, depth - 1)}"
        for key, one in value.items()
    )


def _entries(value: list[Any], depth: int) -> str:
    if not depth:
        return _GONE if value else ""
    told = [_shape(one, depth - 1) for one in value[:_LIST]]
    return ", ".join(told + [_GONE] * (len(value) > _LIST))


def _is_a_name(key: str) -> bool:
    """Tell whether a key is a word: a body may be keyed by what is secret."""
    mixed = any(map(str.isdigit, key)) and len(key) > 12
    return _KEY.fullmatch(key) is not None and not mixed
