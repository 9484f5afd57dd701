"""The numbers of a run's page in words: how far, how fast, how long still, by whom."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.cache import cache

from ceadmin import ui
from instances import runs
from instances.choices import RunKind, RunStatus
from instances.models import Run

_MOVING = (RunStatus.PLANNING, RunStatus.RUNNING, RunStatus.STOPPING, RunStatus.PAUSED)
#: The counts of a run at work with so many items are shared by those who look at it.
_LARGE = 5_000
_SHARED_SECONDS = 1


def counts_of(run: Run) -> runs.Progress:
    """Return the counts of `run`; of a large one at work at most a second old."""
    if run.is_terminal or run.total < _LARGE:
        return runs.progress(run)
    key = f"tally-{run.uid}"
    rows = cache.get(key)
    if rows is None:
        rows = runs.rows_of(run)
        cache.set(key, rows, _SHARED_SECONDS)
    return runs.counted(run, rows)


def numbers(run: Run, counts: runs.Progress, speed: runs.Pace) -> dict[str, Any]:
    """Return what the page of `run` shows beside its rows, and its poll brings again."""
    hands = runs.crew(run)
    return {
        "percent": f"{counts.percent} %",
        "verdict": _verdict(run, counts),
        "bar": "ok" if run.is_terminal and not counts.attention else "active",
        "bar_value": counts.done,
        "bar_max": counts.total,
        "total": counts.total,
        # What nobody works has no time left that could be told.
        "eta": "" if hands.problem else _eta(run, counts, speed),
        "facts": " · ".join(_facts(run, counts, speed, hands)),
        "problem": hands.problem,
        "trouble": "" if run.problem_text == hands.problem else run.problem_text,
        "connections": run.connections,
        "summary": f"{counts.done} of {counts.total} done, {counts.attention} need attention.",
        "moving": run.status in _MOVING,
        **_buttons(run, counts),
    }


def _buttons(run: Run, counts: runs.Progress) -> dict[str, Any]:
    """Return which buttons can be pressed now."""
    retriable = counts.attention > 0 and run.items_removed_at is None
    return {
        "can_pause": run.status == RunStatus.RUNNING,
        "can_resume": run.status == RunStatus.PAUSED,
        "can_stop": run.status
        in (RunStatus.PLANNING, RunStatus.RUNNING, RunStatus.PAUSED),
        "can_connect": counts.total > 1
        and run.kind not in (RunKind.SYNC, RunKind.RECONNECT)
        and run.status in (RunStatus.RUNNING, RunStatus.PAUSED),
        "can_retry": run.is_terminal and retriable and run.kind != RunKind.SYNC,
        "retry": f"Retry {counts.attention} that need attention"
        if counts.attention > 1
        else "Retry the one that needs attention",
    }


def _verdict(run: Run, counts: runs.Progress) -> str:
    """Return how far it is, and once it ended what it came to."""
    if not run.is_terminal:
        return f"{counts.percent} %"
    if run.status == RunStatus.EXPIRED:
        return "Never started: nothing was sent"
    if counts.attention:
        need = "needs" if counts.attention == 1 else "need"
        return f"{ui.number(counts.attention)} of {ui.number(counts.total)} {need} attention"
    if not counts.total:
        return "Nothing has changed" if run.kind == RunKind.SYNC else "Nothing to do"
    return "Nothing needs attention"


def _eta(run: Run, counts: runs.Progress, speed: runs.Pace) -> str:
    if run.status == RunStatus.PLANNING:
        return "freezing the list"
    if run.status == RunStatus.STOPPING:
        return "what is under way ends first"
    if counts.waiting and counts.waiting + counts.done == counts.total:
        return f"waiting for {ui.things(counts.waiting, 'person', 'people')} to consent"
    return _took(run) or speed.words


def _took(run: Run) -> str:
    if not run.finished_at or not run.started_at:
        return ""
    took = run.finished_at - run.started_at
    if took < timedelta(seconds=1):
        return "took less than a second"
    return f"took {ui.short_duration(took)}"


def _facts(
    run: Run, counts: runs.Progress, speed: runs.Pace, hands: runs.Crew
) -> list[str]:
    """Return how many are done, how fast it goes, and who works; of one item there is nothing to say."""
    if counts.total < 2:
        return []
    told = [f"{ui.number(counts.done)} of {ui.number(counts.total)} done"]
    if speed.rate:
        average = " on average" if run.is_terminal else ""
        told.append(f"{ui.per_second(speed.rate)}{average}")
    if hands.workers:
        told.append(ui.things(hands.workers, "worker", "workers"))
    if run.status in (RunStatus.RUNNING, RunStatus.PAUSED):
        told.append(f"up to {ui.things(run.connections, 'call', 'calls')} at once")
    return told
