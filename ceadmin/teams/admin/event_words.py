"""Words and pages that the audit shows and only the apps above know of; they offer them.

offer("provider_key", names_of_providers)
lead("run", address_of_run)
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Choices = Iterable[tuple[str, str]]

_OFFERED: dict[str, list[Callable[[], Choices]]] = {}
_ROADS: dict[str, Callable[[str], str]] = {}

_PLAIN = {True: "Yes", False: "No"}


def offer(name: str, source: Callable[[], Choices]) -> None:
    """Let the filter `name` offer what `source` knows; "fact" names what events hold.

    A fact is named by its key, and what it can be by `key=value`; one that only the
    program needs has an empty name.
    """
    _OFFERED.setdefault(name, []).append(source)


def offered(name: str) -> list[tuple[str, str]]:
    """Return what was offered for a filter."""
    return [choice for source in _OFFERED.get(name, ()) for choice in source()]


def lead(kind: str, find: Callable[[str], str]) -> None:
    """Let `find` say where the page of a subject is by its uid, "" where there is none."""
    _ROADS[kind] = find


def page_of(kind: str, uid: str) -> str:
    """Return the address of a subject's page, "" where there is none."""
    find = _ROADS.get(kind)
    return find(uid) if find and uid else ""


def in_words(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what an event's facts are called, and what they are, in words."""
    words = dict(offered("fact"))
    order = [*words, *facts]  # as they are asked for; then what nobody named
    for name in sorted(facts, key=order.index):
        value = facts[name]
        title = words.get(name, name.replace("_", " ").capitalize())
        if title and value not in (None, "", [], {}):
            yield title, _told(name, value, words)


def _told(name: str, value: Any, words: Mapping[str, str]) -> str:
    if isinstance(value, list):
        return ", ".join(_told(name, one, words) for one in value)
    if isinstance(value, Mapping):
        parts = (f"{key}: {_told(key, one, words)}" for key, one in value.items())
        return ", ".join(parts)
    if isinstance(value, bool):
        return _PLAIN[value]
    if value is None:
        return "–"
    return words.get(f"{name}={value}", str(value))
