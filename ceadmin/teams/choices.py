"""Roles, acts, and what an organization can be set to."""

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """A member's place in an organization; none implies another, all imply viewer."""

    VIEWER = "viewer", _("Viewer")  # sees instances, runs and links
    OPERATOR = "operator", _("Operator")  # syncs, probes, makes links, drills on tests
    REVOKER = "revoker", _("Revoker")  # drafts, starts and stops revocations and drills
    APPROVER = "approver", _("Approver")  # approves what others ask for
    AUDITOR = "auditor", _("Auditor")  # reads the audit
    OWNER = "owner", _("Owner")  # members, secrets, provider apps, policies


class Act(models.TextChoices):
    """What somebody wants to do in an organization."""

    VIEW = "view", _("see what is here")
    OPERATE = "operate", _("sync, probe and make reconnect links")
    DRILL_TEST = "drill_test", _("drill on instances tagged as test")
    REVOKE = "revoke", _("revoke tokens and run drills")
    APPROVE = "approve", _("approve runs and loosened policies")
    AUDIT = "audit", _("read the audit")
    OWN = "own", _("change members, secrets, provider apps and policies")


# The one table of who may do what: any of the roles is enough.
ROLES_FOR: dict[Act, frozenset[Role]] = {
    Act.VIEW: frozenset(Role),
    Act.OPERATE: frozenset({Role.OPERATOR}),
    Act.DRILL_TEST: frozenset({Role.OPERATOR, Role.REVOKER}),
    Act.REVOKE: frozenset({Role.REVOKER}),
    Act.APPROVE: frozenset({Role.APPROVER}),
    Act.AUDIT: frozenset({Role.AUDITOR}),
    Act.OWN: frozenset({Role.OWNER}),
}

# Recorded beside a superuser's own roles: they may do everything, and it shows.
SUPERUSER = "superuser"


class Answer(models.TextChoices):
    """Where a question to the approvers stands."""

    WAITING = "waiting", _("Waiting for approval")
    APPROVED = "approved", _("Approved")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    EXPIRED = "expired", _("Expired")  # nobody answered, or nobody used it, in time
    VOID = "void", _("Void")  # what was asked is no longer what would be done
    USED = "used", _("Used")  # done as approved; good for nothing more


# Something can still come of these.
ANSWER_OPEN = frozenset({Answer.WAITING, Answer.APPROVED})


class InvitationStatus(models.TextChoices):
    """What became of an invitation."""

    OPEN = "open", _("Waiting")  # it may have expired: `expires_at` tells
    ACCEPTED = "accepted", _("Accepted")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class ReauthenticateBy(models.TextChoices):
    """Which call of the platform finishes a reconnect."""

    PATCH_INSTANCES = "patch_instances", "PATCH /instances"
    PATCH_INSTANCE_BY_ID = "patch_instance_by_id", "PATCH /instances/{id}"
    PUT_INSTANCE = "put_instance", "PUT /instances/{id}?reAuthenticate=true"


# Known homes of the platform, offered in the form; any other https host will do.
BASE_URL_PRESETS: tuple[tuple[str, str | Promise], ...] = (
    ("https://api.cloud-elements.com", _("Cloud Elements, United States")),
    ("https://api.cloud-elements.co.uk", _("Cloud Elements, Europe")),
    ("https://staging.cloud-elements.com", _("Cloud Elements, staging")),
    ("https://api.openconnectors.ext.hana.ondemand.com", _("SAP, Europe")),
    ("https://api.openconnectors.us2.ext.hana.ondemand.com", _("SAP, us2")),
    ("https://api.openconnectors.eu10.ext.hana.ondemand.com", _("SAP, eu10")),
    ("https://api.openconnectors.jp20.ext.hana.ondemand.com", _("SAP, jp20")),
    ("https://api.openconnectors.trial.us10.ext.hana.ondemand.com", _("SAP, trial")),
)
