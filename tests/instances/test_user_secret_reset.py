"""Somebody resets the user secret at the platform: all copies die at once, no instance does."""

import pytest
from django.urls import reverse
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.teams.models import Organization
from ceadmin.teams.permissions import actor_of
from instances import runs
from instances.actions import credentials
from instances.choices import RunKind, RunStatus
from instances.models import Flip, Instance, Item
from tests.instances.killing import fleet, quick
from tests.people import PASSWORD

__all__ = ["fleet", "quick"]

pytestmark = pytest.mark.usefixtures("quick")

MANY = 50
FRESH = "the-new-user-secret-7Lq2"


@pytest.fixture
def fifty(fleet):
    """Fifty instances that were seen to work, and then the reset."""
    fleet.synced("box", MANY)
    fleet.run(RunKind.PROBE)
    fleet.emulator.control("organizations", {"id": 1, "user_secret": FRESH})
    return fleet


def statuses() -> list[tuple[str, str, object]]:
    rows = Instance.objects.order_by("pk")
    return list(rows.values_list("status", "status_reason", "status_since"))


def acme(fleet) -> Organization:
    return Organization.objects.get(pk=fleet.organization.pk)


def work(fleet, kind):
    return fleet.sync() if kind == RunKind.SYNC else fleet.run(kind)


@pytest.mark.parametrize("kind", [RunKind.PROBE, RunKind.REVOKE, RunKind.SYNC])
def test_it_is_one_problem_of_the_organization_and_no_instance_changes(fifty, kind):
    before, flips = statuses(), Flip.objects.count()

    run = work(fifty, kind)

    assert (run.status, run.problem) == (RunStatus.FAILED, "organization_secrets")
    assert acme(fifty).secrets_problem == "user_secret_suspected"
    assert (statuses(), Flip.objects.count()) == (before, flips)
    assert not Event.objects.filter(action="status_changed", run_uid=str(run.uid))
    assert not Event.objects.filter(action="revoke_intended").exists()
    assert not Item.objects.of_concern().exists()
    if kind == RunKind.PROBE:
        assert set(runs.progress(run).outcomes) == {"cancelled", "misconfigured"}


def test_the_page_says_what_happened_and_what_to_do(fifty, team, client):
    fifty.run(RunKind.PROBE)
    assert client.login(username=team.otto.email, password=PASSWORD)

    url = reverse("admin:teams_organization_change", args=[fifty.organization.pk])
    page = client.get(url).content.decode()
    overview = client.get(reverse("admin:index")).content.decode()

    assert "somebody reset the user secret: copy it again" in page
    assert "they stay as they were" in page
    assert overview.count("are refused by the platform") == 1


def test_setting_the_new_secret_takes_the_problem_back(fifty, team, client):
    fifty.run(RunKind.PROBE)
    organization = acme(fifty)
    assert client.login(username=team.otto.email, password=PASSWORD)
    fields = ("name", "base_url", "reauthenticate_by", "link_lifetime_hours")
    typed = {name: getattr(organization, name) for name in fields}

    url = reverse("admin:teams_organization_change", args=[organization.pk])
    client.post(url, {**typed, "user_secret_typed": FRESH})

    assert acme(fifty).secrets_problem == ""
    fifty.organization = acme(fifty)
    again = fifty.run(RunKind.PROBE)
    assert runs.progress(again).outcomes == {"connected": MANY}


def test_a_test_by_hand_names_the_user_secret(fifty, team):
    organization = acme(fifty)

    report = credentials.try_organization(
        organization, actor=actor_of(team.olga, organization), now=timezone.now()
    )

    assert report.code == "user_secret_suspected"
    assert acme(fifty).secrets_problem == "user_secret_suspected"
