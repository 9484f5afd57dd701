"""The tables of the team."""

from ceadmin.teams.models.brand import Brand
from ceadmin.teams.models.membership import Membership
from ceadmin.teams.models.organization import Organization
from ceadmin.teams.models.policy import Policy, PolicyChange
from ceadmin.teams.models.signing_in import (
    Browser,
    Invitation,
    RecoveryCode,
    SecondFactor,
    Tally,
)
from ceadmin.teams.models.user import User

__all__ = [
    "Brand",
    "Browser",
    "Invitation",
    "Membership",
    "Organization",
    "Policy",
    "PolicyChange",
    "RecoveryCode",
    "SecondFactor",
    "Tally",
    "User",
]
