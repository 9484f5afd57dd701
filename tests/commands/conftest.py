"""Fixtures of tests that run commands."""

import io
import json
from dataclasses import dataclass

import pytest
from django.core.management import CommandError, call_command

from tests.instances.fleet import Fleet


@dataclass
class Ended:
    """What came of a command."""

    code: int
    text: str
    error: str = ""

    @property
    def json(self):
        """The document it printed."""
        return json.loads(self.text)


def manage(*arguments: str, out: io.StringIO | None = None) -> Ended:
    """Run a command as its command line does and return what came of it."""
    out = out or io.StringIO()
    try:
        call_command(*arguments, stdout=out)
    except CommandError as error:
        return Ended(error.returncode, out.getvalue(), str(error))
    except SystemExit as end:
        return Ended(int(end.code or 0), out.getvalue())
    return Ended(0, out.getvalue())


@pytest.fixture
def fleet(emulator, team):
    """Acme's instances on both sides; Rita asks."""
    return Fleet(emulator, team.acme, team.rita)
