"""Write events: in the transaction of the change they tell of, chained, in order.

Whoever records holds the head of the chain until the transaction ends, so record last,
after every other lock is taken. Where one transaction writes to two chains, the system's
comes first.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypedDict, Unpack

from django.db import transaction

from ceadmin.audit.actors import Actor
from ceadmin.audit.canonical import clipped, digest, dump, moment, plain, visible
from ceadmin.audit.choices import Action
from ceadmin.audit.models import Event, Head
from ceadmin.audit.people import Place, know, origins, place

__all__ = [
    "SYSTEM_CHAIN",
    "Action",
    "Actor",
    "Details",
    "Entry",
    "NotInTransaction",
    "Subject",
    "record",
    "record_many",
]

# How long to wait for the head of a chain before giving up, as PostgreSQL writes it.
LONGEST_WAIT = "30s"

# The chain of what belongs to no organization.
SYSTEM_CHAIN = ""


class NotInTransaction(RuntimeError):
    """An event was to be recorded outside the transaction of its change."""


class Subject(NamedTuple):
    """What was acted on. Persons go by their pseudonym, without a name."""

    type: str = ""
    uid: str | uuid.UUID = ""
    name: str = ""


NOTHING = Subject()


class Details(TypedDict, total=False):
    """What `record` takes besides act, chain, actor and time."""

    subject: Subject
    run_uid: str | uuid.UUID
    item_id: int | None
    instance_uid: str | uuid.UUID
    provider_key: str
    outcome: str
    reason: str
    ticket: str
    facts: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One event to be written; facts must hold no secret."""

    action: str
    actor: Actor
    subject: Subject = NOTHING
    run_uid: str | uuid.UUID = ""
    item_id: int | None = None
    instance_uid: str | uuid.UUID = ""
    provider_key: str = ""
    outcome: str = ""
    reason: str = ""
    ticket: str = ""
    facts: Mapping[str, Any] | None = None


def record(
    action: str, *, chain: str, actor: Actor, at: datetime, **details: Unpack[Details]
) -> Event:
    """Write one event into a chain: an organization's uid, or '' for the system.

    Raises `NotInTransaction` outside `transaction.atomic()`.
    """
    (event,) = _chained(chain, [Entry(action, actor, **details)], at)
    return Event(pk=Event.objects.append_one(event), **event)


def record_many(chain: str, rows: Sequence[Entry], *, at: datetime) -> None:
    """Write many events into one chain in one statement, locking its head once.

    Raises `NotInTransaction` outside `transaction.atomic()`.
    """
    Event.objects.append(_chained(chain, rows, at))


def _chained(chain: str, rows: Sequence[Entry], at: datetime) -> list[dict[str, Any]]:
    """Return the columns of the events, and move the chain's head behind them."""
    if not transaction.get_connection().in_atomic_block:
        raise NotInTransaction("Record an event in the transaction of its change.")
    if not rows:
        return []
    actors = {entry.actor for entry in rows}
    know(actors)
    places = origins(actors)
    acting = {actor: _actor(actor, places) for actor in actors}
    when = moment(at)
    contents = [_content(entry, acting[entry.actor], when) for entry in rows]
    head = _locked_head(str(chain))
    events = [_follow(head, content) for content in contents]
    head.save(update_fields=["sequence", "hash"])
    return events


def columns(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that copy a content: what an event row must hold."""
    actor, subject = content["actor"], content["subject"]
    copied = ("outcome", "reason", "ticket", "chain", "sequence", "action")
    return {name: content[name] for name in copied} | {
        "at": _time(content["at"]),
        "actor_uid": _uid(actor["uid"]),
        "actor_kind": actor["kind"],
        "origin_uid": _uid(actor["origin"]) if actor["origin"] else None,
        "role": actor["role"],
        "subject_type": subject["type"],
        "subject_uid": subject["uid"],
        "subject_name": subject["name"],
        "run_uid": content["run"],
        "item_id": content["item"],
        "instance_uid": content["instance"],
        "provider_key": content["provider"],
        "previous_hash": content["previous"],
    }


# The events of a batch have one time, and few actors.
_time = lru_cache(maxsize=16)(datetime.fromisoformat)
_uid = lru_cache(maxsize=256)(uuid.UUID)


def _locked_head(chain: str) -> Head:
    # SQLite has no row locks: there the transaction itself began with the write lock,
    # and the connection's own timeout bounds the wait.
    connection = transaction.get_connection()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('lock_timeout', %s, true)", [LONGEST_WAIT]
            )
    heads = Head.objects.select_for_update()
    head, _ = heads.get_or_create(chain=chain)
    return head


def _follow(head: Head, content: dict[str, Any]) -> dict[str, Any]:
    """Chain a content behind a head, and move the head on to it; return the columns."""
    content["chain"] = head.chain
    content["sequence"] = head.sequence + 1
    content["previous"] = head.hash
    text = dump(content)
    head.sequence, head.hash = content["sequence"], digest(text)
    return columns(content) | {"text": text, "hash": head.hash}


def _content(entry: Entry, actor: Mapping[str, str], at: str) -> dict[str, Any]:
    return {
        "action": Action(entry.action).value,
        "actor": actor,
        "at": at,
        "facts": plain(entry.facts or {}),
        "instance": clipped(entry.instance_uid, 36),
        "item": entry.item_id,
        "outcome": clipped(entry.outcome, 32),
        "provider": clipped(entry.provider_key, 64),
        "reason": visible(entry.reason),
        "run": clipped(entry.run_uid, 36),
        "subject": {
            "type": clipped(entry.subject.type, 32),
            "uid": clipped(entry.subject.uid, 36),
            "name": clipped(entry.subject.name, 255),
        },
        "ticket": clipped(entry.ticket, 120),
    }


def _actor(actor: Actor, places: Mapping[Place, uuid.UUID]) -> dict[str, str]:
    return {
        "kind": str(actor.kind),
        "origin": str(places[place(actor)]) if actor.address else "",
        "role": clipped(",".join(sorted(actor.roles)), 80),
        "uid": str(actor.uid),
    }
