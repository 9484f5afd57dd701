"""Runs worked by a real worker process over a real broker: nothing is lost, nothing is done twice."""

import sys
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from celery import current_app
from django.db import connections
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.lib import broker
from ceadmin.lib import nudge as nudges
from instances import runs, selection
from instances.choices import LinkStatus, Outcome, RunKind, RunStatus
from instances.models import Attempt, Hold, Instance, Item, ReconnectLink, Run
from tests.instances.fleet import Fleet
from tests.services import database_url, variables, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fleet(worker, emulator, team):
    """Acme's instances, and a worker that sees them."""
    return Fleet(emulator, team.acme, team.rita)


def asked(fleet, kind: str, *, at=None) -> Run:
    """Ask for a run as a page does."""
    return runs.create(
        kind,
        fleet.organization,
        selection.everything(),
        user=fleet.user,
        now=at or timezone.now(),
    )


def started(fleet, run: Run) -> Run:
    """Confirm a draft as soon as the worker has frozen its list."""
    wait_for(run, lambda: run.planned_at)
    runs.start(run, user=fleet.user, now=timezone.now(), reason="a test")
    return run


def wait_for(run: Run, true, seconds: float = 60) -> None:
    """Wait until something is true of a run."""

    def seen():
        connections["default"].close_if_unusable_or_obsolete()
        run.refresh_from_db()
        return true()

    wait_until(seen, seconds, f"{run}: {run.status} {runs.progress(run)}")


def ended(run: Run) -> bool:
    """Tell whether a run has ended, for `wait_for`."""
    return run.is_terminal


def revocations() -> list[Attempt]:
    return list(Attempt.objects.filter(purpose__startswith="revoke"))


def sent_twice_blindly(fleet) -> list[int]:
    """Return the instances that got a second revocation without a look between."""
    blind = []
    for instance in Instance.objects.values_list("remote_id", flat=True):
        log = fleet.emulator.log(instance=int(instance))
        sent = [row["seq"] for row in log if row["path"].endswith("revoke")]
        looks = [row["seq"] for row in log if row["path"].endswith("/users/me")]
        for first, second in pairwise(sent):
            if not any(first < look < second for look in looks):
                blind.append(int(instance))
    return blind


def assert_whole(run: Run, count: int) -> None:
    """Every item has one outcome, and every revocation an intent and an answer in the audit."""
    assert run.items.count() == runs.progress(run).done == count
    events = Event.objects.filter(run_uid=str(run.uid))
    told = Counter(events.values_list("action", flat=True))
    sent = len(revocations())
    assert told["item_settled"] == count
    assert (told["revoke_intended"], told["revoke_answered"]) == (sent, sent)
    assert told["run_finished"] == 1
    assert not Hold.objects.exists()


def test_a_probe_of_forty_runs_by_its_message_alone(fleet):
    fleet.synced("box", 20)
    fleet.synced("salesforce", 20)

    run = asked(fleet, RunKind.PROBE)
    wait_for(run, lambda: ended(run))

    assert run.status == RunStatus.FINISHED
    assert runs.progress(run).outcomes == {"connected": 40}


def test_a_revocation_of_forty_runs_by_its_message_alone(fleet):
    fleet.synced("box", 20)
    fleet.synced("quickbooks", 20)

    run = started(fleet, asked(fleet, RunKind.REVOKE))
    wait_for(run, lambda: ended(run))

    assert runs.progress(run).outcomes == {"verified_dead": 40}
    assert_whole(run, 40)


def test_a_run_whose_messages_are_all_lost_is_found_by_the_sweep(fleet, monkeypatch):
    fleet.synced("box", 3)
    with monkeypatch.context() as silent:
        silent.setattr(nudges, "_send", lambda *_: None)
        run = asked(fleet, RunKind.PROBE, at=timezone.now() - timedelta(seconds=10))

    nudges.nudge("instances.sweep")
    wait_for(run, lambda: ended(run))

    assert runs.progress(run).outcomes == {"connected": 3}


