"""What one event proves: its facts, who and whence, and whether it still is what was hashed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from ceadmin.audit.canonical import digest
from ceadmin.audit.models import Event, Origin
from ceadmin.audit.record import columns
from ceadmin.teams.admin.event_words import (
    in_words,
    roles_in_words,
    subject_in_words,
)
from ceadmin.teams.naming import Names, names_of

ALTERED = _("The text of this event was altered.")
_COPIES = _(
    "Its columns no longer say what its text says: the text is what was hashed."
)
#: What exports say for an address that was erased.
_ERASED = gettext_noop("Erased")


@dataclass(frozen=True)
class Proof:
    """One event with the names around it, and what is wrong with it."""

    event: Event
    names: Names
    address: str
    content: dict[str, Any]
    problem: str

    @property
    def facts(self) -> dict[str, Any]:
        """Return the facts, none where the text was altered."""
        facts = self.content.get("facts")
        return facts if isinstance(facts, dict) else {}

    @cached_property
    def told(self) -> list[tuple[str, str]]:
        """Return the facts in words."""
        return list(in_words(self.facts))

    @property
    def roles(self) -> str:
        """Return the roles in which the actor acted, in words."""
        return roles_in_words(self.event.role.split(",")) if self.event.role else ""

    @property
    def subject(self) -> str:
        """Return what was acted on, in words."""
        return subject_in_words(self.event.subject_type, self.names.subject)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Where an event stands in its chain, and whether those beside it fit."""

    last: int
    before: Event | None
    after: Event | None
    problem: str


def proofs_of(events: Sequence[Event]) -> list[Proof]:
    """Return what each event proves, in their order."""
    names, addresses = names_of(events), addresses_of(events)
    return [
        Proof(one, names[one.pk], _said(addresses[one.pk]), *_looked_at(one))
        for one in events
    ]


def _said(address: str) -> str:
    return gettext(address) if address == _ERASED else address


def _looked_at(event: Event) -> tuple[dict[str, Any], str]:
    """Return an event's content, and what is wrong with it."""
    try:
        content = json.loads(event.text)
        copies = columns(content)
        whole = digest(event.text) == event.hash
    except (ValueError, KeyError, TypeError):
        return {}, str(ALTERED)
    if not whole:
        return content, str(ALTERED)
    same = all(getattr(event, name) == value for name, value in copies.items())
    return content, "" if same else str(_COPIES)


def addresses_of(events: Sequence[Event]) -> dict[int, str]:
    """Return the network address of each event's actor by the event's id, as exports have it."""
    wanted = {one.origin_uid for one in events if one.origin_uid}
    found = {row.uid: row.address for row in Origin.objects.filter(uid__in=wanted)}
    return {
        one.pk: found.get(one.origin_uid, _ERASED) if one.origin_uid else ""
        for one in events
    }


def neighbours_of(event: Event, last: int) -> Neighbours:
    """Return what stands before and behind an event in its chain."""
    beside = (event.sequence - 1, event.sequence + 1)
    rows = Event.objects.filter(chain=event.chain, sequence__in=beside)
    found = {row.sequence: row for row in rows}
    before, after = (found.get(number) for number in beside)
    return Neighbours(last, before, after, _gap(event, before, after, last))


def _gap(event: Event, before: Event | None, after: Event | None, last: int) -> str:
    if (before.hash if before else "") != event.previous_hash:
        return gettext("The event before it is gone, or is another one than it was.")
    if event.sequence > last or (after is None and event.sequence < last):
        return gettext("The event behind it is gone.")
    if after and after.previous_hash != event.hash:
        return gettext("The event behind it follows another one.")
    return ""
