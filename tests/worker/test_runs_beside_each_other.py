"""Runs over the same instances at once, worked by real workers: the database decides who goes first."""

from contextlib import contextmanager
from datetime import datetime
from itertools import groupby

import pytest
from django.utils import timezone

from ceadmin.lib import nudge as nudges
from instances import runs
from instances.choices import InstanceStatus, Outcome, RunKind
from instances.models import Attempt, Hold, Instance, Item
from tests.worker import rig as rig_module
from tests.worker.ledger import is_revocation
from tests.worker.rig import rig

__all__ = ["rig"]

pytestmark = pytest.mark.in_earnest


def test_of_two_revocations_by_two_workers_each_grant_is_killed_once(rig, monkeypatch):
    count = rig.crowd(30)
    for name in ("one", "two"):
        rig.worker(name)
    rig.ready(2)
    rig.slow(0, 0.2)

    with begun_together(monkeypatch):
        first, second = rig.begin(), rig.begin()
    rig.ended(first)
    rig.ended(second)

    for instance in Instance.objects.all():
        ended = Item.objects.filter(instance=instance, run__in=[first, second])
        outcomes = sorted(ended.values_list("outcome", flat=True))
        assert outcomes == [Outcome.ALREADY_DEAD, Outcome.VERIFIED_DEAD], instance
        assert len(turns(instance)) == 2, turns(instance)
    log = rig.fleet.emulator.log()
    assert sum(row["effect"] == "revoked" for row in log) == count
    assert not Hold.objects.exists()


def test_a_revocation_and_drills_of_the_same_instances_do_not_cross(rig, monkeypatch):
    rig.crowd(15)
    for name in ("one", "two"):
        rig.worker(name)
    rig.ready(2)
    rig.slow(0, 0.2)

    with begun_together(monkeypatch):
        drills = rig.begin(RunKind.DRILL, self_consent=True)
        killing = rig.begin()
    rig.ended(drills)
    rig.ended(killing)

    for run in (drills, killing):
        assert sum(runs.progress(run).outcomes.values()) == 30
    for instance in Instance.objects.all():
        alive = rig.fleet.truth(instance)["access_alive"]
        known = {True: InstanceStatus.CONNECTED, False: InstanceStatus.REVOKED}
        assert instance.status == known[alive], (instance, told(instance))
        # A drill lets go of its instance while it waits for the person.
        assert turns(instance).count(killing.pk) <= 1, turns(instance)
    assert not Hold.objects.exists()


@contextmanager
def begun_together(monkeypatch):
    """Let each run that begins here send one message, at the end: each worker takes another run."""
    kept = {}
    with monkeypatch.context() as held:
        held.setattr(nudges, "_send", lambda name, ids: kept.update({str(ids): ids}))
        yield
    for ids in kept.values():
        nudges._send("instances.work_run", ids)


def turns(instance) -> list[int]:
    """Return the runs that called something for an instance, each once for calls that follow each other."""
    calls = Attempt.objects.filter(item__instance=instance).order_by("at", "pk")
    return [run for run, _ in groupby(calls.values_list("item__run", flat=True))]


def told(instance) -> list[tuple[str, str, str]]:
    """Return how the items of an instance ended."""
    items = Item.objects.filter(instance=instance).order_by("run_id")
    return list(items.values_list("run__kind", "outcome", "cause"))


def test_a_stop_takes_effect_within_two_seconds_and_keeps_what_is_done(
    rig, monkeypatch
):
    monkeypatch.setattr(rig_module, "CHUNK", 250)  # it is in hand already
    count = rig.crowd(200, "box")
    rig.slow(0, 0.3)
    rig.worker()
    run = rig.begin(calls=10)
    rig.until(run, lambda: runs.progress(run).done >= 20, ticking=False)

    runs.stop(run, user=rig.fleet.user, now=timezone.now())
    stopped_at = timezone.now()
    rig.ended(run, 10, ticking=False)

    assert run.status == "stopped"
    late = [at for at in sent(rig) if (at - stopped_at).total_seconds() > 2.5]
    assert late == []
    assert (run.finished_at - stopped_at).total_seconds() < 6
    told = runs.progress(run).outcomes
    assert set(told) == {"verified_dead", "cancelled"}
    assert (told["verified_dead"], sum(told.values())) == (rig.revoked(), count)


def test_a_pause_begins_nothing_more_after_two_seconds(rig, monkeypatch):
    monkeypatch.setattr(rig_module, "CHUNK", 250)  # it is in hand already
    count = rig.crowd(200, "box")
    rig.slow(0, 0.3)
    rig.worker()
    run = rig.begin(calls=10)
    rig.until(run, lambda: runs.progress(run).done >= 20, ticking=False)

    runs.pause(run, user=rig.fleet.user, now=timezone.now())
    paused_at = timezone.now()
    quiet = run.chunks.filter(status="claimed")
    rig.until(run, lambda: not quiet.exists(), 6, ticking=False)
    rig.until(run, lambda: (timezone.now() - paused_at).total_seconds() > 4)

    late = [at for at in sent(rig) if (at - paused_at).total_seconds() > 2.5]
    assert late == []
    done = runs.progress(run).done
    assert done == rig.revoked() < count
    queued = run.items.filter(status="queued")
    assert queued.count() == count - done
    # Where an intent was committed and then held back, the try sent nothing.
    sends = Attempt.objects.filter(item__in=queued, purpose__startswith="revoke")
    assert not sends.exclude(state="not_sent").exists()
    assert queued.filter(tries=0).count() == count - done - sends.count()


def sent(rig) -> list:
    """Return when providers received revocations."""
    log = rig.fleet.emulator.log()
    return [datetime.fromisoformat(row["at"]) for row in log if is_revocation(row)]
