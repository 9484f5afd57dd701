"""The spellings in which a secret travels, and a quick way to find thousands of them.

A text is looked through once, whatever the number of secrets: the first characters at each
place are looked up, and only where a secret begins alike is more compared.
"""

from __future__ import annotations

import base64
import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from html import escape
from urllib.parse import quote

MASK = "********"
#: Shorter values would take ordinary words apart.
SHORTEST = 6
#: Characters that are looked at together.
_BLOCK = 256
_PLACES = [slice(at, at + SHORTEST) for at in range(_BLOCK)]

_PLAIN = re.compile(r"[A-Za-z0-9._~-]+")  # spelled alike in URLs, JSON and Python
_IN_HTML = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&='"}
_ESCAPE = re.compile(r"%[0-9A-F]{2}")


def spellings(value: str) -> set[str]:
    """Return the forms in which `value` may stand in a text."""
    raw = value.encode("utf-8", "surrogatepass")
    forms = {value, raw.hex(), raw.hex().upper(), *_base64(raw)}
    if not _PLAIN.fullmatch(value):
        percent = list(_percent(raw))
        # As in HTTP Basic, which form-encodes before base64 (RFC 6749 §2.3.1).
        forms.update(percent, _base64(percent[1].encode()))
        forms.update(_escaped(value))
    return {form for form in forms if len(form) >= SHORTEST}


def _percent(raw: bytes) -> Iterator[str]:
    full = quote(raw, safe="")
    lower = _ESCAPE.sub(lambda found: found.group().lower(), full)
    yield from (full, full.replace("%20", "+"), full.replace("%2F", "/"))
    yield from (lower, lower.replace("%20", "+"), lower.replace("%2f", "/"))
    yield full.replace("%", "%25")  # an address inside an address


def _escaped(value: str) -> Iterator[str]:
    yield json.dumps(value)[1:-1]
    yield json.dumps(value)[1:-1].replace("/", "\\/")
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    # Java and Go write JSON that could stand in HTML: Gson alone escapes "=", too.
    yield json.dumps(value)[1:-1].translate(_IN_HTML)
    yield json.dumps(value, ensure_ascii=False)[1:-1].translate(_IN_HTML)
    yield escape(value)
    yield repr(value)[1:-1]


def _base64(raw: bytes) -> Iterator[str]:
    """Yield `raw` inside base64, at each of the three places where it may begin."""
    for shift in range(3):
        coded = base64.b64encode(b"\x00" * shift + raw).decode()
        begin = -(-shift * 8 // 6)
        core = coded[begin : (shift + len(raw)) * 8 // 6]
        yield core
        yield core.replace("+", "-").replace("/", "_")


class Known:
    """The spellings of some secrets. Only hashes are kept, and each form's beginning."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self.values: set[int] = set()
        self._forms: set[int] = set()
        self._lengths: dict[str, tuple[int, ...]] = {}
        for value in values:
            self.add(value)

    def add(self, value: str) -> None:
        """Look for `value` from now on."""
        self.values.add(hash(value))
        for form in spellings(value):
            self._forms.add(hash(form))
            self._note(form[:SHORTEST], len(form))

    def _note(self, start: str, length: int) -> None:
        lengths = self._lengths.get(start, ())
        place = bisect_left(lengths, length)
        if place == len(lengths) or lengths[place] != length:
            self._lengths[start] = (*lengths[:place], length, *lengths[place:])

    def starts_in(self, starts: list[str]) -> bool:
        """Tell whether a secret may begin at one of the places with these characters."""
        return not self._lengths.keys().isdisjoint(starts)

    def length(self, text: str, at: int, start: str) -> int:
        """Return the length of the longest secret that stands at a place, 0 for none."""
        lengths = self._lengths.get(start, ())
        for length in reversed(lengths[: bisect_right(lengths, len(text) - at)]):
            if hash(text[at : at + length]) in self._forms:
                return length
        return 0


@lru_cache(maxsize=256)
def known(values: tuple[str, ...]) -> Known:
    """Return a `Known` of values that come together again and again."""
    return Known(value for value in values if len(value) >= SHORTEST)


def without(text: str, secrets: Sequence[Known], enough: int | None = None) -> str:
    """Return `text` with secrets masked; from `enough` characters on the rest may be left out."""
    return looked_through(text, secrets, enough)[0]


def looked_through(
    text: str, secrets: Sequence[Known], enough: int | None = None
) -> tuple[str, int]:
    """Return what `without` does, and up to which place the text was looked through."""
    if not secrets and enough is None:
        return text, len(text)
    parts: list[str] = []
    at = made = 0
    while at < len(text) and (enough is None or made < enough):
        begin, end = _next(text, at, secrets)
        parts += [text[at:begin], MASK if end > begin else ""]
        made += begin - at + len(MASK)
        at = end
    return "".join(parts), at


def _next(text: str, at: int, secrets: Sequence[Known]) -> tuple[int, int]:
    """Return where the next secrets begin and end, or twice the place that was looked up to."""
    stop = min(at + _BLOCK, len(text))
    if not secrets:
        return stop, stop
    starts = _starts(text, at, stop)
    likely = [one for one in secrets if one.starts_in(starts)]
    if likely:
        for place, start in enumerate(starts, at):
            if length := max(one.length(text, place, start) for one in likely):
                return place, _end(text, place, place + length, likely)
    return stop, stop


def _end(text: str, begin: int, end: int, secrets: list[Known]) -> int:
    """Return where a row of overlapping secrets ends."""
    place = begin + 1
    while place < end:
        stop = min(place + _BLOCK, end)
        starts = _starts(text, place, stop)
        for one in secrets:
            if one.starts_in(starts):
                for at, start in enumerate(starts, place):
                    end = max(end, at + one.length(text, at, start))
        place = stop
    return end


def _starts(text: str, begin: int, stop: int) -> list[str]:
    """Return the first characters at each place of at most a block."""
    block = text[begin : stop + SHORTEST - 1]
    return list(map(block.__getitem__, _PLACES[: stop - begin]))
