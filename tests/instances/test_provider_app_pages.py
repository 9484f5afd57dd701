"""The form of a provider app: what it proposes, what it fills in, where it leads."""

import pytest
from django.urls import reverse

from providers.models import ProviderApp
from tests.instances.fleet import Fleet
from tests.people import PASSWORD

ADD = "admin:providers_providerapp_add"


@pytest.fixture
def otto(client, team):
    assert client.login(username=team.otto.email, password=PASSWORD)
    return client


def typed(team, **values) -> dict:
    return {
        "organization": team.acme.pk,
        "name": "Acme Box",
        "provider_key": "box",
        "client_id": "box-client",
        "client_secret_typed": "box-secret-9Wq3",
        "callback_mode": "ours",
        "site": "{}",
        **values,
    }


def test_the_usual_element_is_taken_and_the_app_s_page_follows(otto, team):
    answer = otto.post(reverse(ADD), typed(team, save_anyway="on"))

    app = ProviderApp.objects.get()
    assert app.element_key == "box"
    assert answer["Location"] == reverse(
        "admin:providers_providerapp_change", args=[app.pk]
    )


def test_a_record_for_any_element_asks_which_one(otto, team):
    page = otto.post(reverse(ADD), typed(team, provider_key="generic_rfc7009"))

    assert "say which one" in page.content.decode()
    assert ProviderApp.objects.count() == 0


def test_the_only_organization_is_proposed_and_no_provider_is(otto, team):
    form = otto.get(reverse(ADD)).context["adminform"].form

    assert form.initial["organization"] == team.acme.pk
    assert next(iter(form.fields["provider_key"].choices)) == ("", "Choose a provider")


def test_the_number_of_instances_leads_to_them(otto, emulator, team):
    fleet = Fleet(emulator, team.acme, team.rita)
    fleet.synced("salesforce", 1)
    fleet.synced("box", 2)
    app = fleet.apps["box"]

    page = otto.get(reverse("admin:providers_providerapp_changelist"))
    address = f"{reverse('admin:instances_instance_changelist')}?app={app.pk}"

    assert f'<a href="{address}">2</a>' in page.content.decode()
    assert otto.get(address).context["cl"].result_count == 2


def test_an_address_with_a_made_up_app_lists_nothing(otto, emulator, team):
    Fleet(emulator, team.acme, team.rita).synced("box", 1)
    listing = reverse("admin:instances_instance_changelist")

    assert otto.get(f"{listing}?app=²").context["cl"].result_count == 0


def test_a_record_for_any_element_takes_none_that_the_catalogue_knows(otto, team):
    site = '{"revocation_endpoint": "https://elsewhere.example.com/revoke"}'
    wanted = typed(
        team, provider_key="generic_rfc7009", element_key="box", site=site
    ) | {"client_secret_typed": ""}

    page = otto.post(reverse(ADD), wanted)

    assert "choose Box as the provider" in page.content.decode()
    assert ProviderApp.objects.count() == 0
