"""Who belongs to an organization: adding, changing and removing members.

Each of them locks the organization's row, so that two owners who remove each other at
the same moment leave one.
"""

from collections.abc import Collection

from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.db import transaction

from ceadmin.audit.choices import Action
from ceadmin.audit.record import record
from ceadmin.teams.choices import Role
from ceadmin.teams.models import Membership, Organization, User
from ceadmin.teams.models.membership import role_flag
from ceadmin.teams.users import Hand, subject_of, user_added


class LastOwner(PermissionDenied):
    """An organization would be left without an owner who can sign in."""

    def __init__(self, organization: Organization) -> None:
        super().__init__(
            f"{organization} needs an owner: make somebody else one before."
        )


class AlreadyMember(Exception):
    """Somebody to be added is a member already."""


def add_member(
    organization: Organization, *, email: str, roles: Collection[Role], hand: Hand
) -> Membership:
    """Give somebody a place in an organization, making a user for an unknown address.

    Raises `AlreadyMember`.
    """
    with transaction.atomic():
        _lock(organization)
        user = _user(email, hand)
        if organization.memberships.filter(user=user).exists():
            raise AlreadyMember(f"{email} is a member of {organization} already.")
        membership = Membership(organization=organization, user=user, **_flags(roles))
        membership.save()
        _record(Action.MEMBER_ADDED, membership, hand, {"roles": membership.roles})
    return membership


def change_roles(
    membership: Membership, *, roles: Collection[Role], hand: Hand
) -> None:
    """Replace a member's roles. Raises `LastOwner`."""
    with transaction.atomic():
        _lock(membership.organization)
        before = Membership.objects.get(pk=membership.pk).roles
        if Role.OWNER not in roles:
            _keep_an_owner(membership)
        flags = _flags(roles)
        for name, value in flags.items():
            setattr(membership, name, value)
        membership.save(update_fields=list(flags))
        facts = {"before": before, "after": membership.roles}
        _record(Action.MEMBER_CHANGED, membership, hand, facts)


def remove_member(membership: Membership, hand: Hand) -> None:
    """Take somebody's place in an organization away. Raises `LastOwner`."""
    with transaction.atomic():
        _lock(membership.organization)
        _keep_an_owner(membership)
        _record(Action.MEMBER_REMOVED, membership, hand, {"roles": membership.roles})
        membership.delete()


def is_last_owner(membership: Membership) -> bool:
    """Say whether nobody else who can sign in owns the organization."""
    owners = Membership.objects.filter(
        organization=membership.organization_id, is_owner=True, user__is_active=True
    )
    pks = set(owners.values_list("pk", flat=True))
    return pks == {membership.pk}


def _keep_an_owner(membership: Membership) -> None:
    if is_last_owner(membership):
        raise LastOwner(membership.organization)


def _lock(organization: Organization) -> None:
    Organization.objects.select_for_update().get(pk=organization.pk)


def _user(email: str, hand: Hand) -> User:
    user, is_new = User.objects.get_or_create(
        email=email.strip().lower(), defaults={"password": make_password(None)}
    )
    if is_new:
        user_added(user, hand)
    return user


def _flags(roles: Collection[Role]) -> dict[str, bool]:
    return {role_flag(role): role in roles for role in Role if role is not Role.VIEWER}


def _record(
    action: Action,
    membership: Membership,
    hand: Hand,
    facts: dict[str, frozenset[Role]],
) -> None:
    record(
        action,
        chain=membership.organization.chain,
        actor=hand.actor,
        at=hand.now,
        subject=subject_of(membership.user),
        facts=facts,
    )
