"""The items of one provider in a run: a few go first, and a person decides when they fail."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from instances.choices import PartStatus
from instances.models.run import Run


class Part(models.Model):
    """One provider's share of a run; its chunks are claimable as its status says.

    Status changes: canary → open or held, open → held, held → open, and any of these →
    left_out. A chunk whose provider has no part (a run of an older version) is claimable.
    """

    run = models.ForeignKey(
        Run, on_delete=models.CASCADE, related_name="parts", db_index=False
    )
    provider_key = models.CharField(
        max_length=64, blank=True
    )  # "" for unknown elements
    total = models.PositiveIntegerField(default=0)  # items, as planned

    status = models.CharField(
        max_length=16, choices=PartStatus, default=PartStatus.OPEN
    )
    canary_chunk = models.PositiveIntegerField(
        null=True, blank=True
    )  # number of the chunk that goes first, if one does
    cause = models.CharField(max_length=64, blank=True)  # why it is held
    explanation = models.CharField(max_length=500, blank=True)  # the same for people
    evidence = models.JSONField(
        default=dict, blank=True
    )  # outcomes and a few items; never a secret
    decided_by = models.CharField(max_length=255, blank=True)
    held_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    # The breaker's window: of so many ended items so many failed.
    window_ended = models.PositiveIntegerField(default=0)
    window_failed = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            # Also how claiming looks whether a chunk's part is open.
            models.UniqueConstraint(
                fields=["run", "provider_key"], name="part_once_per_provider"
            ),
            models.CheckConstraint(
                condition=Q(status__in=PartStatus.values), name="part_status_known"
            ),
            models.CheckConstraint(
                condition=~Q(status=PartStatus.CANARY) | Q(canary_chunk__isnull=False),
                name="part_canary_has_chunk",
            ),
            models.CheckConstraint(
                condition=Q(window_failed__lte=F("window_ended")),
                name="part_window_makes_sense",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.provider_key or '?'}"
