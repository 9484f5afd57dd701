"""Build frozen dataclasses from TOML tables, and refuse everything they do not declare.

The dataclasses are the schema: a key that no field declares, a missing one, a wrong
type or a word outside its enumeration raises `SpecError` with the dotted key.
"""

import dataclasses
import enum
import functools
import re
import types
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from django.utils.translation import gettext_lazy as _

from providers.errors import SpecError

T = TypeVar("T")

_NO_TYPE = _("is not of type %(type)s")
_NO_PATTERN = _("is not a pattern")

#: What an answer's JSON may be compared with.
Scalar = str | int | bool


def build(cls: type[T], table: object, key: str = "") -> T:
    """Return a `cls` made from a table; raise `SpecError` at the first fault."""
    if not isinstance(table, Mapping):
        raise SpecError(key, _("is not a table"))
    hints, required = _shape(cls)  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in hints:
            raise SpecError(_join(key, str(name)), _("is not a known key"))
        values[name] = _value(hints[name], value, f"{key}.{name}" if key else name)
    for name in required:
        if name not in values:
            raise SpecError(_join(key, name), _("is missing"))
    return cls(**values)


@functools.cache
def _shape(cls: type) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the fields of a dataclass with their types, and those without a default."""
    missing = dataclasses.MISSING
    needed = (
        field.name
        for field in dataclasses.fields(cls)
        if field.default is missing and field.default_factory is missing
    )
    return get_type_hints(cls), tuple(needed)


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _value(hint: Any, value: object, key: str) -> Any:
    if type(value) is hint:
        return value  # the shortest way for what is right already
    return _reader(hint)(hint, value, key)


@functools.cache
def _reader(hint: Any) -> Callable[[Any, object, str], Any]:
    """Return what reads a value of a type: found once, since a catalogue has thousands."""
    known = _READERS.get(get_origin(hint) or hint)
    if known:
        return known
    if dataclasses.is_dataclass(hint):
        return build
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _word
    return _plain


def _plain(hint: Any, value: object, key: str) -> object:
    # bool is an int to Python, not to the author of a record.
    if isinstance(value, bool) and hint is not bool:
        raise SpecError(key, _NO_TYPE, type=hint.__name__)
    if hint is float and isinstance(value, int):
        return float(value)
    if not isinstance(value, hint):
        raise SpecError(key, _NO_TYPE, type=hint.__name__)
    return value


def _word(hint: type[enum.Enum], value: object, key: str) -> enum.Enum:
    try:
        return hint(value)
    except ValueError:
        words = ", ".join(str(member.value) for member in hint)
        raise SpecError(key, _("is none of %(words)s"), words=words) from None


def _list(hint: Any, value: object, key: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise SpecError(key, _("is not a list"))
    inner = get_args(hint)[0]
    return tuple(_value(inner, item, f"{key}.{at}") for at, item in enumerate(value))


def _table(hint: Any, value: object, key: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SpecError(key, _("is not a table"))
    inner = get_args(hint)[1]
    items = {
        name: _value(inner, item, _join(key, name)) for name, item in value.items()
    }
    return types.MappingProxyType(items)


def _pattern(hint: Any, value: object, key: str) -> re.Pattern[str]:
    if not isinstance(value, str) or not value:
        raise SpecError(key, _NO_PATTERN)
    try:
        return re.compile(value, re.ASCII)
    except re.error as error:
        raise SpecError(key, _NO_PATTERN, quoted=str(error)) from None


def _union(hint: Any, value: object, key: str) -> Any:
    kinds = [kind for kind in get_args(hint) if kind is not types.NoneType]
    if len(kinds) == 1:
        return _value(kinds[0], value, key)
    if type(value) not in kinds:
        names = ", ".join(kind.__name__ for kind in kinds)
        raise SpecError(key, _("is none of the types %(names)s"), names=names)
    return value


_READERS: dict[Any, Callable[[Any, object, str], Any]] = {
    tuple: _list,
    Mapping: _table,
    re.Pattern: _pattern,
    types.UnionType: _union,
    Union: _union,
}
