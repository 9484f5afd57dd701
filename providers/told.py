"""Sentences in the reader's language that quote a record, which is written in another.

Such a text is a string like any other, for docs, JSON and tables. Drawn on a page it says of
each quoted part which language it is in, so that it is read aloud as what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

#: The catalogue's records are written in it.
ENGLISH = "en"
#: What an organization wrote itself can be in any language: HTML says so with an empty name.
UNKNOWN = ""

_HOLE = re.compile(r"%\((\w+)\)s")


class Told(str):
    """A text to be read; as HTML it tells what in it is quoted."""

    _html: SafeString

    def __new__(cls, text: str, html: SafeString) -> Told:
        """Return a text with what a page shows instead."""
        told = super().__new__(cls, text)
        told._html = html
        return told

    def __str__(self) -> str:
        """Return itself: who asks for a string goes on knowing the HTML."""
        return self

    def __html__(self) -> SafeString:
        """Return what a template writes."""
        return self._html


def quoted(text: str, language: str = ENGLISH) -> Told:
    """Return words of a record as they are."""
    html = format_html('<span lang="{}">{}</span>', language, text) if text else ""
    return Told(text, SafeString(html))


def coded(text: str) -> Told:
    """Return what is no word of any language: a name in JSON, a scope, a key."""
    html = format_html("<code>{}</code>", text) if text else ""
    return Told(text, SafeString(html))


def told(sentence: str, **parts: str) -> Told:
    """Return a sentence whose holes, `%(name)s`, are filled; its parts stay what they are."""
    pieces = (
        parts[piece] if at % 2 else piece.replace("%%", "%")
        for at, piece in enumerate(_HOLE.split(sentence))
    )
    return Told(
        sentence % parts, format_html_join("", "{}", ((one,) for one in pieces))
    )


def joined(parts: Iterable[str], joint: str = ", ") -> Told:
    """Return parts one after the other, without those that are empty."""
    kept = [one for one in parts if one]
    html = format_html_join(joint, "{}", ((one,) for one in kept))
    return Told(joint.join(kept), html)
