"""Prove that no event was changed, removed, reordered or slipped in."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ceadmin.audit.canonical import digest
from ceadmin.audit.models import Event, Head
from ceadmin.audit.record import columns

# One broken link says it all; a chain rewritten as a whole would give one a row.
MOST_PROBLEMS = 100
FETCHED_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a chain, and at which event."""

    chain: str
    sequence: int
    code: str
    text: str

    def __str__(self) -> str:
        return f"{self.chain or 'system'} #{self.sequence}: {self.text}"


def verify(chain: str | None = None) -> list[Problem]:
    """Check one chain, or every chain, from its first event to its head."""
    problems: list[Problem] = []
    for name in _chains() if chain is None else [chain]:
        problems += islice(_verify(name), MOST_PROBLEMS)
    return problems


def _chains() -> list[str]:
    found = set(Head.objects.values_list("chain", flat=True))
    found |= set(Event.objects.values_list("chain", flat=True).distinct())
    return sorted(found)


def _verify(chain: str) -> Iterator[Problem]:
    sequence, previous = 0, ""
    events = Event.objects.filter(chain=chain).order_by("sequence")
    for event in events.iterator(chunk_size=FETCHED_AT_ONCE):
        if event.sequence != sequence + 1:
            text = f"events {sequence + 1} to {event.sequence - 1} are missing"
            yield Problem(chain, event.sequence, "missing", text)
        elif event.previous_hash != previous:
            text = "it does not follow the event before it"
            yield Problem(chain, event.sequence, "broken", text)
        yield from _verify_event(event)
        sequence, previous = event.sequence, event.hash
    yield from _verify_head(chain, sequence, previous)


def _verify_event(event: Event) -> Iterator[Problem]:
    at = (event.chain, event.sequence)
    if not event.text.isascii() or digest(event.text) != event.hash:
        yield Problem(*at, "changed", "its text does not have its hash")
        return
    for column in _differing(event):
        yield Problem(*at, "column", f"column {column} is not what the text says")


def _differing(event: Event) -> list[str]:
    try:
        expected: dict[str, Any] = columns(json.loads(event.text))
    except (ValueError, KeyError, TypeError):
        return ["text"]
    return [name for name, value in expected.items() if getattr(event, name) != value]


def _verify_head(chain: str, sequence: int, last: str) -> Iterator[Problem]:
    head = Head.objects.filter(chain=chain).order_by("pk").first()
    if head is None and sequence:
        yield Problem(chain, sequence, "head", "the chain has lost its head")
    elif head and (head.sequence, head.hash) != (sequence, last):
        text = f"the head stands at event {head.sequence}, the chain ends at {sequence}"
        yield Problem(chain, sequence, "head", text)
