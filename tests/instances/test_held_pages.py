"""A run's page while a provider is held: one line for a trouble, and two ways on."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from instances import runs
from instances.choices import Outcome, PartStatus, RunKind, RunStatus
from instances.engine import claim, release
from instances.models import Part, Run
from tests.instances.killing import fleet, quick
from tests.instances.parting import crowd, end, part, started, work_off, worker
from tests.people import PASSWORD

__all__ = ["fleet", "quick"]

pytestmark = pytest.mark.usefixtures("quick")


def answered_wrongly(fleet, *keys: str) -> Run:
    """Return a revocation of sixty each that paused over the first answers."""
    crowd(fleet, **dict.fromkeys(keys, 60))
    run = started(fleet, RunKind.REVOKE)
    writer = worker(run)
    for chunk, items in [claim(run, "one") for _ in keys]:
        end(writer, items, Outcome.REFUSED, cause="invalid_client")
        release(chunk)
    run.refresh_from_db()
    return run


@pytest.fixture
def rita(client, team):
    assert client.login(username=team.rita.email, password=PASSWORD)
    return client


def page_of(client, run: Run) -> str:
    answer = client.get(reverse("admin:instances_run_change", args=[run.pk]))
    return " ".join(answer.content.decode().split())


def press(client, run: Run, act: str, **fields: str):
    """Press a button of a run's page and return the page after it."""
    url = reverse("admin:instances_run_do", args=[run.pk, act])
    return client.post(url, fields, follow=True)


def test_a_held_provider_is_shown_with_its_evidence_and_both_ways(fleet, rita):
    run = answered_wrongly(fleet, "box")

    page = page_of(rita, run)

    assert "Box is held: 55 instances wait for a decision." in page
    assert "5 of the first 5 ended as nobody expects: 5 refused." in page
    assert "Check the provider app" in page
    assert "Go on with Box" in page
    assert "55 instances end as cancelled" in page
    assert page.count('name="provider" value="box"') == 2
    # The buttons post: nothing is decided by a link.
    assert (
        f'formaction="{reverse("admin:instances_run_do", args=[run.pk, "go-on"])}"'
        in page
    )
    assert re.search(
        r'<form id="decide" method="post"[^>]*>.*csrfmiddlewaretoken', page
    )


def test_the_poll_brings_the_held_part_without_a_token(fleet, rita):
    run = answered_wrongly(fleet, "box")

    told = rita.get(reverse("admin:instances_run_live", args=[run.pk])).json()

    assert "Go on with Box" in told["parts"]
    assert "csrfmiddlewaretoken" not in told["parts"]


def test_a_pause_over_one_provider_says_what_resume_does(fleet, rita):
    crowd(fleet, box=60, salesforce=60)
    run = started(fleet, RunKind.REVOKE)
    chunk, items = claim(run, "one")
    end(worker(run), items, Outcome.REFUSED, cause="invalid_client")
    release(chunk)

    assert "“Resume” goes on with them" in page_of(rita, run)
    runs.resume(run, user=fleet.user, now=timezone.now())
    assert "“Resume” goes on with them" not in page_of(rita, run)


def test_one_trouble_of_all_providers_is_one_line_and_one_decision(fleet, rita):
    run = answered_wrongly(fleet, "box", "salesforce", "quickbooks")

    page = page_of(rita, run)
    assert page.count("wait for a decision.") == 1
    assert "165 instances wait for a decision" in page
    assert "points to the platform, the network" in page
    assert "Decide one by one" in page

    press(rita, run, "leave-out", provider="salesforce")
    press(rita, run, "go-on", provider="box,quickbooks")

    assert part(run, "salesforce").status == PartStatus.LEFT_OUT
    opened = Part.objects.filter(run=run, status=PartStatus.OPEN)
    assert opened.count() == 2
    run.refresh_from_db()
    assert run.status == RunStatus.RUNNING
    assert "Left out: Salesforce" in page_of(rita, run)


def test_what_holds_a_provider_is_not_told_twice(fleet, rita):
    run = answered_wrongly(fleet, "box")

    assert "fail alike" not in page_of(rita, run)


