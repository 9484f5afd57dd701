"""The pages of organizations and provider apps: secrets go in, are tested, and never come out."""

import pytest
from django.urls import reverse

from ceadmin.audit.models import Event
from ceadmin.teams.models import Organization
from instances.choices import RunKind
from tests.instances.fleet import Fleet
from tests.people import ORGANIZATION_SECRET, PASSWORD, USER_SECRET

FRESH = "fresh-secret-Lm42kq"


@pytest.fixture
def fleet(emulator, team):
    return Fleet(emulator, team.acme, team.rita)


@pytest.fixture
def otto(client, team):
    assert client.login(username=team.otto.email, password=PASSWORD)
    return client


@pytest.fixture
def rita(client, team):
    assert client.login(username=team.rita.email, password=PASSWORD)
    return client


@pytest.fixture
def vic(client, team):
    assert client.login(username=team.vic.email, password=PASSWORD)
    return client


def address(row, what="change") -> str:
    name = f"{row._meta.app_label}_{row._meta.model_name}_{what}"
    return reverse(f"admin:{name}", args=[row.pk])


def save(client, organization, **typed):
    held = {
        "name": organization.name,
        "base_url": organization.base_url,
        "reauthenticate_by": organization.reauthenticate_by,
        "link_lifetime_hours": organization.link_lifetime_hours,
    }
    return client.post(address(organization), {**held, **typed}, follow=True)


def save_app(client, app, **typed):
    names = ("name", "provider_key", "element_key", "client_id", "callback_mode")
    held = {name: getattr(app, name) for name in names}
    site = {"organization": app.organization_id, "site": "{}"}
    return client.post(address(app), {**held, **site, **typed}, follow=True)


def acts() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("action", flat=True))


def test_a_secret_is_set_told_by_whom_and_never_shown(otto, fleet, team):
    fleet.emulator.control("organizations", {"id": 1, "user_secret": FRESH})

    page = save(otto, team.acme, user_secret_typed=FRESH).content.decode()

    acme = Organization.objects.get(pk=team.acme.pk)
    assert acme.user_secret.reveal() == FRESH
    assert acme.organization_secret.reveal() == ORGANIZATION_SECRET
    assert "by Otto. Leave blank to keep it." in page
    assert not any(one in page for one in (FRESH, USER_SECRET, ORGANIZATION_SECRET))
    assert acts()[-2:] == ["organization_changed", "secret_changed"]
    assert not Event.objects.filter(text__contains=FRESH).exists()


def test_the_test_says_which_secret_is_wrong_and_what_to_do(otto, rita, fleet, team):
    fleet.synced("box")
    fleet.run(RunKind.PROBE)
    team.acme.organization_secret = "wrong"
    team.acme.save()

    page = rita.post(address(team.acme, "test"), follow=True).content.decode()

    assert "organization secret" in page.lower()
    assert Organization.objects.get(pk=team.acme.pk).secrets_problem
    assert acts()[-1] == "connection_tested"


def test_a_provider_app_is_tested(rita, fleet):
    app = fleet.app("box")

    page = rita.post(address(app, "test"), follow=True)

    assert page.status_code == 200
    assert acts()[-1] == "connection_tested"


def test_whoever_only_looks_sees_no_test_and_starts_none(vic, fleet, team):
    app = fleet.app("box")

    for row in (team.acme, app):
        assert "Test connection" not in vic.get(address(row)).content.decode()
        assert vic.post(address(row, "test")).status_code == 403
    assert "connection_tested" not in acts()


def test_secrets_are_not_sent_to_a_new_address_unless_typed_again(otto, fleet, team):
    elsewhere = "https://collector.example.com"

    page = save(otto, team.acme, base_url=elsewhere).content.decode()
    again = {
        "user_secret_typed": FRESH,
        "organization_secret_typed": FRESH,
        "save_anyway": "on",
    }
    unchanged = Organization.objects.get(pk=team.acme.pk).base_url
    save(otto, team.acme, base_url=elsewhere, **again)

    assert "Type it again" in page
    assert unchanged == "https://api.cloud-elements.com"
    assert Organization.objects.get(pk=team.acme.pk).base_url == elsewhere


def test_the_apps_of_an_organization_follow_to_known_hosts_only(otto, fleet, team):
    fleet.app("box")
    again = {"user_secret_typed": FRESH, "organization_secret_typed": FRESH}
    again |= {"save_anyway": "on"}

    page = save(otto, team.acme, base_url="https://collector.example.com", **again)
    save(otto, team.acme, base_url="https://api.cloud-elements.co.uk", **again)

    assert "provider apps" in page.context["adminform"].form.errors["base_url"][0]
    moved = Organization.objects.get(pk=team.acme.pk).base_url
    assert moved == "https://api.cloud-elements.co.uk"


def test_a_secret_with_a_line_break_is_refused_and_the_held_one_stays(otto, team):
    page = save(otto, team.acme, user_secret_typed="two\nlines", save_anyway="on")

    form = page.context["adminform"].form
    team.acme.refresh_from_db()
    assert "one line" in form.errors["user_secret_typed"][0]
    assert "two" not in page.content.decode().split("<main", 1)[-1]
    assert team.acme.user_secret.reveal() == USER_SECRET


def test_a_client_secret_is_not_sent_to_a_new_place_unless_typed_again(otto, fleet):
    app = fleet.app("box")
    site = '{"revocation_endpoint": "https://collector.example.com/revoke"}'
    element = {"element_key": "our_own", "provider_key": "generic_rfc7009"}
    elsewhere = {**element, "site": site}

    page = save_app(otto, app, **elsewhere).content.decode()
    app.refresh_from_db()
    unchanged = app.provider_key
    save_app(otto, app, **elsewhere, client_secret_typed=FRESH, save_anyway="on")

    app.refresh_from_db()
    assert "Type it again" in page
    assert unchanged == "box"
    assert app.provider_key == "generic_rfc7009"
    assert app.client_secret.reveal() == FRESH
