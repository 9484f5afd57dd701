"""`manage.py run` asks for probes, revocations and reconnects with a person's rights."""

import pytest
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.lib import broker
from instances import runs
from instances.choices import InstanceStatus, RunStatus
from instances.models import Instance, Item, Run
from tests.commands.conftest import manage

RITA = ("--as", "rita@example.com")
ACME = ("--organization", "acme", *RITA)


def worked(fleet, run: Run) -> Run:
    runs.plan(run.pk, now=timezone.now())
    return fleet.work(run)


def test_a_probe_is_queued_and_its_run_is_named(fleet):
    fleet.synced()

    ended = manage("run", "probe", *ACME)

    run = Run.objects.get(kind="probe")
    assert ended.code == 0
    assert str(run.uid) in ended.text
    assert "queued, waiting for the worker" in ended.text
    assert run.requested_by_name == "Rita"


@pytest.fixture
def no_broker(settings):
    """Point at a broker where nobody listens."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    broker.client.cache_clear()
    yield
    broker.client.cache_clear()


def test_a_broker_that_is_away_loses_nothing(fleet, no_broker):
    fleet.synced()

    ended = manage("run", "probe", *ACME)
    run = worked(fleet, Run.objects.get(kind="probe"))

    assert "nothing is lost" in ended.text
    assert run.status == RunStatus.FINISHED


def test_a_filter_narrows_and_a_repeated_key_widens(fleet):
    fleet.synced("box", 2, tags=["eu"])
    fleet.synced("salesforce", 1, tags=["us"])
    fleet.synced("quickbooks", 1, tags=["test"])

    manage("run", "probe", *ACME, "--filter", "tag=eu", "tag=us")
    run = Run.objects.get(kind="probe")
    runs.plan(run.pk, now=timezone.now())

    assert Item.objects.filter(run=run).count() == 3


def test_a_revocation_with_a_reason_starts_at_once(fleet):
    instance = fleet.synced()[0]

    ended = manage(
        *("run", "revoke", *ACME, "--instance", instance.remote_id),
        *("--reason", "leaked secret", "--ticket", "SEC-7", "--form", "article"),
    )
    run = Run.objects.get(kind="revoke")

    assert ended.code == 0
    assert (run.status, run.reason) == (RunStatus.RUNNING, "leaked secret")
    assert (run.ticket, run.options) == ("SEC-7", {"form": "article"})
    assert Event.objects.filter(action="run_started", run_uid=run.uid).exists()


def test_a_revocation_kills_the_grant(fleet):
    instance = fleet.synced()[0]

    manage("run", "revoke", *ACME, "--all", "--reason", "leaked")
    fleet.work(Run.objects.get(kind="revoke"))

    assert not fleet.truth(instance)["access_alive"]
    assert Instance.objects.get().status == InstanceStatus.REVOKED


def test_a_dry_run_counts_and_sends_nothing(fleet):
    fleet.synced("box", 2)
    fleet.synced("quickbooks", 1)
    before = fleet.emulator.log()

    ended = manage("run", "revoke", *ACME, "--dry-run")

    assert ended.code == 0
    assert "Box: 2 (2 unknown)" in ended.text
    assert "nothing was sent" in ended.text
    assert fleet.emulator.log() == before
    assert Run.objects.get(kind="revoke").status == RunStatus.EXPIRED


def test_a_reconnect_makes_a_link_per_instance(fleet):
    fleet.synced("box", 2)

    manage("run", "reconnect", *ACME)
    run = worked(fleet, Run.objects.get(kind="reconnect"))
    ended = manage("run", "reconnect", *ACME, "--wait", "--timeout", "0", "--json")

    assert runs.progress(run).waiting == 2
    assert ended.code == 1
    assert ended.json["status"] == RunStatus.PLANNING


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--instance", "1"], "no instance 1"),
        (["--filter", "tag=nowhere"], "No instance matches"),
        (["--filter", "colour=red"], "no filter “colour”"),
        (["--filter", "status=fine"], "no status “fine”"),
        (["--filter", "eu"], "key=value"),
        (["--filter", "search=a", "--filter", "search=b"], "one search"),
        (["--filter", "tag=eu", "--instance", "1"], "not both"),
        (["--all", "--instance", "1"], "contradict"),
        (["--only", "access"], "belongs to revoke"),
    ],
)
def test_what_is_not_there_is_said_and_no_run_is_made(fleet, arguments, words):
    fleet.synced()

    ended = manage("run", "probe", *ACME, *arguments)

    assert ended.code == 2
    assert words in ended.error
    assert not Run.objects.filter(kind="probe").exists()


@pytest.mark.parametrize("arguments", [["--all"], ["--all", "--reason", " "]])
def test_a_revocation_needs_a_reason(fleet, arguments):
    fleet.synced()

    ended = manage("run", "revoke", *ACME, *arguments)

    assert ended.code == 2
    assert "--reason" in ended.error
    assert not Run.objects.filter(kind="revoke").exists()


def test_a_revocation_of_everything_has_to_be_said(fleet):
    fleet.synced()

    ended = manage("run", "revoke", *ACME, "--reason", "a mistake")

    assert ended.code == 2
    assert "--all" in ended.error


@pytest.mark.parametrize(
    ("person", "kind", "words"),
    [
        ("vic", "probe", "not allowed to sync, probe"),
        ("vic", "reconnect", "not allowed"),
        ("olga", "revoke", "not allowed to revoke"),
        ("otto", "probe", "not allowed"),
    ],
)
def test_a_person_s_rights_are_the_command_s(fleet, person, kind, words):
    fleet.synced()
    who = ("--organization", "acme", "--as", f"{person}@example.com")

    ended = manage("run", kind, *who, "--all", "--reason", "a test")

    assert ended.code == 3
    assert words in ended.error
    assert not Run.objects.filter(kind=kind).exists()


def test_a_viewer_may_not_rehearse_either(fleet):
    fleet.synced()
    who = ("--organization", "acme", "--as", "vic@example.com")

    ended = manage("run", "revoke", *who, "--dry-run")

    assert ended.code == 3


def test_a_foreign_organization_is_as_unknown_as_none(fleet):
    foreign = manage("run", "probe", "--organization", "globex", *RITA)
    missing = manage("run", "probe", "--organization", "nothing", *RITA)

    assert (foreign.code, missing.code) == (2, 2)
    assert foreign.error.replace("globex", "nothing") == missing.error


def test_an_unknown_or_closed_account_cannot_be_used(fleet, team):
    team.rita.is_active = False
    team.rita.save()

    closed = manage("run", "probe", *ACME)
    unknown = manage("runs", "--as", "nobody@example.com")

    assert (closed.code, unknown.code) == (2, 2)
    assert "rita@example.com" in closed.error


def test_who_acts_has_to_be_said(fleet):
    ended = manage("run", "probe", "--organization", "acme")

    assert ended.code != 0
    assert "--as" in ended.error
