"""What signing in leaves behind: counts of tries, second factors, browsers, invitations."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from ceadmin.lib.named import named
from ceadmin.lib.sealed import SealedField
from ceadmin.teams.choices import InvitationStatus
from ceadmin.teams.models.organization import Organization

#: Clocks of several web machines differ by so much, and tries wait for each other.
_SKEW = timedelta(minutes=1)


class Tally(models.Model):
    """How often somebody tried to prove who they are, by one key, in one stretch of time."""

    # An account's fingerprint, a network, both, a browser or a person: never a name.
    key = models.CharField(max_length=200, unique=True)
    tries = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)  # tries, and what came after them
    told = models.PositiveIntegerField(default=0)  # so many have events already

    subject_uid = models.CharField(max_length=36, blank=True)
    network = models.CharField(max_length=64, blank=True)
    since = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        verbose_name_plural = _("tallies")
        indexes = [
            # The stretches that are over: told of and removed every minute.
            models.Index(fields=["until"], name="tallies_that_end"),
        ]

    def __str__(self) -> str:
        words = ngettext("%(count)d try", "%(count)d tries", self.tries)
        return words % {"count": self.tries}

    def is_over(self, now: datetime) -> bool:
        """Say whether its time is over, or lies beyond a clock that went back.

        Who read the clock before somebody else began the stretch is still in it.
        """
        return not self.since - _SKEW <= now < self.until


@named(_("second factor"), _("second factors"))
class SecondFactor(models.Model):
    """The secret that a person's authenticator app shares with us (RFC 6238)."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # It belongs to the person and is good for nothing without them.
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="second_factor"
    )
    secret = SealedField("second_factor.secret")
    last_step = models.BigIntegerField(default=0)  # a code is taken once
    made_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)  # until then it is only offered

    def __str__(self) -> str:
        return gettext("Second factor of %(name)s") % {"name": self.user}


@named(_("recovery code"), _("recovery codes"))
class RecoveryCode(models.Model):
    """One of the codes that stand in for a lost authenticator app, once each."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="recovery_codes",
    )
    code_hash = models.CharField(max_length=64, unique=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return gettext("Recovery code of %(name)s") % {"name": self.user}


@named(_("browser"), _("browsers"))
class Browser(models.Model):
    """A browser in which a person is signed in, as long as its session lives."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="browsers"
    )
    session_key = models.CharField(max_length=40, unique=True)
    agent = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=64, blank=True)
    signed_in_at = models.DateTimeField()
    used_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.user}, {self.agent}"


@named(
    _("invitation"),
    _("invitations"),
    organization=_("organization"),
    roles=_("roles"),
    status=_("status"),
)
class Invitation(models.Model):
    """A place in an organization, offered by a link that works once."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="invitations"
    )
    email = models.EmailField(_("mail address"), max_length=254)
    roles = models.JSONField(default=list, blank=True)
    token_hash = models.CharField(max_length=64, unique=True)
    status = models.CharField(
        max_length=16, choices=InvitationStatus, default=InvitationStatus.OPEN
    )

    # Who vouches for it: it is void when they may no longer invite.
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
    )
    made_by_name = models.CharField(max_length=255)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=InvitationStatus.values),
                name="invitation_status_known",
            ),
            models.UniqueConstraint(
                fields=["organization", "email"],
                condition=Q(status=InvitationStatus.OPEN),
                name="invitation_open_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email}, {self.organization}"
