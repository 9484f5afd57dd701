"""What a run's page shows of its parts: who is held, why, and what a person can decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from ceadmin import ui
from instances import runs
from instances.actions.causes import advice
from instances.admin.words import listed
from instances.choices import PartStatus, RunStatus
from instances.models import Part, Run
from instances.spoken import why_held
from providers.book import Book, book_of

_WHY = {
    "canary": gettext_noop(
        "The first instances did not end as the record expects, so no more were begun."
    ),
    "breaker": gettext_noop("Failures piled up, so no more are begun."),
}
_EVERYWHERE = gettext_noop(
    "The same trouble at several providers points to the platform, the network or this "
    "installation: look there first."
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One trouble that holds one provider or several: it is told, and decided, once."""

    name: str  # of the providers
    keys: str  # their keys, as the buttons send them
    why: str
    told: str  # counts, and what the cause says to do
    left: int  # instances that wait for the decision
    single: tuple[tuple[str, str], ...]  # key and name, where there are several
    items: tuple[Mapping[str, Any], ...]  # a few, with what was answered


def parts(run: Run, counts: runs.Progress) -> dict[str, Any]:
    """Return what parts.html shows of a run that goes on; two queries, whatever its size."""
    if run.is_terminal:
        return {
            "troubles_held": [],
            "only_held": False,
            "others_wait": False,
            "resting": [],
            "trying": "",
            "left_out": "",
            "standing": {},
            "outages": _outages(counts, set()),
        }
    rows = list(
        Part.objects.filter(run=run)
        .exclude(status=PartStatus.OPEN)
        .order_by("provider_key")
    )
    left = {key: total - done for key, (done, total) in counts.providers.items()}
    held = [one for one in rows if one.status == PartStatus.HELD]
    waiting = [one for one in held if left.get(one.provider_key)]
    open_now = sum(left.values())
    undecided = sum(left[one.provider_key] for one in waiting)
    rests = runs.resting(run, timezone.now())
    book = book_of(run.organization)
    return {
        "troubles_held": [_trouble(some, left, book) for some in runs.alike(waiting)],
        "only_held": run.status == RunStatus.RUNNING and undecided == open_now > 0,
        "others_wait": run.status == RunStatus.PAUSED and 0 < undecided < open_now,
        "resting": _resting(rests, left, book),
        "trying": _named(
            (one for one in rows if one.status == PartStatus.CANARY), book
        ),
        "left_out": _named(
            (one for one in rows if one.status == PartStatus.LEFT_OUT), book
        ),
        "standing": _standing(rows, rests),
        "outages": _outages(counts, {one.provider_key for one in waiting}),
    }


#: What a part that is not simply worked is in the line of its provider.
_STANDING: dict[str, str] = {
    PartStatus.HELD: gettext_noop("held: waits for a decision"),
    PartStatus.CANARY: gettext_noop("a few go first"),
    PartStatus.LEFT_OUT: gettext_noop("left out"),
}


def _standing(rows: list[Part], rests: Mapping[str, timedelta]) -> dict[str, str]:
    """Return provider → what it waits for, of those that are not simply worked."""
    alone = gettext("left alone for %(time)s")
    resting = {key: alone % {"time": ui.roughly(rest)} for key, rest in rests.items()}
    stands = {one.provider_key: gettext(_STANDING[one.status]) for one in rows}
    return resting | stands


def _resting(
    rests: Mapping[str, timedelta], left: Mapping[str, int], book: Book
) -> list[tuple[str, str]]:
    """Return who is left alone and for how long; what lasts as long for several is one line."""
    alike: dict[str, list[str]] = {}
    for key, rest in sorted(rests.items()):
        if left.get(key):
            alike.setdefault(ui.roughly(rest), []).append(book.name_of(key))
    return [(listed(names), time) for time, names in alike.items()]


def _outages(counts: runs.Progress, held: set[str]) -> list[tuple[str, str]]:
    """Return a sentence and a cause for each trouble that most of a provider's instances share.

    What several providers share is one trouble; what holds a part is told there.
    """
    alike: dict[tuple[str, str], list[runs.Outage]] = {}
    for one in counts.outages:
        if one.provider_key not in held:
            alike.setdefault((one.outcome, one.cause), []).append(one)
    return [(_sentence(some), some[0].cause) for some in alike.values()]


def _sentence(some: list[runs.Outage]) -> str:
    if len(some) == 1:
        return some[0].sentence
    count, total = sum(one.count for one in some), sum(one.total for one in some)
    names = listed([one.provider_name for one in some])
    told = gettext("%(count)s of %(total)s instances of %(names)s fail alike.")
    told %= {"count": count, "total": total, "names": names}
    return f"{told} {gettext(_EVERYWHERE)}"


def _trouble(some: list[Part], left: Mapping[str, int], book: Book) -> Trouble:
    first, several = some[0], len(some) > 1
    everywhere = f"{gettext(_EVERYWHERE)} {advice(runs.commonest(first))}"
    shown = [item for one in some for item in one.evidence.get("items", ())]
    return Trouble(
        name=_named(some, book),
        keys=",".join(one.provider_key for one in some),
        why=gettext(_WHY[first.cause]) if first.cause in _WHY else "",
        told=everywhere.strip() if several else why_held(first),
        left=sum(left[one.provider_key] for one in some),
        single=tuple((one.provider_key, book.name_of(one.provider_key)) for one in some)
        if several
        else (),
        items=tuple(shown[:5]),
    )


def _named(some: Iterable[Part], book: Book) -> str:
    return listed([book.name_of(one.provider_key) for one in some])
