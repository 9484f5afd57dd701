"""Who may do what: the table, cell by cell."""

import pytest
from django.contrib.auth.models import AnonymousUser

from ceadmin.audit.actors import SCHEDULE
from ceadmin.teams.choices import Act, Role
from ceadmin.teams.models import Membership, Policy, User
from ceadmin.teams.models.membership import role_flag
from ceadmin.teams.permissions import (
    NotAllowed,
    actor_of,
    acts_anywhere,
    background_actor,
    may,
    members_who_may,
    organizations,
    require,
)
from tests.people import make_organization
from tests.teams.signing_in import give_factor

pytestmark = pytest.mark.django_db

TABLE = {
    #           view  operate drill-test revoke approve audit  own
    "viewer": (True, False, False, False, False, False, False),
    "operator": (True, True, True, False, False, False, False),
    "revoker": (True, False, True, True, False, False, False),
    "approver": (True, False, False, False, True, False, False),
    "auditor": (True, False, False, False, False, True, False),
    "owner": (True, False, False, False, False, False, True),
}
CELLS = [
    (role, act, allowed)
    for role, row in TABLE.items()
    for act, allowed in zip(Act, row, strict=True)
]


@pytest.fixture
def acme(db):
    return make_organization("Acme")


def person(organization, *roles: str, **facts) -> User:
    """Return a new member with these roles."""
    user = User.objects.create_user(f"p{User.objects.count()}@example.com", **facts)
    flags = {role_flag(Role(role)): True for role in roles if role != "viewer"}
    Membership.objects.create(organization=organization, user=user, **flags)
    return user


@pytest.mark.parametrize(("role", "act", "allowed"), CELLS)
def test_a_role_allows_what_the_table_says(acme, role, act, allowed):
    user = person(acme, role)

    assert may(user, act, acme) is allowed
    assert (acme in organizations(user, act)) is allowed
    assert (act in acts_anywhere(user)) is allowed


@pytest.mark.parametrize("act", Act)
def test_roles_end_at_the_border_of_the_organization(acme, act):
    user = person(acme, *TABLE)
    other = make_organization("Globex")

    assert may(user, act, acme)
    assert not may(user, act, other)
    assert list(organizations(user, act)) == [acme]


def test_roles_of_two_organizations_do_not_add_up(acme):
    other = make_organization("Globex")
    user = person(acme, "owner")
    Membership.objects.create(organization=other, user=user, is_revoker=True)

    assert not may(user, Act.REVOKE, acme)
    assert not may(user, Act.OWN, other)
    assert acts_anywhere(user) == {Act.VIEW, Act.OWN, Act.REVOKE, Act.DRILL_TEST}


@pytest.mark.parametrize("act", Act)
def test_a_superuser_may_do_everything_everywhere(acme, act):
    root = User.objects.create_superuser("root@example.com")

    assert may(root, act, acme)
    assert acts_anywhere(root) == frozenset(Act)


@pytest.mark.parametrize("act", Act)
def test_the_members_who_may_are_those_of_whom_may_says_so(acme, act):
    everybody = [person(acme, role) for role in TABLE]
    person(acme, *TABLE, is_active=False)
    person(make_organization("Globex"), *TABLE)
    User.objects.create_superuser("root@example.com")

    found = members_who_may(act, acme)

    assert set(found) == {user for user in everybody if may(user, act, acme)} != set()


def test_without_the_second_factor_that_is_wanted_nobody_is_among_them(acme):
    user, _other = person(acme, "approver"), person(acme, "approver")
    Policy.objects.update_or_create(organization=acme, defaults={"second_factor": True})
    give_factor(user)

    assert list(members_who_may(Act.APPROVE, acme)) == [user]


@pytest.mark.parametrize("superuser", [False, True])
def test_somebody_switched_off_may_do_nothing(acme, superuser):
    user = person(acme, *TABLE, is_active=False, is_superuser=superuser)

    assert not any(may(user, act, acme) for act in Act)
    assert acts_anywhere(user) == frozenset()


def test_nobody_may_do_nothing(acme):
    assert not may(AnonymousUser(), Act.VIEW, acme)
    assert acts_anywhere(AnonymousUser()) == frozenset()


def test_a_lowered_role_ends_at_once(acme):
    user = person(acme, "revoker")
    assert may(user, Act.REVOKE, acme)

    Membership.objects.update(is_revoker=False)

    assert not may(user, Act.REVOKE, acme)


def test_a_refusal_says_what_is_not_allowed_and_where(acme):
    user = person(acme)

    require(user, Act.VIEW, acme)
    with pytest.raises(NotAllowed, match="revoke tokens and run drills in Acme") as no:
        require(user, Act.REVOKE, acme)

    assert (no.value.act, no.value.organization) == (Act.REVOKE, acme)


def test_an_actor_carries_the_roles_in_which_they_act(acme):
    user = person(acme, "owner", "revoker", name="Ann")

    actor = actor_of(user, acme, "192.0.2.1")

    assert actor.roles == {"viewer", "owner", "revoker"}
    assert (actor.uid, actor.user_id, actor.name) == (user.uid, user.pk, "Ann")
    assert (actor.mail, actor.address, actor.kind) == (
        user.email,
        "192.0.2.1",
        "person",
    )


def test_a_superuser_acts_as_such_wherever_they_belong(acme):
    root = person(acme, "owner", is_superuser=True)
    other = make_organization("Globex")

    assert actor_of(root, other).roles == {"superuser"}
    assert actor_of(root, acme).roles == {"superuser", "viewer", "owner"}
    assert actor_of(root, None).roles == {"superuser"}


def test_outside_every_organization_nobody_has_a_role(acme):
    assert actor_of(person(acme, "owner"), None).roles == frozenset()


def test_the_schedule_acts_when_nobody_asked():
    assert background_actor() == SCHEDULE
