"""Admin pages of the team: users, members, invitations and the audit."""

from ceadmin.teams.admin.events import EventAdmin
from ceadmin.teams.admin.invitations import InvitationAdmin
from ceadmin.teams.admin.memberships import MembershipAdmin
from ceadmin.teams.admin.users import UserAdmin

__all__ = ["EventAdmin", "InvitationAdmin", "MembershipAdmin", "UserAdmin"]
