"""What owners do with records that are off: switch them on for an organization, and off again."""

from __future__ import annotations

from django.db import transaction

from ceadmin.audit.choices import Action
from ceadmin.audit.record import Entry, Subject, record_many
from ceadmin.teams.users import Hand
from providers import catalogue
from providers.models import EnabledProvider


def switch_on(row: EnabledProvider, *, hand: Hand, by_name: str) -> None:
    """Let a provider's record be used in an organization, from the next share of a run on."""
    row.enabled_at, row.enabled_by_name = hand.now, by_name
    with transaction.atomic():
        row.save()
        _record(Action.PROVIDER_ENABLED, row, hand)


def switch_off(row: EnabledProvider, *, hand: Hand) -> None:
    """Let a provider's record be used no longer; what a worker has begun goes on to its end."""
    with transaction.atomic():
        _record(Action.PROVIDER_DISABLED, row, hand)
        row.delete()


def _record(action: Action, row: EnabledProvider, hand: Hand) -> None:
    known = catalogue.find(row.provider_key)
    facts = {
        "confidence": known.confidence.value if known else "",
        "checked": known.checked if known else "",
    }
    subject = Subject("provider", str(row.uid), str(row))
    entry = Entry(
        action, hand.actor, subject, provider_key=row.provider_key, facts=facts
    )
    record_many(row.organization.chain, [entry], at=hand.now)
