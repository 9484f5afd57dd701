"""Who works on what: chunks under a lease, instances under a hold. Times are the database's."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Now

from ceadmin.lib.rows import Lookup, Rows, among
from instances.choices import PART_SHUT, ChunkStatus, ItemStatus, RunKind, RunStatus
from instances.models import Chunk, Hold, Item, Part, Run

#: An instance that another run works on is tried again after this.
HELD_ELSEWHERE = timedelta(seconds=3)

#: These change an instance's grant, so only one item may work on an instance at a time.
_EXCLUSIVE = frozenset({RunKind.REVOKE, RunKind.RECONNECT, RunKind.DRILL})

_CHUNKS = Lookup(
    Chunk,
    "run_id",
    "number",
    where=f"status = '{ChunkStatus.CLAIMED.value}' AND worker = %s",
    lock=True,
)
_HOLDS = Rows(Hold, "instance_id", "item_id", "until")


def lease() -> timedelta:
    """Return how long a worker may be silent; it says every second that it lives."""
    return timedelta(seconds=settings.LEASE_SECONDS)


def from_now(delta: timedelta) -> Combinable:
    """Return the moment `delta` from now by the database's clock."""
    return ExpressionWrapper(Now() + delta, output_field=DateTimeField())


@dataclass(frozen=True, slots=True)
class Pulse:
    """How a run stands, as a worker looks at it every second."""

    status: str
    connections: int  # calls in flight at most, of all workers together
    workers: int  # that hold chunks of the run now, the asking one among them
    shut: frozenset[str]  # providers of which nothing more is begun


def pulse(run: Run, worker: str) -> Pulse:
    """Return how `run` stands; a run that is gone is as good as stopped."""
    own = Run.objects.filter(pk=run.pk)
    found = own.values_list("status", "connections").first()
    if found is None:
        return Pulse(RunStatus.STOPPED.value, 1, 1, frozenset())
    claimed = Chunk.objects.filter(run=run, status=ChunkStatus.CLAIMED).order_by()
    workers = {worker, *claimed.values_list("worker", flat=True).distinct()}
    return Pulse(*found, len(workers), shut(run))


def shut(run: Run) -> frozenset[str]:
    """Return the providers of which nothing more is begun: held, or left out."""
    parts = Part.objects.filter(run=run, status__in=sorted(PART_SHUT))
    return frozenset(parts.values_list("provider_key", flat=True))


def claim(
    run: Run,
    worker: str,
    without: Collection[str] = (),
    most: Callable[[Chunk], int | None] = lambda chunk: None,
) -> tuple[Chunk, list[Item]] | None:
    """Claim the next chunk of `run` and return it with the items to work now, or None when there is none.

    `without` names providers to which nothing can be sent just now; `most` says how many
    items of a chunk are worth taking, None for all: the others stay queued.
    """
    with transaction.atomic():
        chunk = _next_chunk(run, without)
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
        return chunk, _take_items(run, chunk, most(chunk))


def _next_chunk(run: Run, without: Collection[str]) -> Chunk | None:
    chunks: QuerySet[Chunk] = (
        Chunk.objects.claimable()
        .filter(run=run, run__status=RunStatus.RUNNING)
        .order_by("number")
    )
    if without:
        chunks = chunks.exclude(provider_key__in=sorted(without))
    if connection.features.has_select_for_update_skip_locked:
        chunks = chunks.select_for_update(skip_locked=True, of=("self",))
    return next(iter(chunks[:1]), None)


def _take_items(run: Run, chunk: Chunk, most: int | None) -> list[Item]:
    mine = Item.objects.queued().filter(run=run, chunk_number=chunk.number)
    items = list(mine.order_by("number", "pk")[:most])
    if run.kind in _EXCLUSIVE:
        items = _held(items)
    own = among(Item, "id", [item.pk for item in items])
    mine.filter(own).update(
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
    instances = among(Hold, "instance_id", wanted)
    Hold.objects.filter(instances, until__lt=Now()).delete()
    until = _moment(lease())
    _HOLDS.insert_new([(*pair, until) for pair in sorted(wanted.items())])
    held = Hold.objects.filter(among(Hold, "item_id", wanted.values()))
    got = set(held.values_list("item_id", flat=True))
    return [item for item in items if item.instance_id is None or item.pk in got]


def _moment(delta: timedelta) -> Any:
    """Read the database's clock; a bulk insert takes values, not expressions of other rows."""
    return (
        Run.objects.annotate(moment=from_now(delta))
        .values_list("moment", flat=True)[:1]
        .get()
    )


def renew(worker: str, chunk_pks: list[int], item_pks: list[int]) -> set[int]:
    """Say that the worker still lives; return the chunks that are another one's by now."""
    held = Chunk.objects.filter(worker=worker, status=ChunkStatus.CLAIMED)
    mine = held.filter(pk__in=chunk_pks)
    kept = mine.update(lease_until=from_now(lease()))
    if item_pks:
        held_by = among(Hold, "item_id", item_pks)
        Hold.objects.filter(held_by).update(until=from_now(lease()))
    if kept == len(chunk_pks):
        return set()
    return set(chunk_pks) - set(mine.values_list("pk", flat=True))


def owned(run: Run, worker: str) -> frozenset[int]:
    """Return the numbers of the chunks that `worker` holds, kept so for the caller's transaction.

    A worker that slept longer than its lease finds its chunks with another one, and has
    no say in them any more.
    """
    return frozenset(number for (number,) in _CHUNKS.find([run.pk], worker))


def release(chunk: Chunk, wait: timedelta = HELD_ELSEWHERE) -> bool:
    """End a claim: the chunk is done, or queued again after `wait` where items are left.

    Return False, and leave it claimed, while the result of an item is still to be written.
    """
    with transaction.atomic():
        left = Item.objects.filter(run_id=chunk.run_id, chunk_number=chunk.number)
        if left.filter(status=ItemStatus.RUNNING).exists():
            return False  # the shard still works on some, or has not written it yet
        if left.queued().exists():
            fields: dict[str, Any] = {
                "status": ChunkStatus.QUEUED,
                "not_before": from_now(wait),
            }
        else:
            fields = {"status": ChunkStatus.DONE, "not_before": None}
        Chunk.objects.filter(
            pk=chunk.pk, status=ChunkStatus.CLAIMED, worker=chunk.worker
        ).update(worker="", lease_until=None, claims=0, **fields)
    return True


def requeue(chunk: Chunk) -> None:
    """End a claim before its work was done."""
    Chunk.objects.filter(
        pk=chunk.pk, status=ChunkStatus.CLAIMED, worker=chunk.worker
    ).update(status=ChunkStatus.QUEUED, worker="", lease_until=None, claims=0)


def give_back(run: Run, worker: str, items: list[Item], *, tried: bool = False) -> None:
    """Queue items again that were claimed and changed nothing; it was no try, unless `tried`."""
    again = {} if tried else {"tries": F("tries") - 1}
    with transaction.atomic():
        held = owned(run, worker)
        mine = [item.pk for item in items if item.chunk_number in held]
        own = Item.objects.filter(among(Item, "id", mine), status=ItemStatus.RUNNING)
        own.update(status=ItemStatus.QUEUED, **again)
        Hold.objects.filter(among(Hold, "item_id", mine)).delete()
