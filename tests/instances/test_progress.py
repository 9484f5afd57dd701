"""Counting a run costs the same at its end as at its start, and reads no row of it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from instances import runs
from instances.choices import ItemStatus
from instances.models import Item
from tests.instances.crowds import end_items, make_run, vm_steps

MANY = 5_000


@pytest.fixture
def run(team):
    return make_run(team.acme, MANY)


def plan_of(sql: str) -> str:
    """Return how the database finds what a statement asks for."""
    words = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}[connection.vendor]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # The only run of a table, written a moment ago: reading it all is right here.
            cursor.execute("ANALYZE instances_item")
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"{words} {sql}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def test_counts_are_by_provider_outcome_and_cause(run):
    end_items(run, share=0.5)

    counts = runs.progress(run)

    assert (counts.total, counts.done, counts.waiting) == (MANY, MANY // 2, 0)
    assert counts.outcomes == {"connected": 2250, "transient": 250}
    assert counts.weights == {"good": 2250, "attention": 250}
    assert counts.causes == {"http_503": 250}
    assert counts.providers == {"box": (1250, 2500), "salesforce": (1250, 2500)}
    (trouble,) = counts.troubles
    assert (trouble.outcome, trouble.cause, trouble.count) == (
        "transient",
        "http_503",
        250,
    )


def test_one_query_counts(run):
    with CaptureQueriesContext(connection) as asked:
        runs.progress(run)

    assert len(asked) == 1


def test_counting_reads_the_index_and_no_row(run):
    end_items(run, share=0.7)
    with CaptureQueriesContext(connection) as asked:
        runs.progress(run)

    plan = plan_of(asked[0]["sql"])

    assert "items_by_outcome" in plan, plan
    assert "COVERING INDEX" in plan or "Index Only Scan" in plan, plan
    assert "TEMP B-TREE" not in plan, plan  # grouped as the index is, nothing is sorted


@pytest.mark.skipif(connection.vendor != "sqlite", reason="counts SQLite's own steps")
def test_counting_costs_at_the_end_what_it_costs_at_the_start(run):
    steps = []
    for share in (0, 0.5, 1):
        end_items(run, share=share)
        with vm_steps() as counted:
            runs.progress(run)
        steps.append(counted[0])

    assert max(steps) <= 1.1 * min(steps), steps
    # An index that is walked once in its order needs about ten instructions a row.
    assert max(steps) * 100 <= 20 * MANY, steps


def test_old_runs_are_counted_from_what_was_kept(run):
    end_items(run)
    run.tallies = Item.objects.filter(run=run).tally()
    before = runs.progress(run)
    Item.objects.filter(run=run).delete()

    assert runs.progress(run) == before


def test_waiting_items_are_counted(run):
    Item.objects.filter(run=run, number__lte=3).update(status=ItemStatus.WAITING)

    assert runs.progress(run).waiting == 3
