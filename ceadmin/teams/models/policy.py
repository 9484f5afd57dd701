"""What an organization lets one person do alone, and the changes of it that wait."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ceadmin.lib.named import named
from ceadmin.teams.choices import Answer
from ceadmin.teams.models.organization import Organization

#: What holds where nothing else was said, and for every new organization.
MOST_ALONE = 25
APPROVAL_HOURS = 24
#: An approval that lives longer is no look at what is about to happen.
LONGEST_APPROVAL_HOURS = 24 * 7
#: A number above this would mean "any"; that is said by leaving it empty.
LARGEST_NUMBER = 1_000_000


def words_for_production() -> list[str]:
    """Return the tags that mean production until an owner says otherwise."""
    return ["prod", "production"]


def words_for_test() -> list[str]:
    """Return the tags that mean test until an owner says otherwise."""
    return ["test"]


@named(_("policy"), _("policies"))
class Policy(models.Model):
    """When a revocation or drill needs a second person; without a row the defaults hold."""

    organization = models.OneToOneField(
        Organization,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="policy",
    )
    # More instances than this need an approver; empty: the number does not matter.
    most_alone = models.PositiveIntegerField(null=True, blank=True, default=MOST_ALONE)
    # In small letters: tags are compared so. Production always needs an approver.
    production_tags = models.JSONField(default=words_for_production, blank=True)
    test_tags = models.JSONField(default=words_for_test, blank=True)
    approval_hours = models.PositiveSmallIntegerField(
        default=APPROVAL_HOURS,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_APPROVAL_HOURS)],
    )
    # Who has no second factor may do nothing here, not even look.
    second_factor = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = _("policies")
        constraints = [
            models.CheckConstraint(
                condition=Q(approval_hours__range=(1, LONGEST_APPROVAL_HOURS)),
                name="policy_approval_hours",
            ),
            models.CheckConstraint(
                condition=Q(most_alone__isnull=True)
                | Q(most_alone__lte=LARGEST_NUMBER),
                name="policy_number",
            ),
        ]

    def __str__(self) -> str:
        return gettext("Policy of %(name)s") % {"name": self.organization}


@named(_("policy change"), _("policy changes"))
class PolicyChange(models.Model):
    """A looser policy that an owner asked for; it holds once somebody else approves it."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="policy_changes"
    )
    # The policy that it was asked of, and the one that is asked for.
    before = models.JSONField()
    after = models.JSONField()
    digest = models.CharField(max_length=64)  # of both: what an approval is bound to
    why = models.CharField(max_length=500)
    status = models.CharField(max_length=16, choices=Answer, default=Answer.WAITING)

    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
    )
    asked_by_name = models.CharField(max_length=255)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()  # by the database's clock

    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
    )
    decided_by_name = models.CharField(max_length=255, blank=True)
    decided_at = models.DateTimeField(null=True)
    words = models.CharField(max_length=500, blank=True)  # why it was refused

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=Answer.values), name="policy_change_known"
            ),
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(status=Answer.WAITING),
                name="policy_change_waits_alone",
            ),
            models.CheckConstraint(
                condition=~Q(status=Answer.APPROVED)
                | ~Q(decided_by=F("asked_by"))
                | Q(decided_by__isnull=True),
                name="policy_change_by_two",
            ),
        ]

    def __str__(self) -> str:
        return gettext("Looser policy for %(name)s") % {"name": self.organization}
