"""An ended run leads on: another try where it can change something, links where customers have to come back."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from instances import runs, selection
from instances.choices import InstanceStatus, Outcome, RunKind, RunStatus
from instances.models import Instance, Run
from instances.runs.again import worth_a_try
from tests.instances.fleet import Fleet


@pytest.fixture
def fleet(emulator, team):
    return Fleet(emulator, team.acme, team.rita)


@pytest.fixture
def rita(client, team):
    client.force_login(team.rita)
    return client


def live(client, run) -> dict:
    return client.get(reverse("admin:instances_run_live", args=[run.pk])).json()


def text_of(answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", answer.content.decode()).split())


def press(client, run, act):
    return client.post(reverse("admin:instances_run_do", args=[run.pk, act]))


def probed(fleet, dead=2, alive=1) -> Run:
    fleet.seed("box", dead, name="dead one", state="dead")
    fleet.seed("box", alive, name="alive")
    fleet.sync()
    return fleet.run(RunKind.PROBE)


def test_what_a_probe_found_dead_is_brought_back_and_not_probed_again(rita, fleet):
    run = probed(fleet)

    numbers = live(rita, run)
    first, second = (press(rita, run, "reconnect")["Location"] for _ in range(2))

    assert (numbers["can_retry"], numbers["can_reconnect"]) == (False, True)
    assert numbers["links_wanted"] == "Make 2 reconnect links…"
    again = Run.objects.latest("pk")
    dead = Instance.objects.filter(status=InstanceStatus.NEEDS_REAUTH)
    assert again.kind == RunKind.RECONNECT
    assert again.selection == selection.of_instances(one.pk for one in dead)
    address = reverse("admin:instances_run_change", args=[again.pk])
    assert first == second == address


def test_a_revocation_leads_to_the_links_of_its_customers(rita, fleet):
    fleet.synced("box", 2)
    run = fleet.run(RunKind.REVOKE)

    numbers = live(rita, run)
    press(rita, run, "reconnect")

    assert numbers["links_wanted"] == "Make 2 reconnect links…"
    again = Run.objects.latest("pk")
    assert (again.kind, again.reason) == (RunKind.RECONNECT, run.reason)
    assert again.status == RunStatus.DRAFT


def test_who_came_back_meanwhile_is_sent_no_link(rita, fleet):
    run = probed(fleet, dead=1)
    Instance.objects.update(status=InstanceStatus.CONNECTED)

    assert live(rita, run)["can_reconnect"] is False
    with pytest.raises(runs.RunError, match="No instance of this run"):
        runs.bring_back(run, user=fleet.user, now=timezone.now())


def test_who_may_only_look_is_offered_nothing(client, fleet, team):
    run = probed(fleet)
    client.force_login(team.vic)

    assert live(client, run)["can_reconnect"] is False
    assert press(client, run, "reconnect").status_code == 403


def test_another_try_takes_those_that_it_can_change(rita, fleet):
    run = probed(fleet, dead=2, alive=1)
    unclear = run.items.get(outcome=Outcome.CONNECTED)
    run.items.filter(pk=unclear.pk).update(outcome=Outcome.TRANSIENT, cause="timeout")

    numbers = live(rita, run)
    again = runs.retry(run, user=fleet.user, now=timezone.now())

    assert numbers["retry"] == "Retry the one that needs attention"
    assert again.selection == selection.of_instances([unclear.instance_id])


def test_what_a_provider_does_not_offer_is_not_tried_again():
    assert Outcome.UNSUPPORTED not in worth_a_try(RunKind.REVOKE)
    tried = {Outcome.REFUSED, Outcome.UNCLEAR, Outcome.TRANSIENT, Outcome.MISCONFIGURED}
    assert tried < worth_a_try(RunKind.REVOKE)
    assert {Outcome.EXPIRED, Outcome.DENIED} < worth_a_try(RunKind.RECONNECT)


def test_a_reason_leads_to_its_instances_each_selected(rita, fleet):
    run = probed(fleet)
    page = rita.get(reverse("admin:instances_run_change", args=[run.pk]))
    (reason,) = page.context["causes"]

    listed = rita.get(reason.instances)

    rows = listed.context["cl"].result_list
    assert {one.status for one in rows} == {InstanceStatus.NEEDS_REAUTH}
    assert len(rows) == reason.count == 2
    assert listed.content.decode().count(" checked") >= 2
    assert "Select these instances" in page.content.decode()
    assert "Run: Those that ended alike" in text_of(listed)


@pytest.mark.parametrize("value", ["x:dead:y", "9:dead", ":::", "1:dead:a:b"])
def test_an_address_that_names_no_instances_shows_none(rita, fleet, value):
    fleet.synced("box")

    listed = rita.get(
        reverse("admin:instances_instance_changelist"), {"drafted": value}
    )

    assert listed.status_code == 200
    assert len(listed.context["cl"].result_list) == 0


def test_a_run_at_work_offers_no_links_yet(rita, fleet):
    run = probed(fleet)
    Run.objects.filter(pk=run.pk).update(status=RunStatus.RUNNING)

    assert live(rita, run)["can_reconnect"] is False
