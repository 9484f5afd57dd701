"""The parts of the bench that measure the audit, and what their figures have to be."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from tests.bench.cells import CONNECTIONS, Sizes
from tests.bench.figures import DATABASES, Figure
from tests.bench.session import Session
from tests.bench.target import Target

Row = dict[str, Any]

#: A page at many events may take so many times what it takes at few, on PostgreSQL.
PAGE = 2.0
#: Verifying keeps at least so much of the speed of a bare loop.
THIRD = 1 / 3
#: Ten times the events take no more memory, to export and to verify.
CONSTANT = 1.1
#: The chain may cost a run so much of its wall time.
CHAIN = 1.15


def audit(target: Target, sessions: list[Session], sizes: Sizes) -> Iterator[Row]:
    """Pages of the audit at few events and at many, then the proof of the many."""
    Session.ask_all(sessions, "seed", count=sizes.audited_items)
    for session in sessions:
        for events in sorted({*sizes.events, *sizes.weighed}):
            session.ask("audit_fill", events=events)
            row = {"database": session.database, "events": events}
            if events in sizes.events:
                times = session.ask("audit_pages", looks=sizes.looks)
                yield {"part": "audit", **row, "times": times}
            if events in sizes.weighed:
                took = session.ask("audit_footprints")
                yield {"part": "footprint", **row, "memory": took}
        for number in range(sizes.proofs):
            for told in session.ask("audit_verify"):
                row = {"part": "proof", "database": session.database}
                yield {**row, "round": number, **told}


def chain(target: Target, sessions: list[Session], sizes: Sizes) -> Iterator[Row]:
    """The same run of revocations with the audit chained and with plain rows, in turns."""
    target.fresh(0.0)
    Session.ask_all(sessions, "seed", count=sizes.audited_items)
    how = {"items": sizes.audited_items, "connections": CONNECTIONS}
    for session in sessions:
        session.ask("employ", workers=0, processes_each=0)
        for number in range(sizes.chain_rounds):
            took = {}
            for chained in (True, False) if number % 2 else (False, True):
                target.fresh(0.0)
                told = session.ask("audit_run", chained=chained, **how)
                took["chained" if chained else "plain"] = told
            row = {"part": "chain", "database": session.database, "round": number}
            yield {**row, "items": sizes.audited_items, **took}


PARTS = {"audit": audit, "chain": chain}


def figures(of: dict[str, list[Row]]) -> Iterator[Figure]:
    """Yield the judged figures of the audit."""
    for database, name in DATABASES.items():
        mine = {
            part: [row for row in of[part] if row["database"] == database]
            for part in ("audit", "footprint", "proof", "chain")
        }
        yield from _pages(mine["audit"], name, judged=database == "postgres")
        yield from _footprints(mine["footprint"], name)
        yield from _proof(mine["proof"], name)
        ratios = tuple(row["chained"] / row["plain"] for row in mine["chain"])
        if ratios:
            title = (
                f"{mine['chain'][0]['items']:,} revocations, chained against plain rows"
            )
            yield Figure(title, name, ratios, most=CHAIN)


def _pages(rows: list[Row], name: str, *, judged: bool) -> Iterator[Figure]:
    times: dict[int, dict[str, float]] = defaultdict(dict)
    for row in rows:
        times[row["events"]] = row["times"]
    if len(times) < 2:
        return
    few, many = min(times), max(times)
    for page, took in times[many].items():
        title = f"audit, {page}, at {many:,} events against {few:,}"
        most = PAGE if judged else None
        yield Figure(title, name, (took / times[few][page],), most=most)
        yield Figure(f"audit, {page}, at {many:,} events", name, (took * 1000,), "ms")


def _footprints(rows: list[Row], name: str) -> Iterator[Figure]:
    memory = {row["events"]: row["memory"] for row in rows}
    if len(memory) < 2:
        return
    few, many = min(memory), max(memory)
    for command, took in memory[many].items():
        title = f"memory of {command}, at {many:,} events against {few:,}"
        yield Figure(title, name, (took / memory[few][command],), most=CONSTANT)
        yield Figure(f"memory of {command}, at {many:,} events", name, (took,), "MB")


def _proof(rows: list[Row], name: str) -> Iterator[Figure]:
    for of, words in (("database", "there"), ("file", "in a file")):
        mine = [row for row in rows if row["of"] == of]
        if not mine:
            continue
        title = f"verifying {mine[0]['events']:,} events {words}, speed against"
        ratios = tuple(row["bare"] / row["verify"] for row in mine)
        bare = f"{title} a bare SHA-256 loop that reads them there"
        yield Figure(bare, name, ratios, least=THIRD)
        ratios = tuple(row["memory"] / row["verify"] for row in mine)
        yield Figure(f"{title} one that has them in memory", name, ratios)
