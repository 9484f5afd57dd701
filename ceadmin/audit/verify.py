"""Prove that no event of the database was changed, removed, reordered or slipped in.

Safe beside writers: who looks at the end of a chain goes on until nothing more is there.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from operator import attrgetter
from typing import Any

from django.core.exceptions import ValidationError

from ceadmin.audit import rebuild
from ceadmin.audit.models import Event, Head
from ceadmin.audit.reading import Row, checked_pages, endings
from ceadmin.audit.record import columns
from ceadmin.audit.walk import MOST_PROBLEMS, Problem, Walk

__all__ = ["MOST_PROBLEMS", "Marks", "Problem", "chains", "verify", "walk"]

#: Chain → sequence → the hash that a signed checkpoint has there.
Marks = Mapping[str, Mapping[int, str]]

#: No text begins so.
_NO_TEXT = "\0"

#: Beginnings of texts that are kept: the events of a batch have few.
_KEPT = 10_000


def verify(chain: str | None = None, marks: Marks | None = None) -> list[Problem]:
    """Check one chain, or every chain, from its first event to its head."""
    marks = marks or {}
    names = chains(marks) if chain is None else [chain]
    return [found for name in names for found in walk(name, marks.get(name)).problems]


def chains(marks: Marks | None = None) -> list[str]:
    """Return every chain that has a head, an event or a checkpoint."""
    found = set(Head.objects.values_list("chain", flat=True))
    found |= set(Event.objects.values_list("chain", flat=True).distinct())
    return sorted(found | set(marks or {}))


def walk(chain: str, marks: Mapping[int, str] | None = None) -> Walk:
    """Follow one chain to its head."""
    done = Walk(chain, marks or {})
    reached = -1
    while done.sequence > reached and not done.full:
        reached = done.sequence
        _follow(done)
        head = Head.objects.filter(chain=chain).order_by("pk").first()
        if head is None or head.sequence <= done.sequence:
            break  # or somebody appended meanwhile
    if not done.full:
        _look_at_the_end(done, head)
    return done


def _look_at_the_end(done: Walk, head: Head | None) -> None:
    at, last = done.sequence, done.last
    if head is None and at:
        done.find(at, "head", "the chain has lost its head")
    elif head and (head.sequence, head.hash) != (at, last):
        text = f"the head stands at event {head.sequence}, the chain ends at {at}"
        done.find(at, "head", text)
    done.end_marks(
        lambda beyond: (
            f"a checkpoint was signed at event {beyond}, the chain ends at {at}: "
            "its end was cut off, or the database is an older one"
        )
    )


def _follow(done: Walk) -> None:
    """Go on to the chain's end, or until enough is wrong."""
    beginnings: dict[Row, str] = {}
    for page in checked_pages(done.chain, after=done.sequence):
        before = len(done.problems)
        doubtful, odd = _follow_page(done, page, beginnings)
        odd |= _still_odd(done.chain, page, doubtful)
        for pk, sequence in odd.items():
            _tell_columns(done, pk, sequence)
        done.problems[before:] = sorted(
            done.problems[before:], key=attrgetter("sequence")
        )
        if done.full:
            return


def _follow_page(
    done: Walk, page: Sequence[Row], beginnings: dict[Row, str]
) -> tuple[dict[int, tuple[int, str]], dict[int, int]]:
    """Follow a page; return whose end is doubtful and whose beginning is wrong, by id."""
    doubtful: dict[int, tuple[int, str]] = {}
    odd: dict[int, int] = {}
    known = beginnings.get
    for sequence, pk, previous, hash_, text, end, *rest in page:
        if sequence != done.sequence + 1 or previous != done.last:
            sequence = done.misstep(sequence)
        done.sequence, done.last = sequence, hash_
        key = tuple(rest)
        if _digest(text) != hash_:
            done.find(sequence, "changed", "its text does not have its hash")
        elif not text.startswith(known(key) or _beginning(done.chain, key, beginnings)):
            odd[pk] = sequence
        elif not text.endswith(end):
            doubtful[pk] = (sequence, text)
    done.events += len(page)
    _look_at_times(done, page)
    for row in page if done.marks else ():
        done.compare(row[0], row[3])
    return doubtful, odd


def _digest(text: Any) -> str:
    try:
        return sha256(text.encode("ascii")).hexdigest()
    except (AttributeError, UnicodeEncodeError):
        return ""  # no text, or letters that no event has


def _look_at_times(done: Walk, page: Sequence[Row]) -> None:
    times = [done.at, *(str(row[6]) for row in page)]
    if times != sorted(times):
        for row in page:
            done.clock(row[0], str(row[6]))
    done.at = times[-1]


def _beginning(chain: str, key: Row, beginnings: dict[Row, str]) -> str:
    if len(beginnings) >= _KEPT:
        beginnings.clear()
    try:
        beginnings[key] = rebuild.beginning(chain, key)
    except (TypeError, ValueError, AttributeError):
        return _NO_TEXT  # a column holds what no event can
    return beginnings[key]


def _still_odd(
    chain: str, page: Sequence[Row], doubtful: Mapping[int, tuple[int, str]]
) -> dict[int, int]:
    if not doubtful:
        return {}
    exact = endings(chain, page[0], page[-1])
    return {
        pk: sequence
        for pk, (sequence, text) in doubtful.items()
        if pk not in exact or not text.endswith(exact[pk])
    }


def _tell_columns(done: Walk, pk: int, sequence: int) -> None:
    """Say of one event which columns are not what its text says, if any."""
    try:
        event = Event.objects.get(pk=pk)
    except (TypeError, ValueError, ValidationError):
        done.find(sequence, "column", "a column holds what no event can")
        return
    for column in _differing(event):
        text = f"column {column} is not what the text says"
        done.find(sequence, "column", text)


def _differing(event: Event) -> list[str]:
    try:
        expected: dict[str, Any] = columns(json.loads(event.text))
    except (ValueError, KeyError, TypeError):
        return ["text"]
    return [name for name, value in expected.items() if getattr(event, name) != value]
