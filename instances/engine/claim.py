"""Who works on what: chunks under a lease, instances under a hold. Times are the database's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Now

from instances.choices import ChunkStatus, ItemStatus, RunKind, RunStatus
from instances.models import Chunk, Hold, Item, Run

#: An instance that another run works on is tried again after this.
HELD_ELSEWHERE = timedelta(seconds=3)

#: These change an instance's grant, so only one item may work on an instance at a time.
_EXCLUSIVE = frozenset({RunKind.REVOKE, RunKind.RECONNECT, RunKind.DRILL})


def lease() -> timedelta:
    """Return how long a worker may be silent; it says every second that it lives."""
    return timedelta(seconds=settings.LEASE_SECONDS)


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
            status=ChunkStatus.CLAIMED,
            worker=worker,
            lease_until=from_now(lease()),
            claims=F("claims") + 1,
        )
        if taken != 1:
            return None
        chunk.worker = worker
        return chunk, _take_items(run, chunk)


def _next_chunk(run: Run) -> Chunk | None:
    chunks: QuerySet[Chunk] = (
        Chunk.objects.claimable()
        .filter(run=run, run__status=RunStatus.RUNNING)
        .order_by("number", "pk")
    )
    if connection.features.has_select_for_update_skip_locked:
        chunks = chunks.select_for_update(skip_locked=True, of=("self",))
    return chunks.first()


def _take_items(run: Run, chunk: Chunk) -> list[Item]:
    mine = Item.objects.queued().filter(run=run, chunk_number=chunk.number)
    items = list(mine.order_by("number", "pk"))
    if run.kind in _EXCLUSIVE:
        items = _held(items)
    pks = [item.pk for item in items]
    Item.objects.filter(pk__in=pks, status=ItemStatus.QUEUED).update(
        status=ItemStatus.RUNNING,
        tries=F("tries") + 1,
        started_at=Coalesce("started_at", Now()),
    )
    for item in items:
        item.status, item.tries = ItemStatus.RUNNING, item.tries + 1
    return items


def _held(items: list[Item]) -> list[Item]:
    """Take a hold on each item's instance; return those that got it (or have no instance left)."""
    wanted = {item.instance_id: item.pk for item in items if item.instance_id}
    Hold.objects.filter(instance_id__in=wanted, until__lt=Now()).delete()
    until = _moment(lease())
    Hold.objects.bulk_create(
        [
            Hold(instance_id=instance, item_id=item, until=until)
            for instance, item in wanted.items()
        ],
        ignore_conflicts=True,
    )
    got = set(
        Hold.objects.filter(item_id__in=wanted.values()).values_list(
            "item_id", flat=True
        )
    )
    return [item for item in items if item.instance_id is None or item.pk in got]


def _moment(delta: timedelta) -> Any:
    """Read the database's clock; a bulk insert takes values, not expressions of other rows."""
    return (
        Run.objects.annotate(moment=from_now(delta))
        .values_list("moment", flat=True)[:1]
        .get()
    )


def renew(worker: str, chunk_pks: list[int], item_pks: list[int]) -> None:
    """Say that the worker still lives; what was given to another one stays theirs."""
    held = Chunk.objects.filter(worker=worker, status=ChunkStatus.CLAIMED)
    held.filter(pk__in=chunk_pks).update(lease_until=from_now(lease()))
    if item_pks:
        Hold.objects.filter(item_id__in=item_pks).update(until=from_now(lease()))


def owned(run: Run, worker: str) -> frozenset[int]:
    """Return the numbers of the chunks that `worker` holds, kept so for the caller's transaction.

    A worker that slept longer than its lease finds its chunks with another one, and has
    no say in them any more.
    """
    held = Chunk.objects.filter(run=run, worker=worker, status=ChunkStatus.CLAIMED)
    rows = held.select_for_update().order_by("pk")
    return frozenset(rows.values_list("number", flat=True))


def release(chunk: Chunk) -> None:
    """End a claim: the chunk is done, or queued again where items are left."""
    with transaction.atomic():
        left = Item.objects.filter(run_id=chunk.run_id, chunk_number=chunk.number)
        if left.filter(status=ItemStatus.RUNNING).exists():
            return  # the shard still works on some; its last flush releases the chunk
        if left.queued().exists():
            fields: dict[str, Any] = {
                "status": ChunkStatus.QUEUED,
                "not_before": from_now(HELD_ELSEWHERE),
            }
        else:
            fields = {"status": ChunkStatus.DONE, "not_before": None}
        Chunk.objects.filter(
            pk=chunk.pk, status=ChunkStatus.CLAIMED, worker=chunk.worker
        ).update(worker="", lease_until=None, claims=0, **fields)


def requeue(chunk: Chunk) -> None:
    """End a claim before its work was done."""
    Chunk.objects.filter(
        pk=chunk.pk, status=ChunkStatus.CLAIMED, worker=chunk.worker
    ).update(status=ChunkStatus.QUEUED, worker="", lease_until=None, claims=0)


def give_back(run: Run, worker: str, items: list[Item]) -> None:
    """Queue items again that were claimed and not begun; it was no try."""
    with transaction.atomic():
        held = owned(run, worker)
        pks = [item.pk for item in items if item.chunk_number in held]
        Item.objects.filter(pk__in=pks, status=ItemStatus.RUNNING).update(
            status=ItemStatus.QUEUED, tries=F("tries") - 1
        )
        Hold.objects.filter(item_id__in=pks).delete()
