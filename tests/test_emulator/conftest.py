"""An emulator of its own for every test, and somebody who talks to it."""

import pytest

from tests.emulator import start
from tests.test_emulator.tenant import Tenant


@pytest.fixture
def emulator():
    """A running emulator, empty."""
    with start() as running:
        yield running


@pytest.fixture
def acme(emulator):
    """An organization with an app at every provider."""
    return Tenant(emulator)
