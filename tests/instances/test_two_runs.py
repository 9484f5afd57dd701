"""Two runs over the same instances at once, and a revocation beside a reconnect of one instance."""

import random

import pytest
from django.utils import timezone

from ceadmin.lib import http
from instances import runs, selection
from instances.choices import InstanceStatus, ItemStatus, Outcome, RunKind, RunStatus
from instances.engine.shard import Shard
from instances.models import Attempt, Chunk, Hold, Instance, Item, Run
from instances.reconnect import close
from instances.runs.work import FLOWS, bring_on
from tests.instances.killing import assert_sound, fleet, quick, revocations
from tests.instances.reconnecting import Browser, waiting
from tests.worker.ledger import Ledger

__all__ = ["fleet", "quick"]

pytestmark = pytest.mark.usefixtures("patient")


@pytest.fixture
def patient(quick, monkeypatch):
    """Give servers time: a shard whose turn does not come hears no answer."""
    monkeypatch.setattr(http.Request.__init__, "__defaults__", ((), None, 30.0))


COUNT = 12


def begun(fleet, kind=RunKind.REVOKE) -> Run:
    """Return a started run over everything."""
    run = fleet.draft(kind)
    if run.status == RunStatus.DRAFT:
        runs.start(run, user=fleet.user, now=timezone.now(), reason="a test")
    run.refresh_from_db()
    return run


def shard_of(run: Run, name: str) -> Shard:
    """Return a worker's share of a run."""
    return Shard(run, FLOWS[run.kind], worker=name, clock=timezone.now, connections=4)


def work_in_turns(runs_at_work: list[Run], seed: int) -> None:
    """Let a shard of each run take its turns in an order of chance until all have ended."""
    chance = random.Random(seed)
    shards = {run: shard_of(run, f"worker of {run.pk}") for run in runs_at_work}
    for _ in range(5_000):
        going = [run for run in shards if run.status == RunStatus.RUNNING]
        if not going:
            return
        run = chance.choice(going)
        # What another run holds is tried again after seconds; here at once.
        Chunk.objects.filter(run=run).update(not_before=None)
        shards[run].next_claim = 0.0
        if not shards[run]._turn():
            shards[run]._leave()
            bring_on(run, timezone.now())
            shards[run] = shard_of(run, f"worker of {run.pk}")
        run.refresh_from_db()
    raise AssertionError([(run, run.status) for run in shards])


@pytest.mark.parametrize("seed", range(3))
def test_of_two_revocations_the_one_kills_and_the_other_sees_it(fleet, seed):
    instances = fleet.synced("box", COUNT)
    first, second = begun(fleet), begun(fleet)

    work_in_turns([first, second], seed)

    for instance in instances:
        ended = Item.objects.filter(instance=instance, run__in=[first, second])
        outcomes = sorted(ended.values_list("outcome", flat=True))
        assert outcomes == [Outcome.ALREADY_DEAD, Outcome.VERIFIED_DEAD]
    assert len(revocations(fleet, "revoked")) == COUNT
    assert not Hold.objects.exists()
    for run in (first, second):
        assert_sound(run)


@pytest.mark.parametrize("seed", range(3))
def test_a_probe_beside_a_revocation_tells_what_it_saw_and_takes_nothing_back(
    fleet, seed
):
    instances = fleet.synced("box", COUNT)
    killing, looking = begun(fleet), begun(fleet, RunKind.PROBE)

    work_in_turns([killing, looking], seed)

    seen = set(looking.items.values_list("outcome", flat=True))
    assert seen <= {Outcome.CONNECTED, Outcome.DEAD, Outcome.TRANSIENT}
    Ledger(fleet, killing).check(COUNT, verified_dead=COUNT)
    assert all(not fleet.truth(one)["access_alive"] for one in instances)


# A revocation and a reconnect


@pytest.fixture
def person():
    return Browser()


def test_who_consents_while_the_revocation_is_in_the_air_is_told_to_wait(
    emulator, team, person
):
    case = waiting(emulator, team.acme, state="alive", user=team.rita)
    killing = revocation_of(team)
    shard = shard_of(killing, "one")
    back = person.consent(case)
    sent = Attempt.objects.filter(item__run=killing, purpose__startswith="revoke")
    for _ in range(200):
        if not sent.exists():
            shard._turn()
    assert sent.exists()

    busy = person.come_back(back)
    shard.work()

    assert busy["Location"] == "/reconnect/failed/busy/"
    assert killing.items.get().outcome == Outcome.VERIFIED_DEAD
    assert Instance.objects.get().status == InstanceStatus.REVOKED
    assert case.heard("PATCH", "/instances") == []
    # Afterwards the same link does it.
    person.reconnect(case)
    assert case.fresh().item.outcome == Outcome.RECONNECTED
    assert case.truth()["access_alive"]


def revocation_of(team) -> Run:
    """Return a started revocation of the one instance."""
    now = timezone.now()
    run = runs.create(
        RunKind.REVOKE, team.acme, selection.everything(), user=team.rita, now=now
    )
    runs.plan(run.pk, now=now)
    runs.start(run, user=team.rita, now=now, reason="a test")
    run.refresh_from_db()
    return run


def test_a_revocation_waits_until_the_reconnect_is_done_and_kills_the_new_grant(
    emulator, team, person, monkeypatch
):
    case = waiting(emulator, team.acme, state="dead", user=team.rita)
    killing = revocation_of(team)
    performed, between = close.perform, []

    def perform(flow, trail, **more):
        shard_of(killing, "one").work()
        between.append(killing.items.get().status)
        return performed(flow, trail, **more)

    monkeypatch.setattr(close, "perform", perform)
    person.reconnect(case)

    assert between == [ItemStatus.QUEUED]
    assert case.fresh().item.outcome == Outcome.RECONNECTED
    assert case.truth()["access_alive"]
    assert not Attempt.objects.filter(item__run=killing).exists()
    Chunk.objects.filter(run=killing).update(not_before=None)
    runs.work(killing.pk, worker="one")
    assert killing.items.get().outcome == Outcome.VERIFIED_DEAD
    assert not case.truth()["access_alive"]
    assert not Hold.objects.exists()
