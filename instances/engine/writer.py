"""Collects what flows came to and writes it in batches, one short transaction each.

An intent is committed before its call leaves; a grant that another item of the run has
claimed is refused. Lock order: chunks, attempts, items, instances, and the audit chain's
head last. Of a chunk that another worker has meanwhile, only evidence is written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter

from django.db import transaction

from ceadmin.audit.actors import Actor
from ceadmin.audit.record import Entry, record_many
from instances.actions import evidence
from instances.actions.calls import Call, Result
from instances.actions.settle import Settlement, settle_many
from instances.choices import Outcome
from instances.engine.claim import owned
from instances.models import Attempt, GrantClaim, Item, Run

BATCH = 500
#: Results wait at most so long for company, intents much less: a flow stands still for them.
RESULT_AGE, INTENT_AGE = 0.5, 0.05

#: What an answer adds to the row of its intent.
_ANSWERED = ["state", "status_code", "code", "excerpt", "duration_ms"]


@dataclass(slots=True)
class Intent:
    """A call that may be sent once its row is committed."""

    item: Item
    call: Call
    attempt: Attempt
    go: Callable[[Attempt], None]
    refuse: Callable[[int], None]  # with the item that has the grant
    drop: Callable[[], None]  # another worker has the item now


@dataclass(slots=True)
class Writer:
    """The batches of one shard."""

    run: Run
    actor: Actor
    clock: Callable[[], datetime]
    worker: str
    intents: list[Intent] = field(default_factory=list)
    fresh: list[Attempt] = field(default_factory=list)
    answers: list[tuple[Item, Call, Attempt]] = field(default_factory=list)
    ends: list[Settlement] = field(default_factory=list)
    oldest_intent: float | None = None
    oldest_result: float | None = None

    def intend(self, intent: Intent) -> None:
        """Queue an intent; its call goes out after the next flush."""
        self.intents.append(intent)
        self.oldest_intent = self.oldest_intent or time.monotonic()

    def note(self, item: Item, call: Call, attempt: Attempt) -> None:
        """Keep what became of a call."""
        if call.intent:
            self.answers.append((item, call, attempt))
        else:
            self.fresh.append(attempt)
        self.oldest_result = self.oldest_result or time.monotonic()

    def end(self, item: Item, result: Result) -> None:
        """Keep how an item ended."""
        self.ends.append(Settlement(item, result))
        self.oldest_result = self.oldest_result or time.monotonic()

    def due(self, *, idle: bool) -> bool:
        """Tell whether to flush now; `idle` means nothing else is going on."""
        waiting = len(self.fresh) + len(self.answers) + len(self.ends)
        if not waiting and not self.intents:
            return False
        full = waiting >= BATCH or len(self.intents) >= BATCH
        return (
            idle
            or full
            or _older(self.oldest_intent, INTENT_AGE)
            or _older(self.oldest_result, RESULT_AGE)
        )

    def flush(self) -> None:
        """Write everything in one transaction, then let the intended calls go."""
        intents, self.intents = self.intents, []
        ends, self.ends = self.ends, []
        fresh, self.fresh = self.fresh, []
        answers, self.answers = self.answers, []
        self.oldest_intent = self.oldest_result = None
        with transaction.atomic():
            held = owned(self.run, self.worker) if intents or ends else frozenset()
            mine = [one for one in intents if one.item.chunk_number in held]
            ended = [one for one in ends if one.item.chunk_number in held]
            refused = self._write(mine, fresh, answers, ended)
        for intent in intents:
            if intent.item.chunk_number not in held:
                intent.drop()
            elif intent.item.pk in refused:
                intent.refuse(refused[intent.item.pk])
            else:
                intent.go(intent.attempt)

    def _write(
        self,
        intents: Sequence[Intent],
        fresh: list[Attempt],
        answers: Sequence[tuple[Item, Call, Attempt]],
        ends: Sequence[Settlement],
    ) -> dict[int, int]:
        now = self.clock()
        refused = self._claim_grants(intents)
        going = [intent for intent in intents if intent.item.pk not in refused]
        Attempt.objects.bulk_create([*(intent.attempt for intent in going), *fresh])
        revocations = [one for one in going if evidence.is_revocation(one.call)]
        entries = [self._intent_entry(intent) for intent in revocations]
        entries += self._write_answers(answers)
        if ends:
            entries += settle_many(self.run, ends, actor=self.actor, now=now)
        if entries:
            record_many(self.run.organization.chain, entries, at=now)
        return refused

    def _write_answers(
        self, answers: Sequence[tuple[Item, Call, Attempt]]
    ) -> list[Entry]:
        entries = []
        for item, call, attempt in answers:
            attempt.save(update_fields=_ANSWERED)
            if evidence.is_revocation(call):
                entries.append(
                    evidence.answer_entry(item, self.run, self.actor, attempt)
                )
        return entries

    def _intent_entry(self, intent: Intent) -> Entry:
        return evidence.intent_entry(intent.item, self.run, self.actor, intent.call)

    def _claim_grants(self, intents: Sequence[Intent]) -> dict[int, int]:
        """Return item → owner for those whose grant another item of the run has."""
        wanted = {
            intent.item.pk: intent.call.grant for intent in intents if intent.call.grant
        }
        if not wanted:
            return {}
        GrantClaim.objects.bulk_create(
            [
                GrantClaim(run=self.run, fingerprint=grant, item_id=item)
                # In one order everywhere: two workers must not wait for each other.
                for item, grant in sorted(wanted.items(), key=itemgetter(1))
            ],
            ignore_conflicts=True,
        )
        claims = GrantClaim.objects.filter(
            run=self.run, fingerprint__in=set(wanted.values())
        )
        owners = dict(claims.values_list("fingerprint", "item_id"))
        return {
            item: owners[grant]
            for item, grant in wanted.items()
            if owners[grant] != item
        }


def _older(moment: float | None, age: float) -> bool:
    return moment is not None and time.monotonic() - moment >= age


def internal_error() -> Result:
    """Return the result of an item whose flow broke: nothing is claimed about the token."""
    return Result(
        Outcome.UNCLEAR,
        cause="internal_error",
        explanation="The product itself failed here; the worker's log has the details. Probe the instance.",
    )
