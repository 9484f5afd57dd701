"""What happened to an instance and to a run, in order, on their pages; and the way to the proof."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from ceadmin.teams.models import Membership
from instances import runs
from instances.choices import RunKind
from tests.instances.fleet import Fleet, only_item
from tests.people import make_user
from tests.teams.inviting import browser

WHY = {"reason": "Leaked secret", "ticket": "SEC-7"}


@pytest.fixture
def fleet(emulator, team):
    """Acme; Vic reads its audit."""
    Membership.objects.filter(user=team.vic).update(is_auditor=True)
    return Fleet(emulator, team.acme, team.rita)


def page_of(user, row) -> str:
    """Return a row's page as somebody sees it."""
    name = f"admin:instances_{row._meta.model_name}_change"
    return browser(user).get(reverse(name, args=[row.pk])).content.decode()


def revoked(fleet):
    """Return an instance that was probed and then revoked, and the run that did it."""
    (instance,) = fleet.synced("box")
    fleet.run(RunKind.PROBE)
    run = fleet.draft(RunKind.REVOKE)
    runs.start(run, user=fleet.user, now=timezone.now(), **WHY)
    return instance, fleet.work(run)


def receipts_of(page: str) -> list[str]:
    """Return the receipts that a page leads to."""
    return re.findall(r'href="(/admin/audit/event/receipt/[^"]+)"', page)


def test_an_instance_tells_what_happened_to_it_the_newest_first(fleet, team):
    instance, run = revoked(fleet)

    page = page_of(team.otto, instance)

    item = only_item(run)
    assert page.index("Revoke by Rita") < page.index("Probe by Rita")
    assert reverse("admin:instances_item_change", args=[item.pk]) in page


def test_an_auditor_goes_from_there_to_the_receipt_and_to_its_events(fleet, team):
    instance, run = revoked(fleet)
    client, page = browser(team.vic), page_of(team.vic, instance)

    (receipt,) = receipts_of(page)
    proof = client.get(receipt)
    history = client.get(
        reverse("admin:instances_instance_history", args=[instance.pk]), follow=True
    )

    assert str(run.uid) in receipt
    for words in ("Leaked secret", "SEC-7", "manage.py verify_audit"):
        assert words in proof.content.decode()
    assert proof.context["receipt"].hash in proof.content.decode()
    events = list(history.context["cl"].result_list)
    assert {event.instance_uid for event in events} == {str(instance.uid)}
    assert {"revoke_intended", "revoke_answered", "item_settled"} <= {
        event.action for event in events
    }


def test_nobody_else_is_led_to_receipts_or_events(fleet, team):
    instance, run = revoked(fleet)

    for user in (team.rita, team.otto):
        for row in (instance, run, only_item(run)):
            page = page_of(user, row)
            assert receipts_of(page) == []
            assert "/history/" not in page


def test_a_run_tells_who_drafted_asked_approved_started_and_when_it_ended(fleet, team):
    fleet.synced("box")
    ann = make_user("Ann", team.acme, is_approver=True)
    team.acme.policy.most_alone = 0
    team.acme.policy.save()
    run, rita = fleet.draft(RunKind.REVOKE), {"user": team.rita, "now": timezone.now()}
    asked = runs.ask(run, **rita, **WHY)
    runs.approve(run, user=ann, now=timezone.now(), digest=asked.digest)
    runs.start(run, **rita)
    fleet.work(run)

    page = page_of(team.vic, run)

    told = page[page.index("What was done with it") :]
    places = [
        told.index(sentence)
        for sentence in (
            "A run was drafted.",
            "Approval of a run was asked for.",
            "A run was approved.",
            "A run was started.",
            "A run was finished.",
        )
    ]
    assert places == sorted(places)
    assert "Ann" in told
