"""Eight steps × providers, from attempt rows, held against what the stand-in received."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from instances.actions.drill import STEPS
from instances.choices import AttemptState, Outcome
from instances.management.reports import steps
from instances.models import Attempt, Item

#: What the vendor's article says that each step answers.
ARTICLE = (200, 200, 200, 401, 200, 302, 200, 200)


@dataclass(frozen=True, slots=True)
class Heard:
    """One call, as either side tells it."""

    method: str
    host: str
    path: str
    status: int | None

    def __str__(self) -> str:
        said = self.status if self.status is not None else "no answer"
        return f"{self.method} {self.host}{self.path} → {said}"


@dataclass(frozen=True, slots=True)
class Column:
    """One drill: what was seen at each step, and how it ended."""

    title: str
    seen: tuple[int | None, ...]
    outcome: str
    explanation: str = ""

    @property
    def wrong(self) -> list[int]:
        """The steps, from 0, that did not do what the article says."""
        pairs = zip(self.seen, ARTICLE, strict=True)
        return [number for number, (seen, said) in enumerate(pairs) if seen != said]

    @property
    def good(self) -> bool:
        """Whether all eight did, and the instance was reconnected."""
        return not self.wrong and self.outcome == Outcome.RECONNECTED


def column(item: Item, title: str) -> Column:
    """Return a drill's column of the table."""
    return Column(
        title=title,
        seen=tuple(row.status_code if row else None for _, row in steps(item)),
        outcome=item.outcome or item.status,
        explanation=item.explanation,
    )


def lines(columns: Sequence[Column]) -> Iterator[str]:
    """Yield the table; a star marks what the article says otherwise."""
    widths = [max(len(one.title), len(one.outcome)) for one in columns]
    cells = (
        f"{one.title:>{width}}" for one, width in zip(columns, widths, strict=True)
    )
    yield f"{'':<19}{'article':>7}  " + "  ".join(cells)
    for number, title in enumerate(STEPS):
        row = (
            f"{_cell(one, number):>{width}}"
            for one, width in zip(columns, widths, strict=True)
        )
        yield f"{number + 1} {title:<17}{ARTICLE[number]:>7}  " + "  ".join(row)
    ends = (
        f"{one.outcome:>{width}}" for one, width in zip(columns, widths, strict=True)
    )
    yield f"{'outcome':<19}{'':>7}  " + "  ".join(ends)


def _cell(one: Column, number: int) -> str:
    seen = one.seen[number]
    return f"{'*' if number in one.wrong else ''}{seen if seen is not None else '–'}"


def told(attempts: Iterable[Attempt]) -> list[Heard]:
    """Return what the rows say was sent and may have arrived, in the order of sending."""
    rows = sorted(attempts, key=lambda one: (one.at, one.pk))
    return [_of_row(row) for row in rows if row.state != AttemptState.NOT_SENT]


def _of_row(row: Attempt) -> Heard:
    address = urlsplit(row.url)
    return Heard(row.method, address.hostname or "", address.path, row.status_code)


def _of_entry(entry: dict[str, Any]) -> Heard:
    return Heard(entry["method"], entry["host"], entry["path"], entry["status"])


def differences(
    rows: Sequence[Heard], log: Sequence[dict[str, Any]], instance: int
) -> list[str]:
    """Return where the rows of one drill and the stand-in's log disagree.

    Every row must be in the log, in the same order; every entry about the instance must
    be a row. An entry that names no instance may belong to another drill.
    """
    entries = [
        one for one in log if instance in one["instances"] or not one["instances"]
    ]
    found, taken, start = [], set(), 0
    for row in rows:
        at = next(
            (n for n in range(start, len(entries)) if _of_entry(entries[n]) == row),
            None,
        )
        if at is None:
            found.append(f"not in the log, or not in this order: {row}")
            continue
        taken.add(at)
        start = at + 1
    for number, entry in enumerate(entries):
        if number not in taken and instance in entry["instances"]:
            found.append(f"received, and told by no row: {_of_entry(entry)}")
    return found
