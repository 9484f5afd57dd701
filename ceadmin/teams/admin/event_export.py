"""What the list of events shows as a file, streamed: lines of JSON, or CSV."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, StreamingHttpResponse

from ceadmin.audit import lines
from ceadmin.audit.finding import Question, stream
from ceadmin.audit.models import Event, Head, Person
from ceadmin.teams.admin.event_proofs import addresses_of
from ceadmin.teams.audit_reads import note_export

TYPES = {"csv": "text/csv", "jsonl": "application/x-ndjson"}


def export(
    request: HttpRequest, question: Question, kind: str, now: datetime
) -> StreamingHttpResponse:
    """Record an export and stream the events that answer a question, the newest first."""
    if kind not in TYPES:
        raise Http404
    chains = question.chains
    if chains is None:
        chains = tuple(Head.objects.values_list("chain", flat=True))
    facts = {"format": kind, "by": "admin", "narrowed_by": narrowed_by(question)}
    note_export(request, chains, facts, now)
    pages = stream(question)
    name = f"audit-{now:%Y-%m-%d-%H%M}.{kind}"
    return StreamingHttpResponse(
        _csv(pages) if kind == "csv" else _jsonl(pages),
        content_type=f"{TYPES[kind]}; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


def narrowed_by(question: Question) -> list[str]:
    """Name what a question asks, without what was typed: that may name a person."""
    plain = Question(question.chains)
    return [
        name
        for name in question.__slots__
        if getattr(question, name) != getattr(plain, name)
    ]


def _jsonl(pages: Iterator[list[Event]]) -> Iterator[bytes]:
    for page in pages:
        people = _people(page)
        yield b"".join(lines.line(one.hash, one.text, people[one.pk]) for one in page)


def _csv(pages: Iterator[list[Event]]) -> Iterator[bytes]:
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    yield _bytes(writer.writerow([*lines.HEADER, *lines.NAMES]))
    for page in pages:
        people = _people(page)
        rows = (lines.row(one.hash, one.text, people[one.pk]) for one in page)
        yield b"".join(_bytes(writer.writerow(row)) for row in rows)


def _bytes(text: Any) -> bytes:
    return str(text).encode("utf-8", "backslashreplace")


def _people(events: Sequence[Event]) -> dict[int, Mapping[str, str]]:
    """Return who stands behind each event's pseudonyms, by the event's id."""
    people = Person.objects.in_bulk({one.actor_uid for one in events})
    addresses = addresses_of(events)
    nobody = Person(name="", mail="")
    return {
        one.pk: {
            "actor_name": people.get(one.actor_uid, nobody).name,
            "actor_mail": people.get(one.actor_uid, nobody).mail,
            "address": addresses[one.pk],
        }
        for one in events
    }


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, value: str) -> str:
        """Return `value`."""
        return value
