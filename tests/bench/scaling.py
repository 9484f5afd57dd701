"""Put what the bench measured of growth into docs/scaling.md, between two marks.

    python -m tests.bench.scaling

A whole run of the bench does it by itself; this does it again from docs/performance.json.
"""

import json
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from tests.bench.world import ROOT

DOCUMENT = ROOT / "docs" / "scaling.md"
ROWS = ROOT / "docs" / "performance.json"
BEGIN, END = "<!-- measured by make bench -->", "<!-- end of what is measured -->"
_NAMES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}

Row = dict[str, Any]


def write(rows: Sequence[Row], when: str) -> None:
    """Replace what stands between the marks."""
    text = DOCUMENT.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    told = "\n".join([f"Measured on {when}.", "", *_growth(rows), "", *_workers(rows)])
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{told}\n\n{END}{after}")


def _growth(rows: Sequence[Row]) -> Iterator[str]:
    yield "| probes in a run, 0 ms | on | items a second | worker CPU an item | worker memory at the end |"
    yield "|---|---|---|---|---|"
    grown = [row for row in rows if row["part"] == "growth"]
    for database, items in sorted({(row["database"], row["items"]) for row in grown}):
        own = [r for r in grown if (r["database"], r["items"]) == (database, items)]
        rate = median(items / row["wall"] for row in own)
        cpu = median(row["cpu"] / items for row in own)
        memory = max((row["memory"][-1][1] for row in own if row["memory"]), default=0)
        yield (
            f"| {items:,} | {_NAMES[database]} | {rate:,.0f} | {cpu * 1000:.2f} ms "
            f"| {memory:.0f} MB |"
        )


def _workers(rows: Sequence[Row]) -> Iterator[str]:
    yield "| workers, 50 ms | connections | items a second | against one worker |"
    yield "|---|---|---|---|"
    shared = [row for row in rows if row["part"] == "workers"]
    for limit in (False, True):
        mine = [row for row in shared if row["shared_limit"] is limit]
        rates = {
            many: median(
                row["items"] / row["wall"] for row in mine if row["workers"] == many
            )
            for many in sorted({row["workers"] for row in mine})
        }
        for many, rate in rates.items():
            words = "50 for all" if limit else f"25 each, {25 * many} in all"
            yield f"| {many} | {words} | {rate:,.0f} | {rate / rates[1]:.2f} |"


if __name__ == "__main__":
    known = json.loads(ROWS.read_text())
    write(known["rows"], known["about"]["when"])
