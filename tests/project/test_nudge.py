"""A nudge goes out after the commit, carries ids, and may get lost."""

import json
import time

import pytest
from celery import Celery
from django.conf import settings
from django.db import transaction

from ceadmin.lib import broker as broker_client
from ceadmin.lib.nudge import nudge

QUEUE = "tests-nudge"  # the worker of other tests would empty its own


class Undone(Exception):
    """Rolls a transaction back."""


@pytest.fixture
def queue(broker, monkeypatch):
    """A queue that nobody reads."""
    app = Celery(broker=settings.CELERY_BROKER_URL, set_as_current=False)
    app.conf.task_default_queue = QUEUE
    monkeypatch.setattr("ceadmin.lib.nudge.current_app", app)
    yield QUEUE
    broker_client.client().delete(QUEUE)


@pytest.mark.django_db(transaction=True)
def test_a_message_goes_out_with_the_commit_and_carries_the_ids(queue):
    with transaction.atomic():
        nudge("tests.nothing", run_id=7)
        before = broker_client.client().llen(queue)

    message = json.loads(broker_client.client().lindex(queue, 0))
    assert before == 0
    assert message["headers"]["task"] == "tests.nothing"
    assert "7" in message["headers"]["kwargsrepr"]


@pytest.mark.django_db(transaction=True)
def test_nothing_goes_out_when_the_transaction_is_undone(queue):
    with pytest.raises(Undone), transaction.atomic():
        nudge("tests.nothing", run_id=7)
        raise Undone

    assert broker_client.client().llen(queue) == 0


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_costs_a_warning(monkeypatch, caplog):
    away = Celery(broker="redis://127.0.0.1:1/0", set_as_current=False)
    away.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    monkeypatch.setattr("ceadmin.lib.nudge.current_app", away)
    started = time.monotonic()

    nudge("tests.nothing", run_id=7)

    assert time.monotonic() - started < 3
    assert "tests.nothing is left to the sweep" in caplog.text
