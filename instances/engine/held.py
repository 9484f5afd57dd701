"""Why a provider's part is held, in words and numbers for the person who decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext_noop

from ceadmin.lib.sayings import Saying, english, inside, later
from instances.actions.causes import sentence
from instances.choices import Outcome
from instances.models import Attempt, Item, Part, Run
from providers.book import book_of

#: So many items are shown, each with what was answered.
_SHOWN = 5


#: Why a part is held, and why its run is paused; kept in English.
FIRST = Saying(
    gettext_noop(
        "%(count)s of the first %(tried)s ended as nobody expects: %(outcomes)s."
    )
)
LAST = Saying(gettext_noop("%(count)s of the last %(ended)s failed: %(outcomes)s."))
PAUSED = Saying(
    gettext_noop(
        "The first instances of %(names)s did not end as the record expects. Look at the "
        "evidence, then go on or leave it out."
    )
)


def of_canary(bad: Sequence[Item], tried: int) -> str:
    """Return why a part is held after its first `tried` items."""
    words = FIRST.english(count=len(bad), tried=tried, outcomes=_counted(bad))
    return f"{words} {_cause(bad)}".strip()


def of_breaker(part: Part, bad: Sequence[Item]) -> str:
    """Return why a part is held in the middle of a run."""
    window = {"count": part.window_failed, "ended": part.window_ended}
    words = LAST.english(**window, outcomes=_counted(bad))
    return f"{words} {_cause(bad)}".strip()


def of_pause(keys: Sequence[str], run: Run) -> str:
    """Return why a run is paused after the first items of these providers."""
    book = book_of(run.organization)
    names = [book.name_of(key) for key in keys]
    listed = ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")
    return PAUSED.english(names=listed)


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
    return english(later(lambda: counted_outcomes(counts)))


def english_label(outcome: str) -> str:
    """Return an outcome as it stands in a kept sentence."""
    return english(later(lambda: inside(Outcome(outcome).label)))


def counted_outcomes(counts: Iterable[tuple[str, int]]) -> str:
    """Return how many ended how, in the current language."""
    told = [f"{count} {inside(Outcome(one).label)}" for one, count in counts]
    return ", ".join(told)


def _cause(bad: Sequence[Item]) -> str:
    """Return what the commonest cause says to do."""
    causes = Counter(item.cause for item in bad if item.cause).most_common(1)
    return sentence(causes[0][0]) if causes else ""
