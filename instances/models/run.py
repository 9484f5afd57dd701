"""Runs, their chunks, items and attempts, and who holds which instance."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ceadmin.lib.named import named
from ceadmin.lib.words import one_of
from ceadmin.teams.models import Organization
from instances.choices import (
    DISCARDED,
    ITEM_OPEN,
    RUN_TERMINAL,
    STICKY,
    AttemptState,
    ChunkStatus,
    ItemStatus,
    Outcome,
    RunKind,
    RunStatus,
)
from instances.models.instance import Instance
from instances.querysets import ChunkQuerySet, ItemQuerySet, RunQuerySet

#: The most calls that a run may have in flight.
MOST_CONNECTIONS = 1000


def default_connections() -> int:
    """Return how many calls a run has in flight when nobody says otherwise."""
    return int(settings.RUN_CONNECTIONS)


@named(
    _("run"),
    _("runs"),
    organization=_("organization"),
    kind=_("kind"),
    status=_("status"),
    reason=_("reason"),
    ticket=_("ticket"),
)
class Run(models.Model):
    """One bulk operation; a single instance is a run of one item."""

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)

    # History must not lose its tenant.
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="runs"
    )
    # The name stays when the account goes.
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="runs",
    )
    requested_by_name = models.CharField(max_length=255, blank=True)

    kind = models.CharField(max_length=16, choices=RunKind)
    selection = models.JSONField(default=dict)
    selection_hash = models.CharField(max_length=64, blank=True)  # of the frozen list
    options = models.JSONField(default=dict, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    ticket = models.CharField(max_length=120, blank=True)
    total = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(
        default=0
    )  # sync: seen and as before; they get no item
    # Calls in flight at most, of all workers together.
    connections = models.PositiveIntegerField(
        default=default_connections, db_default=50
    )

    status = models.CharField(max_length=16, choices=RunStatus, default=RunStatus.DRAFT)
    problem = models.CharField(max_length=64, blank=True)
    problem_text = models.CharField(max_length=500, blank=True)

    created_at = models.DateTimeField()
    planned_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    # What old runs are thinned out to.
    tallies = models.JSONField(
        null=True, blank=True, editable=False
    )  # the final counts, kept when the items go
    attempts_removed_at = models.DateTimeField(null=True, blank=True)
    items_removed_at = models.DateTimeField(
        null=True, blank=True
    )  # removal began; `tallies` is set with it
    emptied = models.BooleanField(
        default=False, db_default=False
    )  # nothing more to remove

    objects = RunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=RunKind.values), name="run_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=RunStatus.values), name="run_status_known"
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=False)
                | ~Q(status__in=sorted(RUN_TERMINAL)),
                name="run_ended_has_time",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        RunStatus.DRAFT,
                        RunStatus.EXPIRED,
                        RunStatus.FAILED,
                        RunStatus.PLANNING,
                    ]
                )
                | ~Q(kind__in=[RunKind.REVOKE, RunKind.DRILL])
                | ~Q(reason=""),
                name="run_revocation_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(connections__range=(1, MOST_CONNECTIONS)),
                name="run_connections_in_range",
            ),
        ]
        indexes = [
            # The list of one organization's runs, newest first.
            models.Index(
                fields=["organization", "-created_at"], name="runs_of_organization"
            ),
            # The sweep: what is still to be worked.
            models.Index(
                fields=["status"],
                name="runs_open",
                condition=Q(
                    status__in=[
                        RunStatus.PLANNING,
                        RunStatus.RUNNING,
                        RunStatus.STOPPING,
                    ]
                ),
            ),
            # Ended runs that still have rows to remove.
            models.Index(
                fields=["finished_at"],
                name="runs_to_thin",
                condition=Q(emptied=False, finished_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {str(self.uid)[:8]}"

    @property
    def is_terminal(self) -> bool:
        """Tell whether nothing more will happen."""
        return self.status in RUN_TERMINAL

    @property
    def word(self) -> str:
        """Return its status as people are told it: a draft that was dropped did not expire."""
        return DISCARDED if self.problem == DISCARDED else self.status


class Chunk(models.Model):
    """About 250 items of a run and of one provider, claimed by a worker under a lease."""

    # The constraint below is its index.
    run = models.ForeignKey(
        Run, on_delete=models.CASCADE, related_name="chunks", db_index=False
    )
    number = models.PositiveIntegerField()
    provider_key = models.CharField(
        max_length=64, blank=True, db_default=""
    )  # "": unknown, or mixed by an older version
    status = models.CharField(
        max_length=16, choices=ChunkStatus, default=ChunkStatus.QUEUED
    )
    worker = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)  # by the database's clock
    not_before = models.DateTimeField(null=True, blank=True)  # by the database's clock
    claims = models.PositiveIntegerField(default=0)

    objects = ChunkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "number"], name="chunk_once_per_run"
            ),
            models.CheckConstraint(
                condition=one_of("status", ChunkStatus.values),
                name="chunk_status_known",
            ),
            models.CheckConstraint(
                condition=~Q(status=ChunkStatus.CLAIMED) | Q(lease_until__isnull=False),
                name="chunk_claim_has_lease",
            ),
        ]
        indexes = [
            # Claiming: the next queued chunk of a run.
            models.Index(
                fields=["run", "number"],
                name="chunks_queued",
                condition=Q(status=ChunkStatus.QUEUED),
            ),
            # The reaper: claims whose lease is over.
            models.Index(
                fields=["lease_until"],
                name="chunks_claimed",
                condition=Q(status=ChunkStatus.CLAIMED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.number}"


@named(
    _("item"), _("items"), status=_("status"), outcome=_("outcome"), cause=_("cause")
)
class Item(models.Model):
    """One instance's part of a run."""

    # The constraints below are its indexes.
    run = models.ForeignKey(
        Run, on_delete=models.CASCADE, related_name="items", db_index=False
    )
    # The instance may go; the item keeps its name.
    instance = models.ForeignKey(
        Instance, on_delete=models.SET_NULL, null=True, blank=True, related_name="items"
    )
    number = models.PositiveIntegerField()
    chunk_number = models.PositiveIntegerField(default=0)

    instance_uid = models.UUIDField()
    instance_name = models.CharField(max_length=255)
    remote_id = models.CharField(max_length=64)
    element_key = models.CharField(max_length=64)
    provider_key = models.CharField(max_length=64, blank=True)
    facts = models.JSONField(
        default=dict, blank=True
    )  # what is worth showing; never a secret

    status = models.CharField(
        max_length=16, choices=ItemStatus, default=ItemStatus.QUEUED
    )
    outcome = models.CharField(max_length=24, choices=Outcome, blank=True)
    cause = models.CharField(max_length=64, blank=True)
    explanation = models.CharField(max_length=500, blank=True)  # a sentence for people
    tries = models.PositiveSmallIntegerField(default=0)
    cleared_at = models.DateTimeField(
        null=True, blank=True
    )  # a later outcome settled the concern

    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "number"], name="item_number_once_per_run"
            ),
            models.UniqueConstraint(
                fields=["run", "instance_uid"], name="item_once_per_instance"
            ),
            models.CheckConstraint(
                condition=one_of("status", ItemStatus.values), name="item_status_known"
            ),
            models.CheckConstraint(
                condition=one_of("outcome", ["", *Outcome.values]),
                name="item_outcome_known",
            ),
            models.CheckConstraint(
                condition=(
                    Q(status=ItemStatus.DONE)
                    & ~Q(outcome="")
                    & Q(finished_at__isnull=False)
                )
                | (~Q(status=ItemStatus.DONE) & Q(outcome="")),
                name="item_done_has_outcome",
            ),
        ]
        indexes = [
            # Progress, and the items of a chunk.
            models.Index(
                fields=["run", "chunk_number", "status"], name="items_of_chunk"
            ),
            # Progress and causes without a look at the rows, and the run page's filters.
            models.Index(
                fields=["run", "status", "outcome", "provider_key", "cause"],
                name="items_by_outcome",
            ),
            # The rate of the last minute, and what ended last.
            models.Index(
                fields=["run", "-finished_at"],
                name="items_newest",
                condition=Q(status=ItemStatus.DONE),
            ),
            # The timeline of one instance.
            models.Index(fields=["instance_uid", "-id"], name="items_of_instance"),
            # Open concerns: nothing but a later outcome clears them.
            models.Index(
                fields=["run"],
                name="items_of_concern",
                condition=Q(outcome__in=sorted(STICKY)) & Q(cleared_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instance_name} ({self.outcome or self.status})"

    @property
    def is_open(self) -> bool:
        """Tell whether an outcome is still to come."""
        return self.status in ITEM_OPEN


class Attempt(models.Model):
    """One outbound call of one try of an item: intent and result."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()  # which try of the item
    step = models.PositiveSmallIntegerField(default=0)  # 1 to 8 in a drill, else 0
    purpose = models.CharField(max_length=32)
    method = models.CharField(max_length=8)
    url = models.CharField(max_length=500)  # redacted
    state = models.CharField(max_length=16, choices=AttemptState)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    code = models.CharField(max_length=64, blank=True)
    excerpt = models.CharField(max_length=240, blank=True)  # redacted
    at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=one_of("state", AttemptState.values),
                name="attempt_state_known",
            ),
        ]
        indexes = [
            # Intents whose answer never came.
            models.Index(
                fields=["item"],
                name="attempts_intended",
                condition=Q(state=AttemptState.INTENDED),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.state}"


class Hold(models.Model):
    """Who works on an instance now: a revocation and a reconnect of one instance can't cross."""

    instance = models.OneToOneField(
        Instance, on_delete=models.CASCADE, related_name="hold"
    )
    item_id = models.BigIntegerField()
    until = models.DateTimeField()  # by the database's clock

    def __str__(self) -> str:
        return f"{self.instance_id} held by {self.item_id}"


class GrantClaim(models.Model):
    """Which item of a run deals with a grant: the same grant is revoked once per run.

    A claim stands under every key of FINGERPRINT_KEYS that its worker knows, so that it
    holds while a key is replaced, whichever key another worker calls the newest.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="grant_claims")
    fingerprint = models.CharField(max_length=80)
    item_id = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "fingerprint"], name="grant_once_per_run"
            )
        ]

    def __str__(self) -> str:
        return self.fingerprint
