"""Fixtures of all tests: settings of a demo, real services, real people, a browser."""

import atexit
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import django
import pytest
from django.conf import settings
from xdist.scheduler import LoadFileScheduling

# Short, since a unix socket's address may not be long.
STATE = Path(tempfile.mkdtemp(prefix="ceadmin-tests-"))
ON_SERVERS = os.environ.get("CEADMIN_TEST_SERVERS") == "1"
# Another pass on servers follows this one (tests/run.py): whole fleets of processes that are
# killed and cut off wait for it, and run here only where there are no servers.
SERVERS_COME = all(map(os.environ.get, ("TEST_DATABASE_URL", "TEST_REDIS_URL")))

(STATE / "static").mkdir()
atexit.register(shutil.rmtree, STATE, ignore_errors=True)

for name in ("DATABASE_URL", "REDIS_URL", "EMULATOR_URL", "ALLOWED_HOSTS", "DEBUG"):
    os.environ.pop(name, None)
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "ceadmin.settings",
    "CEADMIN_ENV_FILE": os.devnull,
    "CEADMIN_STATE_DIR": str(STATE),
    "DEMO": "1",
    "ENVIRONMENT_NAME": "test",
    "SECRET_KEY": "demo-" + "tests" * 10,
    "FIELD_KEYS": "demo2:dGVzdHMtZmllbGQta2V5LTIuMDEyMzQ1Njc4OTAxMjM=,"
    "demo1:dGVzdHMtZmllbGQta2V5LTEuMDEyMzQ1Njc4OTAxMjM=",
    "FINGERPRINT_KEYS": "demo1:dGVzdHMtZmluZ2VycHJpbnQuMDEyMzQ1Njc4OTAxMjM=",
    "CHECKPOINT_KEYS": "demo1:dGVzdHMtY2hlY2twb2ludC5rLjAxMjM0NTY3ODkwMTI=",
    "PUBLIC_URL": "http://127.0.0.1:8000",
    # Playwright's loop makes Django think that tests run asynchronously.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
}
if ON_SERVERS:
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]
    # Of two processes each has a database of its own, and the broker that it is given.
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    os.environ["REDIS_URL"] = os.environ["TEST_REDIS_URL"].split(",")[number]

django.setup()

pytest_plugins = (
    "tests.services",
    "tests.people",
    "tests.browsers",
    "tests.audit_support",
)

# These start many processes or measure time. Where two processes share the tests, one of
# them does all of these, one after the other.
ONE_AFTER_THE_OTHER = (
    "tests/worker/",
    "tests/start/",
    "tests/bench/",
    "tests/commands/test_demo",
)

# A test that uses one of these is run again on PostgreSQL and a separate Redis.
# What a browser shows, or `any_database` marks, is not.
IN_A_BROWSER = {"page", "new_context"}
SERVICE_FIXTURES = {"db", "transactional_db", "broker", "worker", "live_server"}


@pytest.fixture(scope="session")
def base_url() -> None:
    """Journeys name whole addresses; pytest-playwright's own fixture warns here."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the name of the file that gets the counts (see tests/run.py)."""
    parser.addoption("--counts", help="write counts as JSON to this file")


def pytest_configure() -> None:
    """Make passwords cheap: the real hasher takes a fifth of a second each."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES["staticfiles"]["BACKEND"] = (
        "django.contrib.staticfiles.storage.StaticFilesStorage"
    )


def pytest_collection_modifyitems(config, items: list[pytest.Item]) -> None:
    """Mark what runs again on servers, and leave to them what runs there alone."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        database = fixtures & SERVICE_FIXTURES or item.get_closest_marker("django_db")
        once = fixtures & IN_A_BROWSER or item.get_closest_marker("any_database")
        if database and not once:
            item.add_marker("services")
    if not ON_SERVERS and SERVERS_COME:
        later = [one for one in items if one.get_closest_marker("in_earnest")]
        config.hook.pytest_deselected(items=later)
        items[:] = [one for one in items if one not in later]


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """Write the counts for tests/run.py."""
    file = config.getoption("--counts")
    if not file:
        return
    stats = terminalreporter.stats
    counts = Counter({name: len(stats.get(name, ())) for name in ("passed", "failed")})
    counts["failed"] += len(stats.get("error", ()))
    skipped = stats.get("skipped", ())
    counts["browser_not_run"] = sum("no Chromium" in str(r.longrepr) for r in skipped)
    Path(file).write_text(json.dumps(counts))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Write hostile text so that it can be sent between the processes of `-n 2`."""
    report = (yield).get_result()
    report.sections = [
        (title, text.encode("utf-8", "backslashreplace").decode())
        for title, text in report.sections
    ]


class Together(LoadFileScheduling):
    """Gives a file, or all that is to run one after the other, to one of the processes."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "busy" if file.startswith(ONE_AFTER_THE_OTHER) else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log) -> Together:
    """Share out by files."""
    return Together(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Let each process of `-n 2` load settings of its own: its state is elsewhere."""
    os.environ.pop("DJANGO_SETTINGS_MODULE")
