"""The first few of a provider, worked by real workers that wake, decide and die."""

import pytest
from django.utils import timezone

from instances import runs
from instances.choices import PartStatus, RunStatus
from tests.instances.parting import part
from tests.worker.ledger import Ledger
from tests.worker.rig import rig

__all__ = ["rig"]

pytestmark = pytest.mark.in_earnest


def test_a_good_first_few_wake_the_other_workers_at_once(rig):
    """Without a tick of the schedule, and although the second worker had found nothing."""
    count = rig.crowd(120, "box")
    rig.slow(120, 0.5)
    for number in range(2):
        rig.worker(f"worker-{number}")
    # Few calls at once: what one worker fetches ahead leaves chunks for the other.
    run = rig.begin(calls=10)

    claimed = run.chunks.filter(status="claimed").order_by()
    both = claimed.values_list("worker", flat=True).distinct()
    rig.until(run, lambda: both.count() == 2, ticking=False)
    rig.ended(run, ticking=False)

    Ledger(rig.fleet, run).check(count, verified_dead=count)


def test_a_provider_that_refuses_pauses_the_run_and_goes_on_when_told(rig):
    count = rig.crowd(60, "box")
    rig.fleet.fault("status", "*revoke", times=5, status=401)
    rig.worker()
    run = rig.begin()
    rig.until(run, lambda: now(run) == RunStatus.PAUSED, ticking=False)
    assert run.items.filter(status="done").count() == 5

    runs.go_on(run, "box", user=rig.fleet.user, now=timezone.now())
    rig.until(run, lambda: now(run) == RunStatus.FINISHED, ticking=False)

    counts = runs.progress(run).outcomes
    assert counts == {"refused": 5, "verified_dead": count - 5}
    Ledger(rig.fleet, run).check(count)


def now(run) -> str:
    """Return where a run stands."""
    run.refresh_from_db()
    return run.status


def test_a_worker_killed_over_the_first_few_leaves_them_to_another(rig):
    count = rig.crowd(60, "box")
    rig.slow(1, 3)
    doomed = rig.worker("doomed")
    run = rig.begin()
    rig.until(run, lambda: rig.revoked() >= 3)

    rig.kill(doomed)
    rig.worker("other")
    assert part(run, "box").status == PartStatus.CANARY
    rig.ended(run)

    Ledger(rig.fleet, run).check(count, verified_dead=count)
    assert part(run, "box").status == PartStatus.OPEN
