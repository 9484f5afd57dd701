"""Many rows at once, and what a query costs however fast the machine is."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection
from django.db.models import F
from django.utils import timezone

from instances.choices import ChunkStatus, ItemStatus, RunKind, RunStatus
from instances.models import Chunk, Instance, InstanceTag, Item, Run
from instances.models.instance import instance_uid
from instances.runs.freezing import CHUNK_SIZE


def make_instances(organization, count: int, **fields) -> None:
    """Save `count` instances of an organization, as a sync would have made them."""
    now = timezone.now()
    wanted = {"element_key": "box", "provider_key": "box", "status": "connected"}
    Instance.objects.bulk_create(
        (
            Instance(
                uid=instance_uid(organization.uid, f"{number}"),
                organization=organization,
                remote_id=f"{number}",
                name=f"Box {number}",
                status_since=now,
                created_at=now,
                **(wanted | fields),
            )
            for number in range(count)
        ),
        batch_size=1000,
    )


def tag_all(name: str) -> None:
    """Give every instance a tag."""
    pks = Instance.objects.values_list("pk", flat=True)
    InstanceTag.objects.bulk_create(
        (InstanceTag(instance_id=pk, name=name) for pk in pks), batch_size=1000
    )


def make_run(organization, count: int, **fields) -> Run:
    """Save a running probe of `count` items at two providers, none of them begun."""
    now = timezone.now()
    wanted = {"kind": RunKind.PROBE, "status": RunStatus.RUNNING, "total": count}
    times = {"created_at": now, "planned_at": now, "started_at": now}
    run = Run.objects.create(organization=organization, **(wanted | times | fields))
    Item.objects.bulk_create(
        (
            Item(
                run=run,
                number=number,
                chunk_number=(number - 1) // CHUNK_SIZE,
                instance_uid=instance_uid(organization.uid, f"{number}"),
                instance_name=f"Box {number}",
                remote_id=f"{number}",
                element_key="box",
                provider_key=("box", "salesforce")[number % 2],
            )
            for number in range(1, count + 1)
        ),
        batch_size=1000,
    )
    return run


def end_items(run: Run, *, share: float = 1.0, seconds: float = 60.0) -> None:
    """End the first `share` of a run's items, a tenth of them badly, evenly over the last `seconds`."""
    upto, now = int(run.total * share), timezone.now()
    parts = min(upto, 100)
    own = Item.objects.filter(run=run)
    for part in range(parts):
        first, last = upto * part // parts, upto * (part + 1) // parts
        own.filter(number__gt=first, number__lte=last).update(
            status=ItemStatus.DONE,
            outcome="connected",
            cause="",
            finished_at=now - timedelta(seconds=seconds * (1 - (part + 0.5) / parts)),
        )
    bad = own.annotate(rest=F("number") % 10).filter(rest=1, number__lte=upto)
    bad.update(outcome="transient", cause="http_503")
    Chunk.objects.filter(run=run).update(status=ChunkStatus.DONE)


@contextmanager
def vm_steps() -> Iterator[list[int]]:
    """Count the hundreds of instructions that SQLite's own machine takes in the block."""
    connection.ensure_connection()
    steps = [0]

    def count() -> int:
        steps[0] += 1
        return 0

    connection.connection.set_progress_handler(count, 100)
    try:
        yield steps
    finally:
        connection.connection.set_progress_handler(None, 0)
