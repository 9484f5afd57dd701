"""Find events for people: the newest first, a page at a time, however long the history is.

Nothing is counted and no page is skipped over: the next one begins where the one before
ended. Every question begins on an index (a *lane*): an organization's events by time or
by act, or all about one run, instance, subject or actor. What no index answers, such as
words, is looked for among some of the lane's events only (`REACH`); a page that ends there
says so, and the next one looks further back.
"""

import heapq
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from ceadmin.audit.models import PRESENT, Event, Head

#: So many events of a lane are looked through for the first page, and so many times that
#: for each one behind it: whoever turns it wants to find something.
REACH, FURTHER = 5_000, 40

#: So many chains are asked one by one; of more only the newest events are looked through.
_MANY = 50

#: What has an index of its own, by itself; what names the fewest events stands first.
_ALONE = ("instance_uid", "subject_uid", "run_uid")
#: What has an index in each chain; the first one asked for is used.
_OF_CHAIN = ("outcome", "action")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for; an empty answer to any part means: whatever it is."""

    #: Only these; None stands for every chain there is, to whoever may read them all.
    chains: tuple[str, ...] | None
    action: str = ""
    outcome: str = ""
    provider_key: str = ""
    actor_uid: uuid.UUID | None = None
    run_uid: str = ""
    instance_uid: str = ""
    subject_uid: str = ""
    #: A run, an instance or a subject, whichever it is.
    about: str = ""
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""
    #: Fingerprints of what was typed: an event that has one answers as well.
    marks: tuple[str, ...] = ()

    @property
    def narrows(self) -> bool:
        """Tell whether anything but the chains is asked for."""
        return self != Question(self.chains)


class Place(NamedTuple):
    """Where a page ended: time and id of an event."""

    at: datetime
    id: int

    def __str__(self) -> str:
        micros = (self.at - _EPOCH) // timedelta(microseconds=1)
        return f"{micros}-{self.id}"


def place_of(text: str) -> Place | None:
    """Return the place that an address names; None for anything else."""
    micros, _, pk = text.partition("-")
    if not (micros.isdecimal() and pk.isdecimal() and len(text) < 40):
        return None
    if len(pk) > 18 or len(micros) > 17:
        return None
    return Place(_EPOCH + timedelta(microseconds=int(micros)), int(pk))


@dataclass(frozen=True, slots=True)
class Page:
    """Some events, the newest first, and where the older ones begin."""

    events: list[Event]
    older: Place | None = None
    #: Nothing more was found among the events looked through, which end at `older`.
    reached: bool = False


@dataclass(frozen=True, slots=True)
class _Lane:
    """Events that one index gives in order; `rest` is what they are then asked."""

    rows: QuerySet[Event]
    rest: Q
    by_time: bool

    def page(self, before: Place | None, size: int) -> tuple[list[Event], Place | None]:
        """Return the newest events, and where looking stopped if it stopped early."""
        rows = self._ordered(before)
        if not self.rest:
            return list(rows[:size]), None
        reach = REACH if before is None else REACH * FURTHER
        stop = rows.values_list("at", "id")[reach - 1 : reach]
        end = next((Place(*one) for one in stop), None)
        if end:
            rows = self._from(rows, end)
        return list(rows.filter(self.rest)[:size]), end

    def _ordered(self, before: Place | None) -> QuerySet[Event]:
        if not self.by_time:
            rows = self.rows.filter(id__lt=before.id) if before else self.rows
            return rows.order_by("-id")
        rows = self.rows.order_by("-at", "-id")
        if before is None:
            return rows
        return rows.filter(at__lte=before.at).exclude(at=before.at, id__gte=before.id)

    def _from(self, rows: QuerySet[Event], end: Place) -> QuerySet[Event]:
        return (
            rows.filter(at__gte=end.at) if self.by_time else rows.filter(id__gte=end.id)
        )


def find(question: Question, before: Place | None = None, size: int = 50) -> Page:
    """Return the newest events that answer a question, from a place on."""
    lanes = list(_lanes(question))
    by_time = bool(lanes) and lanes[0].by_time
    found = [lane.page(before, size + 1) for lane in lanes]
    end = max((stop for _, stop in found if stop), default=None, key=_key(by_time))
    events = _merged([events for events, _ in found], by_time, size + 1)
    if end:
        place = _key(by_time)
        events = [one for one in events if place(Place(one.at, one.pk)) >= place(end)]
    if len(events) > size:
        last = events[size - 1]
        return Page(events[:size], Place(last.at, last.pk))
    return Page(events, end, reached=end is not None)


def stream(question: Question, size: int = 2000) -> Iterator[list[Event]]:
    """Yield every event that answers a question, the newest first, page by page."""
    page = find(question, size=size)
    while page.older:
        yield page.events
        page = find(question, page.older, size)
    yield page.events


def _key(by_time: bool) -> Callable[[Place], tuple[Any, ...]]:
    """Return what the lanes are ordered by."""
    return tuple if by_time else lambda place: (place.id,)


def _merged(lists: Sequence[list[Event]], by_time: bool, size: int) -> list[Event]:
    key = _key(by_time)
    rows = heapq.merge(*lists, key=lambda one: key(Place(one.at, one.pk)), reverse=True)
    seen: dict[int, Event] = {}
    for event in rows:
        seen.setdefault(event.pk, event)
        if len(seen) == size:
            break
    return list(islice(seen.values(), size))


def _lanes(question: Question) -> Iterator[_Lane]:
    if question.chains == ():
        return
    if question.about:
        for name in _ALONE:
            asked: dict[str, Any] = {name: question.about}
            yield from _lanes(replace(question, about="", **asked))
        return
    alone = next((name for name in _ALONE if getattr(question, name)), "")
    if alone:
        yield _lane(question, Q(**{alone: getattr(question, alone)}), {alone})
        return
    yield from _by_chains(question)


def _by_chains(question: Question) -> Iterator[_Lane]:
    chains = question.chains
    if chains is None and _of_each_chain(question):
        chains = _all_chains()  # each has these indexes, all together have none
    if chains is None:
        yield _widest(question)
        return
    for chain in chains:
        yield _of_chain(question, chain)


def _of_each_chain(question: Question) -> bool:
    asked = (question.since, question.until, question.action, question.outcome)
    return any(asked) and not question.actor_uid


def _all_chains() -> tuple[str, ...] | None:
    chains = tuple(Head.objects.values_list("chain", flat=True)[: _MANY + 1])
    return chains if len(chains) <= _MANY else None


def _widest(question: Question) -> _Lane:
    if question.actor_uid:
        return _lane(question, Q(actor_uid=question.actor_uid), {"actor_uid"})
    return _lane(question, Q(), set())


def _of_chain(question: Question, chain: str) -> _Lane:
    own = replace(question, chains=(chain,))
    for name in () if question.since or question.until else _OF_CHAIN:
        if wanted := getattr(question, name):
            return _lane(own, Q(**{name: wanted}), {name})
    return _lane(own, _times(question), {"at"}, by_time=True)


def _lane(
    question: Question, narrow: Q, covered: set[str], *, by_time: bool = False
) -> _Lane:
    present = [PRESENT[name] for name in covered if name in PRESENT]
    rows = Event.objects.filter(narrow, *present)
    if question.chains is not None:
        # Never in `rest`: how far looking got must not depend on others' events.
        rows = rows.filter(chain__in=question.chains)
    return _Lane(rows, _rest(question, covered), by_time)


def _rest(question: Question, covered: set[str]) -> Q:
    names = (*_ALONE, "action", "outcome", "provider_key", "actor_uid")
    asked = {name: getattr(question, name) for name in names if name not in covered}
    rest = Q(**{name: value for name, value in asked.items() if value})
    if "at" not in covered:
        rest &= _times(question)
    return rest & _typed(question)


def _typed(question: Question) -> Q:
    """Return what words ask: all of them, or one of the marks."""
    typed = Q()
    for word in question.words.split():
        typed &= (
            Q(reason__icontains=word)
            | Q(ticket__icontains=word)
            | Q(subject_name__icontains=word)
        )
    for mark in question.marks:
        typed |= Q(text__contains=mark)
    return typed


def _times(question: Question) -> Q:
    times = Q()
    if question.since:
        times &= Q(at__gte=question.since)
    if question.until:
        times &= Q(at__lt=question.until)
    return times
