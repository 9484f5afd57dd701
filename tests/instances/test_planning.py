"""What a run is about: lists frozen from selections, drafts, retries, and thousands at once."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from instances import runs, selection
from instances.choices import RunKind, RunStatus
from instances.models import Chunk, Instance, Item, Run
from instances.models.instance import instance_uid
from tests.instances.killing import fleet, quick
from tests.people import PASSWORD

__all__ = ["fleet", "quick"]

pytestmark = pytest.mark.usefixtures("quick")


def test_an_empty_list_of_ids_finishes_at_once(fleet):
    run = fleet.draft(RunKind.PROBE, selection.of_instances([]))

    assert (run.status, run.problem) == (RunStatus.FINISHED, "empty_selection")


def test_a_selection_that_is_not_understood_ends_the_run(fleet):
    run = fleet.draft(RunKind.REVOKE)
    Run.objects.filter(pk=run.pk).update(planned_at=None, selection={"version": 99})

    runs.plan(run.pk, now=timezone.now())

    run.refresh_from_db()
    assert (run.status, run.problem) == (RunStatus.FAILED, "bad_selection")
    assert "select the rows again" in run.problem_text


def test_a_draft_that_nobody_starts_expires(fleet):
    run = fleet.draft(RunKind.REVOKE)

    runs.sweep(now=timezone.now() + timedelta(days=8))

    run.refresh_from_db()
    assert (run.status, run.problem) == (RunStatus.EXPIRED, "never_started")


def test_a_retry_takes_the_failed_ones_only(fleet):
    fleet.synced("box", 3)
    bad = Instance.objects.order_by("pk").first()
    where = {"path": "/instances", "instance": int(bad.remote_id)}
    fleet.fault("status", "", times=0, status=503, match=where)
    run = fleet.run(RunKind.REVOKE)

    again = runs.retry(run, user=fleet.user, now=timezone.now())
    runs.plan(again.pk, now=timezone.now())

    assert list(again.items.values_list("instance", flat=True)) == [bad.pk]


def test_acting_on_all_5000_that_match_freezes_5000_items(fleet, client):
    now = timezone.now()
    Instance.objects.bulk_create(
        Instance(
            uid=instance_uid(fleet.organization.uid, str(number)),
            organization=fleet.organization,
            remote_id=str(number),
            name=f"Box {number}",
            element_key="box",
            provider_key="box",
            status_since=now,
            created_at=now,
        )
        for number in range(5_000)
    )
    assert client.login(username=fleet.user.email, password=PASSWORD)
    with CaptureQueriesContext(connection) as asked:
        answer = client.post(
            reverse("admin:instances_instance_changelist"),
            {
                "action": "revoke",
                "select_across": "1",
                "_selected_action": str(Instance.objects.first().pk),
            },
        )
    run = Run.objects.get()
    assert answer.status_code == 302
    assert len(asked) < 60

    with CaptureQueriesContext(connection) as planned:
        runs.plan(run.pk, now=now)

    assert Item.objects.filter(run=run).count() == 5_000
    chunks = Chunk.objects.filter(run=run)
    assert chunks.count() == 21  # the first is small: it goes first
    # With what begins and ends the transactions of two pieces; none for each item.
    assert len(planned) < 40
