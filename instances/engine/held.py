"""Why a provider's part is held, in words and numbers for the person who decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from instances.actions.causes import sentence
from instances.choices import Outcome
from instances.models import Attempt, Item, Part, Run
from providers.book import book_of

#: So many items are shown, each with what was answered.
_SHOWN = 5


def of_canary(bad: Sequence[Item], tried: int) -> str:
    """Return why a part is held after its first `tried` items."""
    words = f"{len(bad)} of the first {tried} ended as nobody expects: {_counted(bad)}."
    return f"{words} {_cause(bad)}".strip()


def of_breaker(part: Part, bad: Sequence[Item]) -> str:
    """Return why a part is held in the middle of a run."""
    window = f"{part.window_failed} of the last {part.window_ended}"
    return f"{window} failed: {_counted(bad)}. {_cause(bad)}".strip()


def of_pause(keys: Sequence[str], run: Run) -> str:
    """Return why a run is paused after the first items of these providers."""
    book = book_of(run.organization)
    names = [book.name_of(key) for key in keys]
    listed = ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")
    return (
        f"The first instances of {listed} did not end as the record expects. Look at "
        "the evidence, then go on or leave it out."
    )


def evidence(bad: Sequence[Item]) -> dict[str, Any]:
    """Return what is kept with a held part: counts, and a few items with what was answered."""
    shown = bad[:_SHOWN]
    answers = _answers([item.pk for item in shown])
    return {
        "outcomes": dict(Counter(item.outcome for item in bad)),
        "causes": dict(Counter(item.cause for item in bad if item.cause)),
        "items": [_told(item, answers.get(item.pk)) for item in shown],
    }


def _answers(pks: Sequence[int]) -> dict[int, Attempt]:
    """Return item → the last call that was not answered well; excerpts are redacted already."""
    calls = Attempt.objects.filter(item_id__in=pks).order_by("at", "pk")
    bad = [one for one in calls if one.code or one.excerpt or _failed(one)]
    return {one.item_id: one for one in bad}


def _failed(call: Attempt) -> bool:
    return call.status_code is not None and call.status_code >= 400


def _told(item: Item, call: Attempt | None) -> dict[str, Any]:
    return {
        "item": item.pk,
        "name": item.instance_name,
        "outcome": item.outcome,
        "cause": item.cause,
        "status": call.status_code if call else None,
        "excerpt": call.excerpt if call else "",
    }


def _counted(bad: Sequence[Item]) -> str:
    counts = Counter(item.outcome for item in bad).most_common()
    told = [f"{count} {Outcome(one).label.lower()}" for one, count in counts]
    return ", ".join(told)


def _cause(bad: Sequence[Item]) -> str:
    """Return what the commonest cause says to do."""
    causes = Counter(item.cause for item in bad if item.cause).most_common(1)
    return sentence(causes[0][0]) if causes else ""