def test_messages_that_come_three_times_change_nothing(fleet, monkeypatch):
    fleet.synced("box", 12)
    send = nudges._send
    monkeypatch.setattr(
        nudges, "_send", lambda *message: [send(*message) for _ in range(3)]
    )

    run = started(fleet, asked(fleet, RunKind.REVOKE))
    wait_for(run, lambda: ended(run))

    assert_whole(run, 12)
    assert len(revocations()) == 12
    assert sent_twice_blindly(fleet) == []


def test_a_pause_holds_a_run_and_a_resume_ends_it(fleet):
    fleet.synced("box", 120)
    fleet.fault("latency", "/instances", times=0, seconds=2.5)
    run = started(fleet, asked(fleet, RunKind.REVOKE))
    wait_for(run, lambda: runs.progress(run).done > 0)

    runs.pause(run, user=fleet.user, now=timezone.now())
    wait_for(run, lambda: not run.chunks.filter(status="claimed").exists())
    held = len(revocations())
    assert held < 120
    runs.resume(run, user=fleet.user, now=timezone.now())
    wait_for(run, lambda: sweep_and_see(run))

    assert runs.progress(run).outcomes == {"verified_dead": 120}
    assert len(revocations()) == 120


def sweep_and_see(run: Run) -> bool:
    """Do what the schedule does every few seconds, and look."""
    runs.sweep(now=timezone.now())
    return ended(run)


def test_a_stop_cancels_the_links_that_wait_for_people(fleet):
    fleet.synced("box", 3, state="dead")
    run = asked(fleet, RunKind.RECONNECT)
    wait_for(run, lambda: ReconnectLink.objects.count() == 3)

    runs.stop(run, user=fleet.user, now=timezone.now())
    wait_for(run, lambda: ended(run))

    assert run.status == RunStatus.STOPPED
    assert set(ReconnectLink.objects.values_list("status", flat=True)) == {
        LinkStatus.CANCELLED
    }
    assert runs.progress(run).outcomes == {"cancelled": 3}


# A worker that is killed


@pytest.fixture
def doomed(crew, fleet, emulator_server):
    """A second worker with a short lease, on a queue of its own."""
    celery = [sys.executable, "-m", "celery", "-A", "ceadmin", "worker"]
    with variables(
        DATABASE_URL=database_url(),
        EMULATOR_URL=emulator_server.url,
        LEASE_SECONDS="3",
    ):
        member = crew.start(
            "doomed", [*celery, "-c", "1", "-Q", "doomed", "-n", "doomed@%h"]
        )
    yield member
    crew.members.remove(member)
    member.stop()
    # What it had taken comes back after the broker's long patience; nobody waits here.
    broker.client().delete("unacked", "unacked_index")


def test_a_worker_that_is_killed_loses_nothing_and_repeats_nothing(
    fleet, doomed, monkeypatch
):
    fleet.synced("box", 40)
    run = asked(fleet, RunKind.REVOKE)
    wait_for(run, lambda: run.planned_at)
    fleet.fault("latency", "*revoke", times=20, when="after", seconds=3)
    with monkeypatch.context() as silent:
        silent.setattr(nudges, "_send", lambda *_: None)
        runs.start(run, user=fleet.user, now=timezone.now(), reason="a test")
    message = {"run_id": run.pk}
    current_app.send_task("instances.work_run", kwargs=message, queue="doomed")
    wait_for(run, lambda: heard(fleet) >= 20)

    doomed.kill()
    before = heard(fleet)
    wait_for(run, lambda: sweep_and_see(run))

    assert_whole(run, 40)
    assert runs.progress(run).outcomes == {"verified_dead": 40}
    assert Attempt.objects.filter(code="worker_lost").exists()
    assert sent_twice_blindly(fleet) == []
    assert heard(fleet) - before < 40
    assert Item.objects.filter(run=run, cause="answer_lost").exists()
    assert not Item.objects.filter(run=run, outcome=Outcome.UNCLEAR).exists()


def heard(fleet) -> int:
    """Return how many revocations reached the provider."""
    return sum(row["path"].endswith("revoke") for row in fleet.emulator.log())
