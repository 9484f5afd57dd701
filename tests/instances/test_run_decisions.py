"""What people decide of a run at work: who may, when, and what the audit keeps."""

import pytest
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.teams.permissions import NotAllowed
from instances import runs
from instances.choices import Outcome, PartStatus, RunKind, RunStatus
from instances.engine import claim, release
from instances.models import Run
from tests.instances.killing import fleet, quick
from tests.instances.parting import crowd, end, part, started, worker

__all__ = ["fleet", "quick"]

pytestmark = pytest.mark.usefixtures("quick")


def paused(fleet, *keys: str) -> Run:
    """Return a run of two providers that paused because `keys` answered wrongly."""
    crowd(fleet, box=60, salesforce=60)
    run = started(fleet, RunKind.REVOKE)
    writer = worker(run)
    for chunk, items in [claim(run, "one"), claim(run, "one")]:
        bad = chunk.provider_key in keys
        end(writer, items, Outcome.REFUSED if bad else Outcome.VERIFIED_DEAD)
        release(chunk)
    run.refresh_from_db()
    assert (run.status, run.problem) == (RunStatus.PAUSED, "canary")
    return run


def now_is(run: Run) -> tuple[str, str, str]:
    """Return where a run stands."""
    run.refresh_from_db()
    return run.status, run.problem, run.problem_text


def test_a_paused_run_goes_on_by_itself_when_its_only_question_is_answered(
    fleet, django_capture_on_commit_callbacks
):
    run = paused(fleet, "box")
    assert "Box" in run.problem_text
    assert part(run, "salesforce").status == PartStatus.OPEN

    with django_capture_on_commit_callbacks() as messages:
        runs.go_on(run, "box", user=fleet.user, now=timezone.now())

    assert now_is(run) == (RunStatus.RUNNING, "", "")
    assert part(run, "box").status == PartStatus.OPEN
    assert messages


def test_each_provider_is_a_question_of_its_own(fleet):
    run = paused(fleet, "box", "salesforce")
    assert "Box, Salesforce" in run.problem_text

    runs.leave_out(run, "box", user=fleet.user, now=timezone.now())
    assert now_is(run)[0] == RunStatus.PAUSED
    runs.go_on(run, "salesforce", user=fleet.user, now=timezone.now())

    assert now_is(run)[0] == RunStatus.RUNNING
    assert run.items.filter(cause="left_out").count() == 55


def test_resuming_goes_on_without_the_provider_in_question(fleet):
    run = paused(fleet, "box")

    runs.resume(run, user=fleet.user, now=timezone.now())

    assert now_is(run) == (RunStatus.RUNNING, "", "")
    assert part(run, "box").status == PartStatus.HELD
    assert claim(run, "one")[0].provider_key == "salesforce"
    assert claim(run, "one") is None


def test_a_stop_of_a_paused_run_is_no_failure(fleet):
    run = paused(fleet, "box")

    runs.stop(run, user=fleet.user, now=timezone.now())
    runs.sweep(now=timezone.now())

    assert now_is(run) == (RunStatus.STOPPED, "", "")


def test_a_run_that_a_person_paused_is_not_resumed_by_a_decision(fleet):
    run = paused(fleet, "box")
    runs.resume(run, user=fleet.user, now=timezone.now())
    runs.pause(run, user=fleet.user, now=timezone.now())

    runs.go_on(run, "box", user=fleet.user, now=timezone.now())

    assert now_is(run)[0] == RunStatus.PAUSED


def test_a_decision_is_taken_once(fleet):
    run = paused(fleet, "box")
    runs.go_on(run, "box", user=fleet.user, now=timezone.now())

    with pytest.raises(runs.RunError) as refused:
        runs.go_on(run, "box", user=fleet.user, now=timezone.now())

    assert refused.value.code == "decided_already"
    assert Event.objects.filter(action="part_went_on").count() == 1


def test_a_provider_that_the_run_does_not_have_is_named(fleet):
    run = paused(fleet, "box")

    with pytest.raises(runs.RunError, match="quickbooks"):
        runs.leave_out(run, "quickbooks", user=fleet.user, now=timezone.now())


@pytest.mark.parametrize("act", [runs.go_on, runs.leave_out])
def test_only_who_may_revoke_decides_over_a_revocation(fleet, team, act):
    run = paused(fleet, "box")

    with pytest.raises(NotAllowed):
        act(run, "box", user=team.olga, now=timezone.now())

    assert part(run, "box").status == PartStatus.HELD


def test_nothing_is_decided_of_a_run_that_ended(fleet):
    run = paused(fleet, "box")
    runs.stop(run, user=fleet.user, now=timezone.now())
    runs.sweep(now=timezone.now())

    with pytest.raises(runs.RunError):
        runs.go_on(run, "box", user=fleet.user, now=timezone.now())


# Connections


def test_a_run_has_as_many_connections_as_was_said(fleet, settings):
    settings.RUN_CONNECTIONS = 70
    crowd(fleet, box=1)

    assert started(fleet, RunKind.PROBE).connections == 70


def test_connections_change_while_a_run_works(fleet):
    crowd(fleet, box=1)
    run = started(fleet, RunKind.PROBE)

    runs.set_connections(run, 300, user=fleet.user, now=timezone.now())

    assert Run.objects.get().connections == 300
    event = Event.objects.get(action="run_changed")
    assert '"before":50' in event.text
    assert '"connections":300' in event.text


@pytest.mark.parametrize("wanted", [0, -1, 1001])
def test_no_run_has_no_or_endless_connections(fleet, wanted):
    crowd(fleet, box=1)
    run = started(fleet, RunKind.PROBE)

    with pytest.raises(runs.RunError, match="1 to 1000"):
        runs.set_connections(run, wanted, user=fleet.user, now=timezone.now())
    with pytest.raises(runs.RunError, match="1 to 1000"):
        runs.create(
            RunKind.PROBE,
            fleet.organization,
            run.selection,
            user=fleet.user,
            now=timezone.now(),
            connections=wanted,
        )

    assert Run.objects.get().connections == 50


def test_a_viewer_changes_no_connections(fleet, team):
    crowd(fleet, box=1)
    run = started(fleet, RunKind.PROBE)

    with pytest.raises(NotAllowed):
        runs.set_connections(run, 5, user=team.vic, now=timezone.now())


def test_a_draft_is_started_with_the_connections_that_were_said(fleet):
    crowd(fleet, box=1)
    run = fleet.draft(RunKind.REVOKE)

    runs.start(run, user=fleet.user, now=timezone.now(), reason="a test", connections=7)

    assert Run.objects.get().connections == 7


def test_an_ended_run_has_nothing_in_flight(fleet):
    run = fleet.draft(RunKind.PROBE)

    with pytest.raises(runs.RunError, match="ended"):
        runs.set_connections(run, 5, user=fleet.user, now=timezone.now())


def test_a_retry_takes_the_connections_along(fleet):
    crowd(fleet, box=1)
    run = started(fleet, RunKind.PROBE)
    runs.set_connections(run, 9, user=fleet.user, now=timezone.now())
    end(worker(run), claim(run, "one")[1], Outcome.TRANSIENT)

    assert runs.retry(run, user=fleet.user, now=timezone.now()).connections == 9
