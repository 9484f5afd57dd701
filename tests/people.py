"""The characters of the tests and their organization.

Olga operates, Vic views, Rita revokes, Otto owns; Eve belongs to somebody else.
"""

from dataclasses import dataclass

import pytest

from ceadmin.teams.models import Membership, Organization, Policy, User

PASSWORD = "correct horse battery"
USER_SECRET = "acme-user-secret-Zk3v"
ORGANIZATION_SECRET = "acme-organization-secret-9Qw1"


@dataclass
class Team:
    """Acme with its people, and Eve with her own organization."""

    acme: Organization
    other: Organization
    olga: User
    vic: User
    rita: User
    otto: User
    eve: User


def make_organization(name: str) -> Organization:
    """Return a saved organization with secrets."""
    organization = Organization(
        name=name, slug=name.lower(), base_url="https://api.cloud-elements.com"
    )
    organization.user_secret = USER_SECRET
    organization.organization_secret = ORGANIZATION_SECRET
    organization.save()
    return organization


def allow_alone(organization: Organization) -> None:
    """Let one person revoke as much as they like: tests of the engine need no approver."""
    Policy.objects.update_or_create(
        organization=organization,
        defaults={"most_alone": None, "production_tags": []},
    )


def make_user(name: str, organization: Organization, **roles: bool) -> User:
    """Return a saved member with `roles` such as is_operator=True."""
    user = User.objects.create_user(
        email=f"{name.lower()}@example.com", password=PASSWORD, name=name
    )
    user.is_staff = True
    user.save()
    Membership.objects.create(organization=organization, user=user, **roles)
    return user


@pytest.fixture
def team(db) -> Team:
    """Acme's people and an outsider."""
    acme, other = make_organization("Acme"), make_organization("Globex")
    return Team(
        acme=acme,
        other=other,
        olga=make_user("Olga", acme, is_operator=True),
        vic=make_user("Vic", acme),
        rita=make_user("Rita", acme, is_operator=True, is_revoker=True),
        otto=make_user("Otto", acme, is_owner=True),
        eve=make_user("Eve", other, is_operator=True, is_revoker=True, is_owner=True),
    )


@pytest.fixture
def acme(team: Team) -> Organization:
    """The organization of the tests."""
    return team.acme
