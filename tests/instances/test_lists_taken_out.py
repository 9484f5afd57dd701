"""Whoever takes a list out of the product as a file is in the audit: what, how many rows, which ones."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from ceadmin.audit.choices import Action
from ceadmin.audit.models import Event
from ceadmin.teams.models import Membership
from instances.models import ReconnectLink
from tests.instances.crowds import end_items, make_run
from tests.instances.listing import LIST, made, tagged
from tests.instances.reconnecting import waiting
from tests.people import PASSWORD
from tests.teams.inviting import browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def rita(client, team):
    """The revoker's browser."""
    assert client.login(username=team.rita.email, password=PASSWORD)
    return client


def takes(client, query: str = "") -> list[str]:
    """Take the list of instances as a file; return its rows."""
    answer = client.get(reverse("admin:instances_instance_export") + query)
    return b"".join(answer.streaming_content).decode().splitlines()[1:]


def taken() -> dict[str, dict[str, Any]]:
    """Return chain → facts of each list that was taken out."""
    events = Event.objects.filter(action=Action.LIST_EXPORTED)
    return {one.chain: json.loads(one.text)["facts"] for one in events}


def test_a_list_of_instances_is_told_with_its_number_and_filter(rita, team, acme):
    made(acme, "Acme Paris", "Acme Rome", status="needs_reauth")
    made(acme, "Acme Oslo")

    takes(rita, "?status=needs_reauth&provider=box&sort=-name&after=0n-1&view=all")

    assert taken() == {
        acme.chain: {
            "what": "instances",
            "format": "csv",
            "rows": 2,
            "narrowed_by": ["status=needs_reauth", "provider=box"],
        }
    }
    event = Event.objects.get(action=Action.LIST_EXPORTED)
    assert (event.role, event.actor_uid) == ("operator,revoker,viewer", team.rita.uid)
    assert (event.subject_type, event.subject_uid) == ("organization", str(acme.uid))


def test_each_organization_hears_of_its_own_rows(rita, team, acme):
    Membership.objects.create(user=team.rita, organization=team.other)
    made(acme, "Acme Paris", "Acme Rome")
    made(team.other, "Other Oslo")

    assert len(takes(rita)) == 3

    told = {chain: facts["rows"] for chain, facts in taken().items()}
    assert told == {acme.chain: 2, team.other.chain: 1}


def test_an_organization_that_is_asked_for_is_its_chain(rita, team, acme):
    Membership.objects.create(user=team.rita, organization=team.other)
    made(acme, "Acme Paris")
    made(team.other, "Other Oslo")

    takes(rita, f"?organization__id__exact={team.other.pk}")

    assert list(taken()) == [team.other.chain]
    assert taken()[team.other.chain]["narrowed_by"] == []


def test_what_was_typed_and_what_rows_say_stays_out(rita, acme):
    tagged(made(acme, "Secretive Ltd", account="jo@example.com"), "for-jo")

    assert len(takes(rita, "?q=secretive")) == 1
    assert len(takes(rita, "?q=jo@example.com")) == 1
    assert len(takes(rita, "?tag=for-jo&q=secretive")) == 1

    events = Event.objects.filter(action=Action.LIST_EXPORTED)
    texts = "".join(one.text for one in events).lower()
    assert len(events) == 3
    assert not any(word in texts for word in ("secretive", "jo@", "for-jo"))
    assert taken()[acme.chain]["narrowed_by"] == ["tag", "q"]


def test_a_filter_that_another_page_leads_to_is_told(rita, acme):
    made(acme, "Acme Paris")
    day = timezone.localdate() - timedelta(days=2)

    takes(rita, f"?since={day}..")

    assert taken()[acme.chain]["narrowed_by"] == [f"since={day}.."]


def test_where_nothing_fits_nothing_is_taken(rita, acme):
    made(acme, "Acme Paris")

    assert takes(rita, "?status=revoked") == []

    assert taken() == {}


def test_looking_at_the_list_is_not_taking_it(rita, acme):
    made(acme, "Acme Paris")

    rita.get(reverse(LIST))

    assert taken() == {}


def test_the_items_of_a_run_are_told_with_the_run(rita, team):
    run = make_run(team.acme, 20)
    end_items(run, share=1)

    page = rita.get(reverse("admin:instances_run_items", args=[run.pk]))

    rows = b"".join(page.streaming_content).decode().splitlines()[1:]
    event = Event.objects.get(action=Action.LIST_EXPORTED)
    assert (event.chain, event.run_uid) == (team.acme.chain, str(run.uid))
    assert (event.subject_type, event.subject_uid) == ("run", str(run.uid))
    assert taken()[event.chain] == {"what": "items", "format": "csv", "rows": len(rows)}


def test_the_addresses_of_links_are_told_with_the_run_and_stay_out(emulator, team):
    case = waiting(emulator, team.acme)
    run = case.link.item.run
    page = reverse("admin:instances_run_links", args=[run.pk])

    file = browser(team.rita).get(page)

    (row,) = b"".join(file.streaming_content).decode().splitlines()[1:]
    event = Event.objects.get(action=Action.LIST_EXPORTED)
    assert event.run_uid == str(run.uid)
    facts = json.loads(event.text)["facts"]
    assert facts == {"what": "links", "format": "csv", "rows": 1}
    assert row.split(",")[-1] not in event.text
    assert str(ReconnectLink.objects.get().uid) not in event.text


def test_who_may_not_have_the_links_took_nothing(emulator, team):
    run = waiting(emulator, team.acme).link.item.run

    page = browser(team.vic).get(reverse("admin:instances_run_links", args=[run.pk]))

    assert page.status_code in (403, 404)
    assert taken() == {}


def test_an_auditor_reads_it_in_words(rita, team, acme):
    made(acme, "Acme Paris", status="needs_reauth")
    takes(rita, "?status=needs_reauth")
    Membership.objects.filter(user=team.vic).update(is_auditor=True)
    event = Event.objects.get(action=Action.LIST_EXPORTED)

    page = browser(team.vic).get(reverse("admin:audit_event_change", args=[event.pk]))

    words = page.content.decode()
    assert "A list was exported." in words
    assert "status=needs_reauth" in words
