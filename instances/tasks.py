"""Celery's way in: each task takes ids, makes one call, and is safe to run twice or never."""

from __future__ import annotations

import os
import socket

from celery import shared_task
from django.utils import timezone

from instances import runs


@shared_task(name="instances.plan_run")
def plan_run(run_id: int) -> None:
    """Freeze a run's selection."""
    runs.plan(run_id, now=timezone.now())


@shared_task(name="instances.work_run")
def work_run(run_id: int) -> None:
    """Work a share of a run."""
    runs.work(run_id, worker=f"{socket.gethostname()}:{os.getpid()}")


@shared_task(name="instances.consent")
def consent(item_id: int) -> None:
    """Play the person at the emulator's consent page for one drill item."""
    runs.consent(item_id, now=timezone.now())


@shared_task(name="instances.sweep")
def sweep() -> None:
    """Bring every open run forward."""
    runs.sweep(now=timezone.now())
