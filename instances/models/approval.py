"""The second person: whether a draft may start, and starts that did without."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from ceadmin.teams.choices import ANSWER_OPEN, Answer
from instances.models.run import Run


class Approval(models.Model):
    """One question to the approvers about a draft, bound to its list and its options.

    Status changes: waiting → approved, refused, withdrawn, expired or void; approved →
    used, withdrawn, expired or void.
    """

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(
        Run, on_delete=models.CASCADE, related_name="approvals", db_index=False
    )
    digest = models.CharField(max_length=64)  # of everything that is approved
    # Of those that die too: another hash than the digest's, since a run at work changes it.
    siblings_hash = models.CharField(
        max_length=64, blank=True, default="", db_default=""
    )
    why_needed = models.JSONField(default=list)  # sentences
    total = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=16, choices=Answer, default=Answer.WAITING)

    # Neither of the two can approve; the names stay when the accounts go.
    drafted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
    )
    asked_by_name = models.CharField(max_length=255)
    asked_at = models.DateTimeField()
    # By the database's clock: when it was answered last, and until when it is good.
    counted_from = models.DateTimeField()
    expires_at = models.DateTimeField()

    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
    )
    decided_by_name = models.CharField(max_length=255, blank=True)
    decided_at = models.DateTimeField(null=True)
    words = models.CharField(max_length=500, blank=True)  # what the approver said
    ended_at = models.DateTimeField(null=True)  # used, or good for nothing more

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=Answer.values), name="approval_status_known"
            ),
            # One question at a time.
            models.UniqueConstraint(
                fields=["run"],
                condition=Q(status__in=sorted(ANSWER_OPEN)),
                name="approval_open_once_per_run",
            ),
            # Whatever code does: nobody approves what they asked for or drafted.
            models.CheckConstraint(
                condition=~Q(status__in=[Answer.APPROVED, Answer.USED])
                | Q(decided_by__isnull=True)
                | (
                    (Q(asked_by__isnull=True) | ~Q(asked_by=F("decided_by")))
                    & (Q(drafted_by__isnull=True) | ~Q(drafted_by=F("decided_by")))
                ),
                name="approval_by_two",
            ),
        ]
        indexes = [
            # What was asked about one run, the newest last.
            models.Index(fields=["run", "id"], name="approvals_of_run"),
            # Whom to remind, and what has expired.
            models.Index(
                fields=["expires_at"],
                name="approvals_open",
                condition=Q(status__in=sorted(ANSWER_OPEN)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.status}"

    @property
    def is_open(self) -> bool:
        """Tell whether something can still come of it."""
        return self.status in ANSWER_OPEN


class BrokenGlass(models.Model):
    """A run that an owner started without the approval it needed, and its review."""

    run = models.OneToOneField(
        Run, on_delete=models.CASCADE, related_name="broken_glass"
    )
    digest = models.CharField(max_length=64)  # of what was started
    why_needed = models.JSONField(default=list)

    broken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
    )
    broken_by_name = models.CharField(max_length=255)
    #: Who had drafted it: an owner who starts it himself becomes its requester.
    drafted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
    )
    broken_at = models.DateTimeField()
    why = models.CharField(max_length=500)

    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
    )
    reviewed_by_name = models.CharField(max_length=255, blank=True)
    reviewed_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(why=""), name="broken_glass_has_reason"
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True)
                | Q(broken_by__isnull=True)
                | ~Q(reviewed_by=F("broken_by")),
                name="broken_glass_reviewed_by_two",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_at__isnull=True) | ~Q(note=""),
                name="broken_glass_review_has_note",
            ),
        ]
        indexes = [
            # What nobody has reviewed yet.
            models.Index(
                fields=["run"],
                name="broken_glass_unreviewed",
                condition=Q(reviewed_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} by {self.broken_by_name}"
