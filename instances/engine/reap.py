"""Gives back what dead workers held: their leases are over, by the database's clock."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop

from ceadmin.audit.record import Entry, record_many
from instances.actions import evidence
from instances.actions.calls import Result
from instances.actions.load import actor_of_run
from instances.actions.settle import Settlement, settle_many
from instances.choices import AttemptState, ChunkStatus, ItemStatus, Outcome, RunKind
from instances.models import Attempt, Chunk, Hold, Item, Run

#: A chunk that killed so many workers is not given to another one.
MAX_CLAIMS = 5
#: So many chunks are given back per sweep.
_BATCH = 100

_GIVEN_UP = Result(
    Outcome.UNCLEAR.value,
    cause="worker_lost",
    explanation=gettext_noop(
        "Several workers died over this item. Probe the instance, and look into the "
        "worker's log."
    ),
)
_NOT_TRIED = Result(
    Outcome.MISCONFIGURED.value,
    cause="worker_lost",
    explanation=gettext_noop(
        "Several workers died before they could have changed anything for this item. "
        "Look into the worker's log, then retry the failed items."
    ),
)
_SYNC_GIVEN_UP = gettext_noop(
    "Several workers died over this sync. Look into the worker's log, then sync again."
)


def reap(now: datetime) -> list[int]:
    """Give back what dead workers held; return the runs concerned.

    An intent without an answer is marked lost, so that the next try verifies before it acts.
    """
    runs: set[int] = set()
    abandoned = Chunk.objects.abandoned().select_related("run__organization")
    for chunk in abandoned.order_by("pk")[:_BATCH]:
        with transaction.atomic():
            if _reap_chunk(chunk, now):
                runs.add(chunk.run_id)
    return sorted(runs)


def _reap_chunk(chunk: Chunk, now: datetime) -> bool:
    still = Chunk.objects.abandoned().filter(pk=chunk.pk)
    hopeless = chunk.claims >= MAX_CLAIMS
    done = hopeless and chunk.run.kind == RunKind.SYNC
    freed = still.update(
        status=ChunkStatus.DONE if done else ChunkStatus.QUEUED,
        worker="",
        lease_until=None,
        not_before=None,
    )
    if freed != 1:
        return False
    if done:
        Run.objects.filter(pk=chunk.run_id).update(
            problem="worker_lost", problem_text=_SYNC_GIVEN_UP
        )
    entries = _free_items(chunk, hopeless, now)
    left = Item.objects.open().filter(run_id=chunk.run_id, chunk_number=chunk.number)
    if chunk.run.kind != RunKind.SYNC and not left.exists():
        # Its worker died after the last result and before it let go.
        Chunk.objects.filter(pk=chunk.pk, status=ChunkStatus.QUEUED).update(
            status=ChunkStatus.DONE
        )
    if entries:
        record_many(chunk.run.organization.chain, entries, at=now)
    return True


def _free_items(chunk: Chunk, hopeless: bool, now: datetime) -> list[Entry]:
    run = chunk.run
    running = Item.objects.filter(
        run=run, chunk_number=chunk.number, status=ItemStatus.RUNNING
    )
    items = list(running.order_by("pk"))
    pks = [item.pk for item in items]
    entries = _lose_intents(run, items)
    if hopeless:
        tried = _tried(pks)
        given_up = [Settlement(item, _end_of(item, tried)) for item in items]
        return entries + settle_many(run, given_up, actor=actor_of_run(run), now=now)
    Item.objects.filter(pk__in=pks).update(status=ItemStatus.QUEUED)
    Hold.objects.filter(item_id__in=pks).delete()
    return entries


def _tried(pks: list[int]) -> set[int]:
    """Return which items have calls on record: what those did may be unknown.

    A call that changes something is written down before it is sent, a look with its answer.
    """
    called = Attempt.objects.filter(item_id__in=pks).order_by()
    return set(called.values_list("item_id", flat=True).distinct())


def _end_of(item: Item, tried: set[int]) -> Result:
    return _GIVEN_UP if item.pk in tried else _NOT_TRIED


def _lose_intents(run: Run, items: list[Item]) -> list[Entry]:
    """Mark the calls whose answers nobody wrote down; return their audit entries."""
    by_pk = {item.pk: item for item in items}
    open_ones = Attempt.objects.filter(item_id__in=by_pk, state=AttemptState.INTENDED)
    lost = list(open_ones.order_by("pk"))
    Attempt.objects.filter(pk__in=[one.pk for one in lost]).update(
        state=AttemptState.LOST, code="worker_lost"
    )
    entries = []
    for attempt in lost:
        attempt.state, attempt.code = AttemptState.LOST, "worker_lost"
        item = by_pk[attempt.item_id]
        entries.append(evidence.answer_entry(item, run, actor_of_run(run), attempt))
    return entries
