"""A tenant: one organization of the platform, shared by a team."""

import uuid
from collections.abc import Collection

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ceadmin.lib.named import named
from ceadmin.lib.sealed import SealedField
from ceadmin.teams.choices import ReauthenticateBy
from ceadmin.teams.validators import validate_base_url

#: What the platform's documentation writes behind the host, so people paste it.
_API_PATH = "/elements/api-v2"
LONGEST_LINK_LIFETIME_HOURS = 24 * 30


@named(
    _("organization"),
    _("organizations"),
    name=_("name"),
    slug=_("slug"),
    user_secret=_("user secret"),
    organization_secret=_("organization secret"),
    reauthenticate_by=_("reauthenticate by"),
    created_at=_("created at"),
)
class Organization(models.Model):
    """One Cloud Elements organization: where it is, its two secrets, its policies."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=150, unique=True)
    slug = models.SlugField(max_length=60, unique=True)

    base_url = models.CharField(
        _("base URL"),
        max_length=255,
        validators=[validate_base_url],
        help_text=_("Scheme and host, such as https://api.cloud-elements.com."),
    )
    user_secret = SealedField("organization.user_secret")
    organization_secret = SealedField("organization.organization_secret")
    secrets_set_at = models.DateTimeField(null=True, blank=True)
    secrets_set_by_name = models.CharField(max_length=255, blank=True)

    # One problem of the organization, not of each of its instances; '' when none.
    secrets_problem = models.CharField(max_length=64, blank=True)
    secrets_problem_at = models.DateTimeField(null=True, blank=True)

    reauthenticate_by = models.CharField(
        max_length=32,
        choices=ReauthenticateBy,
        default=ReauthenticateBy.PATCH_INSTANCES,
        help_text=_("Change it where the platform refuses the first."),
    )
    link_lifetime_hours = models.PositiveSmallIntegerField(
        _("reconnect links live for (hours)"),
        default=72,
        validators=[
            MinValueValidator(1),
            MaxValueValidator(LONGEST_LINK_LIFETIME_HOURS),
        ],
    )

    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(reauthenticate_by__in=ReauthenticateBy.values),
                name="organization_reauthenticate_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    link_lifetime_hours__range=(1, LONGEST_LINK_LIFETIME_HOURS)
                ),
                name="organization_link_lifetime",
            ),
            models.CheckConstraint(
                condition=Q(secrets_problem="") | Q(secrets_problem_at__isnull=False),
                name="organization_problem_has_time",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Write the base URL as it is compared: small, and a host alone where the API's own path was pasted."""
        typed = self.base_url.strip(" ").rstrip("/").lower()
        self.base_url = typed.removesuffix(_API_PATH).rstrip("/")
        super().clean_fields(exclude=exclude)

    @property
    def chain(self) -> str:
        """The name of its audit chain."""
        return str(self.uid)
