"""Runs that ended long ago, for tests of what is removed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from instances import runs
from instances.choices import ChunkStatus, ItemStatus, RunKind, RunStatus
from instances.models import Attempt, Chunk, Item, Run

NOW = timezone.now()
CALLS = timedelta(days=91)
ITEMS = timedelta(days=366)


@pytest.fixture
def old(team):
    """A function that makes a run that ended long ago, each of its items with two calls."""

    def make(count: int = 3, ago: timedelta = ITEMS, **fields) -> Run:
        wanted = {
            "organization": team.acme,
            "kind": RunKind.PROBE,
            "status": RunStatus.FINISHED,
            "total": count,
            "created_at": NOW - ago,
            "planned_at": NOW - ago,
            "finished_at": NOW - ago,
            "reason": "a test",
        }
        run = Run.objects.create(**(wanted | fields))
        Chunk.objects.create(run=run, number=0, status=ChunkStatus.DONE)
        Item.objects.bulk_create(ended_item(run, n) for n in range(1, count + 1))
        pks = run.items.order_by("number").values_list("pk", flat=True)
        Attempt.objects.bulk_create(call(pk, run) for pk in pks for _ in range(2))
        return run

    return make


def ended_item(run: Run, number: int) -> Item:
    good, bad = (
        ("verified_dead", "refused") if run.kind == "revoke" else ("connected", "dead")
    )
    return Item(
        run=run,
        number=number,
        instance_uid=f"00000000-0000-0000-{run.pk % 10_000:04d}-{number:012d}",
        instance_name=f"Box {number}",
        remote_id=str(number),
        element_key="box",
        provider_key="box",
        status=ItemStatus.DONE,
        outcome=bad if number == 1 else good,
        cause="invalid_grant" if number == 1 else "",
        cleared_at=run.created_at,
        finished_at=run.created_at,
    )


def call(item_pk: int, run: Run) -> Attempt:
    return Attempt(
        item_id=item_pk,
        number=1,
        purpose="ping",
        method="GET",
        url="https://api.cloud-elements.com/elements/api-v2/ping",
        state="answered",
        at=run.created_at,
    )


def thin(rows: int = 10**6) -> int:
    return runs.thin_out(now=NOW, rows=rows)


def left(run: Run) -> tuple[int, int]:
    """Return how many items and calls a run still has."""
    return run.items.count(), Attempt.objects.filter(item__run=run).count()
