"""The pages of users: superusers look after them, everybody after themselves."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from ceadmin.audit.models import Event, Person
from ceadmin.teams.models import User
from tests.people import PASSWORD, Team
from tests.teams.pages import fields_of

pytestmark = pytest.mark.django_db

LIST = "/admin/teams/user/"
NEW_PASSWORD = "another long passphrase"


def browser(user: User) -> Client:
    """Return a signed-in browser."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def root(team: Team) -> User:
    """Somebody who may do everything."""
    return User.objects.create_superuser("root@example.com", PASSWORD)


def page_of(user: User, page: str = "change") -> str:
    """Return the address of a page about somebody."""
    return reverse(f"admin:teams_user_{page}", args=[user.pk])


def changes() -> list[tuple[str, dict]]:
    """Return what the system's chain says about users: act and facts."""
    rows = Event.objects.filter(action__startswith="user_").order_by("id")
    return [(row.action, json.loads(row.text)["facts"]) for row in rows]


def test_a_superuser_adds_a_user(root):
    data = {
        "email": "Ann@Example.com",
        "name": "Ann",
        "usable_password": "true",
        "password1": NEW_PASSWORD,
        "password2": NEW_PASSWORD,
    }

    response = browser(root).post(f"{LIST}add/", data)

    assert response.status_code == 302
    ann = User.objects.get(email="ann@example.com")
    assert ann.check_password(NEW_PASSWORD)
    assert changes() == [("user_added", {"superuser": False})]
    assert Person.objects.get(uid=ann.uid).name == "Ann"


def test_a_superuser_switches_an_account_off(root, team):
    client = browser(root)
    data = fields_of(client.get(page_of(team.vic)).content.decode())
    data.pop("is_active")

    client.post(page_of(team.vic), data)

    team.vic.refresh_from_db()
    assert not team.vic.is_active
    facts = {"changed": ["is_active"], "active": False, "superuser": False}
    assert changes() == [("user_changed", facts)]


def test_a_superuser_sets_a_password_and_it_is_recorded(root, team):
    data = {
        "usable_password": "true",
        "password1": NEW_PASSWORD,
        "password2": NEW_PASSWORD,
        "set-password": "Change password",
    }

    response = browser(root).post(f"{LIST}{team.vic.pk}/password/", data)

    team.vic.refresh_from_db()
    assert response.status_code == 302
    assert team.vic.check_password(NEW_PASSWORD)
    assert [facts["changed"] for _, facts in changes()] == [["password"]]


def test_a_refused_password_is_no_event(root, team):
    data = {"usable_password": "true", "password1": "short", "password2": "short"}

    response = browser(root).post(f"{LIST}{team.vic.pk}/password/", data)

    assert response.status_code == 200
    assert changes() == []


def test_people_change_their_own_password_and_it_is_recorded(team):
    client = browser(team.vic)
    data = {"old_password": "wrong"} | dict.fromkeys(
        ("new_password1", "new_password2"), NEW_PASSWORD
    )

    refused = client.post("/admin/password_change/", data)
    changed = client.post("/admin/password_change/", data | {"old_password": PASSWORD})
    page = client.get(changed["Location"]).content.decode()

    team.vic.refresh_from_db()
    assert "<title>Your password was changed" in page
    assert "successful" not in page
    assert (refused.status_code, changed.status_code) == (200, 302)
    assert team.vic.check_password(NEW_PASSWORD)
    assert [facts["changed"] for _, facts in changes()] == [["password"]]


def test_a_changed_password_ends_the_sessions(root, team):
    client = browser(team.vic)
    assert client.get("/admin/").status_code == 200

    team.vic.set_password(NEW_PASSWORD)
    team.vic.save()

    assert client.get("/admin/").status_code == 302


def test_nobody_is_removed(root, team):
    client = browser(root)

    assert client.post(page_of(team.vic, "delete"), {"post": "yes"}).status_code == 403
    client.post(
        LIST,
        {
            "action": "delete_selected",
            "_selected_action": [team.vic.pk],
            "post": "yes",
        },
    )
    assert User.objects.filter(pk=team.vic.pk).exists()


def test_people_see_whom_they_share_an_organization_with(team):
    page = browser(team.vic).get(LIST).content.decode()

    for user in (team.otto, team.olga, team.rita, team.vic):
        assert user.email in page
    assert team.eve.email not in page


def test_people_change_what_their_entry_says_of_them(team):
    data = {"name": "Victor", "time_zone": "Europe/Berlin", "language": "en"}

    response = browser(team.vic).post(page_of(team.vic), data)

    team.vic.refresh_from_db()
    assert response.status_code == 302
    assert (team.vic.name, team.vic.time_zone) == ("Victor", "Europe/Berlin")
    assert [facts["changed"] for _, facts in changes()] == [["name", "time_zone"]]
    assert Person.objects.get(uid=team.vic.uid).name == "Victor"


def test_nobody_makes_themselves_a_superuser(team):
    data = {
        "name": "Vic",
        "time_zone": "UTC",
        "language": "en",
        "email": "boss@example.com",
        "is_superuser": "on",
        "is_staff": "on",
        "is_active": "on",
    }

    browser(team.vic).post(page_of(team.vic), data)

    team.vic.refresh_from_db()
    assert not team.vic.is_superuser
    assert team.vic.email == "vic@example.com"


def test_an_owner_does_not_reach_into_accounts(team):
    client = browser(team.otto)
    password = f"{LIST}{team.vic.pk}/password/"
    data = {"usable_password": "true", "password1": NEW_PASSWORD} | {
        "password2": NEW_PASSWORD,
        "name": "x",
    }

    assert client.get(page_of(team.vic)).status_code == 200
    assert client.post(page_of(team.vic), data).status_code == 403
    assert client.get(password).status_code == 403
    assert client.post(password, data).status_code == 403
    assert client.get(f"{LIST}add/").status_code == 403
    team.vic.refresh_from_db()
    assert team.vic.check_password(PASSWORD)


@pytest.mark.parametrize(
    "lookup", ["password__startswith", "password__contains", "password"]
)
def test_passwords_cannot_be_guessed_by_filters(team, lookup):
    response = browser(team.vic).get(LIST, {lookup: "md5"})

    assert response.status_code == 400


@pytest.mark.parametrize(
    "lookup",
    ["memberships__organization__name__startswith", "memberships__is_owner__exact"],
)
def test_memberships_elsewhere_cannot_be_guessed_by_filters(team, lookup):
    response = browser(team.vic).get(LIST, {lookup: "G"})

    assert response.status_code == 400


def test_a_page_about_somebody_shows_no_password(root, team):
    for user in (root, team.vic):
        page = browser(user).get(page_of(team.vic)).content.decode()

        assert team.vic.password not in page
        assert team.vic.password.split("$")[-1] not in page


def test_a_superuser_without_any_organization_finds_the_history(root, team):
    response = browser(root).get(page_of(team.vic, "history"))

    assert response.url == f"/admin/audit/event/?q={team.vic.uid}"
    assert browser(root).get(response.url).status_code == 200
    assert browser(team.otto).get(page_of(team.vic, "history")).status_code == 403
