"""Runs worked by a real worker process over a real broker: nothing is lost, nothing is done twice."""

import pytest
from django.db import connections
from django.utils import timezone

from instances import runs, selection
from instances.choices import LinkStatus, RunKind, RunStatus
from instances.models import ReconnectLink, Run
from tests.instances.fleet import Fleet
from tests.services import wait_until
from tests.worker.ledger import Ledger, is_revocation

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


def test_a_probe_of_forty_runs_by_its_message_alone(fleet):
    fleet.synced("box", 20)
    fleet.synced("salesforce", 20)

    run = asked(fleet, RunKind.PROBE)
    wait_for(run, lambda: ended(run))

    Ledger(fleet, run).check(40, connected=40)


def test_a_revocation_of_forty_runs_by_its_message_alone(fleet):
    fleet.synced("box", 20)
    fleet.synced("quickbooks", 20)

    run = started(fleet, asked(fleet, RunKind.REVOKE))
    wait_for(run, lambda: ended(run))

    Ledger(fleet, run).check(40, verified_dead=40)


def test_a_pause_holds_a_run_and_a_resume_ends_it(fleet):
    fleet.synced("box", 120)
    fleet.fault("latency", "/instances", times=0, seconds=2.5)
    run = started(fleet, asked(fleet, RunKind.REVOKE))
    wait_for(run, lambda: runs.progress(run).done > 0)

    runs.pause(run, user=fleet.user, now=timezone.now())
    wait_for(run, lambda: not run.chunks.filter(status="claimed").exists())
    assert runs.progress(run).done < 120
    runs.resume(run, user=fleet.user, now=timezone.now())
    wait_for(run, lambda: sweep_and_see(run))

    Ledger(fleet, run).check(120, verified_dead=120)
    assert sum(is_revocation(row) for row in fleet.emulator.log()) == 120


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
