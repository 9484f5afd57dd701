"""How far a run is, from one grouped query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext

from instances.choices import (
    ItemStatus,
    Outcome,
    RunKind,
    RunStatus,
    Weight,
    meaning,
)
from instances.models import Item, Run
from instances.runs.tallies import rows_of
from providers.book import Book

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
        return gettext(
            "%(count)s of %(total)s %(name)s instances fail alike. That points to one "
            "trouble at the provider, the platform or the provider app: look there "
            "before you act on single instances."
        ) % {"count": self.count, "total": self.total, "name": self.provider_name}


@dataclass(frozen=True, slots=True)
class Trouble:
    """So many items need attention for one reason, at the providers that are named first."""

    outcome: str
    cause: str
    count: int
    providers: tuple[str, ...]  # the keys, those with the most items first


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
    troubles: tuple[Trouble, ...] = ()
    dropped: dict[str, int] = field(default_factory=dict)  # provider key → cancelled

    @property
    def percent(self) -> int:
        """Return the share of ended items, 0 to 100."""
        return 100 * self.done // self.total if self.total else 100

    @property
    def cancelled(self) -> int:
        """Return how many ended without anything having been done for them."""
        return self.outcomes.get(Outcome.CANCELLED, 0)

    @property
    def worked(self) -> int:
        """Return how many ended otherwise than cancelled."""
        return self.done - self.cancelled

    @property
    def attention(self) -> int:
        """Return how many ended items need attention."""
        return self.weights.get(Weight.ATTENTION, 0)


def progress(run: Run) -> Progress:
    """Return the counts of `run`: one grouped query over an index, the same work at any time."""
    return counted(run, rows_of(run))


def progress_of(some: Sequence[Run]) -> dict[int, Progress]:
    """Return run's primary key → its counts: one grouped query for all that still have their items."""
    grouped = Item.objects.filter(run__in=[run.pk for run in some]).tally("run_id")
    rows: dict[int, list[dict[str, Any]]] = {run.pk: [] for run in some}
    for row in grouped:
        rows[row["run_id"]].append(row)
    return {
        run.pk: counted(run, rows[run.pk] if run.tallies is None else run.tallies)
        for run in some
    }


def counted(run: Run, rows: Sequence[Mapping[str, Any]]) -> Progress:
    """Return what grouped `rows` (ItemQuerySet.tally) say about `run`; no query."""
    ended = [row for row in rows if row["status"] == ItemStatus.DONE]
    weight = {row["outcome"]: meaning(run.kind, row["outcome"]).weight for row in ended}
    bad = [row for row in ended if weight[row["outcome"]] == Weight.ATTENTION]
    outcomes = _summed((row["outcome"], row) for row in ended)
    weights = _summed((weight[row["outcome"]], row) for row in ended)
    causes = _summed((row["cause"], row) for row in bad if row["cause"])
    total = _summed((row["provider_key"], row) for row in rows)
    done = _summed((row["provider_key"], row) for row in ended)
    dropped = [row for row in ended if row["outcome"] == Outcome.CANCELLED]
    waits = [row["count"] for row in rows if row["status"] == ItemStatus.WAITING]
    _add_unchanged(run, outcomes, weights)
    return Progress(
        total=sum(total.values()),
        done=sum(done.values()),
        waiting=sum(waits),
        outcomes=dict(outcomes),
        weights=dict(weights),
        causes=dict(causes),
        providers={key: (done[key], count) for key, count in sorted(total.items())},
        outages=() if run.kind == RunKind.SYNC else tuple(_outages(run, bad, done)),
        troubles=tuple(_troubles(bad)),
        dropped=dict(_summed((row["provider_key"], row) for row in dropped)),
    )


def _summed(rows: Iterable[tuple[str, Mapping[str, Any]]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for key, row in rows:
        counts[key] += row["count"]
    return counts


def _troubles(bad: Sequence[Mapping[str, Any]]) -> Iterator[Trouble]:
    """Yield why items need attention, the commonest reason first."""
    alike: dict[tuple[str, str], Counter[str]] = {}
    for row in bad:
        if row["cause"]:
            of = alike.setdefault((row["outcome"], row["cause"]), Counter())
            of[row["provider_key"]] += row["count"]
    for (outcome, cause), of in sorted(
        alike.items(), key=lambda one: (-one[1].total(), one[0])
    ):
        keys = tuple(key for key, _ in of.most_common())
        yield Trouble(outcome, cause, of.total(), keys)


def _outages(
    run: Run, bad: Sequence[Mapping[str, Any]], done: Mapping[str, int]
) -> Iterator[Outage]:
    """Yield the troubles that most of a provider's ended items share."""
    book = Book(run.organization_id)  # a list of runs has not read them
    for row in bad:
        key, count = row["provider_key"], row["count"]
        if count >= OUTAGE_FROM and 2 * count > done[key]:
            name = book.name_of(key)
            yield Outage(key, name, row["outcome"], row["cause"], count, done[key])


def _add_unchanged(run: Run, outcomes: Counter[str], weights: Counter[str]) -> None:
    if run.kind == RunKind.SYNC and run.unchanged:
        outcomes[Outcome.UNCHANGED] += run.unchanged
        weights[Weight.GOOD] += run.unchanged


def exit_code(run: Run) -> int:
    """Return 0 only if the run did what was asked: it finished and nothing needs attention."""
    done = run.status == RunStatus.FINISHED and run.problem in ("", "empty_selection")
    return 0 if done and not progress(run).attention else 1
