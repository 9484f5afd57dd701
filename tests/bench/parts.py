"""The parts of the bench: each asks the sessions and yields rows of raw figures."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

from tests.bench import audit_parts, bare, list_parts, xargs
from tests.bench.cells import CONNECTIONS, Cell, Sizes
from tests.bench.session import Session
from tests.bench.target import Target

Row = dict[str, Any]
Part = Callable[[Target, list[Session], Sizes], Iterator[Row]]

#: Connections of one worker where it is shown what one more worker adds.
_OF_ONE = 25
_LATENCY = 0.05


def ceiling(target: Target, sessions: list[Session], sizes: Sizes) -> Iterator[Row]:
    """How many calls a second the target answers a bare loop, in one process and in two."""
    for processes in (1, 2):
        for number in range(3):
            target.fresh(0.0)
            took = bare.measure(
                target.url, "probe", sizes.ceiling, CONNECTIONS, processes
            )
            yield {
                "part": "ceiling",
                "round": number,
                "processes": processes,
                "calls": sizes.ceiling,
                **took,
            }


def speed(target: Target, sessions: list[Session], sizes: Sizes) -> Iterator[Row]:
    """The engine, the bare loop and xargs in turns, on the same target."""
    Session.ask_all(sessions, "seed", count=sizes.crowd)
    Session.ask_all(sessions, "employ", workers=1, processes_each=2)
    for session in sessions:
        target.fresh(0.0)
        for kind in ("probe", "revoke"):  # the workers are warm from here on
            session.ask("work", kind=kind, items=300, connections=CONNECTIONS)
    for cell in sizes.cells:
        yield from kept(_cell(target, sessions, cell, sizes), cell.name)


def _cell(
    target: Target, sessions: list[Session], cell: Cell, sizes: Sizes
) -> Iterator[Row]:
    for number in range(sizes.rounds):
        yield from _round(target, sessions, cell, number)


def kept(rows: Iterator[Row], name: str) -> Iterator[Row]:
    """Yield rows, and what broke off as the last of them: the other parts go on."""
    try:
        yield from rows
    except (RuntimeError, OSError) as error:
        print(error, file=sys.stderr)
        last = str(error).strip().splitlines()[-1]  # the rest names places here
        yield {"part": "broken", "name": name, "error": last}


def _round(
    target: Target, sessions: list[Session], cell: Cell, number: int
) -> Iterator[Row]:
    subjects: list[tuple[str, int, Callable[[], dict[str, float]]]] = [
        (session.database, cell.items, _engine(session, cell)) for session in sessions
    ]
    if cell.bare is not None:
        subjects.append(("bare", cell.items, _loop(bare.measure, target, cell)))
    hand = _loop(xargs.measure, target, cell)
    subjects.append(("xargs", cell.by_xargs, hand))
    turn = number % len(subjects)  # nobody is always first
    for name, items, measure in subjects[turn:] + subjects[:turn]:
        target.fresh(cell.latency)
        took = measure()
        row = {"part": "speed", "cell": cell.name, "round": number, "subject": name}
        yield {**row, "items": items, **took, "calls": target.counts()}


def _engine(session: Session, cell: Cell) -> Callable[[], dict[str, float]]:
    how = {"items": cell.items, "connections": cell.connections}
    return lambda: session.ask("work", kind=cell.kind, **how)


def _loop(measure: Any, target: Target, cell: Cell) -> Callable[[], dict[str, float]]:
    items = cell.by_xargs if measure is xargs.measure else cell.items
    return lambda: measure(target.url, cell.kind, items, cell.connections)


def workers(target: Target, sessions: list[Session], sizes: Sizes) -> Iterator[Row]:
    """One, two and four workers: with connections for each, and with one limit for all."""
    session = sessions[-1]  # PostgreSQL where there is one: workers on many machines
    session.ask("seed", count=sizes.crowd)
    for number in range(sizes.worker_rounds):
        for many in (1, 2, 4):
            session.ask("employ", workers=many, processes_each=1)
            session.ask("work", kind="probe", items=200, connections=CONNECTIONS)
            for limit, shared in ((_OF_ONE * many, False), (_OF_ONE * 2, True)):
                items = sizes.worker_items * (2 if shared else many)
                target.fresh(_LATENCY)
                took = session.ask("work", kind="probe", items=items, connections=limit)
                yield {
                    "part": "workers",
                    "database": session.database,
                    "round": number,
                    "workers": many,
                    "shared_limit": shared,
                    "items": items,
                    **took,
                }


def growth(target: Target, sessions: list[Session], sizes: Sizes) -> Iterator[Row]:
    """The same run with ten and with a hundred times the items: rate, CPU, memory, progress."""
    target.fresh(0.0)
    most = max(items for items, _ in sizes.growth)
    Session.ask_all(sessions, "seed", count=most)
    for session in sessions:
        session.ask("employ", workers=1, processes_each=2)
        session.ask("work", kind="probe", items=300, connections=CONNECTIONS)
        for items, times in sizes.growth:
            for number in range(times):
                told = session.ask("growth", items=items, connections=CONNECTIONS)
                row = {"part": "growth", "database": session.database, "items": items}
                yield {**row, "round": number, **told}


def planning(target: Target, sessions: list[Session], sizes: Sizes) -> Iterator[Row]:
    """Planning against the bare SQL, and the request that drafts a run."""
    Session.ask_all(sessions, "seed", count=sizes.planned)
    # No worker is there: it would plan what is planned here, and the drafts of the requests.
    Session.ask_all(sessions, "employ", workers=0, processes_each=0)
    for session in sessions:
        for number in range(sizes.rounds):
            told = session.ask("plan", items=sizes.planned)
            row = {"part": "planning", "database": session.database}
            yield {**row, "round": number, "items": sizes.planned, **told}
    for session in sessions:
        told = session.ask("preview", items=sizes.planned)
        row = {"part": "previews", "database": session.database}
        yield {**row, "items": sizes.planned, **told}
    Session.ask_all(sessions, "crowd", count=sizes.matching)
    for session in sessions:
        told = session.ask("draft_requests", times=sizes.drafts)
        yield {"part": "drafts", "database": session.database, **told}


def pages(target: Target, sessions: list[Session], sizes: Sizes) -> Iterator[Row]:
    """Two pages of the admin while a run works and while nothing does."""
    Session.ask_all(sessions, "seed", count=sizes.watched)
    for session in sessions:
        session.ask("employ", workers=1, processes_each=2)
        target.fresh(_LATENCY)
        told = session.ask(
            "pages", items=sizes.watched, connections=CONNECTIONS, looks=sizes.looks
        )
        yield {"part": "pages", "database": session.database, **told}


#: In the order in which they are worked; `lists` fills a database of its own size.
PARTS: dict[str, Part] = {
    "ceiling": ceiling,
    "speed": speed,
    "workers": workers,
    "growth": growth,
    "pages": pages,
    "planning": planning,
    **audit_parts.PARTS,
    **list_parts.PARTS,
}
