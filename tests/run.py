"""Run the tests on everything that is there, and say aloud what was not run.

Use: python -m tests.run [ARGUMENT FOR PYTEST…]. First SQLite with the embedded broker;
in two processes; then, where TEST_DATABASE_URL and TEST_REDIS_URL name servers, the tests
that touch a database or a broker once more on those: in two processes where TEST_REDIS_URL
names two databases of Redis, with a comma between, else in one. Tests marked `any_database`
run in the first pass only; those marked `in_earnest` only in the second, where there is one.
REQUIRE_BROWSER=1 makes a missing Chromium a failure.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

# Each process has a database, a broker, an emulator and a worker of its own; who gets what
# stands in tests/conftest.py. On a server of Redis other databases may belong to
# somebody: two processes share it only where two databases are named.
TWO_AT_ONCE = ("-n", "2", "--dist", "loadfile")
SERVERS = ("TEST_DATABASE_URL", "TEST_REDIS_URL")


def main(arguments: list[str]) -> int:
    """Run and return pytest's exit code, the first that is not 0."""
    first = run("SQLite and the embedded broker", [*TWO_AT_ONCE, *arguments], {})
    reports = [first]
    missing = [name for name in SERVERS if not os.environ.get(name)]
    if not missing and not first["code"]:
        servers = {"CEADMIN_TEST_SERVERS": "1"}
        brokers = os.environ["TEST_REDIS_URL"].split(",")
        share = TWO_AT_ONCE if len(brokers) > 1 else ()
        arguments = ["-m", "services", *share, *arguments]
        reports.append(run("PostgreSQL and a separate Redis", arguments, servers))
    if not os.environ.get("SDKS_PYTHON"):
        print("Comparison with the vendors' SDKs NOT run: make test-sdks", flush=True)
    if missing:
        names = " and ".join(missing)
        print(f"PostgreSQL and a separate Redis NOT run: set {names}", flush=True)
    print(summary(reports), flush=True)
    return next((report["code"] for report in reports if report["code"]), 0)


def run(title: str, arguments: list[str], variables: dict[str, str]) -> dict[str, int]:
    """Run pytest once and return its counts and exit code."""
    print(f"== {title}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "counts.json"
        command = [sys.executable, "-m", "pytest", f"--counts={file}", *arguments]
        code = subprocess.call(command, env={**os.environ, **variables})
        counts = json.loads(file.read_text()) if file.exists() else {}
    return {**counts, "code": code}


def summary(reports: list[dict[str, int]]) -> str:
    """Return the last line: how many passed, and what was not run."""
    failed = sum(report.get("failed", 0) for report in reports)
    passed = sum(report.get("passed", 0) for report in reports)
    parts = [f"{failed} failed"] if failed else []
    parts.append(f"{passed} passed")
    if journeys := reports[0].get("browser_not_run", 0):
        parts.append(
            f"{journeys} browser journeys NOT run: install chromium or set CHROMIUM"
        )
    return ", ".join(parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
