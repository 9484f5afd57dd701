"""From raw rows to judged figures: medians of paired ratios, each beside its bar."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import median
from typing import Any

from tests.bench import audit_parts, list_parts
from tests.bench.cells import CELLS, CPU, HEADROOM, Cell
from tests.bench.figures import DATABASES, Figure

__all__ = ["DATABASES", "Figure", "best_ceiling", "judge", "missed"]

Row = dict[str, Any]
#: In a smaller run what is done once weighs more than the items.
ENOUGH = 10_000
#: Probes a second that 50 connections can make at 50 ms.
SHARED_LIMIT = 50 / 0.05


def judge(rows: Sequence[Row]) -> list[Figure]:
    """Return all figures that the rows tell."""
    of: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        of[row["part"]].append(row)
    makers: list[Callable[[dict[str, list[Row]]], Iterable[Figure]]] = [
        _speed,
        _cpu,
        _memory,
        _growth,
        _workers,
        _planning,
        _pages,
        _progress,
        _ceiling,
        audit_parts.figures,
        list_parts.figures,
    ]
    return [figure for make in makers for figure in make(of)]


# Speed


def _speed(of: dict[str, list[Row]]) -> Iterator[Figure]:
    for cell in CELLS:
        rows = [row for row in of["speed"] if row["cell"] == cell.name]
        for database, name in DATABASES.items():
            mine = {
                row["round"]: _rate(row) for row in rows if row["subject"] == database
            }
            if mine:
                yield from _against(cell, name, mine, rows)


def _against(
    cell: Cell, name: str, mine: dict[int, float], rows: list[Row]
) -> Iterator[Figure]:
    for other, bar in (("bare", cell.bare), ("xargs", cell.xargs)):
        theirs = {row["round"]: _rate(row) for row in rows if row["subject"] == other}
        ratios = [mine[number] / theirs[number] for number in mine if number in theirs]
        if ratios:
            words = (
                "the bare loop" if other == "bare" else f"xargs -P {cell.connections}"
            )
            title = f"{cell.name}, against {words}"
            yield Figure(title, name, tuple(ratios), least=bar)
    rates = tuple(mine.values())
    yield Figure(cell.name, name, rates, unit="/s", least=cell.rate)


def _rate(row: Row) -> float:
    return float(row["items"] / row["wall"])


def _cpu(of: dict[str, list[Row]]) -> Iterator[Figure]:
    for cell in CELLS:
        for database, name in DATABASES.items():
            costs = tuple(
                row["cpu"] / row["items"] * 1000
                for row in of["speed"]
                if row["cell"] == cell.name and row["subject"] == database
            )
            if costs:
                title = f"worker CPU for each {cell.name}"
                most = CPU[cell.kind] * 1000
                yield Figure(title, name, costs, unit="ms", most=most)


# Size


def _growth(of: dict[str, list[Row]]) -> Iterator[Figure]:
    for database, name in DATABASES.items():
        rows = [row for row in of["growth"] if row["database"] == database]
        for items in sorted({row["items"] for row in rows}):
            costs = [row["cpu"] / items * 1000 for row in rows if row["items"] == items]
            title = f"worker CPU for each probe of a run of {items:,}"
            most = CPU["probe"] * 1000 if items >= ENOUGH else None
            yield Figure(title, name, tuple(costs), unit="ms", most=most)
            rates = [_rate(row) for row in rows if row["items"] == items]
            yield Figure(f"probes in a run of {items:,}", name, tuple(rates), unit="/s")


def _largest(of: dict[str, list[Row]]) -> Iterator[tuple[str, Row]]:
    for database, name in DATABASES.items():
        rows = [row for row in of["growth"] if row["database"] == database]
        if rows:
            yield name, max(rows, key=lambda row: row["items"])


def _memory(of: dict[str, list[Row]]) -> Iterator[Figure]:
    for name, row in _largest(of):
        tenth = [mb for done, mb in row["memory"] if done >= row["items"] / 10]
        if tenth:
            title = (
                f"worker memory, most after a tenth of {row['items']:,} against then"
            )
            yield Figure(title, name, (max(tenth) / tenth[0],), most=1.1)


def _progress(of: dict[str, list[Row]]) -> Iterator[Figure]:
    for name, row in _largest(of):
        start, end = row["progress"]
        title = f"progress of {row['items']:,}, at the end against at the start"
        yield Figure(title, name, (end / start,), most=1.5)


def _workers(of: dict[str, list[Row]]) -> Iterator[Figure]:
    rows = of["workers"]
    if not rows:
        return
    name = DATABASES[rows[0]["database"]]
    rates = {
        (row["workers"], row["shared_limit"], row["round"]): _rate(row) for row in rows
    }
    rounds = sorted({row["round"] for row in rows})

    def ratios(many: int, shared: bool) -> tuple[float, ...]:
        return tuple(rates[many, shared, n] / rates[1, shared, n] for n in rounds)

    for many, least in ((2, 1.8), (4, 3.4)):
        title = f"{many} workers against 1, 25 connections each"
        yield Figure(title, name, ratios(many, False), least=least)
    title = "4 workers under one limit of 50 connections, against what these can make"
    bound = tuple(rates[4, True, n] / SHARED_LIMIT for n in rounds)
    yield Figure(title, name, bound, least=0.9, most=1.05)


# Requests and pages


def _planning(of: dict[str, list[Row]]) -> Iterator[Figure]:
    for database, name in DATABASES.items():
        rows = [row for row in of["planning"] if row["database"] == database]
        ratios = tuple(row["plan"] / row["bare"] for row in rows)
        if ratios:
            title = f"planning {rows[0]['items']:,} items, against the bare SQL"
            yield Figure(title, name, ratios, most=3.0)
    for row in of["previews"]:
        title = f"preview of {row['items']:,} items, against planning them"
        ratio = (row["preview"] / row["plan"],)
        yield Figure(title, DATABASES[row["database"]], ratio, most=1.0)
    for row in of["drafts"]:
        for who, words in (("few", "100"), ("many", "1,000,000")):
            title = f"request that drafts a run over {words} instances"
            took = (row[who] * 1000,)
            yield Figure(title, DATABASES[row["database"]], took, unit="ms", most=150.0)


def _pages(of: dict[str, list[Row]]) -> Iterator[Figure]:
    for row in of["pages"]:
        for page, words in (("list", "list of instances"), ("run", "page of the run")):
            ratio = row["busy"][page] / row["idle"][page]
            title = f"{words} while a run works, against idle"
            yield Figure(title, DATABASES[row["database"]], (ratio,), most=2.0)


def _ceiling(of: dict[str, list[Row]]) -> Iterator[Figure]:
    best = best_ceiling(of["ceiling"])
    asked = [
        sum(row["calls"].values()) / row["wall"]
        for row in of["speed"]
        if row["subject"] in DATABASES
    ]
    if best and asked:
        title = "the target's ceiling, against the most that the engine asked of it"
        yield Figure(title, "", (best / max(asked),), least=HEADROOM)


def best_ceiling(rows: Iterable[Row]) -> float:
    """Return the calls a second that the target answers, the better of one process and two."""
    rates: dict[int, list[float]] = defaultdict(list)
    for row in rows:
        if row["part"] == "ceiling":
            rates[row["processes"]].append(row["calls"] / row["wall"])
    return max((median(of) for of in rates.values()), default=0.0)


def missed(figures: Iterable[Figure]) -> list[Figure]:
    """Return the figures that are not what they have to be."""
    return [figure for figure in figures if not figure.good]
