"""Which run used whose secrets: one row per run and owner, however many calls it made."""

from __future__ import annotations

from django.db import models

from instances.models.run import Run


class SecretUse(models.Model):
    """A run used the secrets of its organization, or of one of its provider apps."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="secret_uses")
    # The uid of an organization or of a provider app; either may go.
    owner_uid = models.UUIDField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "owner_uid"], name="secret_use_once_per_run"
            )
        ]
        indexes = [
            # The last use of one owner's secrets.
            models.Index(fields=["owner_uid", "-at"], name="secret_uses_of_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.owner_uid} by {self.run_id}"
