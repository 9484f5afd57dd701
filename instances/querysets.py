"""Which rows: questions as adjectives and relative clauses."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Count, Q
from django.db.models.functions import Now

from instances.choices import (
    DESTRUCTIVE,
    ITEM_OPEN,
    LINK_OPEN,
    STICKY,
    ChunkStatus,
    InstanceStatus,
    ItemStatus,
    RunStatus,
)

if TYPE_CHECKING:
    from ceadmin.teams.models import Organization
    from instances.models import Chunk, Instance, Item, ReconnectLink, Run  # noqa: F401


class InstanceQuerySet(models.QuerySet["Instance"]):
    """Questions about instances."""

    def of(self, organization: Organization) -> InstanceQuerySet:
        """Those of one organization."""
        return self.filter(organization=organization)

    def present(self) -> InstanceQuerySet:
        """Those that the platform still lists."""
        return self.exclude(status=InstanceStatus.MISSING)

    def searched(self, text: str) -> InstanceQuerySet:
        """Those whose name contains `text`, or whose remote id, account or tag is `text`."""
        exact = Q(remote_id=text) | Q(account=text) | Q(tags__name=text)
        return self.filter(Q(name__icontains=text) | exact).distinct()


class RunQuerySet(models.QuerySet["Run"]):
    """Questions about runs."""

    def workable(self) -> RunQuerySet:
        """Those a worker has something to do for."""
        return self.filter(
            status__in=[RunStatus.PLANNING, RunStatus.RUNNING, RunStatus.STOPPING]
        )

    def drafted_before(self, moment: datetime) -> RunQuerySet:
        """Drafts made before `moment`."""
        return self.filter(status=RunStatus.DRAFT, created_at__lt=moment)


class ChunkQuerySet(models.QuerySet["Chunk"]):
    """Questions about chunks; times are compared by the database's clock."""

    def claimable(self) -> ChunkQuerySet:
        """Queued chunks whose time has come."""
        due = Q(not_before__isnull=True) | Q(not_before__lte=Now())
        return self.filter(due, status=ChunkStatus.QUEUED)

    def abandoned(self) -> ChunkQuerySet:
        """Claimed chunks whose lease is over: their worker died."""
        return self.filter(status=ChunkStatus.CLAIMED, lease_until__lt=Now())


class ItemQuerySet(models.QuerySet["Item"]):
    """Questions about items."""

    def open(self) -> ItemQuerySet:
        """Those without an outcome."""
        return self.filter(status__in=sorted(ITEM_OPEN))

    def queued(self) -> ItemQuerySet:
        """Those nobody has begun, or whose worker gave them back."""
        return self.filter(status=ItemStatus.QUEUED)

    def of_concern(self) -> ItemQuerySet:
        """Those that stay on the list until a later outcome of their instance clears them."""
        return self.filter(
            outcome__in=sorted(STICKY),
            cleared_at__isnull=True,
            run__kind__in=sorted(DESTRUCTIVE),
        )

    def tally(self) -> list[dict[str, Any]]:
        """Return counts by provider, status, outcome and cause in one grouped query."""
        keys = ("provider_key", "status", "outcome", "cause")
        return list(self.order_by().values(*keys).annotate(count=Count("id")))


class ReconnectLinkQuerySet(models.QuerySet["ReconnectLink"]):
    """Questions about reconnect links."""

    def detailed(self) -> ReconnectLinkQuerySet:
        """With everything that pages and flows need of them, in one query."""
        return self.select_related(
            "instance__organization",
            "instance__provider_app",
            "item__run__organization",
            "item__run__requested_by",
        )

    def usable(self, now: datetime) -> ReconnectLinkQuerySet:
        """Those a person may still open at `now`."""
        return self.filter(status__in=sorted(LINK_OPEN), expires_at__gt=now)

    def overdue(self, now: datetime) -> ReconnectLinkQuerySet:
        """Open ones whose time is over at `now`."""
        return self.filter(status__in=sorted(LINK_OPEN), expires_at__lte=now)
