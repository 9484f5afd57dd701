"""The language that people choose for themselves, and the one that strangers are spoken to in."""

import json
import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from ceadmin.audit import lines
from ceadmin.audit.models import Event
from ceadmin.teams.models import User
from tests.people import Team
from tests.teams.inviting import browser, invited, joining

pytestmark = pytest.mark.django_db

SET = reverse("admin:account_language_do")
ACCOUNT, SIGN_IN = reverse("admin:account"), reverse("admin:login")
GERMAN = {"accept-language": "de-AT,de;q=0.9,en;q=0.5"}
NEW = "nell@example.com"


@pytest.fixture
def vic(team) -> Client:
    return browser(team.vic)


def told() -> list[list[str]]:
    """Return what the audit says was changed about users."""
    rows = Event.objects.filter(action="user_changed").order_by("id")
    return [json.loads(row.text)["facts"]["changed"] for row in rows]


def language_of(user: User) -> str:
    return User.objects.get(pk=user.pk).language


def spoken(answer) -> str:
    """Return the language that a page says it is in."""
    return re.search(r'<html lang="([^"]*)"', answer.content.decode())[1]


def german(text: str) -> str:
    """Return a sentence of the product in German."""
    with translation.override("de"):
        return gettext(text)


def vary(answer) -> set[str]:
    return set(re.split(r",\s*", answer.get("Vary", "")))


def test_a_chosen_language_is_kept_and_pages_come_in_it(vic, team):
    answer = vic.post(SET, {"language": "de"})

    assert answer.url == ACCOUNT
    assert language_of(team.vic) == "de"
    page = vic.get(ACCOUNT)
    assert spoken(page) == "de"
    assert german("The admin speaks English now.") in page.content.decode()
    assert f"<h1>{german('Your account')}</h1>" in page.content.decode()
    assert told() == [["language"]]


def test_choosing_the_same_language_again_is_no_change(vic, team):
    vic.post(SET, {"language": "en"})

    assert (language_of(team.vic), told()) == ("en", [])


@pytest.mark.parametrize(
    "language", ["", "fr", "de-AT", "DE", "../de", "\x00", "z" * 99]
)
def test_what_is_not_spoken_is_refused_and_changes_nothing(vic, team, language):
    answer = vic.post(SET, {"language": language}, follow=True)

    assert answer.redirect_chain == [(ACCOUNT, 302)]
    assert "This language is not offered." in answer.content.decode()
    assert (language_of(team.vic), told()) == ("en", [])


def test_the_account_offers_every_language_by_its_own_name(vic, team):
    User.objects.filter(pk=team.vic.pk).update(language="de")

    page = vic.get(ACCOUNT).content.decode()

    assert '<option value="de" lang="de" selected>Deutsch</option>' in page
    assert '<option value="en" lang="en">English</option>' in page


def test_looking_at_the_address_sets_nothing(vic):
    assert vic.get(SET).status_code == 405


def test_nobody_chooses_for_somebody_else(team):
    assert browser().post(SET, {"language": "de"}).url.startswith(SIGN_IN)
    assert set(User.objects.values_list("language", flat=True)) == {"en"}


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("de-AT,de;q=0.9", "de"),
        ("fr,de;q=0.5,en;q=0.4", "de"),
        ("en-GB,de;q=0.9", "en"),
        ("fr", "en"),
        ("", "en"),
        ("de;q=x,,\x00", "en"),
    ],
)
def test_a_stranger_s_sign_in_page_follows_the_browser(asked, language):
    page = browser().get(SIGN_IN, headers={"accept-language": asked})

    assert spoken(page) == language
    assert "Accept-Language" in vary(page)


def test_a_member_s_chosen_language_beats_the_browser_s(vic):
    page = vic.get(ACCOUNT, headers=GERMAN)

    assert spoken(page) == "en"
    assert "Accept-Language" not in vary(page)


def test_the_language_of_one_request_does_not_stay_for_the_next(team):
    before = translation.get_language()

    languages = [
        spoken(browser().get(SIGN_IN, headers={"accept-language": one}))
        for one in ("de", "en", "de", "")
    ]

    assert languages == ["de", "en", "de", "en"]
    assert translation.get_language() == before


