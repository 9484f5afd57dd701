"""Records that are off: nothing is sent to a provider until an owner switched it on, with a warning."""

import json

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from ceadmin.audit.models import Event
from instances import runs
from instances.choices import Outcome, RunKind
from instances.models import Attempt
from providers import catalogue
from providers.models import EnabledProvider, ProviderApp, enabled_keys
from tests.instances.fleet import only_item
from tests.instances.killing import fleet, killed, quick
from tests.instances.reconnecting import CLIENT_SECRET, THEIR_CALLBACK
from tests.people import PASSWORD, make_organization

__all__ = ["fleet", "quick"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]
ADD = reverse("admin:providers_enabledprovider_add")
LIST = reverse("admin:providers_enabledprovider_changelist")


@pytest.fixture
def otto(client, team):
    assert client.login(username=team.otto.email, password=PASSWORD)
    return client


def typed(team, **values) -> dict:
    fixed = {"organization": team.acme.pk, "provider_key": "outreach"}
    return {**fixed, "understood": "on", **values}


def switched_on(organization, key="outreach") -> EnabledProvider:
    return EnabledProvider.objects.create(
        organization=organization,
        provider_key=key,
        enabled_at=timezone.now(),
        enabled_by_name="Otto",
    )


def little_known(fleet) -> ProviderApp:
    """Make one instance of a provider whose record is off, and mirror it."""
    fleet.emulator.control("elements", {"key": "outreach", "provider": "generic"})
    client = {"client_id": "c", "client_secret": CLIENT_SECRET}
    fleet.emulator.control("clients", {"provider": "generic", **client})
    app = ProviderApp(
        name="Acme Outreach",
        organization=fleet.organization,
        provider_key="outreach",
        element_key="outreach",
        client_id="c",
        callback_mode="theirs",
        callback_url=THEIR_CALLBACK,
    )
    app.client_secret = CLIENT_SECRET
    app.save()
    fleet.seed_element("outreach", app)
    fleet.sync()
    return app


def called(fleet) -> list[str]:
    return [row["host"] for row in fleet.emulator.log() if row["side"] == "provider"]


def test_nothing_is_sent_while_the_record_is_off(fleet):
    little_known(fleet)

    item = killed(fleet)

    assert (item.outcome, item.cause) == (Outcome.MISCONFIGURED, "provider_off")
    assert "An owner of the organization can switch it on" in item.explanation
    assert catalogue.get("outreach").manual_steps[0] in item.explanation
    assert "api.outreach.io" not in called(fleet)
    assert not Attempt.objects.filter(item=item).exists()


def test_a_drill_stops_there_too(fleet):
    little_known(fleet)

    item = only_item(fleet.run(RunKind.DRILL))

    assert (item.outcome, item.cause) == (Outcome.MISCONFIGURED, "provider_off")


def test_the_call_is_made_where_it_is_switched_on(fleet):
    little_known(fleet)
    switched_on(fleet.organization)

    item = killed(fleet)

    assert item.cause != "provider_off"
    assert "api.outreach.io" in called(fleet)


def test_what_one_organization_switched_on_is_off_in_another(fleet):
    little_known(fleet)
    switched_on(make_organization("Umbrella"))

    assert killed(fleet).cause == "provider_off"


def test_the_draft_says_that_it_is_off_and_what_a_person_does(fleet):
    little_known(fleet)

    [before] = runs.preview(fleet.draft(RunKind.REVOKE)).effects
    switched_on(fleet.organization)
    [after] = runs.preview(fleet.draft(RunKind.REVOKE)).effects

    assert (before.possible, after.possible) == (0, 1)
    assert "An owner can switch it on" in before.problem
    assert before.manual_steps == catalogue.get("outreach").manual_steps
    assert (after.problem, after.manual_steps) == ("", ())


# The pages


