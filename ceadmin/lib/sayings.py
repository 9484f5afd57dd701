"""Sentences that are kept in English and told in the language of whoever reads them.

What a worker finds is written down once and read by many, so the database, downloads,
the audit and commands have it in English. A page tells it by `spoken`: a sentence without
holes is looked up as it is, one with holes by the `Saying` that made it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import cast

from django.utils import translation
from django.utils.formats import number_format
from django.utils.functional import Promise, lazy
from django.utils.translation import gettext

_HOLE = re.compile(r"%\((\w+)\)s")
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+|\d+")


@dataclass(frozen=True, slots=True)
class Saying:
    """A sentence with holes; its text is marked for translators where it is written down."""

    text: str

    def english(self, **holes: object) -> str:
        """Return the sentence as it is kept."""
        return self.text % {name: _kept(value) for name, value in holes.items()}

    def holes_of(self, kept: str) -> dict[str, str] | None:
        """Return what stands in the holes of a kept sentence, None where it is another one."""
        found = _pattern(self.text).fullmatch(kept)
        return found.groupdict() if found else None

    def spoken(self, **holes: object) -> str:
        """Return the sentence in the current language."""
        return gettext(self.text) % {
            name: _told(value) for name, value in holes.items()
        }


@cache
def _pattern(text: str) -> re.Pattern[str]:
    parts = _HOLE.split(text.replace("%%", "%"))
    return re.compile(
        "".join(
            f"(?P<{p}>.+?)" if n % 2 else re.escape(p) for n, p in enumerate(parts)
        ),
        re.DOTALL,
    )


def _kept(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _told(value: object) -> str:
    """Write what stands in a hole, numbers and quoted names as the current language does."""
    text = _kept(value)
    if text.startswith("“") and text.endswith("”"):
        names = text[1:-1].split("” or “")
        quoted = [gettext("“%(name)s”") % {"name": name} for name in names]
        return gettext(" or ").join(quoted)
    if not _NUMBER.fullmatch(text):
        return text
    number = int(text.replace(",", ""))
    return number_format(number, use_l10n=True, force_grouping=True)


def spoken(kept: str | Promise, sayings: Iterable[Saying] = ()) -> str:
    """Return a kept sentence in the current language; in English where nobody knows it."""
    text = str(kept)
    told = gettext(text) if text.strip() else text
    if told != text:
        return told
    for saying in sayings:
        holes = saying.holes_of(text)
        if holes is not None:
            return saying.spoken(**holes)
    return text


def english(named: object) -> str:
    """Return a text, or the name of something, as it is kept in whatever language somebody works."""
    with translation.override("en"):
        return str(named)


def later(words: Callable[[], str]) -> Promise:
    """Return what `words` makes, made anew in the language of whoever reads it."""
    return cast(Promise, lazy(words, str)())


def inside(label: object) -> str:
    """Return a label as it stands inside a sentence: German keeps the capitals of its nouns."""
    german = (translation.get_language() or "").startswith("de")
    return str(label) if german else str(label).lower()
