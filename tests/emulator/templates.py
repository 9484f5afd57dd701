"""Text with `<names>` in it: filled with values, or matched against what came in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_NAME = re.compile(r"<([a-z][a-z0-9_]*)>")


def names(template: str) -> set[str]:
    """Return the names that stand in a template."""
    return set(_NAME.findall(template))


def fill(template: str, values: Mapping[str, str]) -> str:
    """Replace each name that has a value; the others stay as they are."""
    return _NAME.sub(lambda found: values.get(found[1], found[0]), template)


def fill_all(document: Any, values: Mapping[str, str]) -> Any:
    """Replace the names in every text of a JSON document."""
    if isinstance(document, str):
        return fill(document, values)
    if isinstance(document, Mapping):
        return {name: fill_all(item, values) for name, item in document.items()}
    if isinstance(document, list | tuple):
        return [fill_all(item, values) for item in document]
    return document


def match(template: str, text: str) -> dict[str, str] | None:
    """Return what stands where the names are, None if the text does not fit."""
    found = _pattern(template).fullmatch(text)
    return found.groupdict() if found is not None else None


@lru_cache(maxsize=2048)
def _pattern(template: str) -> re.Pattern[str]:
    """A name that comes twice stands for the same text both times; in a host, for no slash."""
    parts, seen = _NAME.split(template), set[str]()
    made, so_far = [re.escape(parts[0])], parts[0]
    for name, literal in zip(parts[1::2], parts[2::2], strict=True):
        in_host = so_far.startswith("https://") and so_far.count("/") == 2
        text = "[^/]+" if in_host else ".+"
        made.append(f"(?P={name})" if name in seen else f"(?P<{name}>{text})")
        made.append(re.escape(literal))
        seen.add(name)
        so_far += literal
    return re.compile("".join(made), re.DOTALL)
