"""`manage.py erase_person`: by superusers, after saying yes."""

import uuid

import pytest

from ceadmin.audit.choices import Action
from ceadmin.audit.models import Event, Person
from ceadmin.teams.models import User
from tests.commands.conftest import manage

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(team) -> str:
    """A superuser's mail address."""
    return User.objects.create_superuser("root@example.com", name="Root").email


def test_a_superuser_erases_somebody(team, root):
    ended = manage("erase_person", "rita@example.com", "--as", root, "--yes")

    assert ended.code == 0
    assert str(team.rita.uid) in ended.text
    event = Event.objects.get(action=Action.PERSON_ERASED)
    assert event.subject_uid == str(team.rita.uid)
    assert Person.objects.get(uid=event.actor_uid).name == "Root"


def test_it_is_told_before_it_is_done(team, root):
    ended = manage("erase_person", "rita@example.com", "--as", root)

    assert (ended.code, "--yes" in ended.error) == (2, True)
    assert User.objects.filter(email="rita@example.com").exists()


def test_nobody_else_does_it(team, root):
    ended = manage("erase_person", root, "--as", "otto@example.com", "--yes")

    assert (ended.code, "superuser" in ended.error) == (3, True)


def test_whoever_is_needed_stays(team, root):
    ended = manage("erase_person", "otto@example.com", "--as", root, "--yes")

    assert (ended.code, "needs an owner" in ended.error) == (1, True)


def test_strangers_are_unknown(team, root):
    nobody = manage("erase_person", "no@example.com", "--as", root, "--yes")
    nothing = manage("erase_person", str(uuid.uuid4()), "--as", root, "--yes")

    assert (nobody.code, nothing.code) == (2, 1)


def test_a_pseudonym_will_do(team, root):
    uid = str(team.rita.uid)

    ended = manage("erase_person", uid, "--as", root, "--yes", "--json")

    assert ended.json == {"pseudonym": uid, "erased": True}
    assert not User.objects.filter(email="rita@example.com").exists()
