"""Fixtures of tests that start ceadmin as a person does."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.start.installations import Installation


@pytest.fixture
def installation(tmp_path) -> Installation:
    """A place of its own."""
    return Installation(tmp_path)


@pytest.fixture
def started(installation) -> Iterator:
    """Start commands that are killed at the end, whatever happened."""
    running = []

    def start(*arguments: str, **variables: str):
        running.append(installation.start(*arguments, **variables))
        return running[-1]

    yield start
    for one in running:
        print(one.text())
        with suppress(ProcessLookupError):
            one.process.kill()
        one.process.wait()
        one.output.close()
