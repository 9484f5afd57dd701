"""Canary and breaker: whoever writes results sees whether a provider's part may go on.

A part's first few items are judged when the last of them ended; what follows is counted
in a window. One trouble of a provider or the platform then holds one part, for a person
to decide, and does not spoil thousands of items. All of it is written in the transaction
of the results; a conditional UPDATE makes one judge.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, QuerySet, Value, When
from django.db.models.functions import Least, Now

from ceadmin.audit.actors import SYSTEM
from ceadmin.audit.choices import Action
from ceadmin.audit.record import Entry, Subject, record_many
from ceadmin.lib.nudge import nudge
from ceadmin.lib.sayings import english
from instances.actions.settle import Settlement
from instances.choices import (
    ChunkStatus,
    ItemStatus,
    Outcome,
    PartStatus,
    RunKind,
    RunStatus,
)
from instances.engine import held
from instances.models import Chunk, Hold, Item, Part, Run

#: The breaker holds a part when of about the last WINDOW ended items, and of at least
#: LEAST, half failed. Old items leave the window at its own share of failures, so two
#: numbers are enough, whichever workers add to them.
WINDOW, LEAST = 100, 20

#: What the provider or the platform is to blame for, not the instance.
FAILING = frozenset(
    {Outcome.TRANSIENT, Outcome.REFUSED, Outcome.UNCLEAR, Outcome.STILL_ALIVE}
)
#: … unless the trouble is ours.
OURS = frozenset({"worker_lost", "internal_error", "interrupted"})
#: Nothing was asked of the provider, so these show nothing.
_UNASKED = frozenset(
    {
        Outcome.SKIPPED,
        Outcome.CANCELLED,
        Outcome.MISCONFIGURED,
        Outcome.UNSUPPORTED,
        Outcome.NOT_SUPPORTED,
    }
)
#: Of the first few these are no evidence; the others are what the record speaks of.
_NO_EVIDENCE = frozenset({Outcome.SKIPPED, Outcome.CANCELLED})
_NEVER_EXPECTED = FAILING - {Outcome.TRANSIENT}
_PROBED_IN_VAIN = frozenset({Outcome.UNCLEAR, Outcome.TRANSIENT, Outcome.MISCONFIGURED})


def fails(outcome: str, cause: str) -> bool:
    """Tell whether an item ended so because of its provider or the platform."""
    return outcome in FAILING and cause not in OURS


@dataclass(slots=True)
class Watch:
    """What one shard has seen of its run's parts."""

    run: Run
    shut: set[str] = field(default_factory=set)  # held by what this shard wrote
    opened: bool = False  # a canary was good: there is more to claim
    canaries: dict[int, str] | None = None  # chunk number → provider
    seen: dict[str, list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0])
    )  # provider → ended, failed; not written yet

    def urgent(self, item: Item) -> bool:
        """Tell whether a whole part may wait for how `item` ended."""
        return item.chunk_number in self._canaries()

    def _canaries(self) -> dict[int, str]:
        if self.canaries is None:
            parts = Part.objects.filter(run=self.run, status=PartStatus.CANARY)
            self.canaries = {
                part.canary_chunk or 0: part.provider_key for part in parts
            }
        return self.canaries

    def ended(self, settlements: Sequence[Settlement], now: datetime) -> list[Entry]:
        """Take note of items that were settled in this transaction; return audit entries."""
        first = set[int]()
        for one in settlements:
            item, result = one.item, one.result
            if item.chunk_number in self._canaries():
                first.add(item.chunk_number)
            elif result.outcome not in _UNASKED:
                counts = self.seen[item.provider_key]
                counts[0] += 1
                counts[1] += fails(result.outcome, result.cause)
        entries = []
        for number in sorted(first):
            entries += self._judge(number, now)
        return entries + self._count(now)

    def _judge(self, number: int, now: datetime) -> list[Entry]:
        assert self.canaries is not None
        key = self.canaries[number]
        status, entries = judge(self.run, key, number, now)
        if status == PartStatus.OPEN:
            self.opened = True
        if status == PartStatus.HELD:
            self.shut.add(key)
        return entries

    def _count(self, now: datetime) -> list[Entry]:
        entries = []
        # In one order everywhere: two workers must not wait for each other.
        for key in sorted(self.seen):
            ended, failed = self.seen[key]
            if failed or ended >= WINDOW:
                del self.seen[key]
                add_to_window(self.run, key, ended, failed)
                held = _break(self.run, key, now) if failed else []
                entries += held
                self.shut |= {key} if held else set()
        return entries


# The breaker


def add_to_window(run: Run, key: str, ended: int, failed: int) -> None:
    """Count ended items of an open part in its window."""
    if ended > WINDOW:
        ended, failed = WINDOW, failed * WINDOW // ended
    both, bad = F("window_ended") + ended, F("window_failed") + failed
    kept = F("window_failed") * (WINDOW - ended) / F("window_ended")
    over = When(window_ended__gt=WINDOW - ended, then=kept + failed)
    part = _part(run, key, PartStatus.OPEN)
    if not failed:  # a clean window stays as it is: no worker waits for another's row
        part = part.exclude(window_ended=WINDOW, window_failed=0)
    part.update(
        window_failed=Case(over, default=bad), window_ended=Least(both, Value(WINDOW))
    )


