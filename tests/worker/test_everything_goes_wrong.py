"""One thing after the other goes wrong while a run works, in an order of chance; every item is right at the end."""

import os
import random
import signal
import sqlite3
import threading
import time
from contextlib import closing, suppress

import pytest
from django.db import connection

from ceadmin.lib import nudge as nudges
from instances.models import Chunk
from tests.worker.ledger import Ledger
from tests.worker.rig import LEASE, on_postgresql, rig
from tests.worker.test_databases import end_sessions

__all__ = ["rig"]

TROUBLES = 8


class Trouble:
    """What can go wrong with a rig of three workers; each of it comes back."""

    def __init__(self, rig, chance: random.Random) -> None:
        self.rig, self.chance = rig, chance
        self.workers = [rig.worker(f"worker-{n}", "twice") for n in range(3)]
        self.made = 3

    def a_worker_is_killed(self) -> None:
        doomed = self.workers.pop(self.chance.randrange(len(self.workers)))
        self.rig.kill(doomed)
        self.workers.append(self.rig.worker(f"worker-{self.made}", "twice"))
        self.made += 1

    def a_process_is_killed(self) -> None:
        if pid := self.at_work():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def a_process_sleeps_past_its_lease(self) -> None:
        if pid := self.at_work():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                waking = threading.Timer(LEASE + 2, wake, [pid])
                waking.daemon = True
                waking.start()

    def the_broker_forgets(self) -> None:
        self.rig.kill_broker()
        time.sleep(self.chance.uniform(0, 2))
        self.rig.start_broker()

    def the_database_lets_go(self) -> None:
        if on_postgresql():
            end_sessions()
            return
        file = connection.settings_dict["NAME"]
        with closing(sqlite3.connect(file, isolation_level=None, timeout=30)) as other:
            other.execute("BEGIN IMMEDIATE")
            time.sleep(self.chance.uniform(0, 4))
            other.execute("ROLLBACK")

    def the_targets_cut(self) -> None:
        when = self.chance.choice(["before", "after"])
        self.rig.fleet.fault("cut", "*revoke", times=5, when=when)

    def at_work(self) -> int:
        """Return a process that holds chunks, 0 if there is none."""
        held = Chunk.objects.filter(status="claimed").exclude(worker="")
        names = sorted(set(held.values_list("worker", flat=True)))
        return int(self.chance.choice(names).rpartition(":")[2]) if names else 0

    def any(self) -> str:
        """Let something go wrong; return what."""
        acts = [name for name in vars(Trouble) if name.startswith(("a_", "the_"))]
        name = self.chance.choice(sorted(acts))
        getattr(self, name)()
        return name


def wake(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("seed", [2])
def test_whatever_goes_wrong_every_item_has_its_one_outcome(rig, seed, monkeypatch):
    send = nudges._send
    monkeypatch.setattr(
        nudges, "_send", lambda *message: [send(*message) for _ in range(2)]
    )
    count = rig.crowd(45, "box", "quickbooks", "salesforce")
    rig.slow(0, 1.5)
    trouble = Trouble(rig, random.Random(seed))
    run = rig.begin(calls=9)
    rig.until(run, lambda: rig.revoked() >= 5)

    seen = []
    for _ in range(TROUBLES):
        seen.append(trouble.any())
        after = time.monotonic() + 2
        rig.until(run, lambda: time.monotonic() > after or run.is_terminal)  # noqa: B023
    print(seed, seen, run.status, rig.revoked())
    rig.ended(run)

    Ledger(rig.fleet, run).check(count)
