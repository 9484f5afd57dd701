"""The worker of the tests is a real one: it lives, and it takes what is enqueued."""

import pytest

from ceadmin.lib import broker as broker_client
from ceadmin.lib.nudge import nudge
from tests.services import wait_until


@pytest.mark.django_db(transaction=True)
def test_a_worker_shows_that_it_lives(worker):
    assert broker_client.live_workers() >= 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_takes_messages(worker):
    nudge("tests.unknown_task", run_id=7)

    wait_until(lambda: "tests.unknown_task" in worker.last_lines(), 20, "a log line")
