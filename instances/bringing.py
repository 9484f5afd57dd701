"""A list of ids or names that somebody brings along, and what each line of it is here.

What cannot be acted on is told with its line: nothing of what was brought gets lost. Only
instances of the organizations that are asked are known: a line that names another one's is
answered like a line that names nothing.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from django.db.models import Count, Min
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from ceadmin import ui
from ceadmin.audit.canonical import visible
from ceadmin.audit.lines import safe
from ceadmin.lib.rows import among
from instances.bounded import KeyAmong
from instances.models import Instance

MOST_BYTES = 10 * 1024 * 1024
MOST_LINES = 100_000
TOO_LARGE = _("The file is larger than 10 MB. Split it, or use the filters.")
#: Who brought a list can act on it for so long.
LIST_KEPT_FOR = timedelta(days=1)
#: Names are at most so long; what is longer is none.
_LONGEST = 255
#: So much of a line is told again.
_TOLD = 120
#: Values in one query.
_PORTION = 5_000

_ID_HEADS = frozenset(
    {"remote id", "remote_id", "id", "instance id", "instance_id", "instanceid"}
)
_NAME_HEADS = frozenset({"name", "instance", "instance name", "instance_name"})


class Problem(StrEnum):
    """Why a line cannot be acted on."""

    NOT_FOUND = "not_found"
    AMBIGUOUS = "ambiguous"
    AGAIN = "again"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    CHARACTER = "character"


class TooMuch(ValueError):
    """More than is read at once; the text is a sentence for people."""


class Line(NamedTuple):
    """One line, and what in it names an instance."""

    number: int
    value: str
    by: str = ""  # "id" or "name" where the list says which


@dataclass(frozen=True, slots=True)
class Sorted:
    """What became of the lines: the instances in the order of the list, and the problems."""

    lines: int
    found: list[int]
    problems: list[tuple[int, str, str]]  # line, what stands there, Problem


def text_of(data: bytes) -> tuple[str, str]:
    """Return a file's text, and how it was read, in English, where that was not UTF-8; raise TooMuch."""
    if len(data) > MOST_BYTES:
        raise TooMuch(TOO_LARGE)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        note = gettext_noop("It was read as UTF-16.")
        return data.decode("utf-16", "replace"), note
    try:
        return data.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        note = gettext_noop(
            "It is not UTF-8, so it was read as Windows-1252: check names with accents."
        )
        return data.decode("cp1252", "replace"), note


def sort_out(text: str, organizations: Collection[int]) -> Sorted:
    """Say of every line which instance of these organizations it is; raise TooMuch."""
    whole, problems = [], []
    for line in lines_of(text):
        problem = _unfit(line.value)
        if problem:
            problems.append((line.number, visible(line.value[:_TOLD]), problem.value))
        else:
            whole.append(line)
        if len(whole) + len(problems) > MOST_LINES:
            raise TooMuch(
                gettext(
                    "The list has more than %(count)s lines. Split it, or use the filters."
                )
                % {"count": ui.number(MOST_LINES)}
            )
    known = _known(whole, organizations)
    found: dict[int, None] = {}
    for line in whole:
        answer = known(line)
        if isinstance(answer, int) and answer not in found:
            found[answer] = None
            continue
        word = Problem.AGAIN if isinstance(answer, int) else answer
        problems.append((line.number, line.value[:_TOLD], word.value))
    return Sorted(len(found) + len(problems), list(found), sorted(problems))


def lines_of(text: str) -> Iterator[Line]:
    """Yield what names an instance in each line that is not blank.

    The first cell counts, or the one under a head that says id or name. Each line is read by
    itself, so a quotation mark that is not closed spoils one line only.
    """
    columns, delimiter = {"": 0}, ""
    for number, raw in enumerate(io.StringIO(text, newline=None), 1):
        if not raw.strip():
            continue
        delimiter = delimiter or _delimiter(raw)
        cells = _cells(raw, delimiter)
        if number == 1 and (named := _heads(cells)):
            columns = named
            continue
        yield _line(number, cells, columns)


