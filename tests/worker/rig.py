"""An installation of its own for one test of a fault: broker, workers, beat, each its own process.

The test stands where the web server does: it makes runs and sends their messages. Leases
are short, and whatever waits for the schedule gets the schedule's message every second.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis
from celery import Celery
from django.conf import settings as django_settings
from django.db import connections
from django.utils import timezone
from kombu.exceptions import OperationalError

from ceadmin.lib import broker as broker_client
from ceadmin.lib import nudge as nudges
from ceadmin.management import embedded_broker
from ceadmin.management.processes import Crew, Member
from instances import runs, selection
from instances.choices import RunKind
from instances.models import Run
from instances.runs import freezing
from instances.runs.plan import wake
from tests.instances.fleet import Fleet
from tests.services import database_url, variables, wait_until
from tests.worker.relay import Relay

#: Long enough for a busy machine, whose workers say every second that they live.
LEASE = 4
#: Small, so that workers share a run of a hundred.
CHUNK = 20
#: Nothing may need longer to go on once its parts are back, on a busy machine.
PATIENCE = 120

LOADED = ["--without-mingle", "--without-gossip", "-l", "INFO"]


class Rig:
    """The processes of one test, and a run to work on."""

    def __init__(self, crew: Crew, fleet: Fleet, monkeypatch) -> None:
        self.crew, self.fleet, self.monkeypatch = crew, fleet, monkeypatch
        self.folder = Path(tempfile.mkdtemp(prefix="ceadmin-rig-"))
        self.members: list[Member] = []
        self.relays: list[Relay] = []
        self.broker: Member | None = None
        self.url = f"unix://{self.socket}"
        self.next_tick = 0.0

    @property
    def socket(self) -> Path:
        return self.folder / "broker" / "broker.sock"

    # Processes

    def start_broker(self, *options: str) -> None:
        """Start a broker that keeps nothing, and let the test's own messages go there."""
        program = embedded_broker.program()
        assert program, "no broker program: install redis-server or valkey-server"
        data = self.folder / "data"
        assert embedded_broker.make_room(self.socket, data)
        command = embedded_broker.command(program, socket=self.socket, data=data)
        self.broker = self._start("broker", [*command, "--appendonly", "no", *options])
        wait_until(lambda: embedded_broker.answers(self.url), what="a broker")
        self.speak(self.url)

    def speak(self, url: str) -> None:
        """Let the test's messages and looks go to the broker at `url`."""
        self.monkeypatch.setattr(django_settings, "REDIS_URL", url)
        broker_client.client.cache_clear()
        app = Celery(
            "rig",
            broker=url.replace("unix://", "redis+socket://"),
            set_as_current=False,
        )
        app.conf.task_default_queue = django_settings.CELERY_TASK_DEFAULT_QUEUE
        app.conf.broker_transport_options = (
            django_settings.CELERY_BROKER_TRANSPORT_OPTIONS
        )
        self.monkeypatch.setattr(nudges, "current_app", app)

    def kill_broker(self) -> None:
        """Let the broker be gone, with all it held in memory."""
        assert self.broker
        self.kill(self.broker)
        self.socket.unlink(missing_ok=True)

    def worker(
        self, name: str = "worker", *oddities: str, processes: int = 1, **env: str
    ) -> Member:
        """Start a worker, which may be odd (see odd_worker.py)."""
        kind = ["worker", *LOADED, "-c", str(processes), "-n", f"{name}@rig"]
        return self._celery(name, kind, oddities, env)

    def ready(self, count: int) -> None:
        """Wait until so many workers show that they live."""
        wait_until(lambda: broker_client.live_workers() >= count, PATIENCE, "workers")

    def beat(self, name: str = "beat", **env: str) -> Member:
        """Start a scheduler, as if on a machine of its own."""
        schedule = str(self.folder / f"{name}-schedule")
        kind = ["beat", "--pidfile=", "-s", schedule, "-l", "INFO"]
        return self._celery(name, kind, (), env)

    def _celery(self, name, kind, oddities, env) -> Member:
        program = ["-m", "celery", "-A", "ceadmin"]
        if oddities:
            program = ["-m", "tests.worker.odd_worker", *oddities, "--"]
        return self._start(name, [sys.executable, *program, *kind], **env)

    def _start(self, name: str, command: list, **env: str) -> Member:
        own = {
            "DATABASE_URL": database_url(),
            "REDIS_URL": self.url,
            "EMULATOR_URL": self.fleet.emulator.url,
            "LEASE_SECONDS": str(LEASE),
        }
        with variables(**{**own, **env}):
            member = self.crew.start(f"{self.folder.name}-{name}", command)
        self.members.append(member)
        return member

    def start(self, name: str, command: list, **env: str) -> Member:
        """Start any other process with the same settings."""
        return self._start(name, command, **env)

    def kill(self, member: Member) -> None:
        """Kill a process and its children at once, as kill -9 does."""
        member.kill()
        member.stop()
        self.members.remove(member)
        self.crew.members.remove(member)

    def relay(self, target) -> Relay:
        """Return a relay that ends with the test."""
        self.relays.append(Relay(target))
        return self.relays[-1]

    def close(self) -> None:
        """Leave nothing behind; what the processes said last is shown with a failure."""
        for member in reversed([*self.members]):
            self.kill(member)
            print(f"--- {member.name}", *member.last_lines, sep="\n")
        for relay in self.relays:
            relay.stop()
        broker_client.client().close()
        broker_client.client.cache_clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    # Runs

    def crowd(self, count: int = 40, *providers: str) -> int:
        """Make so many instances of each provider, too few for a canary; return how many."""
        providers = providers or ("box", "quickbooks")
        for provider in providers:
            self.fleet.synced(provider, count)
        return count * len(providers)

    def draft(self, kind: str = RunKind.REVOKE, **options) -> Run:
        """Return a run whose list is frozen in small chunks; no message is sent."""
        self.monkeypatch.setattr(freezing, "CHUNK_SIZE", CHUNK)
        with self.monkeypatch.context() as silent:
            silent.setattr(nudges, "_send", lambda *_: None)
            return self.fleet.draft(kind, **options)

    def begin(self, kind: str = RunKind.REVOKE, calls: int = 50, **options) -> Run:
        """Return a run under way with so many calls at once: its messages are sent."""
        run = self.draft(kind, **options)
        Run.objects.filter(pk=run.pk).update(connections=calls)
        run.refresh_from_db()
        if run.status == "draft":
            runs.start(run, user=self.fleet.user, now=timezone.now(), reason="a test")
        else:
            wake(run)
        return run

    def ask(self, kind: str = RunKind.PROBE) -> Run:
        """Return a new run that a worker has to plan."""
        everything = selection.everything()
        organization, user = self.fleet.organization, self.fleet.user
        return runs.create(
            kind, organization, everything, user=user, now=timezone.now()
        )

    # Waiting

    def tick(self) -> None:
        """Send what the schedule sends, at most once a second."""
        if time.monotonic() < self.next_tick:
            return
        self.next_tick = time.monotonic() + 1
        app = nudges.current_app
        # While the broker is away, it is away for the schedule, too.
        with suppress(OperationalError, redis.RedisError, OSError):
            app.send_task("instances.sweep", ignore_result=True, retry=False)

    def until(
        self, run: Run, true: Callable[[], object], seconds: float = PATIENCE, **how
    ) -> None:
        """Wait until something is true of a run, while the schedule ticks."""

        def seen() -> object:
            if how.get("ticking", True):
                self.tick()
            connections["default"].close_if_unusable_or_obsolete()
            run.refresh_from_db()
            return true()

        wait_until(seen, seconds, f"{run}: {run.status} {runs.progress(run)}")

    def ended(self, run: Run, seconds: float = PATIENCE, **how) -> None:
        """Wait until a run has ended by itself."""
        self.until(run, lambda: run.is_terminal, seconds, **how)

    def revoked(self) -> int:
        """Return how many revocations reached a provider."""
        return sum(row["path"].endswith("revoke") for row in self.fleet.emulator.log())

    def slow(self, times: int, seconds: float, path: str = "*revoke") -> None:
        """Let so many answers take long, so that a fault finds calls in the air."""
        self.fleet.fault("latency", path, times=times, when="after", seconds=seconds)


@pytest.fixture
def rig(transactional_db, crew, emulator, team, monkeypatch) -> Iterator[Rig]:
    """An installation with a broker of its own and no worker yet."""
    it = Rig(crew, Fleet(emulator, team.acme, team.rita), monkeypatch)
    try:
        it.start_broker()
        yield it
    finally:
        it.close()


def on_postgresql() -> bool:
    """Tell whether this pass has a PostgreSQL server."""
    return os.environ.get("CEADMIN_TEST_SERVERS") == "1"
