"""`manage.py drill` begins the whole loop on one instance."""

import pytest
from django.utils import timezone

from ceadmin.teams.models import Membership
from instances.choices import Outcome, RunStatus
from instances.management import reports
from instances.models import Run
from instances.runs import consent
from tests.commands.conftest import manage

RITA = ("--as", "rita@example.com")
WHY = ("--reason", "release 5.2")


def drilled(fleet, *arguments):
    instance = fleet.synced()[0]
    ended = manage("drill", instance.remote_id, *RITA, *WHY, *arguments)
    return ended, Run.objects.filter(kind="drill").first()


def test_a_drill_starts_at_once(fleet):
    ended, run = drilled(fleet)

    assert ended.code == 0
    assert "queued" in ended.text
    assert (run.status, run.reason) == (RunStatus.RUNNING, "release 5.2")
    assert run.options == {}


def test_a_drill_that_consents_by_itself_has_eight_steps(fleet):
    _, run = drilled(fleet, "--self-consent")
    fleet.work(run)
    consent(run.items.get().pk, now=timezone.now())
    run.refresh_from_db()

    document = reports.drill_json(run, timezone.now())

    statuses = [step["status"] for step in document["steps"]]
    assert statuses == [200, 200, 200, 401, 200, 302, 200, 200]
    assert document["outcome"] == Outcome.RECONNECTED
    assert document["links"] == []


def test_a_drill_that_waits_shows_its_link(fleet):
    _, run = drilled(fleet)
    fleet.work(run)

    document = reports.drill_json(run, timezone.now(), linked=True)

    assert [link["instance"] for link in document["links"]] == [document["instance"]]
    assert "/reconnect/" in document["links"][0]["address"]
    assert document["steps"][4]["status"] is None


def test_a_drill_of_a_dead_instance_says_what_to_do(fleet):
    instance = fleet.synced(state="dead")[0]
    manage("drill", instance.remote_id, *RITA, *WHY)
    run = fleet.work(Run.objects.get(kind="drill"))

    lines = "\n".join(reports.result_lines(run))

    assert "Not alive at the start" in lines
    assert reports.run_json(run, timezone.now())["attention"][0]["instance"]


def test_consenting_by_itself_is_the_demo_s(fleet, settings):
    settings.EMULATOR_URL = ""

    ended = manage("drill", "471001", *RITA, *WHY, "--self-consent")

    assert ended.code == 2
    assert "demo" in ended.error


def test_an_unknown_instance_is_said(fleet):
    ended = manage("drill", "1", *RITA, *WHY)

    assert ended.code == 2
    assert "an instance 1" in ended.error


def test_two_organizations_with_the_same_id_are_told_apart(fleet, team):
    instance = fleet.synced()[0]
    Membership.objects.create(organization=team.other, user=team.rita, is_revoker=True)
    instance.pk, instance.organization, instance.uid = None, team.other, team.other.uid
    instance.save(force_insert=True)

    unclear = manage("drill", instance.remote_id, *RITA, *WHY)
    clear = manage("drill", instance.remote_id, *RITA, *WHY, "--organization", "acme")

    assert "--organization" in unclear.error
    assert (unclear.code, clear.code) == (2, 0)


@pytest.mark.parametrize("person", ["vic", "olga", "otto"])
def test_only_revokers_drill(fleet, person):
    instance = fleet.synced()[0]

    ended = manage("drill", instance.remote_id, "--as", f"{person}@example.com", *WHY)

    assert ended.code == 3
    assert not Run.objects.filter(kind="drill").exists()
