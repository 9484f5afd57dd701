"""The list's figures are judged on both databases: time of queries, and how many."""

import pytest

from tests.bench import cells, judge, list_parts


def looked(database: str, instances: int, seconds: float, count: int = 20) -> dict:
    """Return a row of the list's pages."""
    page = {"queries": seconds, "count": [count], "page": 0.1}
    row = {"part": "lists", "database": database, "instances": instances}
    return {**row, "pages": {"list": page}}


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
@pytest.mark.parametrize(
    ("seconds", "queries", "good"),
    [(0.019, 21, [True, True]), (0.021, 20, [False, True]), (0.01, 22, [True, False])],
)
def test_a_page_at_many_instances_is_judged_against_few(
    database, seconds, queries, good
):
    rows = looked(database, 1_000, 0.01), looked(database, 10**6, seconds, queries)

    assert [one.good for one in judge.judge(rows) if one.bar] == good


def test_the_bench_measures_what_is_asked():
    few, many = cells.Sizes().listed

    assert (few, many) == (1_000, {"postgres": 1_000_000, "sqlite": 100_000})
    assert list_parts.RATIO == 2.0
