"""Drills: eight steps on one instance, and what stops one on the way."""

import pytest
from django.utils import timezone

from ceadmin.audit.models import Event
from instances import runs
from instances.choices import (
    AttemptState,
    InstanceStatus,
    ItemStatus,
    LinkStatus,
    Outcome,
    RunKind,
    RunStatus,
)
from instances.models import Attempt, Instance, ReconnectLink
from tests.instances.fleet import only_item
from tests.instances.killing import fleet, quick, revocations

__all__ = ["fleet", "quick"]

pytestmark = pytest.mark.usefixtures("quick")


def waiting(fleet, provider="box"):
    """Return a drill's run that waits for a person at step 6."""
    fleet.synced(provider)
    run = fleet.run(RunKind.DRILL)
    assert only_item(run).status == ItemStatus.WAITING
    return run


def test_a_drill_waits_for_a_person_with_its_grant_revoked(fleet):
    run = waiting(fleet)

    assert run.status == RunStatus.RUNNING
    assert Instance.objects.get().status == InstanceStatus.REVOKED
    assert ReconnectLink.objects.get().status == LinkStatus.MADE
    steps = set(Attempt.objects.values_list("step", flat=True))
    assert steps == {1, 2, 3, 4}


def test_the_first_four_steps_answer_as_in_the_article(fleet):
    waiting(fleet)

    named = Attempt.objects.filter(
        purpose__in=["alive", "read", "revoke_refresh", "verify_platform"]
    )
    answers = named.order_by("step").values_list("step", "status_code")
    assert list(answers) == [(1, 200), (2, 200), (3, 200), (4, 401)]


@pytest.mark.parametrize(
    ("state", "status"),
    [("dead", InstanceStatus.NEEDS_REAUTH), ("disabled", InstanceStatus.DISABLED)],
)
def test_an_instance_that_is_not_alive_is_left_as_it_is(fleet, state, status):
    fleet.synced("box", state=state)

    run = fleet.run(RunKind.DRILL)

    item = only_item(run)
    assert (item.outcome, run.status) == (Outcome.NOT_ALIVE, RunStatus.FINISHED)
    assert item.explanation
    assert Instance.objects.get().status == status
    assert revocations(fleet) == []


def test_a_platform_that_fails_is_not_called_a_dead_instance(fleet):
    fleet.synced("box")
    fleet.fault("status", "/ping", times=0)

    item = only_item(fleet.run(RunKind.DRILL))

    assert (item.outcome, bool(item.explanation)) == (Outcome.TRANSIENT, True)
    assert revocations(fleet) == []


def test_a_drill_without_an_app_does_not_begin(fleet):
    fleet.synced("box")
    Instance.objects.update(provider_app=None)

    item = only_item(fleet.run(RunKind.DRILL))

    assert (item.outcome, item.cause) == (Outcome.MISCONFIGURED, "no_app")
    assert not Attempt.objects.exists()


def test_a_drill_ends_where_its_revocation_ends(fleet):
    fleet.synced("box")
    fleet.fault("ignored_revoke", "*revoke", times=0)

    run = fleet.run(RunKind.DRILL)

    assert only_item(run).outcome == Outcome.STILL_ALIVE
    assert not ReconnectLink.objects.exists()


def test_a_drill_that_is_tried_again_does_not_ask_whether_what_it_killed_lives(fleet):
    run = waiting(fleet)
    item = only_item(run)
    ReconnectLink.objects.all().delete()
    item.attempts.filter(purpose__startswith="revoke").update(state=AttemptState.LOST)
    run.items.update(status=ItemStatus.QUEUED)
    run.chunks.update(status="queued")

    fleet.work(run)

    assert only_item(run).status == ItemStatus.WAITING
    assert len(revocations(fleet)) == 1
    assert Instance.objects.get().status == InstanceStatus.REVOKED


def test_a_stopped_drill_says_that_the_grant_is_dead(fleet):
    run = waiting(fleet)

    runs.stop(run, user=fleet.user, now=timezone.now())
    runs.sweep(now=timezone.now())

    run.refresh_from_db()
    item = only_item(run)
    assert (run.status, item.outcome) == (RunStatus.STOPPED, Outcome.VERIFIED_DEAD)
    assert ReconnectLink.objects.get().status == LinkStatus.CANCELLED
    events = Event.objects.filter(action__in=["link_cancelled", "item_settled"])
    assert events.count() == 2


def test_an_instance_removed_here_ends_a_drill_that_waits(fleet):
    run = waiting(fleet)
    Instance.objects.all().delete()

    runs.sweep(now=timezone.now())

    run.refresh_from_db()
    assert (run.status, only_item(run).cause) == (RunStatus.FINISHED, "gone")


def test_an_expired_link_ends_the_drill(fleet):
    run = waiting(fleet)
    ReconnectLink.objects.update(expires_at=timezone.now())

    runs.sweep(now=timezone.now())

    run.refresh_from_db()
    assert run.status == RunStatus.FINISHED
    assert only_item(run).outcome == Outcome.EXPIRED
    assert Instance.objects.get().status == InstanceStatus.REVOKED


def test_a_changed_element_token_goes_through_all_steps(fleet):
    (instance,) = fleet.synced("box")
    instance.element_token = "outdated="
    instance.save()

    run = fleet.run(RunKind.DRILL)

    instance.refresh_from_db()
    assert only_item(run).status == ItemStatus.WAITING
    assert instance.element_token.reveal() != "outdated="
