"""Texts and numbers that no form expects, sent by somebody who wrote the request by hand."""

import pytest
from django.urls import reverse

from ceadmin.teams.models import Membership, User
from instances.admin.secrets import set_on
from instances.choices import LinkStatus
from instances.forms import safe_cell
from providers.models import ProviderApp
from tests.instances.reconnecting import make_app, signed_in, waiting

pytestmark = pytest.mark.django_db

APP = {
    "name": "Acme box",
    "provider_key": "box",
    "element_key": "box",
    "client_id": "box-client",
    "callback_mode": "ours",
    "callback_url": "",
    "scope": "",
    "site": "{}",
    "client_secret_typed": "a-new-secret",
}


@pytest.fixture
def otto(team):
    return signed_in(team.otto).client


def change(client, app, **values):
    address = reverse("admin:providers_providerapp_change", args=[app.pk])
    return client.post(address, APP | values)


@pytest.mark.parametrize(
    "site",
    [
        "[" * 100_000,
        '{"a": "\\u0000"}',
        '{"a": NaN}',
        '{"a": %s}' % ("9" * 5_000),
        '["a"]',
        '{"revocation_endpoint": "https://169.254.169.254/"}',
        '{"revocation_endpoint": ["x"]}',
    ],
)
def test_site_values_that_are_none_are_said_to_be(emulator, acme, otto, site):
    app = make_app(emulator, acme, "box", "ours")

    page = change(otto, app, site=site)

    assert page.status_code == 200
    assert page.context["adminform"].form.errors["site"]
    assert ProviderApp.objects.get(pk=app.pk).site == {}


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "data:text/html,x", "https://a.example\x00", "//a.example"],
)
def test_a_callback_address_is_a_web_address(emulator, acme, otto, address):
    app = make_app(emulator, acme, "box", "ours")

    page = change(otto, app, callback_mode="theirs", callback_url=address)

    assert page.status_code == 200
    assert ProviderApp.objects.get(pk=app.pk).callback_url == ""


def test_two_apps_of_an_organization_cannot_have_one_name(emulator, acme, otto):
    app = make_app(emulator, acme, "box", "ours")
    other = make_app(emulator, acme, "salesforce", "ours")

    page = change(otto, app, name=other.name)

    assert page.status_code == 200
    assert page.context["adminform"].form.errors["name"]


def test_a_mail_address_longer_than_its_column_adds_nobody(acme, otto):
    email = f"{'a' * 64}@{'.'.join(['b' * 60] * 4)}.com"

    page = otto.post(
        reverse("admin:teams_invitation_add"),
        {"organization": acme.pk, "email": email, "is_operator": "on"},
    )

    assert page.context["adminform"].form.errors["email"]
    assert not User.objects.filter(email=email).exists()


def test_nobody_is_added_to_a_foreign_organization(team, otto):
    for name in ("membership", "invitation"):
        otto.post(
            reverse(f"admin:teams_{name}_add"),
            {"organization": team.other.pk, "email": team.otto.email, "is_owner": "on"},
        )

    assert not team.other.invitations.exists()
    assert not Membership.objects.filter(user=team.otto, organization=team.other)


UNREADABLE = ("https://[::1/?code=a", "https://x/?" + "a&" * 60)


@pytest.mark.parametrize("text", UNREADABLE)
def test_a_pasted_text_that_is_no_address_is_said_to_be(emulator, team, text):
    case = waiting(emulator, team.acme)
    olga = signed_in(team.olga).client
    page = f"/reconnect-links/{case.link.uid}/paste/"
    olga.post(page, {"act": "start"})

    answer = olga.post(page, {"act": "paste", "pasted": text}, follow=True)

    assert "Copy it again" in answer.content.decode()
    assert case.fresh().status == LinkStatus.OPENED


@pytest.mark.parametrize("sign", "=+-@\t\r\n＝＋－＠")
def test_no_cell_of_a_file_begins_a_formula(sign):
    assert safe_cell(f"{sign}HYPERLINK(1)") == f"'{sign}HYPERLINK(1)"


def test_a_name_that_people_choose_is_not_markup_beside_a_secret(acme, otto, settings):
    evil = '<meta http-equiv="refresh" content="0;url=https://evil.example/">'
    acme.secrets_set_by_name = evil
    acme.save()

    page = otto.get(reverse("admin:teams_organization_change", args=[acme.pk]))

    assert evil not in page.content.decode()
    assert "&lt;meta" in page.content.decode()
    assert "<b>" not in set_on(True, None, "<b>")
