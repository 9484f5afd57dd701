"""Whoever died with a run's list without standing on it is known to be dead, and why."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from ceadmin.audit.models import Event
from instances import runs, selection
from instances.choices import InstanceStatus, Outcome, RunKind, RunStatus
from instances.models import Chunk, Flip, Instance, Item, Run
from tests.instances.killing import fleet, quick
from tests.people import PASSWORD

__all__ = ["fleet", "quick"]

pytestmark = pytest.mark.usefixtures("quick")

REALM = "9130355377388383"


@pytest.fixture
def pair(fleet) -> list[Instance]:
    """Two Box instances that hold one token."""
    (first,) = fleet.seed("box")
    fleet.seed("box", share_grant_with=first["id"])
    return synced(fleet)


@pytest.fixture
def company(fleet) -> list[Instance]:
    """Two instances of one QuickBooks company, with tokens of their own."""
    fleet.seed("quickbooks", 2, realm=REALM)
    return synced(fleet)


def synced(fleet) -> list[Instance]:
    fleet.sync()
    Instance.objects.update(status=InstanceStatus.CONNECTED)
    return list(Instance.objects.order_by("pk"))


def only(instance: Instance) -> dict:
    return selection.of_instances([instance.pk])


def state(instance: Instance) -> tuple[str, str]:
    instance.refresh_from_db()
    return instance.status, instance.status_reason


def test_who_held_the_same_token_is_revoked_too_and_its_history_says_why(
    fleet, pair, team, client
):
    chosen, other = pair

    run = fleet.run(RunKind.REVOKE, only(chosen))

    assert Item.objects.get(run=run).outcome == Outcome.VERIFIED_DEAD
    assert state(other) == (InstanceStatus.REVOKED, "died_along")
    assert Flip.objects.get(instance=other).run == run
    event = Event.objects.get(action="status_changed", instance_uid=str(other.uid))
    assert (event.run_uid, event.actor_uid) == (str(run.uid), fleet.user.uid)
    assert not Run.objects.filter(kind=RunKind.PROBE).exists()
    assert client.login(username=team.vic.email, password=PASSWORD)
    page = client.get(reverse("admin:instances_instance_change", args=[other.pk])).text
    assert "held the same token as an instance that a run revoked" in page
    link = reverse("admin:instances_run_change", args=[run.pk])
    assert f'<a href="{link}">Was connected</a>' in page


def looked_at(fleet, company) -> Run:
    """Revoke the first one of the company, and let the probe of the other one end."""
    run = fleet.run(RunKind.REVOKE, only(company[0]))
    assert state(company[1]) == (InstanceStatus.UNKNOWN, "died_unseen")
    probe = Run.objects.get(kind=RunKind.PROBE)
    assert (probe.requested_by_name, str(run) in probe.reason) == ("", True)
    runs.plan(probe.pk, now=timezone.now())
    return fleet.work(probe)


def test_who_had_a_token_of_its_own_is_probed(fleet, company):
    probe = looked_at(fleet, company)

    assert Item.objects.get(run=probe).outcome == Outcome.DEAD
    assert company[1].pk == Item.objects.get(run=probe).instance_id
    assert state(company[1])[0] == InstanceStatus.NEEDS_REAUTH
    flips = Flip.objects.filter(instance=company[1]).order_by("pk")
    assert flips[0].reason == "died_unseen"


def test_who_lives_on_all_the_same_is_seen_alive(fleet, company):
    fleet.switch(quickbooks_ends_company=False)

    looked_at(fleet, company)

    assert state(company[1])[0] == InstanceStatus.CONNECTED


def test_who_was_reconnected_since_is_left_alone(fleet, company):
    later = timezone.now() + timedelta(hours=1)
    Instance.objects.filter(pk=company[1].pk).update(reconnected_at=later)

    fleet.run(RunKind.REVOKE, only(company[0]))

    assert state(company[1]) == (InstanceStatus.CONNECTED, "")
    assert not Run.objects.filter(kind=RunKind.PROBE).exists()


def test_what_was_refused_says_nothing_of_others(fleet, pair):
    app = fleet.app("box")
    app.client_secret = "another-secret"
    app.save()

    fleet.run(RunKind.REVOKE, only(pair[0]))

    assert state(pair[1]) == (InstanceStatus.CONNECTED, "")


def test_a_run_that_is_stopped_tells_what_it_did_before(fleet, pair):
    fleet.seed("salesforce")
    fleet.sync()
    chosen = Instance.objects.exclude(pk=pair[1].pk).values_list("pk", flat=True)
    run = fleet.draft(RunKind.REVOKE, selection.of_instances(chosen))
    runs.start(run, user=fleet.user, now=timezone.now(), reason="a test")
    run.refresh_from_db()
    later = timezone.now() + timedelta(hours=1)
    Chunk.objects.filter(run=run, provider_key="salesforce").update(not_before=later)
    fleet.work(run)
    assert state(pair[1])[0] == InstanceStatus.CONNECTED

    runs.stop(run, user=fleet.user, now=timezone.now())
    runs.sweep(now=timezone.now())
    run.refresh_from_db()

    assert run.status == RunStatus.STOPPED
    assert state(pair[1]) == (InstanceStatus.REVOKED, "died_along")
