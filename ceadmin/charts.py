"""Charts as SVG that the server draws: columns of parts, each part a link to the rows it counts.

Lengths are those of the drawing's own space, 100 high and ten wide for each column; the
style sheet stretches it, so that nothing in the page carries a size or a colour.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ceadmin.ui import Segment

_HEIGHT, _STEP, _GAP = 100.0, 10.0, 1.6
#: A part that exists is never drawn lower than this: one dead instance of a thousand is seen.
_LEAST = 2.0


@dataclass(frozen=True, slots=True)
class Column:
    """One column: a day or a week, and its parts from the ground up."""

    name: str
    segments: tuple[Segment, ...]

    @property
    def total(self) -> int:
        """How many all its parts are."""
        return sum(one.count for one in self.segments)


@dataclass(frozen=True, slots=True)
class Chart:
    """Columns beside each other, and what is said of them to those who do not see them."""

    title: str
    summary: str
    columns: tuple[Column, ...]
    kinds: tuple[str, ...]  # labels of the parts there may be, from the ground up
    first_column: str  # what a column is, for the table's head

    @property
    def highest(self) -> int:
        """How many the highest column has."""
        return max((column.total for column in self.columns), default=0)

    @property
    def legend(self) -> Sequence[Segment]:
        """One segment of each kind there is, from the ground up."""
        seen = {one.label: one for column in self.columns for one in column.segments}
        return [seen[kind] for kind in self.kinds if kind in seen]

    @property
    def width(self) -> str:
        """How wide the drawing's space is."""
        return f"{_STEP * len(self.columns):g}"

    @property
    def rows(self) -> Iterator[tuple[str, list[Segment | None]]]:
        """The same as a table: the name of each column, and its parts as the legend has them."""
        kinds = [one.label for one in self.legend]
        for column in self.columns:
            parts = {one.label: one for one in column.segments}
            yield column.name, [parts.get(kind) for kind in kinds]


@dataclass(frozen=True, slots=True)
class Block:
    """A part with its place in the drawing."""

    segment: Segment
    column: str
    x: str
    y: str
    width: str
    height: str


def blocks(chart: Chart) -> Iterator[Block]:
    """Place the parts of a chart's columns on top of each other."""
    for number, column in enumerate(chart.columns):
        heights = _heights([one.count for one in column.segments], chart.highest)
        ground = _HEIGHT
        for one, height in zip(column.segments, heights, strict=True):
            ground -= height
            places = (_STEP * number + _GAP / 2, ground, _STEP - _GAP, height)
            x, y, width, high = (f"{place:.2f}" for place in places)
            yield Block(one, column.name, x, y, width, high)


def _heights(counts: Sequence[int], highest: int) -> list[float]:
    """Return how high each part is: what would be too low to see takes from the others."""
    if not highest:
        return [0.0 for _ in counts]
    wanted = [_HEIGHT * count / highest for count in counts]
    heights = [max(one, _LEAST) for one in wanted]
    over = sum(heights) - max(sum(wanted), min(_LEAST * len(counts), _HEIGHT))
    large = sum(one for one in wanted if one > _LEAST) or 1.0
    return [
        high - over * one / large if one > _LEAST else high
        for one, high in zip(wanted, heights, strict=True)
    ]
