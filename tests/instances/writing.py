"""What tests of own providers share: who writes them, and how they are saved."""

from typing import Any

from django.urls import reverse
from django.utils import timezone

from ceadmin.audit.actors import SYSTEM
from ceadmin.teams.users import Hand
from instances.actions import own_records
from instances.actions.own_records import Draft
from providers.models import OwnProvider
from tests.providers.own_records import HOSTS

NAME = "admin:providers_ownprovider"
ADD, LIST = reverse(f"{NAME}_add"), reverse(f"{NAME}_changelist")
OTTO = Hand(SYSTEM, timezone.now())


def drafted(text: str, **changes: Any) -> Draft:
    """Return a text with everything that saving it takes."""
    given = {"hosts": frozenset(HOSTS), "why": "a test", "by_name": "Otto"}
    return Draft(text, **{**given, **changes})


def saved_by(act, place: Any, text: str, **given: Any) -> Any:
    """Save a text by an act."""
    return act(place, drafted(text), hand=Hand(SYSTEM, timezone.now()), **given)


def change(own: OwnProvider, text: str, seen: int | None = None) -> None:
    """Give a record a new version."""
    saved_by(own_records.change, own, text, seen=seen or own.version)


def page(name: str, row: OwnProvider) -> str:
    """Return the address of one of a record's pages."""
    return reverse(f"{NAME}_{name}", args=[row.pk])


def shown(answer: Any) -> str:
    """Return what a page says."""
    return answer.content.decode()
