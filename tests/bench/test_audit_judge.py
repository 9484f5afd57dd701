"""The audit's figures are judged: pages on PostgreSQL, proof and chain on both databases."""

import pytest

from tests.bench import audit_parts, cells, judge
from tests.bench.figures import Figure


def figures(*rows: dict) -> list[Figure]:
    """Return what is judged of rows."""
    return [one for one in judge.judge(rows) if one.bar]


def looked(database: str, events: int, seconds: float) -> dict:
    """Return a row of the audit's pages."""
    times = {"first page": seconds}
    row = {"part": "audit", "database": database}
    return {**row, "events": events, "times": times}


@pytest.mark.parametrize(("many", "good"), [(0.19, True), (0.21, False)])
def test_a_page_at_many_events_is_judged_against_few(many, good):
    rows = (looked("postgres", 1_000, 0.1), looked("postgres", 1_000_000, many))

    (one,) = figures(*rows)

    assert (one.good, one.subject, "first page" in one.title) == (
        good,
        "PostgreSQL",
        True,
    )


def test_sqlite_s_pages_are_shown_and_not_judged():
    rows = (looked("sqlite", 1_000, 0.1), looked("sqlite", 1_000_000, 9.0))

    assert figures(*rows) == []
    assert len(judge.judge(rows)) == 2


@pytest.mark.parametrize(("many", "good"), [(109.0, True), (111.0, False)])
def test_commands_take_the_same_memory_for_many_events(many, good):
    row = {"part": "footprint", "database": "sqlite"}
    rows = (
        row | {"events": events, "memory": {"exporting as CSV": memory}}
        for events, memory in ((100_000, 100.0), (1_000_000, many))
    )

    (one,) = figures(*rows)

    assert (one.good, "exporting as CSV" in one.title) == (good, True)


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
@pytest.mark.parametrize(("took", "good"), [(2.9, True), (3.1, False)])
def test_verifying_keeps_a_third_of_a_bare_loop(database, took, good):
    row = {"part": "proof", "database": database, "bare": 1.0, "verify": took}
    row |= {"events": 1_000_000, "round": 0, "memory": 0.1}

    both = figures(*(row | {"of": of} for of in ("database", "file")))

    assert [one.good for one in both] == [good, good]


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
@pytest.mark.parametrize(("took", "good"), [(1.14, True), (1.16, False)])
def test_the_chain_costs_a_run_little(database, took, good):
    row = {"part": "chain", "database": database, "items": 10_000, "plain": 1.0}

    (one,) = figures(row | {"chained": took, "round": 0})

    assert one.good is good


def test_the_bench_measures_what_is_asked():
    sizes = cells.Sizes()

    assert sizes.events == (1_000, 1_000_000)
    assert sizes.audited_items == 10_000
    assert (audit_parts.PAGE, audit_parts.CHAIN) == (2.0, 1.15)