@pytest.mark.parametrize(
    ("path", "status"), [("/nowhere", 404), ("/admin/nowhere/", 302), ("/", 302)]
)
def test_pages_that_lead_nowhere_speak_the_browser_s_language(path, status):
    answer = browser().get(path, headers=GERMAN)

    assert answer.status_code == status
    assert "Accept-Language" in vary(answer)
    if status == 404:
        assert spoken(answer) == "de"
        assert german("There is nothing here") in answer.content.decode()


def test_an_old_form_speaks_the_browser_s_language():
    strict = browser(enforce_csrf_checks=True)

    answer = strict.post(SIGN_IN, {"username": "a", "password": "b"}, headers=GERMAN)

    assert (answer.status_code, spoken(answer)) == (403, "de")
    assert german("This form is too old") in answer.content.decode()


def test_a_closed_door_speaks_the_browser_s_language(team, settings):
    settings.SIGN_IN_TRIES = 1
    client, typed = browser(), {"username": team.vic.email, "password": "wrong"}

    client.post(SIGN_IN, typed, headers=GERMAN)
    answer = client.post(SIGN_IN, typed, headers=GERMAN)

    assert (answer.status_code, spoken(answer)) == (429, "de")


def test_a_host_that_is_not_ours_is_refused_in_the_browser_s_language():
    answer = browser().get(SIGN_IN, headers={**GERMAN, "host": "evil.example"})

    assert (answer.status_code, spoken(answer)) == (400, "de")
    assert "Accept-Language" in vary(answer)


@pytest.mark.parametrize(
    ("broken", "signed_in", "language"),
    [
        ("ceadmin.site.SignIn.as_view", False, "de"),
        ("ceadmin.middleware.is_too_old", True, "de"),  # before it is known who asks
        ("ceadmin.teams.views.account.zones", True, "en"),
    ],
)
def test_our_own_mistakes_are_told_in_the_reader_s_language(
    team, monkeypatch, broken, signed_in, language
):
    monkeypatch.setattr(broken, _fails)
    client = browser(team.vic if signed_in else None, raise_request_exception=False)

    answer = client.get(ACCOUNT if signed_in else SIGN_IN, headers=GERMAN)

    assert (answer.status_code, spoken(answer)) == (500, language)
    assert translation.get_language() == "en"


def _fails(*_args, **_kwargs):
    raise RuntimeError("broken by a test")


def test_an_account_made_by_an_invitation_has_the_language_of_its_page(team: Team):
    _made, path = invited(team.otto, team.acme, NEW)
    client = browser()

    assert spoken(client.get(path, headers=GERMAN)) == "de"
    client.post(path, joining(), headers=GERMAN)

    assert language_of(User.objects.get(email=NEW)) == "de"


def test_an_account_made_where_no_spoken_language_was_asked_for_is_english(team: Team):
    _made, path = invited(team.otto, team.acme, NEW)

    browser().post(path, joining(), headers={"accept-language": "fr"})

    assert language_of(User.objects.get(email=NEW)) == "en"


def test_an_account_that_waited_unused_gets_the_language_of_the_invitation(team: Team):
    User.objects.create_user(NEW)
    _made, path = invited(team.otto, team.acme, NEW)

    browser().post(path, joining(), headers=GERMAN)

    assert language_of(User.objects.get(email=NEW)) == "de"


def test_who_has_an_account_keeps_their_language_when_they_accept(team: Team):
    _made, path = invited(team.otto, team.acme, team.eve.email)

    browser(team.eve).post(path, {"act": "accept"}, headers=GERMAN)

    assert team.acme.memberships.filter(user=team.eve).exists()
    assert language_of(team.eve) == "en"


def test_the_audit_and_its_files_stay_english_whoever_acts(team: Team):
    User.objects.filter(pk=team.otto.pk).update(language="de", is_superuser=True)
    otto = browser(User.objects.get(pk=team.otto.pk))
    otto.post(SET, {"language": "en"})
    otto.post(SET, {"language": "de"})

    answer = otto.get(reverse("admin:audit_event_export", args=["csv"]))

    text = b"".join(answer.streaming_content).decode()
    header = ",".join(f'"{name}"' for name in (*lines.HEADER, *lines.NAMES))
    assert text.splitlines()[0] == header
    assert '"user_changed"' in text
