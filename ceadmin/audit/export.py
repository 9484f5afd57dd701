"""Write whole chains into a file, event by event, however many there are.

The export is the last event of every chain in it: it was recorded before the first byte
was written.
"""

import csv
import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import IO, Any

from django.db import transaction

from ceadmin.audit import lines
from ceadmin.audit.actors import Actor
from ceadmin.audit.canonical import moment
from ceadmin.audit.checkpoints import Checkpoint, checkpoint
from ceadmin.audit.choices import Action
from ceadmin.audit.manifest import Manifest
from ceadmin.audit.models import Origin, Person
from ceadmin.audit.reading import Row, pages
from ceadmin.audit.record import Subject, record

KINDS = ("jsonl", "csv")
_COLUMNS = "sequence, id, hash, text, actor_uid, origin_uid"


@dataclass(frozen=True, slots=True)
class Order:
    """One chain to be exported, and who exports it there."""

    chain: str
    name: str
    actor: Actor


def announce(
    orders: Sequence[Order], facts: dict[str, Any], at: datetime
) -> list[Checkpoint]:
    """Record the export in every chain; return how far each is to be written."""
    return [_announce(order, facts, at) for order in orders]


def _announce(order: Order, facts: dict[str, Any], at: datetime) -> Checkpoint:
    subject = (
        Subject("organization", order.chain, order.name) if order.chain else Subject()
    )
    with transaction.atomic():
        event = record(
            Action.AUDIT_EXPORTED,
            chain=order.chain,
            actor=order.actor,
            at=at,
            subject=subject,
            facts=facts,
        )
    state = (event.sequence, event.hash)
    return checkpoint(order.chain, state, event.sequence, at)


def write(
    file: IO[bytes], ends: Sequence[Checkpoint], *, kind: str, names: bool
) -> tuple[str, int]:
    """Write the chains up to their ends; return the file's SHA-256 and the events in it."""
    out = _Hashed(file)
    put = _csv(out, names) if kind == "csv" else _jsonl(out)
    events = 0
    for end in ends:
        for hash_, text, who in _events(end, names):
            put(hash_, text, who)
            events += 1
    return out.sha256.hexdigest(), events


def manifest_of(
    ends: Sequence[Checkpoint],
    orders: Sequence[Order],
    written: tuple[str, int],
    **about: Any,
) -> Manifest:
    """Return the signed manifest of what was written."""
    sha256, events = written
    at, actor = about.pop("at"), orders[0].actor
    return Manifest(
        made_at=moment(at),
        made_by=str(actor.uid),
        sha256=sha256,
        events=events,
        chains=list(ends),
        organizations={order.chain: order.name for order in orders},
        **about,
    ).signed()


class _Hashed:
    """A file that knows the hash of what was written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.sha256 = hashlib.sha256()
        self._file = file

    def write(self, data: bytes) -> None:
        self.sha256.update(data)
        self._file.write(data)


_Put = Callable[[str, str, dict[str, str] | None], None]


def _jsonl(out: _Hashed) -> _Put:
    return lambda hash_, text, who: out.write(lines.line(hash_, text, who))


def _csv(out: _Hashed, names: bool) -> _Put:
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n")

    def put(cells: Sequence[str]) -> None:
        writer.writerow(cells)
        out.write(buffer.getvalue().encode("utf-8", "backslashreplace"))
        buffer.seek(0)
        buffer.truncate()

    put([*lines.HEADER, *(lines.NAMES if names else ())])
    return lambda hash_, text, who: put(lines.row(hash_, text, who))


def _events(
    end: Checkpoint, names: bool
) -> Iterator[tuple[str, str, dict[str, str] | None]]:
    for page in pages(end.chain, _COLUMNS):
        known = _names(page) if names else None
        for sequence, _, hash_, text, actor, origin in page:
            if isinstance(sequence, int) and sequence > end.sequence:
                return
            yield str(hash_), str(text), known(actor, origin) if known else None


def _names(page: Sequence[Row]) -> Callable[[Any, Any], dict[str, str]]:
    """Return what names the actors of one page."""
    people = Person.objects.in_bulk({row[4] for row in page})
    origins = Origin.objects.in_bulk({row[5] for row in page if row[5]})
    persons = {one.uid.hex: one for one in people.values()}
    addresses = {one.uid.hex: one.address for one in origins.values()}

    @cache  # of one page
    def named(actor: Any, origin: Any) -> dict[str, str]:
        person = persons.get(str(actor).replace("-", ""))
        return {
            "actor_name": person.name if person else "",
            "actor_mail": person.mail if person else "",
            "address": addresses.get(str(origin).replace("-", ""), ""),
        }

    return named
