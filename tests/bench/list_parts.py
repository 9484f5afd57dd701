"""The part of the bench that measures the list of instances, and what its figures have to be."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from tests.bench.cells import Sizes
from tests.bench.figures import DATABASES, Figure
from tests.bench.session import Session
from tests.bench.target import Target

Row = dict[str, Any]

#: A page's queries may take so many times at many instances what they take at few.
RATIO = 2.0
#: … and there may be one more of them: a page that does not show all counts what fits.
MORE_QUERIES = 1


def lists(target: Target, sessions: list[Session], sizes: Sizes) -> Iterator[Row]:
    """The same pages of the list at few instances and at many."""
    few, many = sizes.listed
    Session.ask_all(sessions, "seed", count=1)
    for session in sessions:
        for count in (few, many[session.database]):
            session.ask("lists_fill", instances=count)
            told = session.ask("lists_looked_at", looks=sizes.list_looks)
            row = {"part": "lists", "database": session.database}
            yield {**row, "instances": count, "pages": told}


PARTS = {"lists": lists}


def figures(of: dict[str, list[Row]]) -> Iterator[Figure]:
    """Yield the judged figures of the list."""
    for database, name in DATABASES.items():
        told: dict[int, Row] = defaultdict(dict)
        for row in of["lists"]:
            if row["database"] == database:
                told[row["instances"]] = row["pages"]
        if len(told) > 1:
            few, many = min(told), max(told)
            yield from _pages(told[few], told[many], (few, many), name)


def _pages(few: Row, many: Row, counts: tuple[int, int], name: str) -> Iterator[Figure]:
    for page, took in many.items():
        before = few[page]
        title = f"{page}, its queries at {counts[1]:,} instances against {counts[0]:,}"
        ratio = took["queries"] / before["queries"]
        yield Figure(title, name, (ratio,), most=RATIO)
        more = float(max(took["count"]) - max(before["count"]))
        title = f"{page}, more queries at {counts[1]:,} instances"
        yield Figure(title, name, (more,), unit="", most=MORE_QUERIES)
        milliseconds = (took["queries"] * 1000,)
        title = f"{page}, its queries at {counts[1]:,} instances"
        yield Figure(title, name, milliseconds, unit="ms")
