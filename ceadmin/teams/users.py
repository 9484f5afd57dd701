"""What happens to users: each change writes its own audit event.

Names and mail addresses never stand in an event, only the pseudonym: see
`ceadmin.audit.people`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from ceadmin.audit.actors import Actor
from ceadmin.audit.choices import Action
from ceadmin.audit.people import remember
from ceadmin.audit.record import SYSTEM_CHAIN, Subject, record
from ceadmin.teams.models import User


@dataclass(frozen=True, slots=True)
class Hand:
    """Who makes a change, and when."""

    actor: Actor
    now: datetime


def subject_of(user: User) -> Subject:
    """Return a user as the subject of an event: the pseudonym, no name."""
    return Subject("person", user.uid)


def add_user(user: User, hand: Hand) -> User:
    """Save a new user and record it."""
    with transaction.atomic():
        user.save()
        user_added(user, hand)
    return user


def user_added(user: User, hand: Hand) -> None:
    """Record a user who was just saved, inside the same transaction."""
    _remember(user)
    _record(Action.USER_ADDED, user, hand, {"superuser": user.is_superuser})


def user_changed(user: User, changed: Iterable[str], hand: Hand) -> None:
    """Record what was just changed about a user, inside the same transaction."""
    _remember(user)
    facts = {
        "changed": sorted(changed),
        "active": user.is_active,
        "superuser": user.is_superuser,
    }
    _record(Action.USER_CHANGED, user, hand, facts)


def _remember(user: User) -> None:
    remember(user.uid, user_id=user.pk, name=user.name, mail=user.email)


def _record(action: Action, user: User, hand: Hand, facts: dict[str, Any]) -> None:
    record(
        action,
        chain=SYSTEM_CHAIN,
        actor=hand.actor,
        at=hand.now,
        subject=subject_of(user),
        facts=facts,
    )