def test_an_owner_switches_a_record_on_with_a_warning_and_off_again(otto, team):
    page = otto.get(ADD).content.decode()
    assert "nobody has tried" in page

    shown = otto.post(ADD, typed(team), follow=True).content.decode()

    row = EnabledProvider.objects.get()
    assert (row.provider_key, row.enabled_by_name) == ("outreach", str(team.otto))
    assert "low confidence, supported in part" in shown
    assert enabled_keys(team.acme) == {"outreach"}

    otto.post(
        reverse("admin:providers_enabledprovider_delete", args=[row.pk]), {"post": "y"}
    )

    assert not EnabledProvider.objects.exists()
    acts = Event.objects.filter(provider_key="outreach").order_by("pk")
    assert [act.action for act in acts] == ["provider_enabled", "provider_disabled"]
    assert {act.actor_uid for act in acts} == {team.otto.uid}
    assert json.loads(acts[0].text)["facts"]["confidence"] == "low"


@pytest.mark.parametrize(
    "values",
    [
        {"understood": ""},
        {"provider_key": ""},
        {"provider_key": "box"},
        {"provider_key": "spotify"},
        {"provider_key": "nobody"},
    ],
)
def test_what_cannot_be_switched_on_is_refused(otto, team, values):
    answer = otto.post(ADD, typed(team, **values))

    assert answer.context["adminform"].errors
    assert not EnabledProvider.objects.exists()


def test_a_record_is_switched_on_once(otto, team):
    switched_on(team.acme)

    answer = otto.post(ADD, typed(team))

    assert "switched on already" in answer.content.decode()
    assert EnabledProvider.objects.count() == 1


@pytest.mark.parametrize("key", ["box", "spotify", "nobody"])
def test_a_row_of_a_record_that_needs_no_switch_is_not_valid(team, key):
    row = EnabledProvider(organization=team.acme, provider_key=key)

    with pytest.raises(ValidationError, match="Choose a record that is off"):
        row.clean()


def test_only_records_that_are_off_and_have_a_call_are_offered(otto):
    form = otto.get(ADD).context["adminform"].form

    offered = [key for key, _ in form.fields["provider_key"].choices if key]

    assert offered == [one.key for one in catalogue.all() if one.needs_switch]
    assert {"atlassian", "microsoft_graph", "paypal"} <= set(offered)
    assert not {"box", "spotify", "ebay"} & set(offered)


def test_the_list_and_the_form_name_what_they_do(otto):
    page, form = otto.get(LIST).content.decode(), otto.get(ADD).content.decode()

    assert "Switch a provider on</a>" in page
    assert "<h1>Switch a provider on</h1>" in form
    assert "Add provider switched" not in page + form


def test_members_see_what_is_on_and_have_no_buttons(client, team):
    row = switched_on(team.acme)
    assert client.login(username=team.vic.email, password=PASSWORD)

    listed = client.get(LIST).content.decode()
    page = reverse("admin:providers_enabledprovider_change", args=[row.pk])

    assert "Outreach" in listed
    assert ADD not in listed
    assert client.get(page).status_code == 200
    assert client.post(page, typed(team)).status_code == 403


def test_the_page_of_an_app_says_that_its_provider_is_off(otto, fleet):
    app = little_known(fleet)
    page = reverse("admin:providers_providerapp_change", args=[app.pk])

    before = otto.get(page).content.decode()
    switched_on(fleet.organization)
    after = otto.get(page).content.decode()

    assert "record is off" in before
    assert "record is off" not in after


@pytest.mark.parametrize(
    ("scope", "reminded"), [("", True), ("read", True), ("read offline_access", False)]
)
def test_the_page_of_an_app_reminds_of_the_scope_for_a_refresh_token(
    otto, team, scope, reminded
):
    app = ProviderApp.objects.create(
        name="Acme Xero",
        organization=team.acme,
        provider_key="xero",
        element_key="xero",
        client_id="c",
        scope=scope,
    )

    page = otto.get(reverse("admin:providers_providerapp_change", args=[app.pk]))

    assert ("Ask for the scope offline_access" in page.content.decode()) is reminded


@pytest.mark.parametrize(
    "page", ["admin:providers_providerapp_add", "admin:providers_limit_add"]
)
def test_providers_are_offered_by_name(otto, page):
    form = otto.get(reverse(page)).context["adminform"].form

    names = [name for key, name in form.fields["provider_key"].choices if key]

    assert len(names) == len(catalogue.all())
    assert names == sorted(names, key=str.casefold)
