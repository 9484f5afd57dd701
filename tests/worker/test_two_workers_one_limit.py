"""Two workers and one limit: what a server counts."""

import time
from datetime import datetime

import pytest

from instances.choices import RunKind
from providers.models import Limit
from tests.lib.counting import busiest_second
from tests.worker.ledger import Ledger, is_revocation
from tests.worker.rig import rig

__all__ = ["rig"]

pytestmark = pytest.mark.in_earnest

RATE = 20.0


#: A machine that does other work wakes a worker late, and what it owed leaves at once. A
#: limit that is not kept together, or not used, is seen in each of these runs.
TRIES = 4


def test_two_workers_keep_a_rate_together_and_use_it(rig):
    count = rig.crowd(70)
    Limit.objects.create(
        organization=rig.fleet.organization, scope="platform", rate=RATE
    )
    rig.worker("one")
    rig.worker("two")

    seen = []
    for _ in range(TRIES):
        seen.append(counted(rig, count))
        if kept_and_used(*seen[-1]):
            break
    assert kept_and_used(*seen[-1]), seen


def kept_and_used(workers: int, busiest: int, rate: float) -> bool:
    """Tell whether two kept a limit in every second, and used most of it."""
    return workers == 2 and busiest <= RATE * 1.1 and rate >= RATE * 0.9


def counted(rig, count: int) -> tuple[int, int, float]:
    """Work a run; return its workers, the calls of the busiest second, and of one in the middle."""
    before = len(rig.fleet.emulator.log())
    run = rig.begin(RunKind.PROBE)
    workers = set()
    rig.until(
        run,
        lambda: (
            workers.update(run.chunks.values_list("worker", flat=True))
            or run.is_terminal
        ),
    )
    Ledger(rig.fleet, run).check(count)
    rows = rig.fleet.emulator.log()[before:]
    seen = [datetime.fromisoformat(row["at"]).timestamp() for row in rows]
    # Without its first and last second: workers begin and end one after the other.
    steady = [one for one in seen if seen[0] + 1 < one < seen[-1] - 1]
    rate = (len(steady) - 1) / (steady[-1] - steady[0])
    return len(workers - {""}), busiest_second(seen), rate


def test_two_workers_share_the_calls_that_a_run_has_in_flight(rig):
    rig.crowd(45, "box", "quickbooks")
    rig.slow(0, 1)
    rig.worker("one")
    rig.worker("two")
    rig.ready(2)
    run = rig.begin(calls=8)
    both = run.chunks.filter(status="claimed").values("worker").distinct().order_by()
    rig.until(run, lambda: both.count() == 2)
    before = len(rig.fleet.emulator.log())
    rig.ended(run)

    rows = [row for row in rig.fleet.emulator.log()[before:] if is_revocation(row)]
    seen = [datetime.fromisoformat(row["at"]).timestamp() for row in rows]
    # Each takes a second, so those of any second are in flight together.
    steady = [one for one in seen if one > seen[0] + 2]
    assert len(steady) > 30
    assert busiest_second(steady) <= 8 + 1


def test_a_broker_that_goes_and_comes_back_lets_nobody_exceed_a_rate(rig):
    count = rig.crowd(400, "box", "quickbooks")
    Limit.objects.create(
        organization=rig.fleet.organization, scope="platform", rate=RATE
    )
    rig.worker("one")
    rig.worker("two")
    rig.ready(2)
    before = len(rig.fleet.emulator.log())
    run = rig.begin(RunKind.PROBE)
    both = run.chunks.filter(status="claimed").values("worker").distinct().order_by()
    # The first few are over: what comes after them needs no message.
    rig.until(run, lambda: run.items.filter(status="done").count() >= 40)
    rig.until(run, lambda: both.count() == 2)

    rig.kill_broker()
    pause(rig, run, 8)
    rig.start_broker()
    pause(rig, run, 8)
    rows = rig.fleet.emulator.log()[before:]
    seen = [datetime.fromisoformat(row["at"]).timestamp() for row in rows]

    assert RATE * 10 < len(seen) < count
    # A tenth of a second's worth that both had taken before is sent beside their shares.
    assert busiest_second(seen) <= RATE * 1.25


def pause(rig, run, seconds: float) -> None:
    """Let the workers work for so long."""
    end = time.monotonic() + seconds
    rig.until(run, lambda: time.monotonic() > end)
