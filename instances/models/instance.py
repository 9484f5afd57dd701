"""One Cloud Elements instance, mirrored here; its tags; the history of its status."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ceadmin.lib.named import named
from ceadmin.lib.sealed import SealedField
from ceadmin.lib.sealed_columns import KeyOf
from ceadmin.lib.words import one_of
from ceadmin.teams.models import Organization
from instances.bounded import SortKey
from instances.choices import NEEDS_PERSON, InstanceStatus
from instances.querysets import InstanceQuerySet
from providers.models import ProviderApp

if TYPE_CHECKING:
    from instances.models.run import Run


def instance_uid(organization_uid: uuid.UUID, remote_id: str) -> uuid.UUID:
    """Return the uid of an instance: the same for the same organization and remote id, so upserts re-seal for the right row."""
    return uuid.uuid5(organization_uid, remote_id)


@named(
    _("instance"),
    _("instances"),
    name=_("name"),
    organization=_("organization"),
    provider_app=_("provider app"),
    status=_("status"),
)
class Instance(models.Model):
    """One element instance of one organization; natural key organization + remote id.

    Customers' OAuth tokens are never stored: only the fingerprint of the refresh token last read.
    """

    uid = models.UUIDField(unique=True, editable=False)
    remote_id = models.CharField(_("remote id"), max_length=64)
    name = models.CharField(max_length=255)

    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        related_name="instances",
        db_index=False,  # several below begin with it
    )
    provider_app = models.ForeignKey(
        ProviderApp,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,  # one below begins with it
        related_name="instances",
    )

    element_key = models.CharField(max_length=64)
    hub = models.CharField(max_length=32, blank=True)
    provider_key = models.CharField(_("provider"), max_length=64, blank=True)
    element_token = SealedField("instance.element_token")
    client_id = models.CharField(
        max_length=255, blank=True
    )  # as the platform shows it; often masked
    account = models.CharField(
        max_length=255, blank=True
    )  # the provider's account id where known
    callback_url = models.CharField(
        max_length=500, blank=True
    )  # the one stored at the platform
    site = models.JSONField(
        default=dict, blank=True
    )  # host parts and ids the provider's record asks for
    configuration_names = models.JSONField(
        default=list, blank=True
    )  # names only, never values
    grant_fingerprint = models.CharField(max_length=80, blank=True)

    status = models.CharField(
        max_length=16, choices=InstanceStatus, default=InstanceStatus.UNKNOWN
    )
    status_reason = models.CharField(max_length=64, blank=True)
    status_since = models.DateTimeField()
    disabled = models.BooleanField(
        default=False
    )  # what the platform said at the last look

    created_at = models.DateTimeField()
    synced_at = models.DateTimeField(null=True, blank=True)
    probed_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    reconnected_at = models.DateTimeField(null=True, blank=True)

    objects = InstanceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "remote_id"],
                name="instance_once_per_organization",
            ),
            models.CheckConstraint(
                condition=one_of("status", InstanceStatus.values),
                name="instance_status_known",
            ),
        ]
        # Lists are walked along these, page by page (`instances.finding`): each begins with
        # what is asked and goes on in the order in which it is shown.
        indexes = [
            models.Index(
                "organization", SortKey("name"), "id", name="instance_by_name"
            ),
            models.Index(
                *("organization", "status", SortKey("name"), "id"),
                name="instance_by_status_name",
            ),
            models.Index(
                *("organization", "provider_key", SortKey("name"), "id"),
                name="instance_by_provider",
            ),
            models.Index(
                *("organization", "status", "provider_key", SortKey("name"), "id"),
                name="instance_by_both",
            ),
            models.Index("provider_app", SortKey("name"), "id", name="instance_by_app"),
            models.Index(
                *("organization", "account", SortKey("name"), "id"),
                name="instance_by_account",
            ),
            # Siblings that share a grant, too.
            models.Index(
                *("organization", "grant_fingerprint", SortKey("name"), "id"),
                name="instance_by_grant",
            ),
            # The newest change first.
            models.Index(
                fields=["organization", "-status_since", "-id"],
                name="instance_by_since",
            ),
            models.Index(
                fields=["organization", "status", "-status_since", "-id"],
                name="instance_by_status",
            ),
            # Which keys are in use: asked at every start.
            models.Index(
                KeyOf("element_token"),
                name="instance_by_key",
                condition=~Q(element_token=""),
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.remote_id

    @property
    def needs_person(self) -> bool:
        """Tell whether a person has to reconnect it before it works again."""
        return self.status in NEEDS_PERSON


class OwnersOrganization(models.ForeignKey[Organization, Organization]):
    """The organization of a row's instance, which never changes; written with the row."""

    def pre_save(self, model_instance: models.Model, add: bool) -> int:
        """Take it from the instance."""
        instance: Instance = getattr(model_instance, "instance")  # noqa: B009 (any model)
        setattr(model_instance, self.attname, instance.organization_id)
        return instance.organization_id

    def deconstruct(self) -> Any:
        """Be a plain foreign key to migrations."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.ForeignKey", args, kwargs


class InstanceTag(models.Model):
    """One tag of one instance, as the platform has it."""

    instance = models.ForeignKey(
        Instance, on_delete=models.CASCADE, related_name="tags"
    )
    organization = OwnersOrganization(
        Organization,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,  # the one below begins with it
        editable=False,
    )
    name = models.CharField(max_length=128)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["instance", "name"], name="tag_once_per_instance"
            )
        ]
        indexes = [
            # The instances of a tag, however many carry it in another organization.
            models.Index(
                fields=["organization", "name", "instance"], name="instances_of_tag"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Flip(models.Model):
    """One change of an instance's status."""

    # A flip says nothing without its instance; the audit keeps what must outlive it.
    instance = models.ForeignKey(
        Instance, on_delete=models.CASCADE, related_name="flips"
    )
    run: models.ForeignKey[Run | None, Run | None] = models.ForeignKey(
        "instances.Run",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="flips",
    )
    from_status = models.CharField(max_length=16, choices=InstanceStatus)
    to_status = models.CharField(max_length=16, choices=InstanceStatus)
    reason = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=one_of("from_status", InstanceStatus.values),
                name="flip_from_known",
            ),
            models.CheckConstraint(
                condition=one_of("to_status", InstanceStatus.values),
                name="flip_to_known",
            ),
            models.CheckConstraint(
                condition=~Q(from_status=F("to_status")), name="flip_changes_something"
            ),
        ]
        indexes = [
            # The timeline of one instance.
            models.Index(fields=["instance", "-at"], name="flips_of_instance"),
            # What was in a status on a past day, and has left it since.
            models.Index(
                fields=["from_status", "at", "instance"], name="flips_by_status_left"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"
