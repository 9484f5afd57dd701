"""What owners do with limits of calls: set and take them away, with an audit event."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import translation

from ceadmin.audit.actors import Actor
from ceadmin.audit.choices import Action
from ceadmin.audit.record import Entry, Subject, record_many
from providers.models import Limit


def save_limit(limit: Limit, *, actor: Actor, now: datetime) -> None:
    """Save a limit; workers keep to it from their next share of a run on, within half a minute."""
    with transaction.atomic():
        limit.save()
        _record(limit, actor, now, rate=limit.rate, concurrency=limit.concurrency)


def remove_limit(limit: Limit, *, actor: Actor, now: datetime) -> None:
    """Take a limit away: the provider's record and the settings count again."""
    with transaction.atomic():
        _record(limit, actor, now, rate=None, concurrency=None)
        limit.delete()


def _record(
    limit: Limit,
    actor: Actor,
    now: datetime,
    *,
    rate: float | None,
    concurrency: int | None,
) -> None:
    with translation.override("en"):  # as the audit is, whoever acts
        subject = Subject("limit", str(limit.uid), limit.place)
    entry = Entry(
        Action.LIMIT_CHANGED,
        actor,
        subject,
        provider_key=limit.provider_key,
        facts={"scope": limit.scope, "rate": rate, "concurrency": concurrency},
    )
    record_many(limit.organization.chain, [entry], at=now)
