"""How far a run is, from one grouped query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from instances.choices import (
    ItemStatus,
    Outcome,
    RunKind,
    RunStatus,
    Weight,
    meaning,
)
from instances.models import Item, Run
from providers import catalogue

#: So many failing alike, and more than half of a provider's, are one trouble and not many.
OUTAGE_FROM = 5


@dataclass(frozen=True, slots=True)
class Outage:
    """Most instances of one provider fail alike: the provider, the platform or an app is to blame."""

    provider_key: str
    provider_name: str
    outcome: str
    cause: str
    count: int
    total: int  # those of the provider that have ended

    @property
    def sentence(self) -> str:
        """Return what to tell people once instead of for each instance."""
        return (
            f"{self.count} of {self.total} {self.provider_name} instances fail alike. "
            "That points to one trouble at the provider, the platform or the provider "
            "app: look there before you act on single instances."
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of one run; `weights` counts ended items by how their outcome counts."""

    total: int
    done: int
    waiting: int
    outcomes: dict[str, int]
    weights: dict[str, int]
    causes: dict[str, int]
    providers: dict[str, tuple[int, int]]  # provider key → (done, total)
    outages: tuple[Outage, ...] = ()

    @property
    def percent(self) -> int:
        """Return the share of ended items, 0 to 100."""
        return 100 * self.done // self.total if self.total else 100

    @property
    def attention(self) -> int:
        """Return how many ended items need attention."""
        return self.weights.get(Weight.ATTENTION, 0)


def progress(run: Run) -> Progress:
    """Return the counts of `run`."""
    outcomes: Counter[str] = Counter()
    weights: Counter[str] = Counter()
    causes: Counter[str] = Counter()
    done: Counter[str] = Counter()
    total: Counter[str] = Counter()
    waiting = 0
    rows = Item.objects.filter(run=run).tally()
    for row in rows:
        count, provider = row["count"], row["provider_key"]
        total[provider] += count
        waiting += count if row["status"] == ItemStatus.WAITING else 0
        if row["status"] == ItemStatus.DONE:
            done[provider] += count
            outcomes[row["outcome"]] += count
            weight = meaning(run.kind, row["outcome"]).weight
            weights[weight] += count
            if weight == Weight.ATTENTION and row["cause"]:
                causes[row["cause"]] += count
    _add_unchanged(run, outcomes, weights)
    providers = {key: (done[key], count) for key, count in sorted(total.items())}
    return Progress(
        sum(total.values()),
        sum(done.values()),
        waiting,
        dict(outcomes),
        dict(weights),
        dict(causes),
        providers,
        tuple(_outages(run.kind, rows, done)),
    )


def _outages(
    kind: str, rows: list[dict[str, Any]], done: Mapping[str, int]
) -> Iterator[Outage]:
    """Yield the troubles that most of a provider's ended items share."""
    for row in rows:
        key, count = row["provider_key"], row["count"]
        ended = row["status"] == ItemStatus.DONE and kind != RunKind.SYNC
        alike = count >= OUTAGE_FROM and 2 * count > done[key]
        if ended and alike and _fails(kind, row["outcome"]):
            known = catalogue.find(key)
            name = known.name if known else "unknown"
            yield Outage(key, name, row["outcome"], row["cause"], count, done[key])


def _fails(kind: str, outcome: str) -> bool:
    return meaning(kind, outcome).weight == Weight.ATTENTION


def _add_unchanged(run: Run, outcomes: Counter[str], weights: Counter[str]) -> None:
    if run.kind == RunKind.SYNC and run.unchanged:
        outcomes[Outcome.UNCHANGED] += run.unchanged
        weights[Weight.GOOD] += run.unchanged


def exit_code(run: Run) -> int:
    """Return 0 only if the run did what was asked: it finished and nothing needs attention."""
    done = run.status == RunStatus.FINISHED and run.problem in ("", "empty_selection")
    return 0 if done and not progress(run).attention else 1


def as_json(run: Run, now: datetime) -> dict[str, Any]:
    """Return the documented JSON form of a run and its counts (docs/commands.md)."""
    counts = progress(run)
    return {
        "run": str(run.uid),
        "kind": run.kind,
        "organization": run.organization.slug,
        "status": run.status,
        "problem": run.problem,
        "problem_text": run.problem_text,
        "reason": run.reason,
        "ticket": run.ticket,
        "requested_by": run.requested_by_name,
        "created_at": run.created_at.isoformat(),
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "seconds": ((run.finished_at or now) - run.started_at).total_seconds()
        if run.started_at
        else None,
        "total": counts.total,
        "done": counts.done,
        "waiting": counts.waiting,
        "outcomes": counts.outcomes,
        "weights": counts.weights,
        "causes": counts.causes,
        "selection_hash": run.selection_hash,
    }
