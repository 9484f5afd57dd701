"""Who works on what: chunks under a lease, instances under a hold. Times are the database's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Now

from instances.choices import AttemptState, ChunkStatus, ItemStatus, Outcome, RunKind
from instances.models import Attempt, Chunk, Hold, Item, Run

#: A worker renews its lease every second; one that is silent for so long is dead.
LEASE = timedelta(seconds=30)
#: An instance that another run works on is tried again after this.
HELD_ELSEWHERE = timedelta(seconds=3)
#: A chunk that killed so many workers is not given to another one.
MAX_CLAIMS = 5

#: These change an instance's grant, so only one item may work on an instance at a time.
_EXCLUSIVE = frozenset({RunKind.REVOKE, RunKind.RECONNECT, RunKind.DRILL})


def from_now(delta: timedelta) -> Combinable:
    """Return the moment `delta` from now by the database's clock."""
    return ExpressionWrapper(Now() + delta, output_field=DateTimeField())


def claim(run: Run, worker: str) -> tuple[Chunk, list[Item]] | None:
    """Claim the next chunk of `run` and return it with the items to work now, or None when there is none."""
    with transaction.atomic():
        chunk = _next_chunk(run)
        if chunk is None:
            return None
        taken = Chunk.objects.filter(pk=chunk.pk, status=ChunkStatus.QUEUED).update(
            status=ChunkStatus.CLAIMED, worker=worker, lease_until=from_now(LEASE), claims=F("claims") + 1
        )
        if taken != 1:
            return None
        return chunk, _take_items(run, chunk)


def _next_chunk(run: Run) -> Chunk | None:
    chunks: QuerySet[Chunk] = Chunk.objects.claimable().filter(run=run).order_by("number", "pk")
    if connection.features.has_select_for_update_skip_locked:
        chunks = chunks.select_for_update(skip_locked=True)
    return chunks.first()


def _take_items(run: Run, chunk: Chunk) -> list[Item]:
    mine = Item.objects.queued().filter(run=run, chunk_number=chunk.number)
    items = list(mine.order_by("number", "pk"))
    if run.kind in _EXCLUSIVE:
        items = _held(items)
    pks = [item.pk for item in items]
    Item.objects.filter(pk__in=pks, status=ItemStatus.QUEUED).update(
        status=ItemStatus.RUNNING, tries=F("tries") + 1, started_at=Coalesce("started_at", Now())
    )
    for item in items:
        item.status, item.tries = ItemStatus.RUNNING, item.tries + 1
    return items


def _held(items: list[Item]) -> list[Item]:
    """Take a hold on each item's instance; return those that got it (or have no instance left)."""
    wanted = {item.instance_id: item.pk for item in items if item.instance_id}
    Hold.objects.filter(instance_id__in=wanted, until__lt=Now()).delete()
    until = _moment(LEASE)
    Hold.objects.bulk_create(
        [Hold(instance_id=instance, item_id=item, until=until) for instance, item in wanted.items()],
        ignore_conflicts=True,
    )
    got = set(Hold.objects.filter(item_id__in=wanted.values()).values_list("item_id", flat=True))
    return [item for item in items if item.instance_id is None or item.pk in got]


def _moment(delta: timedelta) -> Any:
    """Read the database's clock; a bulk insert takes values, not expressions of other rows."""
    return Run.objects.annotate(moment=from_now(delta)).values_list("moment", flat=True)[:1].get()


def renew(chunk_pks: list[int], item_pks: list[int]) -> None:
    """Say that the worker still lives."""
    Chunk.objects.filter(pk__in=chunk_pks, status=ChunkStatus.CLAIMED).update(lease_until=from_now(LEASE))
    if item_pks:
        Hold.objects.filter(item_id__in=item_pks).update(until=from_now(LEASE))


def release(chunk: Chunk) -> None:
    """End a claim: the chunk is done, or queued again where items are left."""
    with transaction.atomic():
        left = Item.objects.filter(run_id=chunk.run_id, chunk_number=chunk.number)
        if left.filter(status=ItemStatus.RUNNING).exists():
            return  # the shard still works on some; its last flush releases the chunk
        if left.queued().exists():
            fields: dict[str, Any] = {"status": ChunkStatus.QUEUED, "not_before": from_now(HELD_ELSEWHERE)}
        else:
            fields = {"status": ChunkStatus.DONE, "not_before": None}
        Chunk.objects.filter(pk=chunk.pk, status=ChunkStatus.CLAIMED).update(
            worker="", lease_until=None, claims=0, **fields
        )


def give_back(items: list[Item]) -> None:
    """Queue items again that were claimed and not begun; it was no try."""
    pks = [item.pk for item in items]
    with transaction.atomic():
        Item.objects.filter(pk__in=pks, status=ItemStatus.RUNNING).update(
            status=ItemStatus.QUEUED, tries=F("tries") - 1
        )
        Hold.objects.filter(item_id__in=pks).delete()


def reap() -> list[int]:
    """Give back what dead workers held; return the runs concerned.

    An intent without an answer is marked lost, so that the next try verifies before it acts.
    """
    runs: set[int] = set()
    for chunk in Chunk.objects.abandoned().order_by("pk")[:100]:
        with transaction.atomic():
            if _reap_chunk(chunk):
                runs.add(chunk.run_id)
    return sorted(runs)


def _reap_chunk(chunk: Chunk) -> bool:
    still = Chunk.objects.abandoned().filter(pk=chunk.pk)
    if still.update(status=ChunkStatus.QUEUED, worker="", lease_until=None, not_before=None) != 1:
        return False
    items = Item.objects.filter(run_id=chunk.run_id, chunk_number=chunk.number, status=ItemStatus.RUNNING)
    pks = list(items.values_list("pk", flat=True))
    Attempt.objects.filter(item_id__in=pks, state=AttemptState.INTENDED).update(
        state=AttemptState.LOST, code="worker_lost"
    )
    Hold.objects.filter(item_id__in=pks).delete()
    if chunk.claims >= MAX_CLAIMS:
        _give_up(pks)
    else:
        Item.objects.filter(pk__in=pks).update(status=ItemStatus.QUEUED)
    return True


def _give_up(pks: list[int]) -> None:
    Item.objects.filter(pk__in=pks).update(
        status=ItemStatus.DONE,
        outcome=Outcome.UNCLEAR,
        cause="worker_lost",
        explanation="Several workers died over this item. Probe the instance, and look into the worker's log.",
        finished_at=Now(),
    )
