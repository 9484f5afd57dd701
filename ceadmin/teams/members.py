"""Who belongs to an organization: adding, changing and removing members.

Each of them locks the organization's row, so that two owners who remove each other at
the same moment leave one. Switching an account off does the same for all that it owns.
"""

from collections.abc import Collection

from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext

from ceadmin.audit.choices import Action
from ceadmin.audit.models import PRESENT, Event
from ceadmin.audit.record import Subject, record
from ceadmin.teams.choices import InvitationStatus, Role
from ceadmin.teams.models import Invitation, Membership, Organization, User
from ceadmin.teams.models.membership import role_flag
from ceadmin.teams.users import Hand, subject_of, user_added


def needs_owner(organization: Organization) -> str:
    """Return the sentence that keeps the last owner of an organization."""
    text = gettext("%(organization)s needs an owner: make somebody else one before.")
    return text % {"organization": organization}


class LastOwner(PermissionDenied):
    """An organization would be left without an owner who can sign in."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        super().__init__(needs_owner(organization))


class AlreadyMember(Exception):
    """Somebody to be added is a member already."""


def is_member(email: str, organization: Organization) -> str:
    """Return the sentence that somebody to be added or invited is a member already."""
    text = gettext("%(email)s is a member of %(organization)s already.")
    return text % {"email": email, "organization": organization}


class Unproved(Exception):
    """Nobody proved that the mail address of an account belongs to whoever uses it."""

    def __init__(self, email: str) -> None:
        text = gettext(
            "%(email)s has an account that was made from an invitation, so nobody proved "
            "that the address is theirs. Invite them instead: send the link to them alone."
        )
        super().__init__(text % {"email": email})


def add_member(
    organization: Organization, *, email: str, roles: Collection[Role], hand: Hand
) -> Membership:
    """Give somebody a place in an organization, making a user for an unknown address.

    Raises `AlreadyMember` and `Unproved`.
    """
    with transaction.atomic():
        lock(organization)
        require_proved(email)
        return join(organization, _user(email, hand), roles, hand)


def require_proved(email: str) -> None:
    """Raise `Unproved` where an account was made by whoever held an invitation.

    The owner who invites sees the link first, and could have made it for somebody else.
    """
    user = User.objects.filter(email=email.strip().lower()).first()
    if user is None:
        return
    made = Event.objects.filter(PRESENT["subject_uid"], subject_uid=str(user.uid))
    if made.filter(action=Action.USER_ADDED, actor_uid=user.uid).exists():
        raise Unproved(user.email)


def join(
    organization: Organization, user: User, roles: Collection[Role], hand: Hand
) -> Membership:
    """Give a user a place in an organization that the caller locked.

    What invited them otherwise is over: it must not bring them back after a removal.
    Raises `AlreadyMember`.
    """
    if organization.memberships.filter(user=user).exists():
        raise AlreadyMember(is_member(user.email, organization))
    membership = Membership(organization=organization, user=user, **_flags(roles))
    membership.save()
    _end_invitations(membership, hand)
    _record(Action.MEMBER_ADDED, membership, hand, {"roles": membership.roles})
    return membership


def change_roles(
    membership: Membership, *, roles: Collection[Role], hand: Hand
) -> None:
    """Replace a member's roles. Raises `LastOwner`."""
    with transaction.atomic():
        lock(membership.organization)
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
        lock(membership.organization)
        _keep_an_owner(membership)
        _record(Action.MEMBER_REMOVED, membership, hand, {"roles": membership.roles})
        _end_invitations(membership, hand)
        membership.delete()


def is_last_owner(membership: Membership) -> bool:
    """Say whether nobody else who can sign in owns the organization."""
    owners = Membership.objects.filter(
        organization=membership.organization_id, is_owner=True, **_CAN_SIGN_IN
    )
    pks = set(owners.values_list("pk", flat=True))
    return pks == {membership.pk}


def _keep_an_owner(membership: Membership) -> None:
    if is_last_owner(membership):
        raise LastOwner(membership.organization)


def last_owned(user: User) -> Organization | None:
    """Return an organization that nobody else who can sign in owns, None without such."""
    owned = Membership.objects.filter(user=user, is_owner=True, **_CAN_SIGN_IN)
    places = owned.select_related("organization").order_by("organization__name")
    return next((one.organization for one in places if is_last_owner(one)), None)


def keep_owners(user: User) -> None:
    """Lock what a user owns before they lose the way in, in the caller's transaction.

    Raises `LastOwner`.
    """
    owned = Organization.objects.filter(
        memberships__user=user, memberships__is_owner=True
    )
    # In one order for everybody, so that two of these never wait for each other.
    for pk in owned.order_by("pk").values_list("pk", flat=True):
        Organization.objects.select_for_update().get(pk=pk)
    alone = last_owned(user)
    if alone is not None:
        raise LastOwner(alone)


_CAN_SIGN_IN = {"user__is_active": True, "user__is_staff": True}


def lock(organization: Organization) -> None:
    """Let changes of an organization's members go one by one, until the transaction ends."""
    Organization.objects.select_for_update().get(pk=organization.pk)


def _end_invitations(membership: Membership, hand: Hand) -> None:
    organization, email = membership.organization, membership.user.email
    waiting = Invitation.objects.filter(
        organization=organization, email=email, status=InvitationStatus.OPEN
    )
    one = waiting.first()
    ended = {"status": InvitationStatus.WITHDRAWN, "ended_at": hand.now}
    if one is None or waiting.update(**ended) != 1:
        return
    record(
        Action.INVITATION_WITHDRAWN,
        chain=organization.chain,
        actor=hand.actor,
        at=hand.now,
        subject=Subject("invitation", one.uid),
        facts={"person": membership.user.uid},
    )


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
