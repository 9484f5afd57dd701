"""Pages of runs, items and links: what they say, what they link to, and to whom they show addresses."""

import re
from urllib.parse import urlsplit

import pytest
from django.urls import reverse

from instances import selection
from instances.choices import Outcome, RunKind, RunStatus
from instances.models import Instance, Item, ReconnectLink, Run
from tests.instances.fleet import Fleet, only_item
from tests.people import PASSWORD


@pytest.fixture
def fleet(emulator, team):
    return Fleet(emulator, team.acme, team.rita)


@pytest.fixture
def rita(client, team):
    assert client.login(username=team.rita.email, password=PASSWORD)
    return client


def page_of(client, row) -> str:
    name = f"admin:instances_{row._meta.model_name}_change"
    return client.get(reverse(name, args=[row.pk])).content.decode()


def test_an_item_tells_its_facts_in_words(rita, fleet):
    fleet.synced("box", 1)
    run = fleet.run(RunKind.REVOKE)

    page = page_of(rita, only_item(run))

    assert "Sent to the provider" in page
    assert "Dead: the token no longer works" in page
    assert "True" not in page


def test_a_run_says_how_many_need_attention_and_why(rita, fleet):
    fleet.synced("box", 2)
    fleet.fault(
        "status", "/oauth2/revoke", status=401, body='{"error":"invalid_client"}'
    )
    run = fleet.run(RunKind.REVOKE)

    page = page_of(rita, run)

    assert "1 of 2 needs attention" in page
    assert "refused the client id or secret" in page


def test_every_number_of_a_run_leads_to_exactly_its_rows(rita, fleet):
    fleet.synced("box", 2)
    fleet.seed("box", 1, name="dead one", state="dead")
    fleet.sync()
    run = fleet.run(RunKind.PROBE)
    context = rita.get(reverse("admin:instances_run_change", args=[run.pk])).context

    for _, count, url in context["outcomes"]:
        assert rita.get(url).context["cl"].result_count == count
    for reason in context["causes"]:
        assert rita.get(reason.url).context["cl"].result_count == reason.count


def test_every_number_of_the_overview_leads_to_exactly_its_rows(rita, fleet, team):
    fleet.seed("box", 2, state="dead")
    fleet.sync()
    fleet.run(RunKind.PROBE)
    fleet.draft(RunKind.REVOKE)

    needs = rita.get(reverse("admin:index")).context["needs"]

    counts = [(need.count, rita.get(need.url).context["cl"]) for need in needs]
    assert sorted((count, seen.result_count) for count, seen in counts) == [
        (1, 1),
        (2, 2),
    ]


def test_the_numbers_above_the_instances_lead_to_their_rows(rita, fleet):
    fleet.seed("box", 2, state="dead")
    fleet.seed("box", 1, name="alive")
    fleet.sync()
    fleet.run(RunKind.PROBE)

    page = rita.get(reverse("admin:instances_instance_changelist")).content.decode()

    assert '<a href="?status=needs_reauth">2 need reauthentication</a>' in page
    assert '<a href="?view=all">3 instances</a>' in page


def test_all_matching_of_one_app_is_a_run_over_that_app_only(rita, fleet):
    fleet.synced("box", 2)
    fleet.synced("salesforce", 1)
    app = fleet.apps["salesforce"]
    listing = f"{reverse('admin:instances_instance_changelist')}?app={app.pk}"
    shown = rita.get(listing).context["cl"].result_list
    asked = {
        "action": "probe",
        "_selected_action": [shown[0].pk],
        "select_across": "1",
    }

    rita.post(listing, asked)

    run = Run.objects.get(kind=RunKind.PROBE)
    meant = selection.narrow(Instance.objects.of(fleet.organization), run.selection)
    assert [one.pk for one in meant] == [one.pk for one in shown]


def test_all_matching_of_a_foreign_filter_is_a_run_over_the_rows_that_were_shown(
    rita, fleet
):
    shown = [one.pk for one in fleet.synced("box", 3)]
    listing = reverse("admin:instances_instance_changelist")

    rita.post(
        f"{listing}?since=2020-01-01..",
        {"action": "probe", "_selected_action": shown[:1], "select_across": "1"},
    )

    run = Run.objects.get(kind=RunKind.PROBE)
    assert run.selection == selection.of_instances(shown)


def test_the_addresses_of_links_are_for_operators_only(client, fleet, team):
    fleet.synced("box", 1)
    run = fleet.run(RunKind.RECONNECT)
    drill = fleet.run(RunKind.DRILL)
    assert client.login(username=team.vic.email, password=PASSWORD)
    rows = [run, drill, ReconnectLink.objects.first(), Item.objects.filter(run=run)[0]]

    seen = [page_of(client, row) for row in rows]
    file = client.get(reverse("admin:instances_run_links", args=[run.pk]))

    assert not any("/reconnect/" in page for page in seen)
    assert file.status_code == 403


