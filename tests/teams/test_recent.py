"""Before dangerous acts a person proves that it is still them."""

import time

import pytest
from django.test import Client
from django.urls import reverse

from ceadmin.confirming import HELD
from ceadmin.teams.models import Membership, User
from ceadmin.teams.recent import CONFIRMED_AT
from tests.people import PASSWORD, Team
from tests.teams.pages import fields_of

pytestmark = pytest.mark.django_db


def browser(user: User) -> Client:
    """Return a browser in which somebody signed in long ago."""
    client = Client()
    client.force_login(user)
    session = client.session
    session[CONFIRMED_AT] = int(time.time()) - 24 * 60 * 60
    session.save()
    return client


def role_page(team: Team) -> str:
    """Return the page that changes Vic's roles."""
    row = Membership.objects.get(user=team.vic)
    return reverse("admin:teams_membership_change", args=[row.pk])


def ask_for_role(client: Client, page: str):
    """Press the button that makes Vic an operator."""
    return client.post(page, {"is_operator": "on"})


def is_operator(team: Team) -> bool:
    return Membership.objects.get(user=team.vic).is_operator


def answer(client: Client, page: str, asked, password: str = PASSWORD):
    """Fill in the page "Confirm it is you"."""
    fields = fields_of(asked.content.decode())
    return client.post(page, {**fields, "confirm_password": password})


def test_a_sign_in_long_ago_asks_and_then_does_what_was_pressed(team):
    client, page = browser(team.otto), role_page(team)

    asked = ask_for_role(client, page)

    assert asked.status_code == 403
    assert "Confirm it is you" in asked.content.decode()
    assert not is_operator(team)
    done = answer(client, page, asked)
    assert done.status_code == 302
    assert is_operator(team)


def test_nothing_is_asked_for_a_while_after_that(team):
    client, page = browser(team.otto), role_page(team)
    answer(client, page, ask_for_role(client, page))

    again = client.post(page, {})

    assert again.status_code == 302
    assert not is_operator(team)


def test_a_fresh_sign_in_is_enough(team):
    client = Client()
    client.force_login(team.otto)

    assert ask_for_role(client, role_page(team)).status_code == 302


def test_a_wrong_password_changes_nothing_and_keeps_what_was_pressed(team):
    client, page = browser(team.otto), role_page(team)

    refused = answer(client, page, ask_for_role(client, page), "wrong")

    assert refused.status_code == 403
    assert not is_operator(team)
    assert answer(client, page, refused).status_code == 302
    assert is_operator(team)


def test_what_was_pressed_is_no_good_at_another_address(team):
    client, page = browser(team.otto), role_page(team)
    held = fields_of(ask_for_role(client, page).content.decode())[HELD]
    other = reverse(
        "admin:teams_membership_change",
        args=[Membership.objects.get(user=team.olga).pk],
    )

    response = client.post(other, {HELD: held, "confirm_password": PASSWORD})

    assert response.status_code == 302
    assert Membership.objects.get(user=team.olga).is_operator
    assert not is_operator(team)


def test_what_was_pressed_is_no_good_for_somebody_else(team):
    held = fields_of(
        ask_for_role(browser(team.otto), role_page(team)).content.decode()
    )[HELD]
    team.vic.memberships.update(is_owner=True)

    browser(team.vic).post(role_page(team), {HELD: held, "confirm_password": PASSWORD})

    assert not is_operator(team)


def test_what_was_typed_stands_in_the_page_sealed_only(team):
    client = browser(team.otto)
    page = reverse("admin:teams_organization_change", args=[team.acme.pk])
    fields = fields_of(client.get(page).content.decode())
    typed = {**fields, "user_secret_typed": "brand-new-secret-4711"}

    asked = client.post(page, typed)

    assert asked.status_code == 403
    assert "brand-new-secret-4711" not in asked.content.decode()
    assert answer(client, page, asked).status_code != 403


def test_a_clock_that_was_far_ahead_is_no_confirmation(team):
    client = browser(team.otto)
    session = client.session
    session[CONFIRMED_AT] = int(time.time()) + 24 * 60 * 60
    session.save()

    assert ask_for_role(client, role_page(team)).status_code == 403


def test_a_machine_is_told_as_json(team):
    client = browser(team.otto)

    response = client.post(role_page(team), headers={"accept": "application/json"})

    assert response.status_code == 403
    assert response.json()["error"]["code"] == "confirm_first"


@pytest.mark.parametrize(
    "came", ["https://evil.example/", "http://testserver//evil.example/x"]
)
def test_the_way_back_leads_nowhere_else(team, came):
    client = browser(team.otto)
    headers = {"referer": came}

    asked = client.post(role_page(team), headers=headers).content.decode()

    assert "//evil.example" not in asked
