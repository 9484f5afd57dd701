"""The tables of the team."""

from ceadmin.teams.models.membership import Membership
from ceadmin.teams.models.organization import Organization
from ceadmin.teams.models.user import User

__all__ = ["Membership", "Organization", "User"]