def _break(run: Run, key: str, now: datetime) -> list[Entry]:
    """Hold an open part whose window is full of failures; return audit entries."""
    broken = _part(run, key, PartStatus.OPEN).filter(
        window_ended__gte=LEAST, window_ended__lte=F("window_failed") * 2
    )
    if broken.update(status=PartStatus.HELD, cause="breaker", held_at=now) != 1:
        return []
    part = Part.objects.get(run=run, provider_key=key)
    last = Item.objects.filter(run=run, provider_key=key, status=ItemStatus.DONE)
    rows = list(last.order_by("-finished_at")[:WINDOW])
    bad = [item for item in rows if fails(item.outcome, item.cause)]
    words = held.of_breaker(part, bad)
    return [_hold(run, part, bad, words)]


# The canary


def judge(
    run: Run, key: str, number: int, now: datetime
) -> tuple[PartStatus | None, list[Entry]]:
    """Judge a part by its first chunk; return what it became, if this call decided, and audit entries.

    Must be called in a transaction; the caller records the entries last.
    """
    rows = list(Item.objects.filter(run=run, chunk_number=number).order_by("number"))
    ended = [row for row in rows if row.status not in _TO_COME]
    counted = [row for row in ended if row.outcome not in _NO_EVIDENCE]
    if _to_come(run, number) or (len(ended) < len(rows) and not counted):
        return None, []
    bad = _unexpected(run.kind, counted)
    trying = _part(run, key, PartStatus.CANARY)
    if not bad:
        if trying.update(status=PartStatus.OPEN) != 1:
            return None, []
        wake(run, key)
        return PartStatus.OPEN, []
    if trying.update(status=PartStatus.HELD, cause="canary", held_at=now) != 1:
        return None, []
    part = Part.objects.get(run=run, provider_key=key)
    entry = _hold(run, part, bad, held.of_canary(bad, len(counted)))
    pause(run)
    return PartStatus.HELD, [entry]


_TO_COME = frozenset({ItemStatus.QUEUED, ItemStatus.RUNNING})


def _to_come(run: Run, number: int) -> bool:
    """Tell whether one of the first items is still to end; what another run holds may take long."""
    own = Item.objects.filter(run=run, chunk_number=number)
    others = Hold.objects.filter(instance=OuterRef("instance"), until__gt=Now())
    elsewhere = Exists(others.exclude(item_id=OuterRef("pk")))
    queued = own.filter(~elsewhere, status=ItemStatus.QUEUED)
    return own.filter(status=ItemStatus.RUNNING).exists() or queued.exists()


def _unexpected(kind: str, rows: Sequence[Item]) -> list[Item]:
    """Return those of the first items that ended as the provider's record does not expect."""
    if kind == RunKind.PROBE:
        vain = [row for row in rows if row.outcome in _PROBED_IN_VAIN]
        return vain if len(vain) == len(rows) else []
    bad = [
        row for row in rows if row.outcome in _NEVER_EXPECTED and row.cause not in OURS
    ]
    failing = [row for row in rows if row.outcome == Outcome.TRANSIENT]
    return bad or (failing if len(failing) == len(rows) else [])


def judge_left(run: Run, now: datetime) -> None:
    """Judge the parts whose first items ended without a judge, as when a worker died."""
    trying = Part.objects.filter(run=run, status=PartStatus.CANARY)
    for key, number in trying.values_list("provider_key", "canary_chunk"):
        with transaction.atomic():
            _, entries = judge(run, key, number or 0, now)
            record_many(run.organization.chain, entries, at=now)


def pause(run: Run) -> None:
    """Pause a run whose first answers differ from what a record expects."""
    parts = Part.objects.filter(run=run, status=PartStatus.HELD, cause="canary")
    keys = parts.order_by("provider_key").values_list("provider_key", flat=True)
    words = held.of_pause(list(keys), run)
    running = Run.objects.filter(pk=run.pk, status=RunStatus.RUNNING)
    paused = Run.objects.filter(pk=run.pk, status=RunStatus.PAUSED, problem="canary")
    changes = {"problem": "canary", "problem_text": words}
    if running.update(status=RunStatus.PAUSED, **changes) != 1:
        paused.update(**changes)


# Both


def wake(run: Run, key: str) -> None:
    """Send a message for each process that could take a chunk of a part."""
    queued = Chunk.objects.filter(
        run=run, provider_key=key, status=ChunkStatus.QUEUED
    ).count()
    for _ in range(min(queued, settings.WORKER_PROCESSES)):
        nudge("instances.work_run", run_id=run.pk)


def _part(run: Run, key: str, status: PartStatus) -> QuerySet[Part]:
    return Part.objects.filter(run=run, provider_key=key, status=status)


def _hold(run: Run, part: Part, bad: Sequence[Item], words: str) -> Entry:
    """Write why a part is held; return the audit entry."""
    part.explanation, part.evidence = words[:500], held.evidence(bad)
    part.save(update_fields=["explanation", "evidence"])
    facts: dict[str, Any] = {
        "kind": run.kind,
        "cause": part.cause,
        "outcomes": part.evidence["outcomes"],
    }
    return Entry(
        Action.PART_HELD,
        actor=SYSTEM,
        subject=Subject("run", str(run.uid), english(run)),
        run_uid=str(run.uid),
        provider_key=part.provider_key,
        outcome=part.cause,
        facts=facts,
    )
