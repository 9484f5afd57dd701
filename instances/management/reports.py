"""What commands say of runs: as JSON (docs/commands.md) and as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from instances import reconnect, runs
from instances.actions.causes import sentence
from instances.actions.drill import STEPS
from instances.actions.evidence import main_attempt
from instances.choices import (
    DESTRUCTIVE,
    MEANINGS,
    InstanceStatus,
    Outcome,
    RunKind,
    RunStatus,
    Weight,
    meaning,
)
from instances.management.deciding import held_lines
from instances.management.following import line_of, open_links, word_of
from instances.models import Attempt, Item, Run

#: So many items that need attention are named; the admin shows all.
_NAMED = 100


def run_json(run: Run, now: datetime, *, linked: bool = False) -> dict[str, Any]:
    """Return a run with those of its items that need somebody, and its links where `linked`.

    Whoever has an address may connect an account: operators only, as on the run's page.
    """
    return {
        **runs.as_json(run, now),
        "attention": [_item_json(item) for item in attention(run)],
        "links": [
            {
                "instance": link.instance.remote_id,
                "address": reconnect.address_of(link),
                "expires_at": link.expires_at.isoformat(),
            }
            for link in (open_links(run) if linked else ())
        ],
    }


def _item_json(item: Item) -> dict[str, Any]:
    return {
        "instance": item.remote_id,
        "name": item.instance_name,
        "outcome": item.outcome,
        "cause": item.cause,
        "explanation": _explained(item),
    }


def drill_json(run: Run, now: datetime, *, linked: bool = False) -> dict[str, Any]:
    """Return a drill's run with its outcome and its eight steps."""
    item = Item.objects.filter(run=run).first()
    return {
        **run_json(run, now, linked=linked),
        "instance": item.remote_id if item else "",
        "outcome": item.outcome if item else "",
        "steps": [step_json(number, row) for number, row in steps(item)],
    }


def steps(item: Item | None) -> list[tuple[int, Attempt | None]]:
    """Return each of the eight steps with the call that stands for it."""
    by_step: dict[int, list[Attempt]] = {}
    for attempt in Attempt.objects.filter(item=item, step__gt=0):
        by_step.setdefault(attempt.step, []).append(attempt)
    return [
        (number, main_attempt(by_step[number]) if number in by_step else None)
        for number in range(1, len(STEPS) + 1)
    ]


def step_json(number: int, attempt: Attempt | None) -> dict[str, Any]:
    """Return one step; what was not reached has no call."""
    return {
        "step": number,
        "name": STEPS[number - 1],
        "method": attempt.method if attempt else None,
        "url": attempt.url if attempt else None,
        "state": attempt.state if attempt else None,
        "status": attempt.status_code if attempt else None,
        "at": attempt.at.isoformat() if attempt else None,
        "duration_ms": attempt.duration_ms if attempt else None,
    }


def preview_json(seen: runs.Preview, kind: str, organization: str) -> dict[str, Any]:
    """Return what a run would do."""
    effects = [
        {**asdict(effect), "statuses": dict(effect.statuses)} for effect in seen.effects
    ]
    return {
        "dry_run": True,
        "kind": kind,
        "organization": organization,
        "total": seen.total,
        "possible": seen.possible,
        "dead_already": seen.dead_already,
        "siblings": seen.siblings,
        "sibling_names": list(seen.sibling_names),
        "reached": [
            {**asdict(one), "statuses": dict(one.statuses)} for one in seen.reached
        ],
        "seconds": seen.forecast.seconds,
        "duration": seen.forecast.words,
        "effects": effects,
    }


def preview_lines(seen: runs.Preview, kind: str) -> Iterator[str]:
    """Yield what a run would do, for people."""
    yield f"A dry run: nothing was sent. {RunKind(kind).label} of {seen.total}:"
    for effect in seen.effects:
        counts = ", ".join(
            f"{count} {InstanceStatus(status).label.lower()}"
            for status, count in effect.statuses
        )
        yield f"  {effect.provider_name}: {effect.count} ({counts})"
        yield from (f"    {line}" for line in (effect.kills, effect.problem) if line)
        if effect.possible < effect.count and kind in DESTRUCTIVE:
            yield f"    {effect.count - effect.possible} cannot be revoked from here."
    yield from _reached_lines(seen)
    if seen.forecast.words:
        yield seen.forecast.words


