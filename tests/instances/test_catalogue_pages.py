"""The catalogue in the admin: what is known of each provider, for every member, to be read."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from instances import selection
from instances.admin.catalogue_page import page_context
from instances.choices import RunKind
from instances.models import Instance, Item
from providers import catalogue, prose
from providers.models import EnabledProvider, ProviderApp
from tests.instances.crowds import make_instances
from tests.instances.fleet import Fleet
from tests.people import PASSWORD, make_organization, make_user
from tests.providers.support import record

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
LIST = reverse("admin:catalogue")


def page_of(key: str) -> str:
    return reverse("admin:provider", args=[key])


@pytest.fixture
def vic(client, team):
    """Somebody who may only look."""
    assert client.login(username=team.vic.email, password=PASSWORD)
    return client


@pytest.fixture
def otto(client, team):
    assert client.login(username=team.otto.email, password=PASSWORD)
    return client


def switch_on(organization, key="outreach") -> EnabledProvider:
    return EnabledProvider.objects.create(
        organization=organization,
        provider_key=key,
        enabled_at=timezone.now(),
        enabled_by_name="Otto",
    )


def shown(client, query: str = "") -> list[str]:
    """Return the keys of the records that the list shows."""
    return [row.provider.key for row in client.get(LIST + query).context["rows"]]


def text_of(client, address: str) -> str:
    """Return what is to be read on a page, without its tags."""
    page = client.get(address).content.decode()
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


# The list


def test_every_member_sees_every_record_by_name(vic):
    page = vic.get(LIST)

    assert shown(vic) == [one.key for one in catalogue.all()]
    assert "87 providers" in page.content.decode()
    assert [one.label for one in page.context["current_entry"].lists][:2] == [
        "Catalogue",
        "provider apps",
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("BOX", ["box", "dropbox"]),
        ("sfdc", ["salesforce"]),
        ("atlassian.com", ["atlassian"]),
        ("netsuite token", ["netsuite_tba"]),
        ("  generic_rfc7009 ", ["generic_rfc7009"]),
        ("nothing such", []),
    ],
)
def test_the_search_looks_into_names_keys_elements_and_hosts(vic, query, found):
    assert [
        key for key in shown(vic, f"?q={query}") if "_" not in query or key in found
    ] == found


def test_chips_narrow_what_the_search_found(vic):
    low = shown(vic, "?confidence=low")
    both = shown(vic, "?confidence=low&here=off")

    assert len(low) == 23
    assert both == [
        one.key for one in catalogue.all() if one.confidence == "low" and one.revocable
    ]
    assert shown(vic, "?kills=user_sessions&q=onedrive") == ["onedrive"]
    assert len(shown(vic, "?confidence=nonsense&here=%00")) == 87


def test_a_chip_offers_what_there_is_and_keeps_the_search(vic):
    [here, kills, confidence] = vic.get(f"{LIST}?q=a&kills=grant").context["chips"]

    assert [one["display"] for one in here["choices"]][1:] == [
        "Called",
        "Off until an owner switches it on",
        "By hand",
    ]
    assert "Nothing" not in {one["display"] for one in kills["choices"]}
    assert [one["query_string"] for one in confidence["choices"]][1] == (
        "?q=a&kills=grant&confidence=high"
    )
    assert [one["selected"] for one in kills["choices"]].count(True) == 1


def test_a_search_that_finds_nothing_says_what_to_do(vic):
    page = vic.get(f"{LIST}?q=<b>nothing").content.decode()

    assert "No provider fits" in page
    assert f'href="{LIST}?q=rfc7009"' in page
    assert "<b>nothing" not in page
    assert shown(vic, "?q=rfc7009") == ["generic_rfc7009"]


def test_where_a_record_is_on_stands_in_the_list(otto, team):
    second = make_organization("Umbrella")
    second.memberships.create(user=team.otto, is_owner=True)

    def standing() -> str:
        [row] = otto.get(f"{LIST}?q=outreach").context["rows"]
        return row.standing

    assert (standing().label, standing().word) == ("Off", "off")
    switch_on(team.acme)
    assert (standing().label, standing().word) == ("On in 1 of 2", "on")
    assert standing().switch_url.endswith(f"organization={second.pk}")
    switch_on(second)
    assert (standing().label, standing().switch_url) == ("On", "")


def test_what_others_switched_on_is_off_here(vic, team):
    switch_on(team.other)

    [row] = vic.get(f"{LIST}?q=outreach").context["rows"]

    assert (row.standing.word, row.standing.switch_url) == ("off", "")


def test_instances_are_counted_with_a_link_to_exactly_these(vic, emulator, team):
    Fleet(emulator, team.acme, team.rita).synced("box", 3)
    Instance.objects.filter(name="box 1").update(organization=team.other)

    page = vic.get(LIST).content.decode()

    [address] = re.findall(r'<a href="([^"]+provider=box)">2</a>', page)
    assert vic.get(address).context["cl"].result_count == 2


def count_queries(client, address: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


@pytest.mark.parametrize("address", [LIST, page_of("outreach")])
def test_a_page_costs_as_many_queries_for_much_as_for_little(otto, team, address):
    make_instances(team.acme, 2)
    switch_on(team.acme)
    count_queries(otto, address)  # a session that has begun
    few = count_queries(otto, address)

    for number in range(5):
        another = make_organization(f"More{number}")
        another.memberships.create(user=team.otto, is_owner=True)
        switch_on(another)
        make_instances(another, 10)
        ProviderApp.objects.create(
            name="App",
            organization=another,
            provider_key="outreach",
            element_key="outreach",
            client_id=str(number),
        )

    assert count_queries(otto, address) == few


# A record's page


#: One of each kind of page; that every record can be told is shown by the docs' page.
TELLING = [
    *("box", "google", "atlassian", "spotify", "generic_rfc7009", "evernote"),
    *("netsuite_tba", "stripe", "slack"),
]


def test_a_record_s_page_answers_first_and_names_its_steps_and_sources(vic):
    for provider in map(catalogue.get, TELLING):
        page = vic.get(page_of(provider.key)).content.decode()
        text = unescape(re.sub(r"<[^>]*>", "", page))

        assert all(sentence in text for sentence in prose.sentences(provider)), (
            provider.key
        )
        assert all(step[1:] in text for step in provider.manual_steps)
        assert all(source.ref in text for source in provider.sources)
        assert text.count("curl ") >= bool(provider.calls())
        outward = re.findall(r'<a [^>]*href="https://[^>]*>', page)
        assert all('rel="noreferrer noopener"' in link for link in outward)


def test_the_requests_can_be_copied_and_hold_variables_for_secrets(vic):
    page = unescape(vic.get(page_of("box")).content.decode())

    assert 'curl --request POST "https://api.box.com/oauth2/revoke"' in page
    assert '--data-urlencode "client_secret=$CLIENT_SECRET"' in page
    copied = re.findall(r'data-copy="([\w-]+)"', page)
    assert copied == re.findall(r'<pre id="([\w-]+)"', page)
    assert len(set(copied)) == 2


@pytest.mark.parametrize("key", ["nobody", "box.toml", "Box"])
def test_a_record_that_there_is_not_is_not_found(vic, key):
    assert vic.get(f"{LIST}{key}/").status_code == 404


def test_who_is_not_signed_in_is_asked_to(client, db):
    for address in (LIST, page_of("box")):
        assert client.get(address)["Location"].startswith(reverse("admin:login"))


def test_an_owner_is_led_to_the_switch_and_members_are_told_of_it(client, team):
    address = page_of("atlassian")
    client.force_login(team.vic)
    member = client.get(address).content.decode()
    client.force_login(team.otto)
    owner = client.get(address)

    switch = owner.context["standing"].switch_url
    form = client.get(switch).context["adminform"].form
    assert "no call is made before an owner" in member
    assert reverse("admin:providers_enabledprovider_add") not in member
    assert form.initial["provider_key"] == "atlassian"
    assert form.initial["organization"] == str(team.acme.pk)


def test_the_page_tells_what_the_organization_has_there(vic, emulator, team):
    fleet = Fleet(emulator, team.acme, team.rita)
    fleet.synced("box", 2)
    theirs = ProviderApp.objects.create(
        name="Foreign",
        organization=team.other,
        provider_key="box",
        element_key="box",
        client_id="x",
    )

    page = vic.get(page_of("box")).content.decode()

    app = reverse("admin:providers_providerapp_change", args=[fleet.apps["box"].pk])
    assert f'<a href="{app}">' in page
    assert theirs.name not in page
    assert re.search(r'provider=box">2</a>', page)


def test_who_switched_it_on_is_named(vic, team):
    row = switch_on(team.acme)
    switch_on(team.other)

    page = vic.get(page_of("outreach"))

    assert page.context["switches"] == [row]
    assert "by Otto" in page.content.decode()


@pytest.mark.parametrize(("month", "months"), [("2027-11", 0), ("2027-12", 13)])
def test_facts_that_are_too_old_say_so(rf, team, month, months):
    request = rf.get(LIST)
    request.user, request.session = team.vic, {}

    context = page_context(request, record(checked="2026-11"), month)

    assert context["stale_for"] == months


# The ways there


def test_pages_that_name_a_provider_lead_to_its_record(otto, emulator, team):
    fleet = Fleet(emulator, team.acme, team.rita)
    fleet.synced("box", 1)
    draft = fleet.draft(RunKind.REVOKE, selection.everything())
    switched = switch_on(team.acme)
    wanted = f'<a href="{page_of("box")}">Box</a>'

    for name, row in (
        ("instances_instance", Instance.objects.get()),
        ("instances_run", draft),
        ("instances_item", Item.objects.get(run=draft)),
        ("providers_providerapp", fleet.apps["box"]),
    ):
        page = otto.get(reverse(f"admin:{name}_change", args=[row.pk]))
        assert wanted in page.content.decode(), name
    record_page = reverse("admin:providers_enabledprovider_change", args=[switched.pk])
    assert page_of("outreach") in otto.get(record_page).content.decode()


def test_the_search_of_everything_finds_providers(vic):
    found = vic.get(f"{reverse('admin:search')}?q=salesforce").context["hits"]

    assert [(hit.title, hit.url) for hit in found] == [
        ("Salesforce", page_of("salesforce"))
    ]


def test_who_belongs_nowhere_is_offered_no_providers(client, team):
    alone = make_user("Nemo", team.acme)
    alone.memberships.all().delete()
    client.force_login(alone)

    places = client.get(reverse("admin:index")).context["navigation"]

    assert "providers" not in {entry.place.key for entry in places}
