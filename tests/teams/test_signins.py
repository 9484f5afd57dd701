"""Who signed in, who signed out, who was refused: all of it is recorded."""

import json

import pytest
from django.contrib.auth import authenticate
from django.test import Client, RequestFactory

from ceadmin.audit.models import Event, Origin, Person
from ceadmin.lib.sealed import fingerprint
from tests.people import PASSWORD

pytestmark = pytest.mark.django_db

LOGIN = "/admin/login/"


def sign_in(email: str, password: str = PASSWORD) -> Client:
    """Send the sign-in form as a browser does."""
    client = Client(REMOTE_ADDR="192.0.2.9")
    client.post(LOGIN, {"username": email, "password": password, "next": "/admin/"})
    return client


def test_a_sign_in_and_a_sign_out_are_recorded(team):
    client = sign_in("otto@example.com")
    client.post("/admin/logout/")

    events = Event.objects.order_by("id")
    assert [event.action for event in events] == ["signed_in", "signed_out"]
    assert {event.actor_uid for event in events} == {team.otto.uid}
    assert {event.chain for event in events} == {""}
    assert Origin.objects.get().address == "192.0.2.9"
    assert Person.objects.get().mail == "otto@example.com"


def test_a_refused_sign_in_names_the_account(team):
    sign_in("Otto@example.com", "wrong")

    event = Event.objects.get()
    assert (event.action, event.subject_uid) == ("sign_in_refused", str(team.otto.uid))
    assert event.actor_kind == "customer"
    assert "wrong" not in event.text


def test_a_refused_sign_in_of_nobody_leaves_a_fingerprint_only(db):
    sign_in("stranger@example.com", "wrong")

    event = Event.objects.get()
    facts = json.loads(event.text)["facts"]
    assert event.subject_uid == ""
    assert facts["address_fingerprint"] == fingerprint("stranger@example.com")
    assert "stranger" not in event.text


def test_a_sign_in_with_an_account_switched_off_is_recorded(team):
    team.otto.is_active = False
    team.otto.save()

    sign_in("otto@example.com")

    assert Event.objects.get().action == "sign_in_refused"


@pytest.mark.parametrize(
    "hostile", ["nul\0@example.com", "\ud800@example.com", "x" * 5000]
)
def test_a_hostile_mail_address_is_recorded_too(db, hostile):
    request = RequestFactory().post(LOGIN)

    assert authenticate(request, username=hostile, password="x") is None

    assert Event.objects.get().action == "sign_in_refused"


def test_signing_out_an_expired_session_is_no_event(client, db):
    client.post("/admin/logout/")

    assert not Event.objects.exists()
