"""Fixtures of all tests: settings of a demo, real services, real people, a browser."""

import atexit
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatch
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

# Begun first, the longest before: a process that began one of these at the end would be
# waited for by the other.
SLOW_FIRST = (
    *ONE_AFTER_THE_OTHER,
    "tests/browser/test_walk",
    "tests/teams/test_isolation_walk",
    "tests/security/test_roles_table",
    "tests/instances/test_revoke_faults",
    "tests/instances/test_draft_request",
    "tests/frame/",
    "tests/browser/",
)

# A test that uses one of these is run again on PostgreSQL and a separate Redis.
# What a browser shows, or `any_database` marks, is not.
IN_A_BROWSER = {"page", "new_context"}
ON_ITS_OWN = {"transactional_db", "broker", "worker", "live_server"}
SERVICE_FIXTURES = {"db", *ON_ITS_OWN}

# Pages, forms, words and commands that Django's ORM alone brings to the database. What of
# them needs transactions of its own, a broker or a worker is run again all the same. Hostile
# input is not among them: there is text that one database takes and the other refuses.
THROUGH_THE_ORM = (
    *("tests/frame/*", "tests/browser/*", "tests/project/*"),
    *("*/test_*_pages.py", "*/test_*language*.py"),
    *("*/test_following.py", "*/test_json.py", "*/test_first_owner.py"),
    *("*/test_unlock_sign_in.py", "*/test_run_approval.py"),
    *("*/test_factor*.py", "*/test_closed_doors.py", "*/test_dangerous_roads.py"),
    *("*/test_sessions.py", "*/test_signins.py", "*/test_throttle.py"),
    *("*/test_recent.py", "*/test_invitations.py", "*/test_zone.py"),
    *("*/test_brands.py", "*/test_audit_files.py", "*/test_reasons.py"),
    *("*/test_links_sent.py", "*/test_callback_*.py", "*/test_live_poll.py"),
    *("*/test_by_hand.py", "*/test_rehearsals.py", "*/test_draft_request.py"),
    *("*/test_own_provider*.py", "*/test_switched_off.py", "*/test_secret_trial.py"),
    *("*/test_expiring_secrets.py", "*/test_kept_in_english.py"),
    "*/test_reconnect_fails.py",
)


@pytest.fixture(scope="session")
def base_url() -> None:
    """Journeys name whole addresses; pytest-playwright's own fixture warns here."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the name of the file that gets the counts (see tests/run.py)."""
    parser.addoption("--counts", help="write counts as JSON to this file")


def pytest_configure(config: pytest.Config) -> None:
    """Make passwords cheap: the real hasher takes a fifth of a second each."""
    config.option.loadscopereorder = False  # by how long, not by how many
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES["staticfiles"]["BACKEND"] = (
        "django.contrib.staticfiles.storage.StaticFilesStorage"
    )


def pytest_collection_modifyitems(config, items: list[pytest.Item]) -> None:
    """Mark what runs again on servers, and leave to them what runs there alone."""
    items.sort(key=_rank)
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        database = fixtures & SERVICE_FIXTURES or item.get_closest_marker("django_db")
        once = fixtures & IN_A_BROWSER or item.get_closest_marker("any_database")
        if database and not once and not _goes_through_the_orm(item, fixtures):
            item.add_marker("services")
    if not ON_SERVERS and SERVERS_COME:
        later = [one for one in items if one.get_closest_marker("in_earnest")]
        config.hook.pytest_deselected(items=later)
        items[:] = [one for one in items if one not in later]


def _rank(item: pytest.Item) -> int:
    """Return when a test's file is begun; those of one rank keep their order."""
    slow = [n for n, one in enumerate(SLOW_FIRST) if item.nodeid.startswith(one)]
    return min(slow, default=len(SLOW_FIRST))


def _goes_through_the_orm(item: pytest.Item, fixtures: set[str]) -> bool:
    """Tell whether one database shows what a test tries."""
    marker = item.get_closest_marker("django_db")
    alone = marker is not None and marker.kwargs.get("transaction")
    file = item.nodeid.partition("::")[0]
    named = any(fnmatch(file, one) for one in THROUGH_THE_ORM)
    return named and not alone and not fixtures & ON_ITS_OWN


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