def test_where_consent_ends_elsewhere_the_link_and_its_run_say_so(rita, fleet):
    fleet.app("salesforce", mode="theirs")
    fleet.synced("salesforce", 1)
    fleet.synced("box", 1)
    run = fleet.run(RunKind.RECONNECT)
    elsewhere = ReconnectLink.objects.get(instance__provider_key="salesforce")
    here = ReconnectLink.objects.get(instance__provider_key="box")

    listed, told, plain = (page_of(rita, row) for row in (run, elsewhere, here))

    assert "consent goes to app.customer.example. Its app must send" in listed
    assert listed.count(">consent goes to app.customer.example<") == 1
    assert "Consent goes to app.customer.example and does not come back" in told
    assert "/oauth/callback/salesforce/, with everything that came" in told
    assert "Consent goes to" not in plain


def test_a_closed_link_no_longer_says_where_consent_ends(rita, fleet):
    fleet.app("salesforce", mode="theirs")
    fleet.synced("salesforce", 1)
    run = fleet.run(RunKind.RECONNECT)
    link = ReconnectLink.objects.get()
    rita.post(reverse("admin:instances_reconnectlink_do", args=[link.pk, "cancel"]))

    assert "onsent goes to" not in page_of(rita, run) + page_of(rita, link)


def test_the_links_of_a_run_are_downloaded(rita, fleet):
    fleet.synced("box", 2)
    run = fleet.run(RunKind.RECONNECT)

    answer = rita.get(reverse("admin:instances_run_links", args=[run.pk]))

    head, *rows = b"".join(answer.streaming_content).decode().splitlines()
    assert head.startswith("remote_id,instance_name")
    assert len(rows) == 2
    addresses = [row.rpartition(",")[2] for row in rows]
    assert [rita.get(urlsplit(one).path).status_code for one in addresses] == [200, 200]


def test_auditors_are_led_to_the_events_of_a_run_and_others_are_not(
    client, fleet, team
):
    fleet.synced("box", 1)
    run = fleet.run(RunKind.PROBE)
    membership = team.acme.memberships.get(user=team.otto)
    membership.is_auditor = True
    membership.save()
    history = reverse("admin:instances_run_history", args=[run.pk])

    client.force_login(team.otto)
    events = client.get(history, follow=True).context["cl"]
    assert history in page_of(client, run)
    client.force_login(team.vic)
    assert history not in page_of(client, run)

    assert events.result_count > 0
    assert {one.run_uid for one in events.result_list} == {str(run.uid)}


def test_an_instance_keeps_its_page_after_its_app_was_chosen(rita, fleet, team):
    one = fleet.synced("box", 1)[0]
    team.acme.memberships.filter(user=team.rita).update(is_owner=True)
    address = reverse("admin:instances_instance_change", args=[one.pk])

    answer = rita.post(address, {"provider_app": one.provider_app_id})

    assert answer["Location"] == address
    assert "related-widget-wrapper-link" not in page_of(rita, one)


def test_what_lives_on_offers_the_refresh_token(rita, fleet):
    fleet.synced("salesforce")
    run = fleet.run(RunKind.REVOKE, only="access")
    item = run.items.get()
    again = reverse("admin:instances_instance_act", args=[item.instance_id, "revoke"])

    page = rita.get(reverse("admin:instances_item_change", args=[item.pk]))
    rita.post(again)

    assert item.outcome == Outcome.STILL_ALIVE
    assert f'action="{again}"' in page.content.decode()
    assert "Revoke with the refresh token" in page.content.decode()
    assert Run.objects.latest("pk").options == {}


def test_a_retry_of_what_came_back_by_refresh_takes_the_whole_grant(rita, fleet):
    fleet.synced("salesforce")
    run = fleet.run(RunKind.REVOKE, only="access")

    rita.post(reverse("admin:instances_run_do", args=[run.pk, "retry"]))

    assert Run.objects.latest("pk").options == {}


def test_the_whole_grant_can_be_chosen_for_a_draft_of_one_token(rita, fleet):
    fleet.synced("salesforce")
    run = fleet.draft(RunKind.REVOKE, only="access")
    start = reverse("admin:instances_run_do", args=[run.pk, "start"])

    rita.post(start, {"reason": "drill", "only": ""})

    run.refresh_from_db()
    assert (run.status, run.options) == (RunStatus.RUNNING, {})


def test_a_sync_shows_what_is_new_changed_and_gone(rita, fleet):
    renamed, gone = fleet.synced("box", 2, name="Acme – EU")
    control = fleet.emulator.control
    control(f"instances/{renamed.remote_id}", {"name": "Renamed"}, "PATCH")
    control(f"instances/{gone.remote_id}", method="DELETE")
    fleet.seed("box", name="Acme – Chile")

    run = fleet.sync()

    said = set(re.findall(r">([^<>]+)<", page_of(rita, run)))
    assert {"Acme – Chile", "Renamed", "Acme – EU"} <= said
    assert {"New", "Changed", "Vanished"} <= said
    assert any("Changed: name" in text for text in said)
    assert any("No longer listed" in text for text in said)
