"""A grant that several items of a run share is revoked once, and each of them is seen dead."""

import random

import pytest
from django.utils import timezone

from ceadmin.lib import http
from instances import runs
from instances.actions import along
from instances.choices import InstanceStatus, ItemStatus, Outcome, RunKind, RunStatus
from instances.engine.shard import Shard
from instances.models import Chunk, Instance, Item, Run
from instances.runs.work import FLOWS, bring_on
from tests.instances.killing import assert_sound, fleet, quick, revocations

__all__ = ["fleet", "quick"]

pytestmark = pytest.mark.usefixtures("quick", "hurried")

REALM = "9130355377388383"


@pytest.fixture
def hurried(monkeypatch):
    """Ask for the first one's end more often."""
    monkeypatch.setattr(along, "_PAUSES", (0.05, 0.1, 0.2, 0.4))
    monkeypatch.setattr(along, "_BACK_SECONDS", 0.5)


def sharing(fleet, count: int, **row) -> list[Instance]:
    """Return instances that hold one and the same token."""
    (first,) = fleet.seed("box", **row)
    fleet.seed("box", count - 1, share_grant_with=first["id"], **row)
    fleet.sync()
    return list(Instance.objects.order_by("pk"))


def of_company(fleet, count: int) -> list[Instance]:
    """Return instances of one QuickBooks company, each with tokens of its own."""
    fleet.seed("quickbooks", count, realm=REALM)
    fleet.sync()
    return list(Instance.objects.order_by("pk"))


def ends(run: Run) -> list[tuple[str, str]]:
    """Return how the items ended and why."""
    items = Item.objects.filter(run=run).order_by("outcome", "cause")
    return list(items.values_list("outcome", "cause"))


FIRST, ALONG = (Outcome.VERIFIED_DEAD, ""), (Outcome.VERIFIED_DEAD, "same_grant")


def test_one_token_of_three_instances_is_sent_once(fleet):
    sharing(fleet, 3)

    run = fleet.run(RunKind.REVOKE)

    assert_sound(run)
    assert ends(run) == [FIRST, ALONG, ALONG]
    assert len(revocations(fleet)) == 1
    for instance in Instance.objects.all():
        assert instance.status == InstanceStatus.REVOKED
        assert instance.revoked_at
        assert fleet.truth(instance)["refresh_alive"] is False
    along_with = Item.objects.filter(run=run, cause="same_grant").first()
    first = Item.objects.get(run=run, cause="")
    assert along_with.facts["same_as_item"] == first.pk
    assert along_with.facts["tokens"] == []


def test_the_company_s_connection_is_ended_once_whatever_the_token(fleet):
    instances = of_company(fleet, 3)
    assert {one.account for one in instances} == {REALM}
    assert len({one.grant_fingerprint for one in instances}) == 3

    run = fleet.run(RunKind.REVOKE)

    assert_sound(run)
    assert ends(run) == [FIRST, ALONG, ALONG]
    assert len(revocations(fleet)) == 1
    assert not Instance.objects.exclude(status=InstanceStatus.REVOKED).exists()


def test_who_was_thought_to_die_along_and_lives_is_revoked_itself(fleet):
    fleet.switch(quickbooks_ends_company=False)
    instances = of_company(fleet, 2)

    run = fleet.run(RunKind.REVOKE)

    assert_sound(run)
    assert ends(run) == [FIRST, FIRST]
    assert len(revocations(fleet, "revoked")) == 2
    for instance in instances:
        assert fleet.truth(instance)["refresh_alive"] is False


def test_another_company_is_no_kin(fleet):
    fleet.seed("quickbooks", realm=REALM)
    fleet.seed("quickbooks", realm="4620816365007870")
    fleet.sync()

    run = fleet.run(RunKind.REVOKE)

    assert ends(run) == [FIRST, FIRST]
    assert len(revocations(fleet)) == 2


def test_what_the_first_did_not_kill_the_second_takes_over(fleet):
    sharing(fleet, 2)
    fleet.fault("status", "/oauth2/revoke", status=403, times=1)

    run = fleet.run(RunKind.REVOKE)

    assert_sound(run)
    assert [end[0] for end in ends(run)] == [Outcome.REFUSED, Outcome.VERIFIED_DEAD]
    assert len(revocations(fleet, "revoked")) == 1


def test_a_token_that_was_dead_before_is_so_for_both(fleet):
    sharing(fleet, 2, state="dead")

    run = fleet.run(RunKind.REVOKE)

    assert {end[0] for end in ends(run)} == {Outcome.ALREADY_DEAD}
    assert not revocations(fleet, "revoked")


def test_each_of_two_drills_of_one_grant_waits_for_its_person(fleet):
    sharing(fleet, 2)

    run = fleet.run(RunKind.DRILL)

    items = Item.objects.filter(run=run)
    assert {item.status for item in items} <= {ItemStatus.WAITING, ItemStatus.DONE}
    assert items.filter(status=ItemStatus.WAITING).exists()
    assert len(revocations(fleet)) == 1


@pytest.mark.parametrize(("make", "seed"), [(sharing, 1), (of_company, 2)])
def test_two_shards_at_once_revoke_it_once(fleet, monkeypatch, make, seed):
    # A shard whose turn does not come hears no answer: servers are given time.
    monkeypatch.setattr(http.Request.__init__, "__defaults__", ((), None, 30.0))
    monkeypatch.setattr("instances.runs.freezing.CHUNK_SIZE", 2)
    make(fleet, 4)
    run = fleet.draft(RunKind.REVOKE)
    runs.start(run, user=fleet.user, now=timezone.now(), reason="a test")
    run.refresh_from_db()

    work_in_turns(run, seed)

    assert_sound(run)
    assert ends(run) == [FIRST, *[ALONG] * 3]
    assert len(revocations(fleet)) == 1


def work_in_turns(run: Run, seed: int) -> None:
    """Let two shards take turns in an order of chance until the run has ended."""
    chance = random.Random(seed)
    shards = {name: shard_of(run, name) for name in ("one", "two")}
    for _ in range(20_000):
        run.refresh_from_db()
        if run.status != RunStatus.RUNNING:
            return
        Chunk.objects.filter(run=run).update(not_before=None)
        name = chance.choice(list(shards))
        shards[name].next_claim = 0.0
        if not shards[name]._turn():
            shards[name]._leave()
            bring_on(run, timezone.now())
            shards[name] = shard_of(run, name)
    raise AssertionError(ends(run))


def shard_of(run: Run, name: str) -> Shard:
    """Return a worker's share of a run."""
    return Shard(run, FLOWS[run.kind], worker=name, clock=timezone.now, connections=4)
