"""The numbers of a run's page in words: how far, how fast, how long still, by whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from django.core.cache import cache
from django.utils.translation import gettext, ngettext

from ceadmin import ui
from instances import reconnect, runs
from instances.choices import RunKind, RunStatus
from instances.models import Run
from instances.spoken import spoken

_T = TypeVar("_T")
_STOPPABLE = (RunStatus.PLANNING, RunStatus.RUNNING, RunStatus.PAUSED)
_MOVING = (RunStatus.PLANNING, RunStatus.RUNNING, RunStatus.STOPPING, RunStatus.PAUSED)
#: The counts of a run at work with so many items are shared by those who look at it.
_LARGE = 5_000
_SHARED_SECONDS = 1


def counts_of(run: Run) -> runs.Progress:
    """Return the counts of `run`; of a large one at work at most a second old."""
    if run.is_terminal:
        return runs.progress(run)
    return runs.counted(run, _shared(run, "tally", runs.rows_of))


def open_links_of(run: Run) -> tuple[int, int]:
    """Return how many links stopping `run` would cancel, and how many of them were opened."""
    asks = run.kind in (RunKind.RECONNECT, RunKind.DRILL)
    if not asks or run.status not in _STOPPABLE:
        return 0, 0
    return _shared(run, "links", reconnect.open_of)


def _shared(run: Run, what: str, read: Callable[[Run], _T]) -> _T:
    if run.total < _LARGE:
        return read(run)
    key = f"{what}-{run.uid}"
    found: _T | None = cache.get(key)
    if found is None:
        found = read(run)
        cache.set(key, found, _SHARED_SECONDS)
    return found


def numbers(run: Run, counts: runs.Progress, speed: runs.Pace) -> dict[str, Any]:
    """Return what the page of `run` shows beside its rows, and its poll brings again."""
    hands = runs.crew(run)
    return {
        "percent": _percent(run, counts),
        "verdict": _verdict(run, counts),
        "bar": "ok" if _is_full(run, counts) else "active",
        "bar_value": counts.worked if run.is_terminal else counts.done,
        "bar_max": counts.total,
        "total": counts.total,
        # What nobody works has no time left that could be told.
        "eta": "" if hands.problem else _eta(run, counts, speed),
        "facts": " · ".join(_facts(run, counts, speed, hands)),
        "problem": spoken(hands.problem),
        "trouble": ""
        if run.problem_text == hands.problem
        else spoken(run.problem_text),
        "connections": run.connections,
        "summary": _summary(counts),
        "moving": run.status in _MOVING,
        **_buttons(run, counts),
    }


def _percent(run: Run, counts: runs.Progress) -> str:
    """Return the share that is done, "" while nobody knows of how many."""
    return "" if run.status == RunStatus.PLANNING else f"{counts.percent} %"


def _is_full(run: Run, counts: runs.Progress) -> bool:
    return run.is_terminal and not counts.attention and not counts.cancelled


def _buttons(run: Run, counts: runs.Progress) -> dict[str, Any]:
    """Return which buttons can be pressed now, and what pressing them costs."""
    links, opened = open_links_of(run)
    again = 0 if run.items_removed_at else runs.retriable(run, counts)
    return {
        "can_pause": run.status == RunStatus.RUNNING,
        "can_resume": run.status == RunStatus.PAUSED,
        "can_stop": run.status in _STOPPABLE and not links,
        "can_cancel": links > 0,
        "stop": stop_words(links),
        "stop_told": usable_words(links, opened),
        "can_connect": counts.total > 1
        and run.kind not in (RunKind.SYNC, RunKind.RECONNECT)
        and run.status in (RunStatus.RUNNING, RunStatus.PAUSED)
        and not runs.waits_for_people(run, counts),
        "can_retry": run.is_terminal and again > 0 and run.kind != RunKind.SYNC,
        "retry": _retry(max(again, 1)),
    }


def stop_words(links: int) -> str:
    """Return what the button is called that stops a run with its open links."""
    told = ngettext(
        "Stop and cancel one link", "Stop and cancel %(count)s links", links
    )
    return told % {"count": ui.number(links)}


def usable_words(links: int, opened: int) -> str:
    """Say how many links still work, and what people have done with them."""
    told = ngettext(
        "One link can still be used.", "%(count)s links can still be used.", links
    ) % {"count": ui.number(links)}
    if not opened:
        return told
    seen = ngettext(
        "A person has opened one already.",
        "People have opened %(count)s already.",
        opened,
    )
    return f"{told} {seen % {'count': ui.number(opened)}}"


def onward(run: Run, *, operates: bool) -> dict[str, Any]:
    """Return the way from what an ended run left dead to the links that bring it back."""
    ended = run.is_terminal and run.items_removed_at is None
    dead = runs.to_bring_back(run).count() if ended and operates else 0
    told = ngettext(
        "Make one reconnect link…", "Make %(count)s reconnect links…", max(dead, 1)
    )
    return {
        "can_reconnect": dead > 0,
        "links_wanted": told % {"count": ui.number(dead)},
    }


def _retry(count: int) -> str:
    told = ngettext(
        "Retry the one that needs attention",
        "Retry %(count)s that need attention",
        count,
    )
    return told % {"count": count}


def _summary(counts: runs.Progress) -> str:
    told = gettext("%(done)s of %(total)s done, %(attention)s need attention.")
    if counts.cancelled:
        told = gettext(
            "%(done)s of %(total)s done, %(cancelled)s cancelled, "
            "%(attention)s need attention."
        )
    return told % {
        "done": counts.worked,
        "total": counts.total,
        "cancelled": counts.cancelled,
        "attention": counts.attention,
    }


def _verdict(run: Run, counts: runs.Progress) -> str:
    """Return how far it is, and once it ended what it came to."""
    if not run.is_terminal:
        return _percent(run, counts)
    if run.status == RunStatus.EXPIRED:
        return gettext("Never started: nothing was sent")
    if counts.attention:
        told = ngettext(
            "%(count)s of %(total)s needs attention",
            "%(count)s of %(total)s need attention",
            counts.attention,
        )
        count, total = ui.number(counts.attention), ui.number(counts.total)
        return _and_cancelled(told % {"count": count, "total": total}, counts)
    if counts.cancelled:
        return _and_cancelled(_done(counts), counts)
    return _all_well(run, counts)


def _done(counts: runs.Progress) -> str:
    done, total = ui.number(counts.worked), ui.number(counts.total)
    return gettext("%(done)s of %(total)s done") % {"done": done, "total": total}


def _and_cancelled(told: str, counts: runs.Progress) -> str:
    """Add how many were cancelled: these are no success."""
    if not counts.cancelled:
        return told
    count = ui.number(counts.cancelled)
    both = gettext("%(told)s, %(count)s cancelled")
    return both % {"told": told, "count": count}


def _all_well(run: Run, counts: runs.Progress) -> str:
    if counts.total:
        return gettext("Nothing needs attention")
    if run.kind == RunKind.SYNC:
        return gettext("Nothing has changed")
    return gettext("Nothing to do")


def _eta(run: Run, counts: runs.Progress, speed: runs.Pace) -> str:
    if run.status == RunStatus.PLANNING:
        return gettext("freezing the list")
    if run.status == RunStatus.STOPPING:
        return gettext("what is under way ends first")
    if runs.waits_for_people(run, counts):
        people = ui.things(counts.waiting, "person", "people")
        return gettext("waiting for %(people)s to consent") % {"people": people}
    return _took(run) or speed.words


def _took(run: Run) -> str:
    if not run.finished_at or not run.started_at:
        return ""
    took = run.finished_at - run.started_at
    if took < timedelta(seconds=1):
        return gettext("took less than a second")
    return gettext("took %(time)s") % {"time": ui.short_duration(took)}


def _facts(
    run: Run, counts: runs.Progress, speed: runs.Pace, hands: runs.Crew
) -> list[str]:
    """Return how many are done, how fast it goes, and who works; of one item there is nothing to say."""
    if counts.total < 2 or run.status == RunStatus.EXPIRED:
        return []
    told = [_done(counts)]
    if speed.rate:
        rate, average = ui.per_second(speed.rate), gettext("%(rate)s on average")
        told.append(average % {"rate": rate} if run.is_terminal else rate)
    if hands.workers:
        told.append(ui.things(hands.workers, "worker", "workers"))
    people = runs.waits_for_people(run, counts)
    if run.status in (RunStatus.RUNNING, RunStatus.PAUSED) and not people:
        calls = ui.things(run.connections, "call", "calls")
        told.append(gettext("up to %(calls)s at once") % {"calls": calls})
    return told
