"""`manage.py unlock_sign_in` opens a closed door, for those who may say so."""

import json

import pytest
from django.test import Client

from ceadmin.audit.models import Event
from ceadmin.teams import factors
from ceadmin.teams.models import User
from tests.commands.conftest import manage
from tests.people import PASSWORD
from tests.teams.signing_in import (
    CODE,
    browser_of,
    give_factor,
    give_password,
    signed_in,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(team) -> User:
    """Somebody who may do everything."""
    return User.objects.create_superuser("ada@example.com", PASSWORD)


def close(user: User, address: str = "192.0.2.9") -> Client:
    """Return a browser to which the door is closed."""
    client = Client(REMOTE_ADDR=address)
    for _ in range(5):
        give_password(client, user, "wrong")
    assert give_password(client, user).status_code == 429
    return client


@pytest.mark.parametrize("who", ["ada", "otto"])
def test_superusers_and_owners_open_the_door_of_a_member(team, ada, who):
    client = close(team.vic)

    ended = manage("unlock_sign_in", "Vic@Example.com", "--as", f"{who}@example.com")

    assert ended.code == 0
    assert "forgotten" in ended.text
    assert give_password(client, team.vic).status_code == 302
    event = Event.objects.get(action="sign_in_unlocked")
    assert event.subject_uid == str(team.vic.uid)
    assert event.actor_uid == User.objects.get(email=f"{who}@example.com").uid


@pytest.mark.parametrize("who", ["olga", "vic", "eve"])
def test_nobody_else_opens_it(team, who):
    client = close(team.vic)

    ended = manage("unlock_sign_in", "vic@example.com", "--as", f"{who}@example.com")

    assert ended.code == 3
    assert give_password(client, team.vic).status_code == 429
    assert not Event.objects.filter(action="sign_in_unlocked").exists()


def test_a_superuser_opens_the_door_of_a_network(team, ada):
    client = close(team.vic, "2001:db8::1")
    for n in range(9):
        for _ in range(5):
            give_password(Client(REMOTE_ADDR="2001:db8::2"), team.otto, f"no {n}")

    ended = manage("unlock_sign_in", "2001:db8::77", "--as", ada.email, "--json")

    assert ended.json["forgotten"] >= 2
    assert give_password(client, team.vic).status_code == 302


def test_an_owner_opens_no_network(team):
    assert manage("unlock_sign_in", "192.0.2.9", "--as", team.otto.email).code == 3


def test_a_network_beginning_with_the_same_digits_stays_closed(team, ada):
    other = close(team.vic, "192.0.2.91")

    manage("unlock_sign_in", "192.0.2.9", "--as", ada.email)

    assert give_password(other, team.vic).status_code == 429


def test_the_door_of_the_code_opens_too(team, ada):
    codes = give_factor(team.vic)
    client = Client()
    give_password(client, team.vic)
    for _ in range(5):
        client.post(CODE, {"code": "000000"})

    manage("unlock_sign_in", team.vic.email, "--as", ada.email)

    assert client.post(CODE, {"code": codes[0]}).status_code == 302


def test_nobody_with_that_address_is_wrong_usage(team, ada):
    assert manage("unlock_sign_in", "no@example.com", "--as", ada.email).code == 2


def test_a_lost_factor_is_taken_away_from_a_shell(team, ada):
    give_factor(ada)
    vic = browser_of(team.vic)
    give_factor(team.vic)

    ended = manage(
        "unlock_sign_in", team.vic.email, "--reset-factor", "--as", ada.email
    )

    assert ended.code == 0
    assert not factors.is_set(team.vic)
    assert factors.is_set(ada)
    assert not signed_in(vic)
    event = Event.objects.get(action="factor_reset")
    assert json.loads(event.text)["actor"]["uid"] == str(ada.uid)


@pytest.mark.parametrize("who", ["otto", "vic"])
def test_only_a_superuser_takes_a_factor_away(team, who):
    give_factor(team.vic)

    ended = manage(
        "unlock_sign_in", team.vic.email, "--reset-factor", "--as", f"{who}@example.com"
    )

    assert ended.code == 3
    assert factors.is_set(team.vic)


@pytest.mark.parametrize("whose", ["vic@example.com", "192.0.2.9"])
def test_a_factor_that_is_not_there_is_wrong_usage(team, ada, whose):
    ended = manage("unlock_sign_in", whose, "--reset-factor", "--as", ada.email)

    assert ended.code == 2
    assert not Event.objects.filter(action="sign_in_unlocked").exists()
