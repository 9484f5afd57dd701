"""Rows sealed with a key that is not loaded stop every start, and a sentence says what to do."""

import sys

import pytest

from ceadmin.checks import REFUSED
from tests.start.installations import GOOD, MANAGE
from tests.start.test_refusals import STARTS

OTHER = {**GOOD, "FIELD_KEYS": "k2:" + "D" * 42 + "A="}
MAKE = """
from ceadmin.teams.models import Organization
acme = Organization(name="Acme", slug="acme", base_url="https://api.example.com")
acme.user_secret = "secret"
acme.save()
"""


@pytest.fixture
def sealed(installation):
    """An installation with a secret under k1."""
    assert installation.manage("migrate", **GOOD).returncode == 0
    made = installation.manage("shell", "-c", MAKE, **GOOD)
    assert made.returncode == 0, made.stderr
    return installation


def test_nobody_starts_without_the_key_of_a_row(sealed):
    beat = (sys.executable, "-m", "celery", "--app", "ceadmin", "beat")
    ends = [sealed.run(*start, **OTHER) for start in (*STARTS.values(), beat)]
    command = sealed.manage("runs", "--as", "nobody@example.com", **OTHER)

    assert [end.returncode for end in ends] == [REFUSED] * 4
    for end in (*ends, command):
        assert "ceadmin.E014" in end.stderr
        assert "rotate_keys --forget k1" in end.stderr


def test_behind_the_newest_key_it_is_found_and_rotated(sealed):
    both = {**GOOD, "FIELD_KEYS": f"{OTHER['FIELD_KEYS']},{GOOD['FIELD_KEYS']}"}

    before = sealed.run(*MANAGE, "rotate_keys", "--check", **both)
    rotated = sealed.run(*MANAGE, "rotate_keys", **both)
    after = sealed.run(*MANAGE, "rotate_keys", "--check", **OTHER)

    assert [before.returncode, rotated.returncode, after.returncode] == [1, 0, 0]


def test_a_lost_key_is_forgotten_and_everything_starts_again(sealed):
    ended = sealed.manage("rotate_keys", "--forget", "k1", **OTHER)
    command = sealed.manage("runs", "--as", "nobody@example.com", **OTHER)

    assert ended.returncode == 0, ended.stderr
    assert "organization.user_secret: 1 removed" in ended.stdout
    assert "Nobody who can sign in" in command.stderr