def test_an_outage_of_all_providers_is_one_line_when_the_run_has_ended(fleet, rita):
    crowd(fleet, box=10, salesforce=10, quickbooks=10)
    run = started(fleet, RunKind.PROBE)
    work_off(run, Outcome.TRANSIENT)
    runs.finish_if_done(run, timezone.now())

    page = page_of(rita, run)

    assert page.count("fail alike") == 1
    assert "30 of 30 instances of Box" in page


def test_a_key_that_no_database_keeps_names_no_provider(fleet, rita):
    run = answered_wrongly(fleet, "box")

    page = press(rita, run, "go-on", provider="box\x00").content.decode()

    assert "No item of the run is of “box\\x00”." in page
    assert part(run, "box").status == PartStatus.HELD


def test_what_was_decided_meanwhile_is_said(fleet, rita):
    run = answered_wrongly(fleet, "box", "salesforce")
    runs.go_on(run, "box", user=fleet.user, now=timezone.now())

    answer = press(rita, run, "go-on", provider="box,salesforce")

    assert "Box waits for no decision" in answer.content.decode()
    assert part(run, "salesforce").status == PartStatus.OPEN


def test_a_run_of_nothing_but_held_parts_says_that_it_waits(fleet, rita):
    run = answered_wrongly(fleet, "box")
    runs.resume(run, user=fleet.user, now=timezone.now())

    assert "the run waits for this decision" in page_of(rita, run)


def test_while_a_few_go_first_the_page_says_so(fleet, rita):
    crowd(fleet, box=60)
    run = started(fleet, RunKind.PROBE)

    assert "A few instances of Box go first" in page_of(rita, run)


def test_a_run_that_ended_asks_nothing(fleet, rita):
    run = answered_wrongly(fleet, "box")
    runs.stop(run, user=fleet.user, now=timezone.now())
    runs.sweep(now=timezone.now())

    page = page_of(rita, run)

    assert "wait for a decision" not in page
    assert "Go on with" not in page


def test_who_may_only_look_sees_why_and_no_buttons(fleet, client, team):
    run = answered_wrongly(fleet, "box")
    assert client.login(username=team.vic.email, password=PASSWORD)

    page = page_of(client, run)
    answer = press(client, run, "go-on", provider="box")

    assert "Box is held" in page
    assert "Go on with Box" not in page
    assert answer.status_code == 403
    assert part(run, "box").status == PartStatus.HELD


def test_decisions_are_not_made_by_looking(fleet, rita):
    run = answered_wrongly(fleet, "box")
    url = reverse("admin:instances_run_do", args=[run.pk, "go-on"])

    assert rita.get(url, {"provider": "box"}).status_code == 405


def test_names_in_evidence_are_text(fleet, rita):
    crowd(fleet, box=60)
    run = started(fleet, RunKind.REVOKE)
    run.items.update(instance_name="<script>alert(1)</script>")
    _, items = claim(run, "one")
    end(worker(run), items, Outcome.REFUSED)

    assert "<script>alert(1)" not in page_of(rita, run)


@pytest.mark.parametrize("wanted", ["0", "1001", "many", ""])
def test_connections_that_no_run_has_are_named(fleet, rita, wanted):
    crowd(fleet, box=1)
    run = started(fleet, RunKind.PROBE)

    answer = press(rita, run, "connections", connections=wanted)

    words = answer.content.decode()
    assert "1 to 1000" in words or "as a number" in words
    assert Run.objects.get().connections == 50


def test_connections_are_changed_on_the_page_and_on_the_draft(fleet, rita):
    crowd(fleet, box=1)
    run = fleet.draft(RunKind.REVOKE)

    press(rita, run, "start", reason="a test", connections="0")
    assert Run.objects.get().status == RunStatus.DRAFT
    press(rita, run, "start", reason="a test", connections="7")
    assert Run.objects.get().connections == 7
    press(rita, run, "connections", connections="70")
    assert Run.objects.get().connections == 70
