"""Collects what flows came to and writes it in batches, one short transaction each.

A batch is written beside the loop (`engine.hand`): while the database writes, answers are
read and calls leave.

An intent is committed before its call leaves; a grant that another item of the run has
claimed is refused. Lock order: chunks, attempts, items, instances, and the audit chain's
head last. Of a chunk that another worker has meanwhile, only evidence is written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from django.db import transaction
from django.utils.translation import gettext_noop

from ceadmin.audit.actors import Actor
from ceadmin.audit.record import Entry, record_many
from instances.actions import evidence
from instances.actions.calls import Call, Owner, Result, SameGrant
from instances.actions.evidence import Sent
from instances.actions.settle import Settlement, settle_many
from instances.choices import Outcome
from instances.engine.claim import owned
from instances.engine.grants import claim_grants
from instances.engine.hand import Hand
from instances.engine.parts import Watch
from instances.models import Item, Run

BATCH = 500
#: So many, and so old, are worth a transaction where the calls leave time for one.
WORTH, WORTH_AGE = 100, 0.05
#: Results wait at most so long for company, intents much less: a flow stands still for them.
RESULT_AGE, INTENT_AGE = 0.5, 0.2


@dataclass(slots=True)
class Intent:
    """A call that may be sent once its row is committed."""

    item: Item
    call: Call
    attempt: Sent
    go: Callable[[Sent], None]
    refuse: Callable[[SameGrant], None]  # with the item that has the grant
    drop: Callable[[], None]  # another worker has the item now


@dataclass(frozen=True, slots=True)
class Batch:
    """What is written together."""

    intents: Sequence[Intent]
    fresh: Sequence[Sent]
    answers: Sequence[tuple[Item, Call, Sent]]
    ends: Sequence[Settlement]


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a batch's intents."""

    held: frozenset[int]  # numbers of the chunks that are still ours
    refused: dict[int, Owner]  # item → the one that has its grant


