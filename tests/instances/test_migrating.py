"""A database with runs in progress is migrated, and they go on."""

import uuid

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from instances import runs
from instances.choices import Outcome, PartStatus
from instances.engine import claim, parts
from instances.models import Chunk, Part, Run
from tests.instances.parting import end, worker
from tests.people import make_organization

BEFORE = ("instances", "0001_instances_and_runs")


@pytest.fixture
def migrated_back(transactional_db):
    """Bring the database back to the first version; afterwards to the newest again."""
    newest = [
        key
        for key in MigrationExecutor(connection).loader.graph.leaf_nodes()
        if key[0] == "instances"
    ]
    executor = MigrationExecutor(connection)
    old = executor.migrate([BEFORE]).apps

    def forward() -> None:
        MigrationExecutor(connection).migrate(newest)

    yield old, forward
    forward()


def saved_run(old, organization, status: str, *providers: str, kind: str = "probe"):
    """Save a run as the first version did: chunks of two items, whatever their providers."""
    now = timezone.now()
    run = old.get_model("instances", "Run").objects.create(
        organization_id=organization.pk,
        kind=kind,
        status=status,
        reason="a test",
        total=len(providers),
        created_at=now,
        planned_at=now,
        finished_at=now if status == "finished" else None,
    )
    for place, key in enumerate(providers):
        old.get_model("instances", "Item").objects.create(
            run=run,
            number=place + 1,
            chunk_number=place // 2,
            instance_uid=uuid.uuid4(),
            instance_name=f"{key} {place}",
            remote_id=str(place),
            element_key="any",
            provider_key=key,
        )
    for number in range((len(providers) + 1) // 2):
        old.get_model("instances", "Chunk").objects.create(run=run, number=number)
    return run.pk


def test_runs_in_progress_get_their_parts_and_go_on(migrated_back):
    old, forward = migrated_back
    acme = make_organization("Acme")
    going = saved_run(
        old, acme, "running", "box", "box", "box", "salesforce", "", "", "salesforce"
    )
    ended = saved_run(old, acme, "finished", "box")
    syncing = saved_run(old, acme, "running", "box", kind="sync")

    forward()

    run = Run.objects.get(pk=going)
    assert run.connections == 50
    chunks = Chunk.objects.filter(run=run).order_by("number")
    assert list(chunks.values_list("provider_key", flat=True)) == [
        "box",
        "",  # mixed
        "",  # of an element that nobody knows
        "salesforce",
    ]
    made = Part.objects.filter(run=run).order_by("provider_key")
    assert list(made.values_list("provider_key", "status", "total")) == [
        ("box", "open", 3),
        ("salesforce", "open", 2),
    ]
    assert not Part.objects.filter(run__in=[ended, syncing]).exists()

    # A part that is held takes its own chunks out, and the mixed one stays claimable.
    made.filter(provider_key="box").update(status=PartStatus.HELD)
    order = []
    while got := claim(run, "one"):
        order.append(got[0].number)
        end(worker(run), got[1], Outcome.CONNECTED)
    assert order == [1, 2, 3]
    assert parts.Watch(run).urgent(run.items.first()) is False


def test_a_provider_of_mixed_chunks_is_left_out_item_by_item(migrated_back):
    old, forward = migrated_back
    acme = make_organization("Acme")
    pk = saved_run(old, acme, "running", "box", "salesforce", "box", "box")
    forward()
    run = Run.objects.get(pk=pk)
    Part.objects.filter(run=run, provider_key="box").update(status=PartStatus.LEFT_OUT)

    runs.sweep(now=timezone.now())

    assert sorted(run.items.values_list("provider_key", "outcome")) == [
        ("box", "cancelled"),
        ("box", "cancelled"),
        ("box", "cancelled"),
        ("salesforce", ""),
    ]
    _, (left,) = claim(run, "one")
    assert left.provider_key == "salesforce"


def test_a_worker_of_the_version_before_plans_beside_the_new_one(migrated_back):
    old, forward = migrated_back
    acme = make_organization("Acme")
    forward()
    # The old code names the columns that it knows, and no others.
    pk = saved_run(old, acme, "running", "box", "salesforce")

    run = Run.objects.get(pk=pk)
    assert (run.connections, run.emptied) == (50, False)
    assert claim(run, "one") is not None