def _delimiter(first: str) -> str:
    return max(",;\t", key=first.count)


def _cells(raw: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([raw.rstrip("\n")], delimiter=delimiter), [""])
    except csv.Error:  # a cell of more than 128 KB, or NUL
        return [raw.rstrip("\n")]


def _heads(cells: Sequence[str]) -> dict[str, int]:
    words = [cell.strip().lower() for cell in cells]
    ids = [place for place, word in enumerate(words) if word in _ID_HEADS]
    names = [place for place, word in enumerate(words) if word in _NAME_HEADS]
    found = {"id": ids[0]} if ids else {}
    return found | ({"name": names[0]} if names else {})


def _line(number: int, cells: Sequence[str], columns: dict[str, int]) -> Line:
    for by, place in columns.items():
        value = _bare(cells[place]) if place < len(cells) else ""
        if value:
            return Line(number, value, by)
    return Line(number, "")


def _bare(cell: str) -> str:
    """Return a cell without what our own files put before a formula."""
    value = cell.strip().strip("\ufeff")
    inner = value[1:]
    return inner if value.startswith("'") and safe(inner) != inner else value


def _unfit(value: str) -> Problem | None:
    if not value:
        return Problem.EMPTY
    if len(value) > _LONGEST:
        return Problem.TOO_LONG
    fits = "\x00" not in value and value.isprintable()
    return None if fits or _is_writing(value) else Problem.CHARACTER


def _is_writing(value: str) -> bool:
    """Tell whether it is text: marks of direction and joiners are, halves of characters are not."""
    plain = all(mark >= " " and not "\ud800" <= mark <= "\udfff" for mark in value)
    return plain and "\x7f" not in value


class _Names:
    """Which instances have a name, capitals or not."""

    def __init__(self) -> None:
        self._named: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)

    def add(self, name: str, first: int, count: int) -> None:
        """Note that `count` instances have exactly this name, and the first of them."""
        self._named[name.upper()][name.strip()] = (first, count)

    def find(self, value: str) -> int | Problem:
        """Return the only instance of a name: of exactly this one, or of this one with other capitals."""
        alike = self._named.get(value.upper(), {})
        exact = alike.get(value)
        groups = [exact] if exact else list(alike.values())
        if not groups:
            return Problem.NOT_FOUND
        if len(groups) > 1 or groups[0][1] > 1:
            return Problem.AMBIGUOUS
        return groups[0][0]


class _Known:
    """What lines are, as far as the database tells."""

    def __init__(self, ids: dict[str, list[int]], names: _Names) -> None:
        self._ids, self._names = ids, names

    def __call__(self, line: Line) -> int | Problem:
        """Return the instance of a line, or why there is not one."""
        keys = self._ids.get(line.value, []) if line.by != "name" else []
        if keys:
            return keys[0] if len(keys) == 1 else Problem.AMBIGUOUS
        return Problem.NOT_FOUND if line.by == "id" else self._names.find(line.value)


def _known(lines: Sequence[Line], organizations: Collection[int]) -> _Known:
    own = Instance.objects.filter(organization__in=list(organizations)).order_by()
    ids: dict[str, list[int]] = defaultdict(list)
    for portion in _portions(line.value for line in lines if line.by != "name"):
        found = own.filter(among(Instance, "remote_id", portion))
        for remote_id, pk in found.values_list("remote_id", "pk"):
            ids[remote_id].append(pk)
    names = _Names()
    left = (line.value for line in lines if line.by != "id" and line.value not in ids)
    for portion in _portions(left):
        named = own.filter(KeyAmong("name", values=portion)).values("name")
        counted = named.annotate(first=Min("pk"), count=Count("pk"))
        for row in counted:
            names.add(row["name"], row["first"], row["count"])
    return _Known(ids, names)


def _portions(values: Iterable[str]) -> Iterator[list[str]]:
    every = sorted(set(values))
    for begin in range(0, len(every), _PORTION):
        yield every[begin : begin + _PORTION]
