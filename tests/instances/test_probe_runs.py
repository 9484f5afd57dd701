"""Probe runs: what they write, and when many fail for one reason."""

import pytest
from django.urls import reverse

from ceadmin.audit.models import Event
from ceadmin.teams.models import Organization
from instances import runs
from instances.choices import InstanceStatus, Outcome, RunKind, RunStatus
from instances.models import Flip, Instance, Item
from tests.instances.fleet import only_item
from tests.instances.killing import fleet, quick
from tests.people import ORGANIZATION_SECRET, PASSWORD

__all__ = ["fleet", "quick"]

pytestmark = pytest.mark.usefixtures("quick")


def wrong_secrets(fleet):
    """Let somebody change the organization's secret at the platform."""
    fleet.emulator.control("organizations", {"id": 1, "organization_secret": "0" * 32})


def right_secrets(fleet):
    """Take that back."""
    fleet.emulator.control(
        "organizations", {"id": 1, "organization_secret": ORGANIZATION_SECRET}
    )


def test_a_change_of_status_is_a_flip_and_an_event(fleet):
    fleet.synced("box")

    fleet.run(RunKind.PROBE)
    fleet.run(RunKind.PROBE)

    flip = Flip.objects.get()
    assert (flip.from_status, flip.to_status) == ("unknown", "connected")
    assert Event.objects.filter(action="status_changed").count() == 1


def test_a_dead_grant_needs_reauthentication(fleet):
    fleet.synced("box", state="dead")

    item = only_item(fleet.run(RunKind.PROBE))

    assert (item.outcome, item.cause) == (Outcome.DEAD, "grant_dead")
    assert Instance.objects.get().status == InstanceStatus.NEEDS_REAUTH


def test_a_revoked_instance_stays_revoked_when_it_is_seen_dead(fleet):
    fleet.synced("box")
    fleet.run(RunKind.REVOKE)

    fleet.run(RunKind.PROBE)

    assert Instance.objects.get().status == InstanceStatus.REVOKED


def test_a_refusal_without_anybodys_words_is_unclear_and_explained(fleet):
    fleet.synced("box")
    fleet.fault(
        "status",
        "/ping",
        times=0,
        status=401,
        body={"requestId": "1", "message": "Unauthorized"},
    )

    item = only_item(fleet.run(RunKind.PROBE))

    assert (item.outcome, item.cause) == (Outcome.UNCLEAR, "ambiguous_401")
    assert "Probe again" in item.explanation


def test_an_outage_of_a_provider_is_one_line_and_nobody_is_called_dead(fleet, client):
    fleet.synced("box", 6)
    fleet.synced("quickbooks", 2)
    box = Instance.objects.filter(provider_key="box")
    for instance in box:
        where = {"path": "/ping", "instance": int(instance.remote_id)}
        fleet.fault("status", "", times=0, status=502, match=where)

    run = fleet.run(RunKind.PROBE)

    (outage,) = runs.progress(run).outages
    assert (outage.provider_key, outage.count, outage.total) == ("box", 6, 6)
    assert set(box.values_list("status", flat=True)) == {InstanceStatus.DEGRADED}
    assert client.login(username=fleet.user.email, password=PASSWORD)
    page = client.get(reverse("admin:instances_run_change", args=[run.pk]))
    assert page.content.decode().count(outage.sentence) == 1


def test_four_failures_are_no_outage(fleet):
    fleet.synced("box", 4, state="dead")

    run = fleet.run(RunKind.PROBE)

    assert runs.progress(run).outages == ()


def test_wrong_secrets_end_a_run_once_instead_of_each_instance(fleet):
    fleet.synced("box", 120, state="dead")
    wrong_secrets(fleet)

    run = fleet.run(RunKind.PROBE)

    organization = Organization.objects.get(pk=fleet.organization.pk)
    counts = runs.progress(run).outcomes
    assert (run.status, run.problem) == (RunStatus.FAILED, "organization_secrets")
    assert organization.secrets_problem == "one_secret_wrong"
    assert counts["cancelled"] > 60
    assert sum(counts.values()) == 120
    assert Instance.objects.filter(status="unknown").count() == 120


def test_wrong_secrets_end_a_revocation_before_anything_is_sent(fleet):
    fleet.synced("box", 3)
    wrong_secrets(fleet)

    run = fleet.run(RunKind.REVOKE)

    assert (run.status, run.problem) == (RunStatus.FAILED, "organization_secrets")
    assert not Item.objects.open().exists()
    assert not Event.objects.filter(action="revoke_intended").exists()
    assert runs.exit_code(run) == 1


def test_one_refused_read_does_not_end_a_run(fleet):
    fleet.synced("box", 3, state="dead")
    fleet.fault("status", "/instances/*", status=401, body={"message": "Nope"})

    run = fleet.run(RunKind.PROBE)
    run = fleet.work(run)

    assert run.status == RunStatus.FINISHED
    assert Organization.objects.get(pk=fleet.organization.pk).secrets_problem == ""


def test_secrets_that_work_again_take_the_problem_back(fleet):
    fleet.synced("box", 2, state="dead")
    wrong_secrets(fleet)
    fleet.run(RunKind.PROBE)
    right_secrets(fleet)

    fleet.run(RunKind.PROBE)

    assert Organization.objects.get(pk=fleet.organization.pk).secrets_problem == ""
