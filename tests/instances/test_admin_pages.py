"""Admin pages of instances, runs and links, as members see them."""

import pytest
from django.urls import reverse
from django.utils import timezone

from instances import runs
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


@pytest.fixture
def vic(client, team):
    assert client.login(username=team.vic.email, password=PASSWORD)
    return client


INSTANCES = "admin:instances_instance_changelist"


def act(client, action, instances, **extra):
    data = {
        "action": action,
        "_selected_action": [one.pk for one in instances],
        **extra,
    }
    return client.post(reverse(INSTANCES) + extra.pop("query", ""), data)


def test_the_list_shows_instances_and_says_who_needs_somebody(rita, fleet):
    fleet.synced("box", 3)

    page = rita.get(reverse(INSTANCES))

    assert page.status_code == 200
    assert "box 0" in page.content.decode()
    assert "None needs reauthentication" in page.content.decode()


def test_probing_selected_instances_makes_a_run_over_just_these(rita, fleet):
    one, two, _ = fleet.synced("box", 3)

    answer = act(rita, "probe", [one, two])

    run = Run.objects.get(kind=RunKind.PROBE)
    assert answer["Location"] == reverse("admin:instances_run_change", args=[run.pk])
    runs.plan(run.pk, now=timezone.now())
    assert set(Item.objects.filter(run=run).values_list("instance", flat=True)) == {
        one.pk,
        two.pk,
    }


def test_all_matching_is_handed_over_as_a_filter(rita, fleet):
    instances = fleet.synced("box", 3)

    rita.post(
        f"{reverse(INSTANCES)}?provider=box&q=box",
        {
            "action": "probe",
            "_selected_action": [instances[0].pk],
            "select_across": "1",
        },
    )

    run = Run.objects.get(kind=RunKind.PROBE)
    assert run.selection == {
        "version": 1,
        "filter": {"provider": ["box"], "search": "box"},
    }


def test_a_revocation_is_a_draft_until_it_is_confirmed(rita, fleet):
    instances = fleet.synced("box", 2)
    act(rita, "revoke", instances)
    run = Run.objects.get(kind=RunKind.REVOKE)
    runs.plan(run.pk, now=timezone.now())

    page = rita.get(reverse("admin:instances_run_change", args=[run.pk]))

    assert run.status == RunStatus.DRAFT
    assert "Revoke 2 instances?" in page.content.decode()


def test_links_of_ticked_instances_are_a_draft_first_and_need_no_reason(rita, fleet):
    fleet.organization.link_lifetime_hours = 48
    fleet.organization.save()
    fleet.app("salesforce", mode="theirs")
    instances = fleet.synced("salesforce", 1) + fleet.synced("box", 2)
    act(rita, "reauthenticate", instances)
    run = Run.objects.get(kind=RunKind.RECONNECT)
    runs.plan(run.pk, now=timezone.now())
    address = reverse("admin:instances_run_change", args=[run.pk])

    page = rita.get(address).content.decode()
    rita.post(reverse("admin:instances_run_do", args=[run.pk, "start"]))
    fleet.work(run)

    assert "Reauthenticate 3 instances?" in page
    assert "Makes 3 reconnect links at 2 providers." in page
    assert "Each works once, for 2 days, and takes the place" in page
    assert "One of 3 does not come back here by itself" in page
    assert 'name="connections"' not in page
    assert ReconnectLink.objects.filter(item__run=run).count() == 3


def test_one_link_is_made_at_once(rita, fleet):
    (one,) = fleet.synced("box", 1)

    rita.post(reverse("admin:instances_instance_act", args=[one.pk, "reconnect"]))

    assert Run.objects.get(kind=RunKind.RECONNECT).status == RunStatus.PLANNING


def test_whoever_may_not_make_links_is_told_which_role_it_takes(rita, team, fleet):
    act(rita, "reauthenticate", fleet.synced("box", 2))
    run = Run.objects.get(kind=RunKind.RECONNECT)
    runs.plan(run.pk, now=timezone.now())
    address = reverse("admin:instances_run_change", args=[run.pk])
    rita.force_login(team.vic)

    assert "takes the role operator; ask an owner" in rita.get(address).content.decode()


