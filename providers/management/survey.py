"""The catalogue looked at in one month: what is known how well, what is stale, what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from providers import ages, prose
from providers.choices import Confidence
from providers.errors import SpecError
from providers.spec import Provider

_COLUMNS = (
    *("KEY", "NAME", "CONFIDENCE", "KILLS", "SEEN DEAD BY"),
    *("CHECKED", "AGE", "REVOKES"),
)
#: The column of numbers, which are written to the right.
_AGE = _COLUMNS.index("AGE")


class Survey:
    """Records, what is wrong with others, and the month from which ages are counted."""

    def __init__(
        self,
        records: Sequence[Provider],
        problems: Sequence[SpecError],
        month: str,
        after: int,
    ) -> None:
        self.records = sorted(records, key=lambda one: one.name.casefold())
        self.problems = list(problems)
        self.month, self.after = month, after

    @property
    def stale(self) -> list[Provider]:
        """Return the records whose facts are too old, the oldest first."""
        old = [one for one in self.records if self._is_stale(one)]
        return sorted(old, key=lambda one: one.checked)

    def _is_stale(self, record: Provider) -> bool:
        return ages.age(record, self.month) > self.after

    # For people

    def lines(self) -> Iterator[str]:
        """Yield an aligned table, then what is stale and what is wrong, then the sum."""
        rows = [_COLUMNS, *(self._row(record) for record in self.records)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (
                cell.rjust(width) if at == _AGE else cell.ljust(width)
                for at, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            yield "  ".join(cells).rstrip()
        yield from self._stale_lines()
        yield from self._wrong_lines()
        yield ""
        yield self._sum()

    def _row(self, record: Provider) -> tuple[str, ...]:
        months = ages.age(record, self.month)
        return (
            record.key,
            record.name,
            str(record.confidence.label),
            str(record.revoke.effect.label) if record.revocable else "-",
            prose.how_verified(record),
            record.checked,
            f"{months} mo{' !' if self._is_stale(record) else ''}",
            prose.state(record),
        )

    def _stale_lines(self) -> Iterator[str]:
        if self.stale:
            yield ""
            yield f"Stale: the facts are older than {_months(self.after)}. Read the sources again, and set `checked`."
        for record in self.stale:
            since = ages.stale_since(record, self.after)
            yield f"  {record.key}: checked {record.checked}, stale since {since}"

    def _wrong_lines(self) -> Iterator[str]:
        if self.problems:
            yield ""
            yield "Wrong: these records can't be used."
        for problem in self.problems:
            yield f"  {problem}"

    def _sum(self) -> str:
        states = Counter(prose.state(record) for record in self.records)
        sure = Counter(record.confidence for record in self.records)
        parts = [
            ", ".join(f"{states[word]} {word}" for word in ("on", "off", "by hand")),
            "confidence "
            + ", ".join(f"{sure[one]} {one.label.lower()}" for one in Confidence),
            f"{len(self.stale)} stale, {len(self.problems)} wrong",
        ]
        return f"{len(self.records)} providers: {'; '.join(parts)}."

    # For scripts

    def document(self) -> dict[str, Any]:
        """Return the same as JSON has it; docs/commands.md explains the keys."""
        return {
            "month": self.month,
            "stale_after": self.after,
            "stale": [record.key for record in self.stale],
            "problems": [
                {"file": one.file, "key": one.key, "message": one.message}
                for one in self.problems
            ],
            "providers": [self._facts(record) for record in self.records],
        }

    def _facts(self, record: Provider) -> dict[str, Any]:
        does, seen = prose.sentences(record)
        return {
            "key": record.key,
            "name": record.name,
            "confidence": record.confidence.value,
            "revokes": prose.state(record),
            "effect": record.revoke.effect.value,
            "does": does,
            "seen": seen,
            "verified": prose.how_verified(record),
            "checked": record.checked,
            "age_months": ages.age(record, self.month),
            "stale": self._is_stale(record),
            "element_keys": [*record.element_keys, *record.related_element_keys],
        }


def _months(count: int) -> str:
    return "a month" if count == 1 else f"{count} months"
