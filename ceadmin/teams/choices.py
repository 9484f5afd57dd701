"""Roles, acts, and what an organization can be set to."""

from django.db import models


class Role(models.TextChoices):
    """A member's place in an organization; none implies another, all imply viewer."""

    VIEWER = "viewer", "Viewer"  # sees instances, runs and links
    OPERATOR = "operator", "Operator"  # syncs, probes, makes links, drills on tests
    REVOKER = "revoker", "Revoker"  # drafts, starts and stops revocations and drills
    APPROVER = "approver", "Approver"  # approves what others ask for
    AUDITOR = "auditor", "Auditor"  # reads the audit
    OWNER = "owner", "Owner"  # members, secrets, provider apps, policies


class Act(models.TextChoices):
    """What somebody wants to do in an organization."""

    VIEW = "view", "see what is here"
    OPERATE = "operate", "sync, probe and make reconnect links"
    DRILL_TEST = "drill_test", "drill on instances tagged as test"
    REVOKE = "revoke", "revoke tokens and run drills"
    APPROVE = "approve", "approve runs and loosened policies"
    AUDIT = "audit", "read the audit"
    OWN = "own", "change members, secrets, provider apps and policies"


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

    WAITING = "waiting", "Waiting for approval"
    APPROVED = "approved", "Approved"
    REFUSED = "refused", "Refused"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Expired"  # nobody answered, or nobody used it, in time
    VOID = "void", "Void"  # what was asked is no longer what would be done
    USED = "used", "Used"  # done as approved; good for nothing more


# Something can still come of these.
ANSWER_OPEN = frozenset({Answer.WAITING, Answer.APPROVED})


class InvitationStatus(models.TextChoices):
    """What became of an invitation."""

    OPEN = "open", "Waiting"  # it may have expired: `expires_at` tells
    ACCEPTED = "accepted", "Accepted"
    WITHDRAWN = "withdrawn", "Withdrawn"


class ReauthenticateBy(models.TextChoices):
    """Which call of the platform finishes a reconnect."""

    PATCH_INSTANCES = "patch_instances", "PATCH /instances"
    PATCH_INSTANCE_BY_ID = "patch_instance_by_id", "PATCH /instances/{id}"
    PUT_INSTANCE = "put_instance", "PUT /instances/{id}?reAuthenticate=true"


# Known homes of the platform, offered in the form; any other https host will do.
BASE_URL_PRESETS: tuple[tuple[str, str], ...] = (
    ("https://api.cloud-elements.com", "Cloud Elements, United States"),
    ("https://api.cloud-elements.co.uk", "Cloud Elements, Europe"),
    ("https://staging.cloud-elements.com", "Cloud Elements, staging"),
    ("https://api.openconnectors.ext.hana.ondemand.com", "SAP, Europe"),
    ("https://api.openconnectors.us2.ext.hana.ondemand.com", "SAP, us2"),
    ("https://api.openconnectors.eu10.ext.hana.ondemand.com", "SAP, eu10"),
    ("https://api.openconnectors.jp20.ext.hana.ondemand.com", "SAP, jp20"),
    ("https://api.openconnectors.trial.us10.ext.hana.ondemand.com", "SAP, trial"),
)