def test_a_draft_without_a_reason_does_not_start_and_keeps_what_was_typed(rita, fleet):
    fleet.synced("box", 1)
    run = fleet.draft(RunKind.REVOKE)

    page = rita.post(
        reverse("admin:instances_run_do", args=[run.pk, "start"]), {"ticket": "SEC-7"}
    )

    assert page.status_code == 422
    assert "SEC-7" in page.content.decode()
    assert Run.objects.get(pk=run.pk).status == RunStatus.DRAFT


def test_a_large_revocation_wants_its_scope_typed(rita, fleet):
    fleet.synced("box", 10)
    run = fleet.draft(RunKind.REVOKE)
    start = reverse("admin:instances_run_do", args=[run.pk, "start"])

    refused = rita.post(start, {"reason": "leak", "confirm": "REVOKE 9"})
    started = rita.post(start, {"reason": "leak", "confirm": "REVOKE 10"})

    assert (refused.status_code, started.status_code) == (422, 302)
    assert Run.objects.get(pk=run.pk).status == RunStatus.RUNNING


def test_the_live_page_counts_outcomes(rita, fleet):
    fleet.synced("box", 2)
    run = fleet.run(RunKind.PROBE)

    page = rita.get(reverse("admin:instances_run_change", args=[run.pk]))
    numbers = rita.get(reverse("admin:instances_run_live", args=[run.pk])).json()

    assert page.status_code == 200
    assert (numbers["percent"], numbers["done"]) == ("100 %", True)


def test_an_item_shows_its_calls_without_secrets(rita, fleet):
    fleet.synced("box", 1)
    run = fleet.run(RunKind.REVOKE)

    page = rita.get(
        reverse("admin:instances_item_change", args=[only_item(run).pk])
    ).content.decode()

    assert "Revoke the refresh token" in page
    assert "client-secret-canary" not in page


def test_a_drill_page_shows_eight_steps(rita, fleet):
    fleet.synced("box", 1)
    run = fleet.run(RunKind.DRILL)

    page = rita.get(
        reverse("admin:instances_run_change", args=[run.pk])
    ).content.decode()

    assert page.count('class="step ') == 8
    assert "/reconnect/" in page


def test_an_instance_page_offers_the_next_step(rita, fleet):
    instance = fleet.synced("box", 1)[0]
    fleet.run(RunKind.REVOKE)

    page = rita.get(
        reverse("admin:instances_instance_change", args=[instance.pk])
    ).content.decode()

    assert "Somebody has to reconnect it." in page
    assert "Make a reconnect link" in page


def test_a_button_of_an_instance_starts_a_run_over_it(rita, fleet):
    instance = fleet.synced("box", 2)[0]

    rita.post(reverse("admin:instances_instance_act", args=[instance.pk, "probe"]))

    assert Run.objects.get(kind=RunKind.PROBE).selection == {
        "version": 1,
        "instances": [instance.pk],
    }


def test_links_are_listed_to_copy_and_can_be_cancelled(rita, fleet):
    fleet.synced("box", 2)
    fleet.run(RunKind.RECONNECT)
    link = ReconnectLink.objects.order_by("pk").first()

    page = rita.get(reverse("admin:instances_reconnectlink_change", args=[link.pk]))
    rita.post(reverse("admin:instances_reconnectlink_do", args=[link.pk, "cancel"]))

    assert "/reconnect/" in page.content.decode()
    assert ReconnectLink.objects.get(pk=link.pk).status == "cancelled"


def test_a_viewer_sees_and_starts_nothing(vic, fleet):
    instances = fleet.synced("box", 1)
    before = Run.objects.count()

    page = vic.get(reverse(INSTANCES)).content.decode()
    act(vic, "probe", instances)
    refused = vic.post(
        reverse("admin:instances_instance_act", args=[instances[0].pk, "revoke"])
    )

    assert "box 0" in page
    assert refused.status_code == 403
    assert Run.objects.count() == before


def test_the_list_of_a_run_is_downloaded_with_formulas_defused(rita, fleet):
    fleet.synced("box", 1, name="=cmd|' /C calc'!A0")
    run = fleet.run(RunKind.PROBE)

    file = b"".join(
        rita.get(reverse("admin:instances_run_items", args=[run.pk])).streaming_content
    ).decode()

    assert "'=cmd" in file
    assert Outcome.CONNECTED in file
    assert Instance.objects.count() == 1
