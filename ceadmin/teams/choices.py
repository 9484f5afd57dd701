"""Roles, acts, and what an organization can be set to."""

from django.db import models


class Role(models.TextChoices):
    """A member's place in an organization; none implies another, all imply viewer."""

    VIEWER = "viewer", "Viewer"  # sees instances, runs and links
    OPERATOR = "operator", "Operator"  # syncs, probes, makes reconnect links
    REVOKER = "revoker", "Revoker"  # drafts, starts and stops revocations and drills
    APPROVER = "approver", "Approver"  # approves what others drafted
    AUDITOR = "auditor", "Auditor"  # reads the audit
    OWNER = "owner", "Owner"  # members, secrets, provider apps, policies


class Act(models.TextChoices):
    """What somebody wants to do in an organization."""

    VIEW = "view", "see what is here"
    OPERATE = "operate", "sync, probe and make reconnect links"
    REVOKE = "revoke", "revoke tokens and run drills"
    APPROVE = "approve", "approve runs"
    AUDIT = "audit", "read the audit"
    OWN = "own", "change members, secrets, provider apps and policies"


# The one table of who may do what.
ROLE_FOR: dict[Act, Role] = {
    Act.VIEW: Role.VIEWER,
    Act.OPERATE: Role.OPERATOR,
    Act.REVOKE: Role.REVOKER,
    Act.APPROVE: Role.APPROVER,
    Act.AUDIT: Role.AUDITOR,
    Act.OWN: Role.OWNER,
}

# Recorded beside a superuser's own roles: they may do everything, and it shows.
SUPERUSER = "superuser"


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
