"""A single-use address at which a person reauthenticates one instance."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ceadmin.lib.named import named
from ceadmin.lib.sealed import SealedField
from ceadmin.lib.sealed_columns import KeyOf
from instances.choices import LINK_OPEN, LinkStatus
from instances.models.instance import Instance
from instances.models.run import Item
from instances.querysets import ReconnectLinkQuerySet

#: Nobody may use these, and nothing of them is under way.
_CLOSED = frozenset(LinkStatus) - LINK_OPEN - {LinkStatus.CONSENTED}


@named(_("reconnect link"), _("reconnect links"), status=_("status"))
class ReconnectLink(models.Model):
    """One reconnect link. Its token is sealed (members copy the address), found by hash, and dies with its use.

    Opening it by GET consumes nothing: mail scanners do that. The POST of a person makes
    the `state`, hashed at rest, and binds it to that browser by a cookie, hashed as well.
    """

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    token = SealedField("reconnect_link.token")
    token_hash = models.CharField(max_length=64, unique=True)

    instance = models.ForeignKey(
        Instance, on_delete=models.CASCADE, related_name="reconnect_links"
    )
    item = models.ForeignKey(
        Item, on_delete=models.SET_NULL, null=True, blank=True, related_name="links"
    )
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="reconnect_links",
    )
    made_by_name = models.CharField(max_length=255, blank=True)

    state_hash = models.CharField(max_length=64, blank=True)
    browser_hash = models.CharField(max_length=64, blank=True)
    request_token_secret = SealedField(
        "reconnect_link.request_token_secret"
    )  # OAuth 1 only
    request_token = models.CharField(
        max_length=255, blank=True
    )  # OAuth 1 only: an id, not a secret
    expected_account = models.CharField(max_length=255, blank=True)
    found_account = models.CharField(
        max_length=255, blank=True
    )  # whom the person signed in as

    status = models.CharField(
        max_length=16, choices=LinkStatus, default=LinkStatus.MADE
    )
    problem = models.CharField(max_length=64, blank=True)
    problem_text = models.CharField(max_length=500, blank=True)

    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # By mail; whoever copies the address sends it unseen. To whom is forgotten with the token.
    sent_to = models.EmailField(blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    consented_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    # Until then whoever took the code has it in hand; by the database's clock.
    held_until = models.DateTimeField(null=True, blank=True)

    objects = ReconnectLinkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=LinkStatus.values), name="link_status_known"
            ),
            models.UniqueConstraint(
                fields=["state_hash"],
                name="link_state_once",
                condition=~Q(state_hash=""),
            ),
        ]
        indexes = [
            # The links of one instance, newest first.
            models.Index(fields=["instance", "-made_at"], name="links_of_instance"),
            # The sweep: codes whose fate nobody wrote down.
            models.Index(
                fields=["held_until"],
                name="links_in_hand",
                condition=Q(status=LinkStatus.CONSENTED),
            ),
            # The sweep: links that expire.
            models.Index(
                fields=["expires_at"],
                name="links_open",
                condition=Q(status__in=sorted(LINK_OPEN)),
            ),
            # Ended links, the oldest first: they are removed in the end.
            models.Index(
                fields=["expires_at"],
                name="links_closed",
                condition=Q(status__in=sorted(_CLOSED)),
            ),
            # Which keys are in use: asked at every start.
            models.Index(KeyOf("token"), name="link_by_key", condition=~Q(token="")),
            models.Index(
                KeyOf("request_token_secret"),
                name="link_by_request_key",
                condition=~Q(request_token_secret=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instance.name} ({self.get_status_display()})"

    @property
    def is_open(self) -> bool:
        """Tell whether a person may still use it, time aside."""
        return self.status in LINK_OPEN
