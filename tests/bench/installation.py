"""ceadmin as it runs: real workers, beat and web server on the World's database and broker.

Models are imported here, so a World has to stand first.
"""

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from ceadmin.lib import broker
from ceadmin.management.processes import Member
from instances import runs
from instances.choices import RUN_TERMINAL, RunStatus
from instances.models import Instance, Item, Run
from tests.bench import fleet as fleets
from tests.bench import processes
from tests.bench.wire import Kind
from tests.bench.world import World, wait_until

_CELERY = ("-m", "celery", "--quiet", "--app", "ceadmin")
#: A run that takes longer is taken for stuck.
PATIENCE = 240.0


class Installation:
    """The processes beside the database, and what is asked of them."""

    def __init__(self, world: World) -> None:
        """Start beat; workers and web come when asked for."""
        self.world = world
        self.fleet: fleets.Fleet | None = None
        self.workers: list[Member] = []
        beat = ("beat", "--pidfile=")
        world.crew.start("beat", world.command(*_CELERY, *beat))

    def seed(self, count: int) -> None:
        """Have at least `count` instances."""
        if self.fleet is None:
            self.fleet = fleets.Fleet(count)
        elif count > self.fleet.count:
            self.fleet.add(count - self.fleet.count)

    # Workers

    def employ(self, workers: int, processes_each: int) -> None:
        """Replace the workers by `workers` of `processes_each` processes."""
        for member in self.workers:
            self.world.crew.members.remove(member)
            member.stop()
        settings.WORKER_PROCESSES = (
            workers * processes_each
        )  # messages that a run sends
        broker.client().delete(broker.WORKERS)
        self.workers = [
            self.world.crew.start(f"worker{n}", self._worker(n, processes_each))
            for n in range(workers)
        ]
        wait_until(lambda: broker.live_workers() >= workers, 60, "a live worker")

    def _worker(self, n: int, processes_each: int) -> list[str]:
        own = ("worker", "--without-mingle", "--without-gossip", "-n", f"bench{n}@%h")
        return self.world.command(*_CELERY, *own, "-c", str(processes_each))

    def worker_pids(self) -> list[int]:
        """Return the processes of all workers."""
        return [pid for member in self.workers for pid in processes.tree(member.pid)]

    # Runs

    def draft(self, kind: Kind, items: int, connections: int) -> Run:
        """Return a planned run over instances that nothing is known of, so that each result changes one."""
        unknown = {"status": "unknown", "status_reason": "", "grant_fingerprint": ""}
        Instance.objects.of(self.fleet.organization).exclude(status="unknown").update(
            **unknown
        )
        self._tidy()
        return self.fleet.draft(kind, items, connections)

    def _tidy(self) -> None:
        """Let the database's own housekeeping be done before a clock starts, not while it runs."""
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("VACUUM ANALYZE instances_instance")
                cursor.execute("ANALYZE instances_item")
            else:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def start(self, run: Run) -> None:
        """Set a draft going, as the button does."""
        self.fleet.start(run)

    def work(self, kind: Kind, items: int, connections: int) -> dict[str, float]:
        """Work one run; return its `wall` from start to finished and the workers' `cpu`, in seconds."""
        run = self.draft(kind, items, connections)
        return self.work_draft(run, kind)

    def work_draft(self, run: Run, kind: Kind) -> dict[str, float]:
        """Start a draft, wait for its end, check every item, and say what it took."""
        pids = self.worker_pids()
        before = processes.cpu(pids)
        self.start(run)
        self.wait(run)
        cpu = processes.cpu(pids) - before
        fleets.check(run, kind)
        wall = (run.finished_at - run.started_at).total_seconds()
        return {"wall": wall, "cpu": cpu}

    def wait(self, run: Run) -> None:
        """Wait for the end of a run, its progress counted every second as an open page does."""
        end = time.monotonic() + PATIENCE
        while not any(self._ended_within(run, 0.1) for _ in range(10)):
            runs.progress(run)
            if time.monotonic() > end:
                self.fleet.stop(run)  # or it would work beside the next one
                raise TimeoutError(f"the run is still {run.status}")
        if run.status != RunStatus.FINISHED:
            raise AssertionError(f"the run is {run.status}: {run.problem}")

    @staticmethod
    def _ended_within(run: Run, seconds: float) -> bool:
        time.sleep(seconds)
        return ended(run)

    def stop(self, run: Run) -> None:
        """Stop a run and wait until it stands still."""
        run.refresh_from_db()
        self.fleet.stop(run)
        wait_until(lambda: time.sleep(0.1) or ended(run), 60, "the run's stop")

    def done(self, run: Run) -> int:
        """Return how many items of a run have ended."""
        return Item.objects.filter(run=run, status="done").count()

    # Web

    @contextmanager
    def web(self) -> Iterator[int]:
        """Serve the admin; give the port."""
        call_command("collectstatic", interactive=False, verbosity=0)
        connection.close()  # the web server must not inherit it
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = ("-m", "gunicorn", "--config", "python:ceadmin.gunicorn")
        bind = ("--bind", f"127.0.0.1:{port}", "ceadmin.wsgi")
        member = self.world.crew.start("web", self.world.command(*server, *bind))
        wait_until(lambda: _open(port), 60, "the web server")
        try:
            yield port
        except AssertionError:
            print("\n".join(member.last_lines), file=sys.stderr)
            raise
        finally:
            self.world.crew.members.remove(member)
            member.stop()


def ended(run: Run) -> bool:
    """Tell whether a run has ended."""
    run.refresh_from_db()
    return run.status in RUN_TERMINAL


def _open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
