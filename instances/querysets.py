"""Which rows: questions as adjectives and relative clauses."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import models
from django.db.models import (
    BooleanField,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    Subquery,
)
from django.db.models.functions import Lower, Now
from django.db.models.lookups import GreaterThanOrEqual, LessThan

from ceadmin.teams.choices import Answer
from instances import reach
from instances.bounded import SortKey, prefix_range
from instances.choices import (
    DESTRUCTIVE,
    ITEM_OPEN,
    LINK_OPEN,
    NEEDS_PERSON,
    PART_SHUT,
    STICKY,
    ChunkStatus,
    InstanceStatus,
    ItemStatus,
    PartStatus,
    RunStatus,
)

if TYPE_CHECKING:
    from ceadmin.teams.models import Organization, User
    from instances.models import (  # noqa: F401
        Chunk,
        Flip,
        Instance,
        Item,
        ReconnectLink,
        Run,
        SavedView,
    )


def begins_with(text: str) -> Q:
    """Return the condition that a name begins with `text`, capitals or not: a range of an index."""
    first, behind = prefix_range(text)
    key = SortKey("name")
    return Q(GreaterThanOrEqual(key, first)) & Q(LessThan(key, behind))


def _stayed(status: str, moment: datetime) -> Q:
    """Return the condition that an instance is in `status` since before `moment`."""
    return Q(status=status, status_since__lt=moment)


def _left(status: str, moment: datetime) -> models.QuerySet[Flip]:
    """Return the first changes of instances since `moment`, of those that were in `status` then."""
    flips: models.Manager[Flip] = apps.get_model("instances", "Flip").objects
    since = flips.filter(at__gte=moment)
    before = Q(at__lt=OuterRef("at")) | Q(at=OuterRef("at"), pk__lt=OuterRef("pk"))
    earlier = since.filter(before, instance=OuterRef("instance"))
    return since.filter(~Exists(earlier), from_status=status)


class InstanceQuerySet(models.QuerySet["Instance"]):
    """Questions about instances."""

    def of(self, organization: Organization) -> InstanceQuerySet:
        """Those of one organization."""
        return self.filter(organization=organization)

    def present(self) -> InstanceQuerySet:
        """Those that the platform still lists."""
        return self.exclude(status=InstanceStatus.MISSING)

    def searched(self, text: str) -> InstanceQuerySet:
        """Those whose name begins with `text`, or whose remote id, account, grant's fingerprint or tag is `text`.

        Capitals make no difference in a name. `finding` looks for the same, page by page.
        """
        tags = apps.get_model("instances", "InstanceTag").objects
        carried = Exists(tags.filter(instance=OuterRef("pk"), name=text))
        exact = Q(remote_id=text) | Q(account=text) | Q(grant_fingerprint=text)
        return self.filter(exact | begins_with(text) | carried)

    def tagged(self, names: Collection[str]) -> InstanceQuerySet:
        """Those with one of these tags, which are in small letters."""
        tags = apps.get_model("instances", "InstanceTag").objects
        named = tags.annotate(small=Lower("name")).filter(small__in=sorted(names))
        return self.filter(Exists(named.filter(instance=OuterRef("pk"))))

    def were(self, status: str, moment: datetime) -> InstanceQuerySet:
        """Those in `status` just before `moment`, as the history of changes tells it.

        They are in it since then, or their first change since then came from it.
        """
        left = _left(status, moment).values("instance")
        return self.filter(_stayed(status, moment) | Q(pk__in=left))

    def few_that_were(
        self, status: str, moment: datetime, most: int
    ) -> list[int] | None:
        """Return the keys of `were`, None where they are more than `most`.

        Whatever else is asked, it begins with the changes since then and with those that
        have not changed, and looks at no other row: what is rare is found among a million.
        """
        rows = self.order_by().prefetch_related(None)
        stayed = rows.filter(_stayed(status, moment)).values_list("pk", flat=True)
        keys = list(stayed[: most + 1])
        # A key alone finds its row, where SQLite would walk the organization's for `IN`.
        left = _left(status, moment).filter(
            Exists(rows.filter(pk=OuterRef("instance")))
        )
        room = most + 1 - len(keys)
        keys += left.values_list("instance", flat=True)[:room] if room else []
        return keys if len(keys) <= most else None

    def siblings(
        self, organization: Organization, off: Collection[str] = ()
    ) -> InstanceQuerySet:
        """Others of the organization that die when these, which are its own, are revoked, see `reach`.

        `off` names providers whose call is not made.
        """
        return reach.siblings(self, organization.pk, off)

    def doubtful(
        self, organization: Organization, off: Collection[str] = ()
    ) -> InstanceQuerySet:
        """Others of which nobody can tell whether they die with these, see `reach`."""
        return reach.doubtful(self, organization.pk, off)


class RunQuerySet(models.QuerySet["Run"]):
    """Questions about runs."""

    def workable(self) -> RunQuerySet:
        """Those a worker has something to do for."""
        return self.filter(
            status__in=[RunStatus.PLANNING, RunStatus.RUNNING, RunStatus.STOPPING]
        )

    def with_approval(self) -> RunQuerySet:
        """With how the newest question to the approvers stands, and the mark of a start without."""
        approvals = apps.get_model("instances", "Approval").objects
        asked = approvals.filter(run=OuterRef("pk"))
        newest = asked.order_by("-pk").values("status")[:1]
        broken = apps.get_model("instances", "BrokenGlass").objects
        glass = broken.filter(run=OuterRef("pk"))
        looked_at = ExpressionWrapper(Q(reviewed_at=None), BooleanField())
        missing = glass.annotate(open=looked_at).values("open")[:1]
        return self.annotate(
            approval_status=Subquery(newest), glass_unreviewed=Subquery(missing)
        )

    def awaiting_approval(self) -> RunQuerySet:
        """Drafts that wait for an approver now."""
        asked = apps.get_model("instances", "Approval").objects.filter(
            run=OuterRef("pk"), status=Answer.WAITING, expires_at__gt=Now()
        )
        return self.filter(Exists(asked), status=RunStatus.DRAFT)

    def unreviewed(self) -> RunQuerySet:
        """Those started without the approval they needed, and not looked at since."""
        return self.filter(
            broken_glass__isnull=False, broken_glass__reviewed_at__isnull=True
        )

    def drafted_before(self, moment: datetime) -> RunQuerySet:
        """Drafts made before `moment`."""
        return self.filter(status=RunStatus.DRAFT, created_at__lt=moment)


class ChunkQuerySet(models.QuerySet["Chunk"]):
    """Questions about chunks; times are compared by the database's clock."""

    def claimable(self) -> ChunkQuerySet:
        """Queued chunks whose time has come, of parts that are worked now.

        What goes first of a part is worked before the part is open.
        """
        due = Q(not_before__isnull=True) | Q(not_before__lte=Now())
        parts = apps.get_model("instances", "Part").objects.filter(
            run=OuterRef("run"), provider_key=OuterRef("provider_key")
        )
        behind = Q(status=PartStatus.CANARY) & ~Q(canary_chunk=OuterRef("number"))
        shut = parts.filter(behind | Q(status__in=sorted(PART_SHUT)))
        return self.filter(due, ~Exists(shut), status=ChunkStatus.QUEUED)

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

    def tally(self, *first: str) -> list[dict[str, Any]]:
        """Return counts by provider, status, outcome and cause in one grouped query.

        It reads the index `items_by_outcome` and no row, so it counts rows and no column.
        """
        # As the index has them, behind the run.
        keys = (*first, "status", "outcome", "provider_key", "cause")
        return list(self.order_by().values(*keys).annotate(count=Count("*")))


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

    def overtaken(self) -> ReconnectLinkQuerySet:
        """Ended ones whose grant is not the instance's any more: it died since, or another came."""
        ended = F("finished_at")
        died = Q(instance__status__in=sorted(NEEDS_PERSON))
        died &= Q(instance__status_since__gt=ended)
        revoked = Q(instance__revoked_at__gt=ended)
        reconnected = Q(instance__reconnected_at__gt=ended)
        later = self.model._default_manager.filter(
            instance=OuterRef("instance"), consented_at__gt=OuterRef("finished_at")
        )
        return self.filter(died | revoked | reconnected | Exists(later))


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    """Questions about saved views."""

    def open_to(self, user: User) -> SavedViewQuerySet:
        """Those that a person made or others share; the organizations are the caller's matter."""
        return self.filter(Q(owner=user) | Q(shared=True))
