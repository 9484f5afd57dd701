"""What is measured, how often and with how many items, and what each figure has to be."""

from dataclasses import dataclass, replace

from tests.bench.wire import Kind

ROUNDS = 5
CONNECTIONS = 50
#: Instances that are there while speed is measured.
CROWD = 10_000
#: The target must be able to answer so many times what is asked of it.
HEADROOM = 3.0


@dataclass(frozen=True, slots=True)
class Cell:
    """One measurement of speed: the engine on each database, the bare loop and xargs in turns.

    A bar is the least median ratio of rates, None where the issue at hand asks for none.
    """

    name: str
    kind: Kind
    latency: float  # seconds
    items: (
        int  # of the engine and the bare loop; five seconds or more where latency binds
    )
    by_xargs: int  # fewer: its rate does not depend on how many there are
    bare: float | None
    xargs: float | None
    rate: float | None = None  # items a second
    connections: int = CONNECTIONS


CELLS = (
    Cell("probe at 50 ms", "probe", 0.05, 10_000, 400, 0.95, 2.5),
    Cell("revoke at 50 ms", "revoke", 0.05, 3_000, 100, 0.93, 2.5),
    Cell("probe at 20 ms", "probe", 0.02, 10_000, 400, 0.90, 5.0),
    Cell("revoke at 20 ms", "revoke", 0.02, 5_000, 100, 0.90, 5.0),
    Cell("probe at 0 ms", "probe", 0.0, 8_000, 400, None, 15.0, 4_000.0),
    Cell("revoke at 0 ms", "revoke", 0.0, 2_000, 100, None, 15.0),
    Cell(
        "probe at 50 ms, 500 connections",
        "probe",
        0.05,
        8_000,
        800,
        None,
        8.0,
        connections=500,
    ),
)

#: Seconds of worker CPU that one item may cost, in every cell.
CPU: dict[Kind, float] = {"probe": 0.0004, "revoke": 0.001}


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much the other parts measure; `tiny` is for trying the bench itself."""

    rounds: int = ROUNDS
    cells: tuple[Cell, ...] = CELLS
    crowd: int = CROWD
    planned: int = 100_000
    matching: int = 1_000_000
    drafts: int = 9
    growth: tuple[tuple[int, int], ...] = ((1_000, 3), (10_000, 3), (100_000, 1))
    watched: int = 100_000  # items of the run beside which pages are opened
    looks: int = 25
    worker_rounds: int = 2
    worker_items: int = 1_750  # for each worker: three and a half seconds
    ceiling: int = 30_000
    events: tuple[int, int] = (
        1_000,
        1_000_000,
    )  # of the audit, when its pages are opened
    weighed: tuple[int, int] = (100_000, 1_000_000)  # … when its commands' memory is
    proofs: int = 3
    audited_items: int = 10_000  # revocations of a run with and without the chain
    chain_rounds: int = 4
    listed: tuple[int, dict[str, int]] = (
        1_000,
        {"postgres": 1_000_000, "sqlite": 100_000},
    )  # instances, when their list is looked at
    list_looks: int = 11


def tiny() -> Sizes:
    """Return sizes with which everything is tried once; the figures mean nothing."""
    cells = tuple(replace(cell, items=300, by_xargs=20) for cell in CELLS)
    return Sizes(
        rounds=1,
        cells=cells,
        crowd=1_000,
        planned=2_000,
        matching=5_000,
        drafts=3,
        growth=((200, 1), (1_000, 1)),
        watched=2_000,
        looks=3,
        worker_rounds=1,
        worker_items=300,
        ceiling=2_000,
        events=(200, 2_000),
        weighed=(1_000, 2_000),
        proofs=1,
        audited_items=300,
        chain_rounds=2,
        listed=(200, {"postgres": 2_000, "sqlite": 2_000}),
        list_looks=3,
    )
