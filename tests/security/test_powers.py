"""What members do with the rights of others, and what the audit says of it."""

import pytest
from django.urls import reverse
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.teams.models import Membership, Organization, User
from instances import runs
from instances.choices import Outcome, RunKind, RunStatus
from instances.models import Instance, Run
from providers.models import ProviderApp
from tests.instances.fleet import Fleet, only_item
from tests.instances.reconnecting import make_app, signed_in
from tests.people import USER_SECRET, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def fleet(emulator, team):
    return Fleet(emulator, team.acme, team.rita)


# -- who is said to have done it -----------------------------------------------------------------


def test_a_run_is_told_of_whoever_started_it_not_of_whoever_drafted_it(fleet, team):
    mallory = make_user("Mallory", team.acme, is_revoker=True)
    fleet.synced("box")
    run = fleet.draft(RunKind.REVOKE)

    runs.start(run, user=mallory, now=timezone.now(), reason="not Rita's")
    fleet.work(run)

    assert only_item(run).outcome == Outcome.VERIFIED_DEAD
    done = Event.objects.filter(run_uid=run.uid).exclude(action="run_drafted")
    assert {event.actor_uid for event in done} == {mallory.uid}
    assert run.requested_by == mallory


def test_a_run_waits_when_its_starter_lost_the_right_and_not_when_its_drafter_did(
    fleet, team
):
    other = make_user("Other", team.acme, is_revoker=True)
    fleet.synced("box")
    run = fleet.draft(RunKind.REVOKE)
    runs.start(run, user=other, now=timezone.now(), reason="a test")
    Membership.objects.filter(user=other).update(is_revoker=False)

    fleet.work(run)

    assert (run.status, run.problem) == (RunStatus.PAUSED, "not_allowed")


def test_a_password_set_through_an_escaped_address_is_in_the_audit(client, team):
    client.force_login(User.objects.create_superuser("root@example.com"))
    words = "an unlikely password"

    client.post(
        f"/admin/teams/user/{escaped(team.vic.pk)}/password/",
        {"password1": words, "password2": words, "usable_password": "true"},
    )

    assert User.objects.get(pk=team.vic.pk).check_password(words)
    changed = Event.objects.filter(action="user_changed", subject_uid=team.vic.uid)
    assert '"password"' in changed.get().text


def escaped(pk):
    """Return a row's number as "+7", the sign escaped as the admin's addresses do."""
    return f"_2B{pk}"


# -- where secrets go ----------------------------------------------------------------------------


def organization_form(**values):
    return {
        "name": "Acme",
        "base_url": "https://api.cloud-elements.com",
        "reauthenticate_by": "patch_instances",
        "link_lifetime_hours": "72",
    } | values


def test_an_owner_cannot_have_the_instances_tokens_sent_to_themselves(fleet, team):
    fleet.synced("box")
    Instance.objects.update(provider_app=None)
    ProviderApp.objects.all().delete()

    signed_in(team.otto).client.post(
        reverse("admin:teams_organization_change", args=[team.acme.pk]),
        organization_form(
            base_url="https://evil.example",
            user_secret_typed="anything",
            organization_secret_typed="anything",
        ),
    )

    acme = Organization.objects.get(pk=team.acme.pk)
    assert acme.base_url == "https://api.cloud-elements.com"
    assert acme.user_secret.reveal() == USER_SECRET


# -- what an escaped address of a row leaves out ---------------------------------------------------


def test_an_app_of_another_connector_is_no_choice_through_an_escaped_address(
    fleet, team
):
    instance = fleet.synced("box")[0]
    other = make_app(fleet.emulator, team.acme, "salesforce", "ours")

    signed_in(team.rita).client.post(
        f"/admin/instances/instance/{escaped(instance.pk)}/change/",
        {"provider_app": other.pk},
    )

    instance.refresh_from_db()
    assert instance.provider_key == "box"


# -- who one is ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["vic", "otto", "eve"])
def test_nobody_makes_themselves_more_than_they_are(team, name):
    user = getattr(team, name)

    signed_in(user).client.post(
        reverse("admin:teams_user_change", args=[user.pk]),
        {
            "name": "New",
            "time_zone": "UTC",
            "language": "en",
            "email": "root@example.com",
            "is_superuser": "on",
            "is_staff": "on",
            "password": "x",
            "uid": str(team.olga.uid),
        },
    )

    after = User.objects.get(pk=user.pk)
    assert after.name == "New"
    assert (after.email, after.uid) == (user.email, user.uid)
    assert not after.is_superuser
    assert after.password == user.password


@pytest.mark.parametrize("view", ["change", "password", "delete"])
def test_an_owner_does_not_change_who_their_members_are(team, view):
    before = User.objects.get(pk=team.olga.pk)

    answer = signed_in(team.otto).client.post(
        f"/admin/teams/user/{team.olga.pk}/{view}/",
        {"name": "X", "time_zone": "UTC", "language": "en", "password1": "x"},
    )

    after = User.objects.get(pk=team.olga.pk)
    assert answer.status_code == 403
    assert (after.name, after.password) == (before.name, before.password)


def test_a_draft_is_started_once_however_often_it_is_posted(fleet, team):
    fleet.synced("box")
    run = fleet.draft(RunKind.REVOKE)
    stale = Run.objects.get(pk=run.pk)
    runs.start(run, user=team.rita, now=timezone.now(), reason="once")

    with pytest.raises(runs.RunError):
        runs.start(stale, user=team.rita, now=timezone.now(), reason="twice")

    started = Event.objects.filter(run_uid=run.uid, action="run_started")
    assert started.count() == 1
