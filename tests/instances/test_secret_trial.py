"""A new secret is tried at the platform before it is kept; nobody ever sees it."""

import pytest
from django.db import connection
from django.urls import reverse

from ceadmin.audit.models import Event
from ceadmin.lib import http
from ceadmin.teams.models import Organization
from providers.models import ProviderApp
from tests.instances.fleet import Fleet
from tests.people import ORGANIZATION_SECRET, PASSWORD, USER_SECRET

FRESH, WRONG = "fresh-secret-Lm42kq", "wrong-secret-8Vw1zz"


@pytest.fixture
def fleet(emulator, team):
    return Fleet(emulator, team.acme, team.rita)


@pytest.fixture
def otto(client, team, fleet):
    assert client.login(username=team.otto.email, password=PASSWORD)
    return client


def save(client, organization, **typed):
    names = ("name", "base_url", "reauthenticate_by", "link_lifetime_hours")
    held = {name: getattr(organization, name) for name in names}
    url = reverse("admin:teams_organization_change", args=[organization.pk])
    return client.post(url, {**held, **typed}, follow=True)


def save_app(client, app, **typed):
    names = ("name", "provider_key", "element_key", "client_id", "callback_mode")
    held = {name: getattr(app, name) for name in names} | {"site": "{}"}
    url = reverse("admin:providers_providerapp_change", args=[app.pk])
    return client.post(url, {**held, **typed}, follow=True)


def again(row):
    return type(row).objects.get(pk=row.pk)


def events(*actions: str) -> list[Event]:
    return list(Event.objects.filter(action__in=actions).order_by("pk"))


def assert_shown_nowhere(page: str) -> None:
    secrets = (FRESH, WRONG, USER_SECRET, ORGANIZATION_SECRET)
    assert not any(secret in page for secret in secrets)
    texts = Event.objects.values_list("text", flat=True)
    assert not any(secret in text for text in texts for secret in secrets)


def test_a_secret_that_works_is_kept_and_said_to_work(otto, fleet, team):
    fleet.emulator.control("organizations", {"id": 1, "user_secret": FRESH})

    page = save(otto, team.acme, user_secret_typed=FRESH).content.decode()

    assert again(team.acme).user_secret.reveal() == FRESH
    assert "Both secrets work." in page
    (changed,) = events("secret_changed")
    assert '"anyway":false,"finding":"secrets_work","secret":"user_secret"' in (
        changed.text
    )
    assert_shown_nowhere(page)


def test_a_secret_that_fails_is_refused_with_the_reason_and_what_was_typed_stays(
    otto, team
):
    page = save(otto, team.acme, user_secret_typed=WRONG, name="Acme 2")
    text = page.content.decode()

    acme = again(team.acme)
    assert (acme.user_secret.reveal(), acme.name) == (USER_SECRET, "Acme")
    assert "Nothing was saved. The platform refuses the pair" in text
    assert "Type it again" in text
    assert 'value="Acme 2"' in text
    assert 'name="save_anyway"' in text
    (kept,) = events("secret_kept", "secret_changed")
    assert (kept.action, kept.outcome) == ("secret_kept", "one_secret_wrong")
    assert_shown_nowhere(text)


def test_saving_anyway_is_deliberate_and_recorded(otto, team):
    first = save(otto, team.acme).content.decode()

    typed = {"user_secret_typed": WRONG, "save_anyway": "on"}
    page = save(otto, team.acme, **typed).content.decode()

    acme = again(team.acme)
    assert 'name="save_anyway"' not in first
    assert acme.user_secret.reveal() == WRONG
    assert acme.secrets_problem == "one_secret_wrong"
    (changed,) = events("secret_kept", "secret_changed")
    assert '"anyway":true,"finding":"one_secret_wrong"' in changed.text
    assert_shown_nowhere(page)


def test_a_platform_that_is_away_refuses_too(otto, fleet, team):
    fleet.fault("status", "/organizations/me", status=503, body={}, times=9)

    page = save(otto, team.acme, user_secret_typed=USER_SECRET).content.decode()

    assert "Nothing was saved." in page
    assert not events("secret_changed")


def test_blank_keeps_and_asks_nobody(otto, fleet, team):
    asked = len(fleet.emulator.log())

    save(otto, team.acme, name="Acme Ltd")

    acme = again(team.acme)
    assert (acme.name, acme.user_secret.reveal()) == ("Acme Ltd", USER_SECRET)
    assert len(fleet.emulator.log()) == asked
    assert not events("secret_changed", "secret_kept")


def test_another_mistake_says_that_the_secret_is_to_be_typed_again(otto, fleet, team):
    asked = len(fleet.emulator.log())

    page = save(otto, team.acme, name="", user_secret_typed=FRESH).content.decode()

    assert "never put into a page" in page
    assert len(fleet.emulator.log()) == asked
    assert_shown_nowhere(page)


def test_no_transaction_is_open_while_the_platform_is_asked(
    otto, fleet, team, monkeypatch
):
    depth, send = [], http.send

    def watched(request):
        depth.append(len(connection.savepoint_ids))
        return send(request)

    monkeypatch.setattr(http, "send", watched)
    save(otto, team.acme, user_secret_typed=USER_SECRET)

    # The test itself stands in one transaction, without a savepoint in it.
    assert depth
    assert set(depth) == {0}


def test_an_app_s_secret_is_tried_and_refused(otto, fleet):
    app = fleet.app("box")
    fleet.emulator.control("organizations", {"id": 1, "user_secret": FRESH})

    page = save_app(otto, app, client_secret_typed=WRONG).content.decode()
    kept = ProviderApp.objects.get(pk=app.pk).client_secret.reveal()
    save_app(otto, app, client_secret_typed=WRONG, save_anyway="on")

    assert "Nothing was saved. The platform refuses the organization" in page
    assert kept != WRONG
    assert ProviderApp.objects.get(pk=app.pk).client_secret.reveal() == WRONG
    assert [one.action for one in events("secret_kept", "secret_changed")] == [
        "secret_kept",
        "secret_changed",
    ]
    assert_shown_nowhere(page)


def test_a_viewer_s_secrets_are_not_even_tried(client, fleet, team):
    assert client.login(username=team.vic.email, password=PASSWORD)
    asked = len(fleet.emulator.log())

    answer = save(client, team.acme, user_secret_typed=FRESH)

    assert answer.status_code == 403
    assert len(fleet.emulator.log()) == asked
    assert Organization.objects.get(pk=team.acme.pk).user_secret.reveal() == USER_SECRET
