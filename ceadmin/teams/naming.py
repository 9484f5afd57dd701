"""Give events the names that they, for good reason, do not hold themselves."""

import uuid
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.utils.translation import gettext

from ceadmin.audit.choices import ActorKind
from ceadmin.audit.models import Event, Person
from ceadmin.audit.record import SYSTEM_CHAIN
from ceadmin.teams.models import Organization


class Names(NamedTuple):
    """What a person reads instead of ids."""

    organization: str
    actor: str
    subject: str


def names_of(events: Sequence[Event]) -> dict[int, Names]:
    """Return the names for a page of events by their ids, in two queries."""
    people = _people(events)
    organizations = _organizations(events)
    return {
        event.pk: Names(
            organizations.get(event.chain, event.chain),
            _actor(event, people),
            _subject(event, people),
        )
        for event in events
    }


def _people(events: Iterable[Event]) -> dict[str, str]:
    uids = {str(event.actor_uid) for event in events}
    uids |= {event.subject_uid for event in events if event.subject_type == "person"}
    people = Person.objects.filter(uid__in=[uuid.UUID(uid) for uid in uids])
    return {str(person.uid): str(person) for person in people}


def _organizations(events: Iterable[Event]) -> dict[str, str]:
    chains = {event.chain for event in events} - {SYSTEM_CHAIN}
    found = Organization.objects.filter(uid__in=chains)
    return {row.chain: row.name for row in found} | {SYSTEM_CHAIN: gettext("System")}


def _actor(event: Event, people: dict[str, str]) -> str:
    if event.actor_kind != ActorKind.PERSON:
        return event.get_actor_kind_display()
    return people.get(str(event.actor_uid), gettext("Erased person"))


def _subject(event: Event, people: dict[str, str]) -> str:
    if event.subject_type == "person":
        return people.get(event.subject_uid, gettext("Erased person"))
    return event.subject_name or event.subject_uid
