"""What people keep of the list of instances: views, columns, and lists of rows they brought along."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from ceadmin.lib.named import named
from ceadmin.teams.models import Organization, User
from instances.querysets import SavedViewQuerySet


@named(
    _("saved view"),
    _("saved views"),
    name=_("name"),
    organization=_("organization"),
)
class SavedView(models.Model):
    """A search, filters and an order of the list under a name.

    It holds a question and no rows: who opens it sees those of their own organizations.
    """

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="saved_views"
    )
    owner = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="saved_views"
    )
    name = models.CharField(max_length=80)
    query = models.CharField(
        max_length=1000, blank=True
    )  # of the list's address, in one spelling
    shared = models.BooleanField(_("shared with the organization"), default=False)
    created_at = models.DateTimeField()

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "owner", "name"], name="view_name_once"
            )
        ]

    def __str__(self) -> str:
        return self.name


class ListChoice(models.Model):
    """How one person wants the list of instances."""

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, related_name="list_choice"
    )
    columns = models.JSONField(default=list, blank=True)  # names; [] is the usual ones
    default_view = models.ForeignKey(
        SavedView, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"list of {self.user_id}"


class BroughtList(models.Model):
    """Ids or names that somebody brought as a file, and what they were here; theirs alone."""

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    made_at = models.DateTimeField(db_index=True)
    file_name = models.CharField(max_length=120, blank=True)
    note = models.CharField(max_length=200, blank=True)  # how it was read
    lines = models.PositiveIntegerField()
    found = models.JSONField(default=list)  # keys of instances, once each
    problems = models.JSONField(default=list)  # [line, what stands there, word]

    def __str__(self) -> str:
        return self.file_name or str(self.uid)
