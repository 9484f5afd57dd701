"""Celery's way to what time does to signing in."""

from celery import shared_task
from django.utils import timezone

from ceadmin.teams import browsers, throttle


@shared_task(name="teams.sweep")
def sweep() -> None:
    """Tell the audit of refused tries that were counted; forget browsers that are gone."""
    now = timezone.now()
    throttle.close_stretches(now)
    browsers.forget_ended(now)
