"""An installation of the bench's own: settings, a fresh database, a broker; nothing outlives it."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import django
import psycopg
from psycopg import sql

from ceadmin.management import embedded_broker
from ceadmin.management.processes import Crew

ROOT = Path(__file__).resolve().parents[2]
DATABASES = ("sqlite", "postgres")
SERVER = "TEST_DATABASE_URL"

_KEYS = {
    "SECRET_KEY": "demo-" + "bench" * 10,
    "FIELD_KEYS": "demo1:YmVuY2gtZmllbGQta2V5LTEuMDEyMzQ1Njc4OTAxMjM=",
    "FINGERPRINT_KEYS": "demo1:YmVuY2gtZmluZ2VycHJpbnQuMDEyMzQ1Njc4OTAxMjM=",
    "CHECKPOINT_KEYS": "demo1:YmVuY2gtY2hlY2twb2ludC1rLjAxMjM0NTY3ODkwMTI=",
}


def there(database: str) -> bool:
    """Tell whether a kind of database can be measured here."""
    return database == "sqlite" or bool(os.environ.get(SERVER))


def wait_until(true: Callable[[], object], seconds: float, what: str) -> None:
    """Wait until `true()` is; raises TimeoutError naming `what`."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come within {seconds} s")
        time.sleep(0.02)


class World:
    """Makes this process ceadmin, on a new database, with the target as the whole world outside.

    Models may be imported once it stands. One per process: Django takes its settings once.
    """

    def __init__(self, database: str, target_url: str, workers: int = 2) -> None:
        """Set up `database` ("sqlite" or "postgres"); `workers` is how many processes a run is given."""
        self.folder = Path(tempfile.mkdtemp(prefix="ceadmin-bench-"))
        self.database = database
        self.name = f"ceadmin_bench_{os.getpid()}"
        self.crew = Crew(ROOT, logs=self.folder / "logs", show=None)
        self._enter(target_url, workers)

    def __enter__(self) -> "World":
        """Be taken down at the end of a `with`."""
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _enter(self, target_url: str, workers: int) -> None:
        for name in ("REDIS_URL", "ALLOWED_HOSTS", "DEBUG", "CEADMIN_DEMO_DIR"):
            os.environ.pop(name, None)
        os.environ |= _KEYS | {
            "DJANGO_SETTINGS_MODULE": "ceadmin.settings",
            "CEADMIN_ENV_FILE": os.devnull,
            "CEADMIN_STATE_DIR": str(self.folder),
            "DATABASE_URL": self._make_database(),
            "DEMO": "1",  # the seam sends to an emulator in a demo only
            "ENVIRONMENT_NAME": "bench",
            "EMULATOR_URL": target_url,
            "WORKER_PROCESSES": str(workers),
        }
        django.setup()
        self._settle()

    def _settle(self) -> None:
        """Migrate and start the broker; needs the settings."""
        from django.conf import settings  # noqa: PLC0415 (the settings are made above)
        from django.core.management import call_command  # noqa: PLC0415

        call_command("migrate", interactive=False, verbosity=0)
        program = embedded_broker.program()
        if program is None:
            raise SystemExit("no broker program: install redis-server or valkey-server")
        data = settings.STATE_DIR / "broker"
        embedded_broker.make_room(settings.BROKER_SOCKET, data)
        command = embedded_broker.command(
            program, socket=settings.BROKER_SOCKET, data=data
        )
        self.crew.start("broker", command)
        wait_until(lambda: embedded_broker.answers(settings.REDIS_URL), 20, "a broker")

    def _make_database(self) -> str:
        if self.database == "sqlite":
            return f"sqlite:///{self.folder / 'bench.sqlite3'}"
        self._on_server("CREATE DATABASE {}")
        return f"{os.environ[SERVER].rpartition('/')[0]}/{self.name}"

    def _on_server(self, statement: str) -> None:
        server = f"{os.environ[SERVER].rpartition('/')[0]}/postgres"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(self.name)))

    def command(self, *words: str) -> list[str]:
        """Return a command of this Python."""
        return [sys.executable, *words]

    def stop(self) -> None:
        """End what was started and remove what was made."""
        from django.db import connection  # noqa: PLC0415 (there are settings by now)

        connection.close()
        self.crew.stop()
        if self.database == "postgres":
            self._on_server("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        shutil.rmtree(self.folder, ignore_errors=True)
