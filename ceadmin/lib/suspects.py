"""Which secrets may stand in a text at all, told without spelling out a single one.

Spelling a secret out costs far more than a look for it, and most texts hold none. So the
text is read back instead: percent signs, escapes, hex and base64 are undone, and the middle
of each secret is looked for in what comes out. Whatever `spellings` makes of a secret is
found like this; what is found is only a suspicion, to be looked at with all spellings.

The middle, because a text is read back without knowing where a secret begins: what stands
before it may take up to nine bytes of it along (`\\U` and eight digits; two percent signs
take four, base64 three), and the last byte may be cut in base64.
"""

from __future__ import annotations

import binascii
import re
import sys
from collections.abc import Iterable, Iterator
from urllib.parse import unquote_to_bytes

from ceadmin.lib.spellings import Known, known

#: Bytes. Shorter secrets have no middle to look for: they are suspected of every text.
LONG = 18
_TAKEN = 9
_WINDOW = 8
#: So many windows of a secret are tried at least.
_PLACES = 16

# No spelling of LONG bytes is shorter than these.
_HEX = re.compile(r"[0-9A-Fa-f]{36,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{23,}")
_ONE_ALPHABET = str.maketrans("-_", "+/")
_ESCAPE = re.compile(
    r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|U(000[0-9A-Fa-f]{5}|0010[0-9A-Fa-f]{4})|(.))"
)
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|#x27);")
_SIGNS = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'"}
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def middle(value: str) -> bytes:
    """Return what of a secret is found in every text that holds it; b"" where it is too short."""
    try:
        raw = value.encode()
    except UnicodeEncodeError:  # lone surrogates, which pairs of escapes may also be
        return b""
    return raw[_TAKEN:-1] if len(raw) >= LONG else b""


def reach(values: Iterable[str]) -> int:
    """Return how many characters the longest spelling of these secrets may have."""
    return max((len(one) * (6 if one.isascii() else 20) for one in values), default=0)


class Reading:
    """A text as it is and as it reads back."""

    __slots__ = ("_windows", "back")

    def __init__(self, text: str) -> None:
        self.back = b"\n".join(_readings(text))
        self._windows: list[int] | None = None

    @property
    def windows(self) -> list[int]:
        """Return the eight bytes at each place as numbers, which are compared in no time."""
        if self._windows is None:
            self._windows = _windows(self.back)
        return self._windows


def _windows(back: bytes) -> list[int]:
    view, found = memoryview(back), list[int]()
    for at in range(min(_WINDOW, len(back) - _WINDOW + 1)):
        end = at + (len(back) - at) // _WINDOW * _WINDOW
        found += view[at:end].cast("Q").tolist()
    return found


def among(reading: Reading, values: Iterable[str]) -> tuple[str, ...]:
    """Return those of some secrets that may stand in a text."""
    back, found = reading.back, []
    for value in values:
        part = middle(value)
        if not part or part in back:
            found.append(value)
    return tuple(found)


def spelled(values: tuple[str, ...]) -> list[Known]:
    """Return what a text has to be searched for because of these suspects."""
    return [known(values)] if values else []


class Remembered:
    """Secrets that are looked for in many texts, and spelled out when one is suspected."""

    def __init__(self) -> None:
        self.values: set[str] = set()
        self.reach = 0
        self._short = Known()
        self._by_window: dict[int, list[str]] = {}

    def add(self, value: str) -> None:
        """Look for `value` from now on."""
        self.reach = max(self.reach, reach((value,)))
        part = middle(value)
        if part:
            self._by_window.setdefault(self._rarest(part), []).append(value)
        else:
            self._short.add(value)
        self.values.add(value)  # last: whoever finds it here counts on the rest

    def _rarest(self, part: bytes) -> int:
        """Return the window of a secret's middle that the fewest others are found by.

        Tokens of one maker end alike, or begin alike, or hold little but a number.
        """
        last = len(part) - _WINDOW
        best, fewest = 0, sys.maxsize
        for at in range(last, -1, -max(1, last // _PLACES)):
            window = int.from_bytes(part[at : at + _WINDOW], sys.byteorder)
            others = len(self._by_window.get(window, ()))
            if others < fewest:
                best, fewest = window, others
            if not others:
                break
        return best

    def suspects(self, reading: Reading) -> list[Known]:
        """Return what a text has to be searched for."""
        if not self.values:
            return []
        found = [self._short] if self._short.values else []
        windows = self._by_window
        if windows and not windows.keys().isdisjoint(reading.windows):
            alike = {one for place in reading.windows for one in windows.get(place, ())}
            found += spelled(among(reading, sorted(alike)))
        return found


# Reading back


def _readings(text: str) -> Iterator[bytes]:
    raw = text.encode("utf-8", "surrogatepass")
    yield raw
    if "%" in text or "+" in text:
        once = _unquoted(raw)
        yield once
        yield unquote_to_bytes(once)
    for run in _HEX.findall(text):
        even = len(run) // 2 * 2
        yield bytes.fromhex(run[:even])
        yield bytes.fromhex(run[1 : 1 + (len(run) - 1) // 2 * 2])
    for run in _BASE64.findall(text):
        yield from _from_base64(run)
    if "\\" in text:
        yield _unescaped(text)
    if "&" in text:
        signs = _ENTITY.sub(lambda found: _SIGNS[found[0]], text)
        yield signs.encode("utf-8", "surrogatepass")


def _unquoted(raw: bytes) -> bytes:
    return unquote_to_bytes(raw.replace(b"+", b" "))


def _from_base64(run: str) -> Iterator[bytes]:
    """Yield what a run of base64 means at each of the four places where a group may begin."""
    run = f"{run.translate(_ONE_ALPHABET)}AAA"
    for at in range(4):
        end = at + (len(run) - at) // 4 * 4
        back = binascii.a2b_base64(run[at:end])
        yield back
        if b"%" in back or b"+" in back:
            yield _unquoted(back)


def _unescaped(text: str) -> bytes:
    """Undo the escapes of JSON and Python, pairs of surrogates included."""
    plain = _ESCAPE.sub(_letter, text)
    paired = plain.encode("utf-16-le", "surrogatepass").decode(
        "utf-16-le", "surrogatepass"
    )
    return paired.encode("utf-8", "surrogatepass")


def _letter(found: re.Match[str]) -> str:
    number = found[1] or found[2] or found[3]
    return chr(int(number, 16)) if number else _LETTERS.get(found[4], found[4])
