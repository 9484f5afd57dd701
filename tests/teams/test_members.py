"""Members come, change and go; an organization always keeps an owner."""

import json
import threading
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.utils import timezone

from ceadmin.audit.models import Event, Person
from ceadmin.audit.verify import verify
from ceadmin.teams.choices import Act, Role
from ceadmin.teams.invitations import accept_as_new
from ceadmin.teams.members import (
    AlreadyMember,
    LastOwner,
    Unproved,
    add_member,
    change_roles,
    remove_member,
)
from ceadmin.teams.models import Membership, User
from ceadmin.teams.permissions import actor_of, may
from ceadmin.teams.users import Hand
from tests.people import Team
from tests.teams.inviting import GOOD, invited

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def hand(team: Team) -> Hand:
    """The owner's hand."""
    return Hand(actor_of(team.otto, team.acme), NOW)


def last_event(team: Team) -> Event:
    """Return the newest event of Acme."""
    return Event.objects.filter(chain=team.acme.chain).latest("id")


def place_of(user: User) -> Membership:
    """Return the membership of somebody who has one."""
    return Membership.objects.get(user=user)


def test_somebody_known_becomes_a_member(team, hand):
    roles = {Role.REVOKER, Role.AUDITOR}

    membership = add_member(team.acme, email="EVE@example.com", roles=roles, hand=hand)

    assert membership.user == team.eve
    assert membership.roles == {Role.VIEWER, *roles}
    event = last_event(team)
    assert (event.action, event.role) == ("member_added", "owner,viewer")
    assert (event.subject_type, event.subject_uid) == ("person", str(team.eve.uid))
    assert json.loads(event.text)["facts"] == {
        "roles": ["auditor", "revoker", "viewer"]
    }


def test_somebody_unknown_gets_an_account_that_cannot_sign_in_yet(team, hand):
    membership = add_member(team.acme, email="New@example.com", roles=(), hand=hand)

    assert membership.user.email == "new@example.com"
    assert not membership.user.has_usable_password()
    added = Event.objects.get(chain="", action="user_added")
    assert added.subject_uid == str(membership.user.uid)
    assert Person.objects.get(uid=membership.user.uid).mail == "new@example.com"
    assert "new@example.com" not in added.text + last_event(team).text


def test_nobody_becomes_a_member_twice(team, hand):
    with pytest.raises(AlreadyMember):
        add_member(team.acme, email="vic@example.com", roles=(), hand=hand)

    assert Membership.objects.filter(organization=team.acme).count() == 4
    assert not Event.objects.exists()


def test_an_account_made_from_an_invitation_is_not_added_unasked(team, hand):
    """Whoever invited may have made it themselves, under somebody else's mail address."""
    made, _ = invited(team.eve, team.other, "ann@acme.example")
    accept_as_new(made, name="Ann", password=GOOD, now=timezone.now())

    with pytest.raises(Unproved, match=r"ann@acme\.example .* Invite"):
        add_member(team.acme, email="Ann@acme.example", roles=(), hand=hand)

    assert not team.acme.memberships.filter(user__email="ann@acme.example").exists()
    assert invited(team.otto, team.acme, "ann@acme.example")


def test_roles_are_replaced_as_a_whole(team, hand):
    change_roles(place_of(team.rita), roles={Role.APPROVER}, hand=hand)

    assert place_of(team.rita).roles == {Role.VIEWER, Role.APPROVER}
    assert may(team.rita, Act.APPROVE, team.acme)
    assert not may(team.rita, Act.REVOKE, team.acme)
    assert json.loads(last_event(team).text)["facts"] == {
        "before": ["operator", "revoker", "viewer"],
        "after": ["approver", "viewer"],
    }


def test_a_removed_member_may_do_nothing_any_more(team, hand):
    remove_member(place_of(team.rita), hand)

    assert not may(team.rita, Act.VIEW, team.acme)
    assert last_event(team).action == "member_removed"
    assert last_event(team).subject_uid == str(team.rita.uid)


def test_the_last_owner_stays(team, hand):
    membership = place_of(team.otto)

    with pytest.raises(LastOwner, match="Acme needs an owner"):
        remove_member(membership, hand)
    with pytest.raises(LastOwner):
        change_roles(membership, roles={Role.REVOKER}, hand=hand)

    assert place_of(team.otto).is_owner
    assert not Event.objects.exists()


def test_an_owner_who_cannot_sign_in_counts_for_nothing(team, hand):
    add_member(team.acme, email="eve@example.com", roles={Role.OWNER}, hand=hand)
    User.objects.filter(pk=team.eve.pk).update(is_active=False)

    with pytest.raises(LastOwner):
        remove_member(place_of(team.otto), hand)


def test_one_of_two_owners_may_go(team, hand):
    change_roles(place_of(team.vic), roles={Role.OWNER}, hand=hand)

    remove_member(place_of(team.otto), hand)

    assert may(team.vic, Act.OWN, team.acme)
    assert verify() == []


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_remove_each_other_leave_one(team, hand):
    change_roles(place_of(team.vic), roles={Role.OWNER}, hand=hand)
    start, refusals = threading.Barrier(2), []

    def remove(membership: Membership) -> None:
        try:
            start.wait()
            remove_member(membership, hand)
        except LastOwner as refusal:
            refusals.append(refusal)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=remove, args=(place_of(owner),))
        for owner in (team.otto, team.vic)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refusals) == 1
    assert Membership.objects.filter(organization=team.acme, is_owner=True).count() == 1
