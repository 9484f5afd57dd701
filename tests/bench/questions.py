"""What a session can be asked; each answer is a row of plain figures, in seconds and MB."""

import time
from typing import Any

import psycopg
from django.db import connection

from ceadmin.lib import broker
from instances import runs
from instances.models import Instance
from tests.bench import audit, lists, pages, planning, processes
from tests.bench.installation import Installation, ended
from tests.bench.wire import Kind
from tests.bench.world import World, wait_until

#: How often the progress of a run is asked for one figure.
LOOKS = 21


class Questions:
    """One installation, asked by name."""

    def __init__(self, world: World) -> None:
        """Have an installation on this world."""
        self.installation = Installation(world)

    def versions(self) -> dict[str, str]:
        """Name database and broker."""
        told = broker.client().info("server")
        name = told.get("server_name") or "redis"
        version = told.get(f"{name}_version") or told["redis_version"]
        return {self._database(): "", f"{name} {version}": ""}

    def _database(self) -> str:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("SELECT sqlite_version()")
                return f"SQLite {cursor.fetchone()[0]}"
            cursor.execute("SHOW server_version")
            driver = f"psycopg {psycopg.__version__}"
            return f"PostgreSQL {cursor.fetchone()[0].split()[0]}, {driver}"

    def seed(self, count: int) -> None:
        """Have at least `count` instances."""
        self.installation.seed(count)

    def employ(self, workers: int, processes_each: int) -> None:
        """Work with so many workers from now on."""
        self.installation.employ(workers, processes_each)

    def work(self, kind: Kind, items: int, connections: int) -> dict[str, float]:
        """Work one run."""
        return self.installation.work(kind, items, connections)

    def plan(self, items: int) -> dict[str, float]:
        """Plan a run over the first `items` instances, and do the same by hand."""
        return planning.plan(self.installation.fleet, items)

    def preview(self, items: int) -> dict[str, float]:
        """Look at a draft over `items`, with whoever dies with them."""
        return planning.preview(self.installation.fleet, items)

    def crowd(self, count: int) -> None:
        """Have an organization of 100 instances and one of `count`."""
        planning.crowd(self.installation.fleet, count)

    def draft_requests(self, times: int) -> dict[str, float]:
        """Draft runs over both organizations of `crowd` with the button of the list."""
        with self.installation.web() as port:
            return planning.draft_requests(self.installation.fleet, port, times)

    def growth(self, items: int, connections: int) -> dict[str, Any]:
        """Work one run of probes, looking at the workers' memory and the cost of its progress."""
        one = self.installation
        run = one.draft("probe", items, connections)
        start = _progress(run)
        pids = one.worker_pids()
        working = [
            pid for one_of in one.workers for pid in processes.leaves(one_of.pid)
        ]
        samples: list[tuple[int, float]] = []
        began = processes.cpu(pids)
        one.start(run)
        while not ended(run):
            time.sleep(0.5)
            samples.append((one.done(run), processes.resident(working)))
        cpu = processes.cpu(pids) - began
        wall = (run.finished_at - run.started_at).total_seconds()
        return {
            "wall": wall,
            "cpu": cpu,
            "memory": samples,
            "progress": [start, _progress(run)],
        }

    def pages(self, items: int, connections: int, looks: int) -> dict[str, float]:
        """Open the list and a run's page while the run works and when it has been stopped."""
        one = self.installation
        run = one.draft("probe", items, connections)
        with one.web() as port:
            client = pages.Client(one.fleet.user, port)
            warm = pages.medians(client, run, 3)
            one.start(run)
            wait_until(lambda: one.done(run) > items // 100, 60, "some ended items")
            busy = pages.medians(client, run, looks)
            one.stop(run)
            idle = pages.medians(client, run, looks)
        worked = one.done(run)
        return {"busy": busy, "idle": idle, "warm": warm, "done": worked}

    def audit_fill(self, events: int) -> None:
        """Have so many events in the organization's chain."""
        audit.fill(self.installation.fleet, events)

    def audit_pages(self, looks: int) -> dict[str, float]:
        """Open pages of the audit."""
        with self.installation.web() as port:
            return audit.looked_at(self.installation.fleet, port, looks)

    def audit_footprints(self) -> dict[str, float]:
        """Export and verify the organization's chain by commands; tell their memory."""
        one = self.installation
        return audit.footprints(one.fleet, one.world)

    def audit_verify(self) -> list[dict[str, Any]]:
        """Verify the organization's chain and an export of it, and hash the same barely."""
        one = self.installation
        return list(audit.verified(one.fleet, one.world.folder))

    def audit_run(self, items: int, connections: int, *, chained: bool) -> float:
        """Work a run of revocations in this process."""
        fleet = self.installation.fleet
        return audit.revoked(fleet, items, connections, chained=chained)

    def lists_fill(self, instances: int) -> None:
        """Have so many instances in an organization of its own, of every kind."""
        lists.fill(self.installation.fleet, instances)

    def lists_looked_at(self, looks: int) -> dict[str, Any]:
        """Ask for pages of the list in this process."""
        return lists.looked_at(self.installation.fleet, looks)

    def instances(self) -> int:
        """Return how many instances there are."""
        return Instance.objects.count()


def _progress(run: Any) -> float:
    """Return the median time of counting a run's progress."""
    times = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        runs.progress(run)
        times.append(time.perf_counter() - began)
    return sorted(times)[LOOKS // 2]
