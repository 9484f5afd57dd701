"""An organization that wants a second factor: who has none may do nothing there."""

import pytest
from django.test import Client
from django.urls import reverse

from ceadmin.audit.models import Event
from ceadmin.teams import factors
from ceadmin.teams.choices import Act
from ceadmin.teams.models import Policy, PolicyChange, User
from ceadmin.teams.permissions import (
    acts_anywhere,
    closed_without_factor,
    may,
    organizations,
)
from instances.choices import RunKind, RunStatus
from tests.commands.conftest import manage
from tests.instances.fleet import Fleet
from tests.people import PASSWORD
from tests.teams.signing_in import ACCOUNT, HOME, browser_of, code_of, give_factor, hand

pytestmark = pytest.mark.django_db


def want_factor(organization) -> None:
    Policy.objects.update_or_create(
        organization=organization,
        defaults={"second_factor": True, "most_alone": None, "production_tags": []},
    )


@pytest.fixture
def strict(team):
    """Acme wants a second factor of everybody."""
    want_factor(team.acme)
    return team


def test_a_membership_without_a_factor_counts_for_nothing(strict):
    assert not any(may(strict.otto, act, strict.acme) for act in Act)
    assert acts_anywhere(strict.otto) == frozenset()
    assert may(strict.eve, Act.OWN, strict.other)


def test_with_a_factor_it_counts_again(strict):
    give_factor(strict.otto)

    assert may(strict.otto, Act.OWN, strict.acme)
    assert not closed_without_factor(strict.otto).exists()


def test_a_factor_that_is_only_offered_does_not_count(strict):
    factors.offer(strict.otto, hand().now)

    assert not may(strict.otto, Act.VIEW, strict.acme)


def test_a_superuser_s_power_needs_one_too(strict):
    ada = User.objects.create_superuser("ada@example.com", PASSWORD)

    assert list(organizations(ada)) == [strict.other]
    client = browser_of(ada)
    page = reverse("admin:teams_organization_change", args=[strict.acme.pk])
    assert client.get(page).status_code == 302
    assert (
        "Acme"
        not in client.get("/admin/teams/organization/")
        .content.decode()
        .split("closed to you")[1]
    )
    assert client.get("/admin/teams/user/").status_code == 200


def test_a_superuser_does_not_read_the_audit_of_a_closed_organization(strict):
    ada = User.objects.create_superuser("ada@example.com", PASSWORD)
    give_factor(ada)
    client = browser_with_factor(ada)
    membership = strict.vic.memberships.get()
    client.post(reverse("admin:teams_membership_change", args=[membership.pk]), {})
    event = Event.objects.get(chain=strict.acme.chain)
    page = reverse("admin:audit_event_change", args=[event.pk])
    assert client.get(page).status_code == 200

    factors.remove(ada, hand())

    assert client.get(page).status_code == 404


def browser_with_factor(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


LISTS = (
    "teams/organization",
    "teams/membership",
    "instances/instance",
    "instances/run",
    "providers/providerapp",
)


@pytest.mark.parametrize("name", LISTS)
def test_no_list_shows_anything_of_it(strict, name):
    client = browser_of(strict.otto)

    response = client.get(f"/admin/{name}/")

    assert response.status_code == 403


@pytest.mark.parametrize(
    "page", [HOME, ACCOUNT, "/admin/password_change/", "/admin/nowhere/"]
)
def test_every_page_says_so_and_leads_to_where_it_is_set_up(strict, page):
    shown = browser_of(strict.otto).get(page).content.decode()

    assert "Acme: closed to you until you have a second factor" in shown
    assert f'href="{ACCOUNT}factor/"' in shown


def test_nothing_is_said_to_who_has_one(strict):
    give_factor(strict.otto)

    assert (
        "closed to you"
        not in browser_with_factor(strict.otto).get(HOME).content.decode()
    )


def test_after_setting_it_up_everything_is_there(strict):
    client = browser_of(strict.otto)
    client.post(f"{ACCOUNT}factor/begin/")

    client.post(f"{ACCOUNT}factor/", {"code": code_of(strict.otto)})

    assert client.get("/admin/teams/membership/").status_code == 200


def test_a_command_acts_with_the_same_rights(strict, emulator):
    ended = manage("runs", "--as", strict.otto.email, "--organization", "acme")
    assert ended.code == 2

    give_factor(strict.otto)

    assert manage("runs", "--as", strict.otto.email, "--organization", "acme").code == 0


def test_a_run_waits_when_its_starter_is_without_a_factor(team, emulator):
    fleet = Fleet(emulator, team.acme, team.rita)
    fleet.synced("box")
    run = fleet.draft(RunKind.PROBE)
    want_factor(team.acme)

    fleet.work(run)

    assert (run.status, run.problem) == (RunStatus.PAUSED, "not_allowed")


# The policy's page


def policy_form(**values: str) -> dict[str, str]:
    return {
        "most_alone": "25",
        "production_tags": "prod, production",
        "test_tags": "test",
        "approval_hours": "24",
        "why": "",
        **values,
    }


def set_policy(client: Client, team, **values: str):
    address = reverse(
        "admin:teams_organization_policy_do", args=[team.acme.pk, "change"]
    )
    return client.post(address, policy_form(**values))


def wants(team) -> bool:
    return Policy.objects.filter(organization=team.acme, second_factor=True).exists()


def test_an_owner_who_has_one_can_want_it_of_everybody(team):
    give_factor(team.otto)

    response = set_policy(browser_with_factor(team.otto), team, second_factor="on")

    assert response.status_code == 302
    assert wants(team)


def test_an_owner_who_has_none_is_kept_from_closing_it_to_themselves(team):
    response = set_policy(browser_of(team.otto), team, second_factor="on")

    assert response.status_code == 422
    assert "Set one up under Your account first" in response.content.decode()
    assert not wants(team)


def test_wanting_it_no_longer_waits_for_an_approver(strict):
    give_factor(strict.otto)
    client = browser_with_factor(strict.otto)

    set_policy(client, strict, why="nobody likes it", most_alone="")

    assert wants(strict)
    assert PolicyChange.objects.filter(status="waiting").exists()


def test_the_page_says_to_members_what_holds(strict):
    give_factor(strict.vic)
    page = reverse("admin:teams_organization_policy", args=[strict.acme.pk])

    shown = browser_with_factor(strict.vic).get(page).content.decode()

    assert "Every member needs one" in shown
