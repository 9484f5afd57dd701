"""What tests of invitations share: an owner who invites, and the browser of who is invited."""

from urllib.parse import urlsplit

from django.test import Client
from django.utils import timezone

from ceadmin.teams import invitations
from ceadmin.teams.choices import Role
from ceadmin.teams.models import Invitation, Organization, User
from ceadmin.teams.permissions import actor_of
from ceadmin.teams.users import Hand

GOOD = "an unlikely password"
ADD = "/admin/teams/invitation/add/"


def browser(user: User | None = None, **kwargs) -> Client:
    """Return a browser, signed in where somebody is named."""
    client = Client(REMOTE_ADDR="192.0.2.9", **kwargs)
    if user is not None:
        client.force_login(user)
    return client


def hand_of(user: User, organization: Organization) -> Hand:
    """Return somebody's hand now."""
    return Hand(actor_of(user, organization), timezone.now())


def invited(
    owner: User, organization: Organization, email: str, *roles: Role
) -> tuple[Invitation, str]:
    """Return an invitation and the path of its address."""
    made, address = invitations.invite(
        organization,
        email=email,
        roles=roles,
        user=owner,
        hand=hand_of(owner, organization),
    )
    return made, urlsplit(address).path


def joining(**typed: str) -> dict[str, str]:
    """Return what somebody new posts."""
    return {
        "act": "join",
        "name": "Nell",
        "password1": GOOD,
        "password2": GOOD,
    } | typed
