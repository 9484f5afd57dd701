"""Workers of another version, and one whose clock is wrong, beside those that are right."""

import pytest

from ceadmin.lib import nudge as nudges
from instances.models import Attempt
from tests.worker.ledger import Ledger
from tests.worker.rig import LEASE, rig

__all__ = ["rig"]

pytestmark = pytest.mark.in_earnest

AN_HOUR = 3600


def test_a_worker_an_hour_ahead_loses_no_lease_and_takes_none(rig):
    count = rig.crowd()
    rig.slow(40, LEASE + 1)  # nobody may think these are over
    # One of its processes is free to sweep while the others work.
    rig.worker("ahead", f"clock={AN_HOUR}", processes=3)
    rig.worker("right")
    rig.ready(2)
    # Few calls at once: what one process fetches ahead leaves chunks for another.
    run = rig.begin(calls=8)
    rig.until(run, lambda: len(holders(run)) >= 2)

    rig.ended(run)

    Ledger(rig.fleet, run).check(count, verified_dead=count)
    assert not Attempt.objects.filter(code="worker_lost").exists()
    assert rig.revoked() == count


def test_a_worker_an_hour_behind_takes_over_in_time(rig):
    count = rig.crowd()
    rig.slow(30, 3)
    doomed = rig.worker("ahead", f"clock={AN_HOUR}")
    run = rig.begin()
    rig.until(run, lambda: rig.revoked() >= 20)

    rig.worker("behind", f"clock=-{AN_HOUR}")
    rig.kill(doomed)
    rig.ended(run)

    Ledger(rig.fleet, run).check(count, verified_dead=count)
    assert Attempt.objects.filter(code="worker_lost").exists()


def holders(run) -> set[str]:
    """Return who holds chunks of a run."""
    return set(run.chunks.exclude(worker="").values_list("worker", flat=True))


def test_two_workers_of_one_host_name_and_process_number_are_two(rig):
    count = rig.crowd()
    rig.slow(0, 1)
    for name in ("one", "two"):
        rig.worker(name, "namesake=7")
    rig.ready(2)
    run = rig.begin(calls=8)

    rig.until(run, lambda: len(holders(run)) == 2, 30)
    rig.ended(run)

    Ledger(rig.fleet, run).check(count, verified_dead=count)


def test_messages_of_another_version_stop_nobody(rig):
    count = rig.crowd(20)
    worker = rig.worker()
    app, run = nudges.current_app, rig.draft("probe")
    message = {"run_id": run.pk, "of_tomorrow": True}
    app.send_task("instances.work_run", kwargs=message, ignore_result=True)
    app.send_task("instances.not_yet_known", kwargs={"x": 1}, ignore_result=True)
    app.send_task("instances.sweep", kwargs={"y": 2}, ignore_result=True)

    rig.ended(run)

    Ledger(rig.fleet, run).check(count)
    assert worker.ended() is None


def test_a_run_of_a_newer_version_waits_for_a_worker_that_knows_it(rig):
    count = rig.crowd(20)
    old = rig.worker("old", "forgets_kind=probe")
    run = rig.begin("probe")
    rig.until(run, lambda: "other_version" in told(old) or run.problem)

    assert (run.status, run.problem) == ("running", "other_version")
    assert "another version" in run.problem_text
    rig.worker("new")
    rig.ended(run)

    Ledger(rig.fleet, run).check(count)
    assert old.ended() is None
    assert run.problem == ""


def test_an_option_of_a_newer_version_is_not_ignored(rig):
    count = rig.crowd(20)
    old = rig.worker("old", "forgets_option=only")
    run = rig.begin("revoke", only="refresh")
    rig.until(run, lambda: run.problem == "other_version")
    assert rig.revoked() == 0

    rig.worker("new")
    rig.ended(run)

    Ledger(rig.fleet, run).check(count)
    assert old.ended() is None


def told(member) -> str:
    """Return what a process said last."""
    return "\n".join(member.last_lines)
