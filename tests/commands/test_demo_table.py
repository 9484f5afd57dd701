"""The demo's table notices a step that went wrong and a log that tells otherwise."""

import pytest

from instances.choices import Outcome
from instances.management.demo.table import ARTICLE, Column, Heard, differences, lines

INSTANCE = 471001
ROWS = [
    Heard("GET", "api.cloud-elements.com", "/elements/api-v2/ping", 200),
    Heard("POST", "api.box.com", "/oauth2/revoke", 200),
    Heard("GET", "api.cloud-elements.com", "/elements/api-v2/ping", 401),
    Heard(
        "GET", "api.cloud-elements.com", "/elements/api-v2/elements/box/oauth/url", 200
    ),
]


def entry(heard, instances=(INSTANCE,)):
    return {
        "method": heard.method,
        "host": heard.host,
        "path": heard.path,
        "status": heard.status,
        "instances": list(instances),
    }


@pytest.fixture
def log():
    """What the stand-in received: as told, with another drill in between."""
    other = entry(ROWS[1], [471002])
    nobody = entry(ROWS[3], [])
    return [entry(ROWS[0]), other, entry(ROWS[1]), entry(ROWS[2]), nobody]


def test_a_log_that_tells_the_same_has_no_difference(log):
    assert differences(ROWS, log, INSTANCE) == []


def test_a_row_that_was_never_received_is_found(log):
    del log[2]

    found = differences(ROWS, log, INSTANCE)

    assert found == [
        "not in the log, or not in this order: POST api.box.com/oauth2/revoke → 200"
    ]


def test_another_status_than_told_is_found_on_both_sides(log):
    log[2]["status"] = 503

    found = differences(ROWS, log, INSTANCE)

    assert len(found) == 2
    assert "told by no row: POST api.box.com/oauth2/revoke → 503" in found[1]


def test_another_order_than_told_is_found(log):
    log[2], log[3] = log[3], log[2]

    assert differences(ROWS, log, INSTANCE) != []


def test_a_call_that_no_row_tells_is_found(log):
    log.append(entry(Heard("DELETE", "api.cloud-elements.com", "/instances", 200)))

    found = differences(ROWS, log, INSTANCE)

    assert found == [
        "received, and told by no row: DELETE api.cloud-elements.com/instances → 200"
    ]


def test_calls_about_other_instances_are_not_looked_at(log):
    log.append(entry(ROWS[0], [471002]))

    assert differences(ROWS, log, INSTANCE) == []


def test_a_good_drill_is_what_the_article_says():
    assert Column("Box", ARTICLE, Outcome.RECONNECTED).good


@pytest.mark.parametrize("number", range(8))
def test_each_step_that_went_otherwise_is_marked(number):
    seen = list(ARTICLE)
    seen[number] = 500
    column = Column("Box", tuple(seen), Outcome.RECONNECTED)

    text = list(lines([column]))

    assert not column.good
    assert text[number + 1].endswith("*500")
    assert sum("*" in line for line in text) == 1


def test_the_right_statuses_with_another_outcome_are_not_good():
    assert not Column("Box", ARTICLE, Outcome.WRONG_ACCOUNT).good


def test_a_step_that_was_not_reached_is_marked():
    column = Column("Box", (*ARTICLE[:4], None, None, None, None), Outcome.WAITING)

    assert "*–" in list(lines([column]))[5]
