"""Fixtures of what runs beside the tests: database, broker, emulator, worker."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connection

from ceadmin.lib import broker as broker_client
from ceadmin.lib import ratelimit
from ceadmin.management import embedded_broker
from ceadmin.management.processes import Crew, Member
from tests import emulator as emulator_package


def wait_until(true: Callable[[], object], seconds: float = 20, what: str = "") -> None:
    """Wait until `true()` is, or fail saying `what` did not happen."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            pytest.fail(f"did not happen within {seconds} s: {what or true}")
        time.sleep(0.05)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix, tmp_path_factory
):
    """Let SQLite be a file, since a worker in another process reads it too."""
    database = django_settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        file = tmp_path_factory.mktemp("database") / "test.sqlite3"
        database["TEST"]["NAME"] = str(file)


@pytest.fixture(scope="session")
def crew(tmp_path_factory) -> Iterator[Crew]:
    """Processes that end with the test run, however it ends."""
    logs = tmp_path_factory.mktemp("logs")
    it = Crew(django_settings.BASE_DIR, logs=logs, show=None)
    yield it
    it.stop()


@pytest.fixture(scope="session")
def broker_server(crew: Crew) -> str:
    """A running broker: the embedded one, or the server of TEST_REDIS_URL, emptied."""
    url = django_settings.REDIS_URL
    if django_settings.EMBEDDED_BROKER:
        program = embedded_broker.program()
        assert program, "no broker program: install redis-server or valkey-server"
        data = django_settings.STATE_DIR / "broker"
        assert embedded_broker.make_room(django_settings.BROKER_SOCKET, data)
        socket = django_settings.BROKER_SOCKET
        crew.start("broker", embedded_broker.command(program, socket=socket, data=data))
    wait_until(lambda: embedded_broker.answers(url), what=f"a broker at {url}")
    broker_client.client().flushdb()
    return url


@pytest.fixture
def broker(broker_server: str) -> Iterator[str]:
    """The address of a running broker, with no job in it."""
    broker_client.client().delete(django_settings.CELERY_TASK_DEFAULT_QUEUE)
    yield broker_server
    broker_client.client().delete(django_settings.CELERY_TASK_DEFAULT_QUEUE)


@pytest.fixture(scope="session")
def emulator_server() -> Iterator[object]:
    """One emulator for the whole run, as a thread."""
    server = emulator_package.start()
    yield server
    server.stop()


@pytest.fixture
def emulator(emulator_server, settings):
    """The emulator, empty, and the outbound seam pointing at it."""
    emulator_server.control("reset")
    forget_limits()
    settings.EMULATOR_URL = emulator_server.url
    return emulator_server


def forget_limits() -> None:
    """Let no pause of one test hold up the next one."""
    ratelimit.limiter.cache_clear()
    with suppress(redis.RedisError):
        for key in broker_client.client().scan_iter("ceadmin:limit:*"):
            broker_client.client().delete(key)


@dataclass
class Worker:
    """A real worker process."""

    member: Member

    def last_lines(self) -> str:
        """Return the last lines that it logged."""
        return "\n".join(self.member.last_lines)


def database_url() -> str:
    """Return the address of the test database, for another process."""
    if connection.vendor == "sqlite":
        return f"sqlite:///{connection.settings_dict['NAME']}"
    server = os.environ["TEST_DATABASE_URL"].rpartition("/")[0]
    return f"{server}/{connection.settings_dict['NAME']}"


@contextmanager
def variables(**values: str) -> Iterator[None]:
    """Set environment variables for processes started meanwhile."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


@pytest.fixture(scope="module")
def worker_process(
    crew, broker_server, emulator_server, django_db_setup
) -> Iterator[Worker]:
    """One worker for the tests of a module, on the test database.

    It ends with them: others work runs by hand, and it would take their messages.
    """
    broker_client.client().delete(broker_client.WORKERS)
    celery = [sys.executable, "-m", "celery", "-A", "ceadmin", "worker"]
    with variables(DATABASE_URL=database_url(), EMULATOR_URL=emulator_server.url):
        member = crew.start("worker", [*celery, "-l", "INFO", "-c", "2"])
    worker = Worker(member)
    wait_until(lambda: broker_client.live_workers() or member.ended(), 40, "a worker")
    assert member.ended() is None, worker.last_lines()
    yield worker
    member.stop()
    crew.members.remove(member)


@pytest.fixture
def worker(worker_process, transactional_db, broker) -> Iterator[Worker]:
    """A real worker on the test database; its last lines are shown with a failure."""
    yield worker_process
    wait_until(
        lambda: not broker_client.client().exists("unacked"), 15, "a quiet worker"
    )
    print(worker_process.last_lines())


def state_dir(tmp: Path) -> dict[str, str]:
    """Return variables of an installation of its own under `tmp`."""
    return {
        "CEADMIN_STATE_DIR": str(tmp / "var"),
        "CEADMIN_DEMO_DIR": str(tmp / "demo"),
    }