@dataclass(slots=True)
class Writer:
    """The batches of one shard."""

    run: Run
    actor: Actor
    clock: Callable[[], datetime]
    worker: str
    intents: list[Intent] = field(default_factory=list)
    fresh: list[Sent] = field(default_factory=list)
    answers: list[tuple[Item, Call, Sent]] = field(default_factory=list)
    ends: list[Settlement] = field(default_factory=list)
    oldest_intent: float | None = None
    oldest_result: float | None = None
    watch: Watch = field(init=False)
    hand: Hand = field(default_factory=Hand)
    _under_way: Batch | None = None

    def __post_init__(self) -> None:
        self.watch = Watch(self.run)

    def intend(self, intent: Intent) -> None:
        """Queue an intent; its call goes out after the next flush."""
        self.intents.append(intent)
        self.oldest_intent = self.oldest_intent or time.monotonic()

    def note(self, item: Item, call: Call, attempt: Sent) -> None:
        """Keep what became of a call."""
        if call.intent:
            self.answers.append((item, call, attempt))
        else:
            self.fresh.append(attempt)
        self.oldest_result = self.oldest_result or time.monotonic()

    def end(self, item: Item, result: Result) -> None:
        """Keep how an item ended."""
        self.ends.append(Settlement(item, result))
        if self.watch.urgent(item):
            self.oldest_intent = self.oldest_intent or time.monotonic()
        self.oldest_result = self.oldest_result or time.monotonic()

    def forget(self, chunk_number: int) -> None:
        """Drop what was to become of a chunk's items, since they begin anew; evidence stays."""
        self.intents = [
            one for one in self.intents if one.item.chunk_number != chunk_number
        ]
        self.ends = [one for one in self.ends if one.item.chunk_number != chunk_number]

    def withdraw(self, items: Collection[int]) -> set[int]:
        """Take back the intents of these items that are not written; return whose they were."""
        gone = {one.item.pk for one in self.intents if one.item.pk in items}
        self.intents = [one for one in self.intents if one.item.pk not in gone]
        return gone

    @property
    def waiting(self) -> int:
        """Return how many results wait to be written."""
        return len(self.fresh) + len(self.answers) + len(self.ends)

    @property
    def full(self) -> bool:
        """Tell whether enough has come together for a flush."""
        return self.waiting >= BATCH or len(self.intents) >= BATCH

    @property
    def patience(self) -> float:
        """Return how many seconds the loop may wait for answers before it asks again."""
        if self.hand.busy:
            return 0.005
        return 0.2 if self.oldest_intent is None else 0.02

    @property
    def _worth(self) -> bool:
        """Tell whether enough has come together for a moment in which nothing else is to do."""
        return self.waiting >= WORTH and _older(self.oldest_result, WORTH_AGE)

    def due(self, *, idle: bool, calm: bool = False) -> bool:
        """Tell whether to flush now.

        `idle` means that nothing else goes on, `calm` that no answer waits to be read:
        what is written then costs no time, as the calls are under way meanwhile.
        """
        if self.hand.busy or (not self.waiting and not self.intents):
            return False
        return (
            idle
            or self.full
            or (calm and self._worth)
            or _older(self.oldest_intent, INTENT_AGE)
            or _older(self.oldest_result, RESULT_AGE)
        )

    @property
    def standing(self) -> int:
        """Return how many flows stand still until their intent is committed."""
        under_way = len(self._under_way.intents) if self._under_way else 0
        return len(self.intents) + under_way

    @property
    def unwritten(self) -> set[int]:
        """Return the numbers of the chunks of which a result is not written yet."""
        under_way = self._under_way.ends if self._under_way else ()
        return {one.item.chunk_number for one in (*self.ends, *under_way)}

    def begin(self, then: Callable[[], None] = lambda: None) -> None:
        """Write everything in one transaction, beside the loop, let the intended calls go, and then …"""
        batch = self._under_way = self._take()

        def written(how: Written) -> None:
            self._under_way = None
            self._let_go(batch, how)
            then()

        self.hand.begin(partial(self._commit, batch), written)

    def flush(self) -> None:
        """Write everything in one transaction, here and now, and let the intended calls go."""
        self.hand.collect(wait=True)
        batch = self._take()
        self._let_go(batch, self._commit(batch))

    def _take(self) -> Batch:
        batch = Batch(self.intents, self.fresh, self.answers, self.ends)
        self.intents, self.fresh, self.answers, self.ends = [], [], [], []
        self.oldest_intent = self.oldest_result = None
        return batch

    def _commit(self, batch: Batch) -> Written:
        with transaction.atomic():
            asks = batch.intents or batch.ends
            held = owned(self.run, self.worker) if asks else frozenset()
            mine = [one for one in batch.intents if one.item.chunk_number in held]
            ended = [one for one in batch.ends if one.item.chunk_number in held]
            refused = self._write(mine, batch.fresh, batch.answers, ended)
        return Written(held, refused)

    @staticmethod
    def _let_go(batch: Batch, written: Written) -> None:
        for intent in batch.intents:
            if intent.item.chunk_number not in written.held:
                intent.drop()
            elif intent.item.pk in written.refused:
                intent.refuse(SameGrant(written.refused[intent.item.pk]))
            else:
                intent.go(intent.attempt)

    def _write(
        self,
        intents: Sequence[Intent],
        fresh: Sequence[Sent],
        answers: Sequence[tuple[Item, Call, Sent]],
        ends: Sequence[Settlement],
    ) -> dict[int, Owner]:
        now = self.clock()
        refused = claim_grants(self.run, [(one.item, one.call) for one in intents])
        going = [intent for intent in intents if intent.item.pk not in refused]
        evidence.write_intents([intent.attempt for intent in going])
        evidence.write(fresh)
        revocations = [one for one in going if evidence.is_revocation(one.call)]
        entries = [self._intent_entry(intent) for intent in revocations]
        entries += self._write_answers(answers)
        if ends:
            entries += settle_many(self.run, ends, actor=self.actor, now=now)
            entries += self.watch.ended(ends, now)
        if entries:
            record_many(self.run.organization.chain, entries, at=now)
        return refused

    def _write_answers(self, answers: Sequence[tuple[Item, Call, Sent]]) -> list[Entry]:
        evidence.write_answers([attempt for _, _, attempt in answers])
        return [
            evidence.answer_entry(item, self.run, self.actor, attempt)
            for item, call, attempt in answers
            if evidence.is_revocation(call)
        ]

    def _intent_entry(self, intent: Intent) -> Entry:
        about = (intent.item, self.run, self.actor)
        return evidence.intent_entry(*about, intent.call, intent.attempt)


def _older(moment: float | None, age: float) -> bool:
    return moment is not None and time.monotonic() - moment >= age


def internal_error() -> Result:
    """Return the result of an item whose flow broke: nothing is claimed about the token."""
    return Result(
        Outcome.UNCLEAR,
        cause="internal_error",
        explanation=gettext_noop(
            "The product itself failed here; the worker's log has the details. Probe "
            "the instance."
        ),
    )