def _reached_lines(seen: runs.Preview) -> Iterator[str]:
    """Yield who dies without being selected."""
    if seen.siblings:
        yield f"{seen.siblings} more share a grant and would die with them:"
    for one in seen.reached:
        yield f"  {one.provider_name}: {one.count}. {one.why}"
        if one.names:
            more = ", …" if one.count > len(one.names) else ""
            yield f"    {', '.join(one.names)}{more}"
        if one.doubtful:
            yield (
                f"    Of {one.doubtful} more nobody can tell whose account they hold: "
                "they may die too."
            )


def result_lines(run: Run) -> Iterator[str]:
    """Yield what came of a run that ended, for people."""
    if run.status == RunStatus.EXPIRED:
        yield f"{run} {word_of(run)}: never started, nothing was sent."
        return
    counts = runs.progress(run)
    took = _took(run)
    yield f"{run} {word_of(run)}{took}: {counts.worked} of {counts.total} done."
    for outcome, count in sorted(counts.outcomes.items()):
        told = meaning(run.kind, outcome)
        yield f"  {count:>6}  {Outcome(outcome).label}. {told.sentence}"
    if removed := runs.removed_words(run):
        yield f"  {removed}"
    if run.problem:
        yield f"  {run.problem_text or sentence(run.problem) or run.problem}"
    named = attention(run)
    for item in named[:10]:
        yield f"  {item.remote_id} {item.instance_name}: {_explained(item)}"
    if len(named) > 10:
        yield "  … and more; the run's page in the admin shows all."


def _took(run: Run) -> str:
    if run.started_at is None or run.finished_at is None:
        return ""
    return f" in {(run.finished_at - run.started_at).total_seconds():.1f} s"


def step_lines(run: Run) -> Iterator[str]:
    """Yield a drill's eight steps, for people."""
    for number, attempt in steps(Item.objects.filter(run=run).first()):
        seen = (attempt.status_code or attempt.get_state_display()) if attempt else "–"
        yield f"  {number} {STEPS[number - 1]:<18}{seen}"


def attention(run: Run) -> list[Item]:
    """Return the first items that need somebody."""
    outcomes = [
        outcome
        for (kind, outcome), told in MEANINGS.items()
        if kind == run.kind and told.weight == Weight.ATTENTION
    ]
    items = Item.objects.filter(run=run, outcome__in=outcomes)
    return list(items.order_by("number")[:_NAMED])


def _explained(item: Item) -> str:
    told = meaning(item.run.kind, item.outcome)
    return item.explanation or sentence(item.cause) or told.sentence


def list_lines(
    rows: Sequence[Run], counts: Mapping[int, runs.Progress], now: datetime
) -> Iterator[str]:
    """Yield a table of runs, for people; `counts` by primary key."""
    for run in rows:
        seen = counts[run.pk]
        left = runs.pace(run, seen, now).words
        yield (
            f"{str(run.uid)[:8]}  {run.created_at:%Y-%m-%d %H:%M}  "
            f"{run.organization.slug:<16} {run.kind:<10} {run.word:<10} "
            f"{_percent(run, seen):>5}  {seen.done:>7} of {seen.total:<7} "
            f"{seen.attention:>5} need attention  {run.requested_by_name}"
            f"{f'  {left}' if left else ''}"
        )
    if any(run.status in _WORKED for run in rows) and (problem := runs.missing()):
        yield problem


def _percent(run: Run, seen: runs.Progress) -> str:
    """Return the share that is done, "" while the list is being frozen."""
    return "" if run.status == RunStatus.PLANNING else f"{seen.percent} %"


#: Runs that want a worker.
_WORKED = (RunStatus.PLANNING, RunStatus.RUNNING, RunStatus.STOPPING)


def detail_lines(run: Run, now: datetime) -> Iterator[str]:
    """Yield how one run stands, for people: what it came to once it has ended."""
    if run.is_terminal:
        yield from result_lines(run)
        return
    counts = runs.progress(run)
    yield line_of(run, counts, runs.pace(run, counts, now))
    for outcome, count in sorted(counts.outcomes.items()):
        yield f"  {count:>6}  {Outcome(outcome).label}"
    crew = runs.crew(run)
    workers = f"{crew.workers} at work" if crew.workers else "none at work"
    yield f"  workers: {workers}; up to {run.connections} calls at once"
    if crew.problem:
        yield f"  {crew.problem}"
    yield from held_lines(run)
