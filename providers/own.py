"""Records that an organization wrote itself, in versions of which none is ever changed.

Their keys begin with `own_`, which no record of the catalogue's does, so neither can take
the other's place (docs/decisions/0012). Nothing here goes out or judges a record: that is
`providers.own_rules`.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ceadmin.lib.named import named
from ceadmin.teams.models import Organization
from providers.catalogue import is_own
from providers.spec import OWN

__all__ = ["OWN", "OwnProvider", "OwnProviderVersion", "digest_of", "is_own"]

#: So many records an organization can have: all of them are read with a run's items.
MOST = 50
#: A record's text is read again by every worker; the longest of the catalogue has 6,000.
MOST_BYTES = 64_000


@named(name=_("name"), key=_("key"), organization=_("organization"))
class OwnProvider(models.Model):
    """A record of one organization's own; its text stands in its versions.

    A removed one is kept with its versions, since the audit speaks of them.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="own_providers"
    )
    key = models.CharField(max_length=50)
    name = models.CharField(max_length=150)  # of the current version
    version = models.PositiveIntegerField(default=1)  # the current one's number
    made_at = models.DateTimeField(_("added"))
    changed_at = models.DateTimeField(_("changed"))
    removed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("own provider")
        verbose_name_plural = _("own providers")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "key"], name="own_provider_key_once"
            ),
            models.CheckConstraint(
                condition=Q(key__startswith=OWN), name="own_provider_key_is_own"
            ),
            models.CheckConstraint(
                condition=Q(version__gte=1), name="own_provider_has_a_version"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def current(self) -> OwnProviderVersion:
        """Its current version; one query."""
        return self.versions.get(number=self.version)


class OwnProviderVersion(models.Model):
    """One text of an own record, and who vouched for its hosts. Never changed."""

    own = models.ForeignKey(
        OwnProvider, on_delete=models.CASCADE, related_name="versions", db_index=False
    )
    number = models.PositiveIntegerField()
    text = models.TextField()
    digest = models.CharField(max_length=64)  # SHA-256 of the text
    hosts = models.JSONField(default=list)  # vouched for by name
    why = models.CharField(max_length=500)
    made_at = models.DateTimeField()
    made_by_name = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["own", "number"], name="own_provider_version_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.own_id}: {self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write a new version; raise ValueError for one that is there."""
        if self.pk is not None:
            raise ValueError("a version is never changed: add another one")
        self.digest = digest_of(self.text)
        super().save(*args, **kwargs)


def digest_of(text: str) -> str:
    """Return what names a record's text: its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()
