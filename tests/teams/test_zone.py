"""The time zone that people choose for themselves."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from ceadmin.audit.models import Event
from ceadmin.teams.models import User

SET = reverse("admin:account_zone_do")


@pytest.fixture
def vic(team) -> Client:
    client = Client()
    client.force_login(team.vic)
    return client


def told() -> list[list[str]]:
    """Return what the audit says was changed about users."""
    rows = Event.objects.filter(action="user_changed").order_by("id")
    return [json.loads(row.text)["facts"]["changed"] for row in rows]


def zone_of(user: User) -> str:
    return User.objects.get(pk=user.pk).time_zone


def test_a_chosen_zone_is_kept_and_pages_tell_times_in_it(vic, team):
    answer = vic.post(SET, {"time_zone": "Asia/Kolkata", "page": "overview"})

    assert answer.url == reverse("admin:index")
    assert zone_of(team.vic) == "Asia/Kolkata"
    assert "Times in Asia/Kolkata" in " ".join(
        vic.get(answer.url).content.decode().split()
    )
    assert told() == [["time_zone"]]


def test_choosing_the_same_zone_again_is_no_change(vic, team):
    vic.post(SET, {"time_zone": "UTC"})

    assert told() == []


@pytest.mark.parametrize(
    "zone", ["", "Mars/Olympus", "../etc/passwd", "\x00", "z" * 999]
)
def test_what_is_no_zone_is_refused_and_changes_nothing(vic, team, zone):
    answer = vic.post(
        SET, {"time_zone": zone, "page": "https://evil.example/"}, follow=True
    )

    assert answer.redirect_chain == [(reverse("admin:account"), 302)]
    assert "Unknown time zone" in answer.content.decode()
    assert (zone_of(team.vic), told()) == ("UTC", [])


def test_the_account_offers_every_zone_with_ones_own_chosen(vic, team):
    User.objects.filter(pk=team.vic.pk).update(time_zone="Europe/Berlin")

    page = vic.get(reverse("admin:account")).content.decode()

    assert "<option selected>Europe/Berlin</option>" in page
    assert "<option>Australia/Lord_Howe</option>" in page


def test_looking_at_the_address_sets_nothing(vic):
    assert vic.get(SET).status_code == 405
