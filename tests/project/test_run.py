"""`make test` says aloud what it did not run, and how to have it run."""

import os
import subprocess
import sys
from pathlib import Path

from tests.house.sources import ROOT
from tests.run import summary

WITHOUT_CHROMIUM = {
    **{name: value for name, value in os.environ.items() if name == "HOME"},
    "PATH": str(Path(sys.executable).parent),
}
JOURNEYS = "tests/browser/test_sign_in_journey.py"


def run(*arguments: str, **variables: str):
    return subprocess.run(
        [sys.executable, "-m", "tests.run", *arguments],
        cwd=ROOT,
        env={**WITHOUT_CHROMIUM, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_last_line_counts_what_passed():
    assert summary([{"passed": 3}, {"passed": 2}]) == "5 passed"


def test_the_last_line_begins_with_failures():
    assert summary([{"passed": 3, "failed": 1}]) == "1 failed, 3 passed"


def test_journeys_without_chromium_are_counted_aloud():
    ended = run("-q", JOURNEYS, "tests/project/test_environment.py")

    last = ended.stdout.splitlines()[-1]
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert last.endswith("browser journeys NOT run: install chromium or set CHROMIUM")
    assert "TEST_DATABASE_URL and TEST_REDIS_URL" in ended.stdout.splitlines()[-2]
    assert ended.stdout.splitlines()[-3].endswith("SDKs NOT run: make test-sdks")


def test_a_browser_that_is_required_and_missing_is_a_failure():
    ended = run("-q", "-x", JOURNEYS, REQUIRE_BROWSER="1")

    assert ended.returncode != 0
    assert "REQUIRE_BROWSER=1, but there is no Chromium" in ended.stdout
