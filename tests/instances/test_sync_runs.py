"""Syncs: what is mirrored, what drifted, and what a broken list does not prove."""

import pytest
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.teams.models import Organization
from instances import runs
from instances.choices import InstanceStatus, Outcome, RunKind, RunStatus
from instances.models import Instance, Item
from tests.instances.killing import fleet, quick
from tests.instances.test_revoke_faults import FAULTS

__all__ = ["fleet", "quick"]

pytestmark = pytest.mark.usefixtures("quick")


def outcomes(run) -> list[str]:
    return sorted(Item.objects.filter(run=run).values_list("outcome", flat=True))


def test_what_changed_is_named(fleet):
    (instance,) = fleet.synced("box")
    fleet.emulator.control(
        f"instances/{instance.remote_id}", {"name": "Renamed", "tags": ["eu"]}, "PATCH"
    )

    run = fleet.sync()

    item = Item.objects.get(run=run)
    assert item.outcome == Outcome.CHANGED
    assert item.facts["changed"] == ["name", "tags"]
    assert list(instance.tags.values_list("name", flat=True)) == ["eu"]


def test_what_vanished_is_missing_and_never_deleted(fleet):
    instance, _ = fleet.synced("box", 2)
    fleet.emulator.control(f"instances/{instance.remote_id}", method="DELETE")

    run = fleet.sync()

    instance.refresh_from_db()
    assert outcomes(run) == [Outcome.VANISHED]
    assert instance.status == InstanceStatus.MISSING
    assert Event.objects.filter(action="status_changed").count() == 1


def test_what_comes_back_is_unknown_until_it_is_probed(fleet):
    (instance,) = fleet.synced("box")
    Instance.objects.update(status=InstanceStatus.MISSING)

    run = fleet.sync()

    instance.refresh_from_db()
    assert outcomes(run) == [Outcome.CHANGED]
    assert instance.status == InstanceStatus.UNKNOWN


def test_an_empty_organization_has_no_instances(fleet):
    run = fleet.sync()

    assert (run.status, run.problem, run.total) == (RunStatus.FINISHED, "", 0)


def test_all_vanished_when_the_platform_lists_nothing_any_more(fleet):
    (instance,) = fleet.synced("box")
    fleet.emulator.control(f"instances/{instance.remote_id}", method="DELETE")

    assert outcomes(fleet.sync()) == [Outcome.VANISHED]


HARMLESS = ["clock_skew", "ids_as_strings", "escaped_nul"]


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in HARMLESS])
def test_a_spoiled_list_ends_the_run_with_words_and_nobody_vanishes(
    fleet, monkeypatch, name
):
    monkeypatch.setattr("instances.actions.sync._TRIES", 2)
    fleet.synced("box", 2)
    fault = dict(FAULTS[name])
    fleet.fault(fault.pop("kind"), "/instances", **({"times": 0} | fault))

    run = fleet.sync()

    assert run.status == RunStatus.FAILED
    assert run.problem and run.problem_text
    assert runs.exit_code(run) == 1
    assert not Instance.objects.filter(status=InstanceStatus.MISSING).exists()
    ended = Event.objects.filter(run_uid=str(run.uid)).values_list("action", flat=True)
    assert {"instance_synced", "run_finished"} <= set(ended)


@pytest.mark.parametrize("name", HARMLESS)
def test_odd_lists_are_read_for_what_they_are(fleet, name):
    fleet.seed("box", 2)
    fault = dict(FAULTS[name])
    fleet.fault(fault.pop("kind"), "/instances", **({"times": 0} | fault))

    run = fleet.sync()

    assert (run.status, run.problem) == (RunStatus.FINISHED, "")
    assert Instance.objects.count() == 2


def test_wrong_secrets_are_one_problem_of_the_organization(fleet):
    fleet.synced("box")
    fleet.emulator.control("organizations", {"id": 1, "organization_secret": "0" * 32})

    run = fleet.sync()

    organization = Organization.objects.get(pk=fleet.organization.pk)
    assert (run.status, run.problem) == (RunStatus.FAILED, "organization_secrets")
    assert organization.secrets_problem == "one_secret_wrong"
    assert Instance.objects.get().status == InstanceStatus.UNKNOWN


def test_a_sync_that_works_takes_the_problem_back(fleet):
    Organization.objects.update(
        secrets_problem="organization_secrets", secrets_problem_at=timezone.now()
    )

    fleet.sync()

    assert Organization.objects.get(pk=fleet.organization.pk).secrets_problem == ""


def test_a_paused_sync_goes_on_from_the_start(fleet, monkeypatch):
    fleet.seed("box", 3)
    run = fleet.draft(RunKind.SYNC)
    pause = runs.sync.mirror_of

    def pausing(organization):
        runs.pause(run, user=fleet.user, now=timezone.now())
        return pause(organization)

    monkeypatch.setattr(runs.sync, "mirror_of", pausing)
    fleet.work(run)
    assert run.status == RunStatus.PAUSED
    monkeypatch.setattr(runs.sync, "mirror_of", pause)
    runs.resume(run, user=fleet.user, now=timezone.now())
    fleet.work(run)

    assert run.status == RunStatus.FINISHED
    assert outcomes(run) == [Outcome.NEW] * 3


def test_a_sync_that_is_begun_twice_counts_everybody_once(fleet):
    fleet.seed("box", 3)
    run = fleet.draft(RunKind.SYNC)
    fleet.work(run)
    run.chunks.update(status="queued")
    type(run).objects.filter(pk=run.pk).update(status="running", finished_at=None)

    fleet.work(run)

    assert (run.total, run.unchanged) == (3, 0)


def test_light_lists_are_completed_by_id(fleet):
    fleet.switch(list_hydrated=False)
    fleet.synced("box", 2)

    assert not Instance.objects.filter(grant_fingerprint="").exists()


def test_an_account_that_a_reconnect_learnt_holds_as_long_as_the_grant(fleet):
    (instance,) = fleet.synced("salesforce")  # whose user the platform does not name
    Instance.objects.update(account="005AAM")
    fleet.sync()
    instance.refresh_from_db()
    before = instance.account

    Instance.objects.update(grant_fingerprint="another:grant")
    fleet.sync()
    instance.refresh_from_db()

    assert (before, instance.account) == ("005AAM", "")
