"""Tables of TOML into dataclasses: what no field declares is refused, and what has the wrong type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


class BadRecording(ValueError):
    """A recording that cannot be played: says in which file and where."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place} {problem}")
        self.place = place


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def build(kind: type[T], table: object, place: str) -> T:
    """Return the dataclass of a table; raises BadRecording at the first fault."""
    if not isinstance(table, Mapping):
        raise BadRecording(place, "is not a table")
    hints, values = _hints(kind), {}
    for name, value in table.items():
        if name not in hints:
            raise BadRecording(f"{place}.{name}", "is not a known key")
        values[name] = _value(hints[name], value, f"{place}.{name}")
    for field in fields(kind):  # type: ignore[arg-type]
        needed = field.default is MISSING and field.default_factory is MISSING
        if needed and field.name not in values:
            raise BadRecording(f"{place}.{field.name}", "is missing")
    return kind(**values)


def _value(hint: Any, value: Any, place: str) -> Any:
    origin = get_origin(hint)
    if hint is Any:
        return value
    if isinstance(hint, UnionType):
        [inner] = [one for one in get_args(hint) if one is not NoneType]
        return _value(inner, value, place)
    if origin is tuple:
        return _list(get_args(hint)[0], value, place)
    if origin is Mapping or is_dataclass(hint):
        return _table(hint, value, place)
    if type(value) is not hint:
        raise BadRecording(place, f"is not of type {hint.__name__}")
    return value


def _list(inner: Any, value: Any, place: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise BadRecording(place, "is not a list")
    return tuple(_value(inner, item, f"{place}.{at}") for at, item in enumerate(value))


def _table(hint: Any, value: Any, place: str) -> Any:
    if is_dataclass(hint):
        return build(hint, value, place)  # type: ignore[arg-type]
    if not isinstance(value, Mapping):
        raise BadRecording(place, "is not a table")
    inner = get_args(hint)[1]
    return {
        name: _value(inner, item, f"{place}.{name}") for name, item in value.items()
    }
