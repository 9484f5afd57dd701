"""Client secrets that end on a day: asked for, told before, and dated anew with a new secret."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from ceadmin.audit.models import Event
from providers.models import ProviderApp
from tests.teams.inviting import browser
from tests.teams.pages import fields_of
from tests.teams.policing import facts_of

pytestmark = pytest.mark.django_db

LIST = reverse("admin:providers_providerapp_changelist")


def app(organization, name: str, days: int | None) -> ProviderApp:
    ends = None if days is None else timezone.localdate() + timedelta(days=days)
    made = ProviderApp(
        organization=organization,
        name=name,
        provider_key="box",
        element_key="box",
        client_id=f"{name}-client",
        secret_expires_on=ends,
    )
    made.client_secret = "an old secret"
    made.save()
    return made


def overview(user) -> str:
    return browser(user).get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (30, "The client secret of box expires in 30 days"),
        (1, "The client secret of box expires in 1 day:"),
        (0, "The client secret of box expires today"),
        (-3, "The client secret of box expired 3 days ago"),
    ],
)
def test_the_overview_names_a_secret_that_ends(team, days, words):
    app(team.acme, "box", days)

    assert words in overview(team.vic)
    assert words not in overview(team.eve)


@pytest.mark.parametrize("days", [31, None])
def test_what_lasts_is_not_named(team, days):
    app(team.acme, "box", days)

    assert "client secret of" not in overview(team.vic)


def test_several_are_one_line_that_leads_to_exactly_these(team):
    for name, days in {"one": -5, "two": 12, "three": 31, "four": None}.items():
        app(team.acme, name, days)
    app(team.other, "foreign", 3)

    page = overview(team.vic)
    listed = browser(team.vic).get(f"{LIST}?secret=expiring").content.decode()

    assert "2 client secrets expire within 30 days, or have expired" in page
    assert f"{LIST}?secret=expiring" in page
    shown = {
        name
        for name in ("one", "two", "three", "four", "foreign")
        if f">{name}<" in listed
    }
    assert shown == {"one", "two"}


def change(user, one: ProviderApp, **typed):
    """Post the app's form as it stands, with what is typed."""
    address = reverse("admin:providers_providerapp_change", args=[one.pk])
    client = browser(user)
    fields = fields_of(client.get(address).content.decode())
    return client.post(address, {**fields, **typed})


def test_an_owner_sets_the_day_and_the_audit_has_it(team):
    one = app(team.acme, "box", None)

    answer = change(team.otto, one, secret_expires_on="2027-03-31")

    one.refresh_from_db()
    assert answer.status_code == 302
    assert str(one.secret_expires_on) == "2027-03-31"
    event = Event.objects.get(action="provider_app_changed")
    assert facts_of(event)["secret_expires_on"] == "2027-03-31"


@pytest.mark.parametrize("day", ["soon", "2027-02-30", "31.03.2027"])
def test_no_day_is_an_error_beside_the_field(team, day):
    one = app(team.acme, "box", None)

    page = change(team.otto, one, secret_expires_on=day).content.decode()

    assert "Enter a valid date." in page
    assert day in page


def test_a_new_secret_does_not_take_over_the_old_day(team, emulator):
    one = app(team.acme, "box", -1)

    page = change(team.otto, one, client_secret_typed="a new secret").content.decode()

    one.refresh_from_db()
    assert "This is the former secret" in page
    assert one.client_secret.reveal() == "an old secret"
    assert "a new secret" not in page
