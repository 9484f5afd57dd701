"""A user's place in an organization."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ceadmin.lib.named import named
from ceadmin.teams.choices import Role
from ceadmin.teams.models.organization import Organization


@named(
    _("member"),
    _("members"),
    organization=_("organization"),
    user=_("user"),
    created_at=_("created at"),
)
class Membership(models.Model):
    """One user in one organization, with a set of roles; every member is a viewer."""

    # What the membership allowed is in the audit, so it may go with either side.
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="memberships"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )

    is_operator = models.BooleanField(
        _("operator"),
        default=False,
        help_text=_("Syncs, probes, makes reconnect links."),
    )
    is_revoker = models.BooleanField(
        _("revoker"), default=False, help_text=_("Revokes tokens and runs drills.")
    )
    is_approver = models.BooleanField(
        _("approver"),
        default=False,
        help_text=_("Approves runs that somebody else drafted."),
    )
    is_auditor = models.BooleanField(
        _("auditor"), default=False, help_text=_("Reads the audit.")
    )
    is_owner = models.BooleanField(
        _("owner"),
        default=False,
        help_text=_("Looks after members, secrets, provider apps and policies."),
    )

    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("member")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "user"], name="membership_once"
            ),
        ]
        indexes = [
            # Who owns an organization: asked before an owner is removed or lowered.
            models.Index(
                fields=["organization"],
                name="membership_owners",
                condition=models.Q(is_owner=True),
            ),
        ]

    def __str__(self) -> str:
        words = {"person": self.user, "organization": self.organization}
        return gettext("%(person)s in %(organization)s") % words

    @property
    def roles(self) -> frozenset[Role]:
        """The roles of this member."""
        return frozenset(
            role
            for role in Role
            if role is Role.VIEWER or getattr(self, role_flag(role))
        )


def role_flag(role: Role) -> str:
    """Return the column that holds a role; being a viewer needs none."""
    return f"is_{role.value}"
