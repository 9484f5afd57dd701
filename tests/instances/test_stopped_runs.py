"""Runs that were stopped: links are cancelled by who says so only, and what was cancelled is no success."""

import pytest
from django.urls import reverse
from django.utils import timezone

from instances import runs
from instances.choices import LinkStatus, Outcome, RunKind, RunStatus
from instances.models import ReconnectLink
from tests.instances.fleet import Fleet, only_item
from tests.people import PASSWORD

DEAD_LINKS = "Stop and cancel 2 links"


@pytest.fixture
def fleet(emulator, team):
    return Fleet(emulator, team.acme, team.rita)


@pytest.fixture
def rita(client, team):
    assert client.login(username=team.rita.email, password=PASSWORD)
    return client


@pytest.fixture
def asked(fleet):
    """Two people were sent a link, and one of them has opened it."""
    fleet.synced("box", 2)
    run = fleet.run(RunKind.RECONNECT)
    first = ReconnectLink.objects.order_by("pk")[:1]
    opened = {"status": LinkStatus.OPENED, "opened_at": timezone.now()}
    ReconnectLink.objects.filter(pk__in=[one.pk for one in first]).update(**opened)
    return run


def page_of(client, run) -> str:
    return client.get(address(run)).content.decode()


def address(run) -> str:
    return reverse("admin:instances_run_change", args=[run.pk])


def live(client, run) -> dict:
    return client.get(reverse("admin:instances_run_live", args=[run.pk])).json()


def stop(client, run, **data):
    press = reverse("admin:instances_run_do", args=[run.pk, "stop"])
    answer = client.post(press, data, follow=True).content.decode()
    runs.sweep(now=timezone.now())
    run.refresh_from_db()
    return answer


def test_stopping_says_which_links_die_with_it(rita, asked):
    page = page_of(rita, asked)

    assert f"{DEAD_LINKS}</span>…" in page
    assert "2 links can still be used. A person has opened one already." in page
    numbers = live(rita, asked)
    assert (numbers["can_stop"], numbers["can_cancel"]) == (False, True)
    assert numbers["stop"] == DEAD_LINKS


def test_a_press_that_did_not_know_of_links_cancels_none(rita, asked):
    answer = stop(rita, asked)

    assert "Nothing was stopped. 2 links can still be used." in answer
    assert asked.status == RunStatus.RUNNING
    assert not ReconnectLink.objects.filter(status=LinkStatus.CANCELLED).exists()


def test_who_stops_with_the_links_cancels_them(rita, asked):
    stop(rita, asked, links="cancel")

    assert asked.status == RunStatus.STOPPED
    assert ReconnectLink.objects.filter(status=LinkStatus.CANCELLED).count() == 2
    for item in asked.items.all():
        assert item.explanation.startswith("This item waited for a person")


def test_a_run_without_links_is_stopped_by_one_press(rita, fleet):
    fleet.synced("box")
    run = fleet.draft(RunKind.PROBE)

    stop(rita, run)

    assert run.status == RunStatus.STOPPED
    assert only_item(run).explanation == (
        "The run was stopped before this item's turn."
    )


def test_what_was_cancelled_is_counted_apart_and_fills_no_bar(rita, fleet):
    one, *_ = fleet.synced("box", 2)
    fleet.synced("salesforce")
    run = fleet.run(RunKind.PROBE)
    cancelled = run.items.exclude(instance=one)
    cancelled.update(outcome=Outcome.CANCELLED, cause="stopped")
    run.status = RunStatus.STOPPED
    run.save()

    numbers = live(rita, run)

    assert numbers["verdict"] == "1 of 3 done, 2 cancelled"
    assert (numbers["bar"], numbers["bar_value"]) == ("active", 1)
    assert numbers["summary"] == "1 of 3 done, 2 cancelled, 0 need attention."
    assert numbers["facts"].startswith("1 of 3 done")
    assert 'value="1" max="2"' in numbers["providers"]
    assert 'value="0" max="1"' in numbers["providers"]


def test_what_needs_attention_is_told_beside_what_was_cancelled(rita, fleet):
    fleet.synced("box", 2)
    run = fleet.run(RunKind.PROBE)
    first, second = run.items.order_by("number")
    run.items.filter(pk=first.pk).update(outcome=Outcome.CANCELLED, cause="stopped")
    run.items.filter(pk=second.pk).update(outcome=Outcome.TRANSIENT, cause="timeout")

    numbers = live(rita, run)

    assert numbers["verdict"] == "1 of 2 needs attention, 1 cancelled"
