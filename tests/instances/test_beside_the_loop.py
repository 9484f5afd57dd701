"""Batches are written beside the loop, by a thread with a connection of its own."""

import threading

import pytest
from django.db import OperationalError, transaction
from django.utils import timezone

from instances import runs
from instances.actions.calls import Result
from instances.actions.load import actor_of_run
from instances.choices import ItemStatus, Outcome, RunKind
from instances.engine import claim
from instances.engine.shard import Shard
from instances.engine.writer import Writer
from instances.models import Attempt
from instances.runs.work import FLOWS
from tests.instances.fleet import Fleet, only_item
from tests.instances.test_engine_cost import intend

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("broker"),
]


@pytest.fixture
def fleet(emulator, team):
    return Fleet(emulator, team.acme, team.rita)


def begun(fleet, count=1):
    fleet.synced("box", count)
    run = fleet.draft(RunKind.REVOKE)
    runs.start(run, user=fleet.user, now=timezone.now(), reason="a test")
    run.refresh_from_db()
    return run


@pytest.fixture
def written(fleet):
    """A writer with the intent of a claimed item; closed at the end."""
    run = begun(fleet)
    _, (item,) = claim(run, "one")
    writer = Writer(run, actor_of_run(run), timezone.now, "one")
    sent = []
    intend(writer, item, sent)
    yield writer, item, sent
    writer.hand.close()


def test_a_call_goes_in_the_loop_s_thread_once_its_intent_is_committed(written):
    writer, item, sent = written

    writer.begin()
    before = (writer.hand.busy, writer.standing, list(sent))
    assert writer.hand.collect(wait=True)

    assert before == (True, 1, [])
    assert (writer.hand.busy, writer.standing, len(sent)) == (False, 0, 1)
    assert Attempt.objects.filter(item=item, state="intended").exists()


def test_one_batch_is_written_at_a_time(written):
    writer, item, _ = written
    writer.begin()
    writer.end(item, Result(Outcome.STILL_ALIVE))

    assert not writer.due(idle=True)
    assert writer.unwritten == {item.chunk_number}
    writer.flush()
    assert writer.unwritten == set()

    item.refresh_from_db()
    assert (item.status, item.outcome) == (ItemStatus.DONE, Outcome.STILL_ALIVE)


def test_what_fails_in_the_thread_ends_the_shard_and_sends_nothing(
    written, monkeypatch
):
    writer, _, sent = written

    def fail(*_):
        raise OperationalError("the database is away")

    monkeypatch.setattr(Writer, "_write", fail)
    writer.begin()
    with pytest.raises(OperationalError):
        writer.hand.collect(wait=True)

    assert sent == []


def test_within_a_transaction_it_is_written_there(written):
    writer, _, sent = written

    with transaction.atomic():
        writer.begin()

        assert (writer.hand.busy, len(sent)) == (False, 1)


def test_a_shard_leaves_no_thread_behind(fleet):
    run = begun(fleet, 3)
    shard = Shard(run, FLOWS[run.kind], worker="one", clock=timezone.now)

    shard.work()

    names = [thread.name for thread in threading.enumerate()]
    assert [name for name in names if name.startswith("hand")] == []
    assert Attempt.objects.filter(item__run=run, purpose="revoke_refresh").count() == 3


def test_it_works_the_same_with_one_item(fleet):
    run = begun(fleet)

    fleet.work(run)

    assert only_item(run).outcome == Outcome.VERIFIED_DEAD
