"""Claims, leases, holds and the reaper, without a worker process: who may write what."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ceadmin.audit.models import Event
from instances import runs
from instances.actions.calls import Call, Result
from instances.actions.load import actor_of_run
from instances.choices import (
    ChunkStatus,
    InstanceStatus,
    ItemStatus,
    Outcome,
    RunKind,
    RunStatus,
)
from instances.engine import claim, reap, release
from instances.engine.reap import MAX_CLAIMS
from instances.engine.shard import Shard
from instances.engine.writer import Intent, Writer
from instances.models import Attempt, Chunk, Hold, Instance, Run
from instances.runs.work import FLOWS
from tests.instances.fleet import only_item
from tests.instances.killing import assert_audited, fleet, quick, revocations
from tests.people import make_user

__all__ = ["fleet", "quick"]

pytestmark = pytest.mark.usefixtures("quick")


def begun(fleet, kind=RunKind.REVOKE, count=1) -> Run:
    """Return a started run over new instances."""
    fleet.synced("box", count)
    run = fleet.draft(kind)
    if run.status == RunStatus.DRAFT:
        runs.start(run, user=fleet.user, now=timezone.now(), reason="a test")
    run.refresh_from_db()
    return run


def lapse(run) -> None:
    """Let the leases of a run's workers end."""
    past = timezone.now() - timedelta(minutes=1)
    run.chunks.filter(status=ChunkStatus.CLAIMED).update(lease_until=past)
    Hold.objects.update(until=past)


def die_after(run, calls: int) -> None:
    """Work as a worker that is killed when `calls` revocations have left it."""

    class Killed(BaseException):
        pass

    class Doomed(Shard):
        left = calls

        def _act(self, thread, call, attempt):
            if not self.left:
                raise Killed
            self.left -= 1
            super()._act(thread, call, attempt)

    shard = Doomed(run, FLOWS[run.kind], worker="doomed", clock=timezone.now)
    with pytest.raises(Killed):
        shard.work()


# Claims


def test_a_chunk_is_claimed_once(fleet):
    run = begun(fleet)

    assert claim(run, "one") is not None
    assert claim(run, "two") is None


def test_nothing_is_claimed_of_a_run_that_does_not_run(fleet):
    run = begun(fleet)
    runs.pause(run, user=fleet.user, now=timezone.now())

    assert claim(run, "one") is None


def test_a_lease_that_is_over_gives_the_items_to_another_worker(fleet):
    run = begun(fleet)
    claim(run, "one")
    lapse(run)

    assert reap(timezone.now()) == [run.pk]
    _, items = claim(run, "two")
    assert [item.tries for item in items] == [2]


def test_a_lease_that_lasts_is_left_alone(fleet):
    run = begun(fleet)
    claim(run, "one")

    assert reap(timezone.now()) == []
    assert Chunk.objects.filter(run=run).get().worker == "one"


def test_a_worker_without_its_lease_releases_nothing(fleet):
    run = begun(fleet)
    chunk, _ = claim(run, "one")
    lapse(run)
    reap(timezone.now())
    claim(run, "two")

    release(chunk)

    assert Chunk.objects.filter(run=run).get().worker == "two"


def test_a_worker_without_its_lease_ends_nothing_and_sends_nothing(fleet):
    run = begun(fleet)
    _, (item,) = claim(run, "one")
    writer = Writer(run, actor_of_run(run), timezone.now, "one")
    lapse(run)
    reap(timezone.now())
    claim(run, "two")
    heard = []
    writer.end(item, Result(Outcome.VERIFIED_DEAD))
    writer.intend(
        Intent(
            item,
            Call(None, intent=True),
            Attempt(item=item),
            lambda _: heard.append("go"),
            lambda _: heard.append("refuse"),
            lambda: heard.append("drop"),
        )
    )

    writer.flush()

    assert heard == ["drop"]
    assert only_item(run).status == ItemStatus.RUNNING


# Workers that die


def test_an_intent_that_never_left_is_looked_at_and_then_sent(fleet):
    run = begun(fleet)
    die_after(run, 0)
    lapse(run)

    runs.sweep(now=timezone.now())
    fleet.work(run)

    item = only_item(run)
    assert (item.outcome, item.tries) == (Outcome.VERIFIED_DEAD, 2)
    assert len(revocations(fleet)) == 1
    lost = Attempt.objects.filter(item=item, state="lost").get()
    assert lost.code == "worker_lost"
    assert_audited(item)


def test_a_revocation_whose_worker_died_is_not_sent_again(fleet):
    run = begun(fleet)
    fleet.work(run)
    Attempt.objects.filter(purpose__startswith="revoke").update(state="intended")
    run.items.update(status="running", outcome="", finished_at=None)
    Run.objects.filter(pk=run.pk).update(status="running", finished_at=None)
    past = timezone.now() - timedelta(minutes=1)
    run.chunks.update(status="claimed", worker="dead", lease_until=past)

    runs.sweep(now=timezone.now())
    fleet.work(run)

    item = only_item(run)
    assert (item.outcome, item.cause) == (Outcome.VERIFIED_DEAD, "answer_lost")
    assert len(revocations(fleet)) == 1
    assert Instance.objects.get().status == InstanceStatus.REVOKED


def test_an_item_over_which_workers_die_is_given_up_and_audited(fleet):
    run = begun(fleet)
    claim(run, "one")
    run.chunks.update(claims=MAX_CLAIMS)
    lapse(run)

    runs.sweep(now=timezone.now())
    fleet.work(run)

    item = only_item(run)
    assert (item.outcome, item.cause) == (Outcome.MISCONFIGURED, "worker_lost")
    assert "before they could have changed anything for this item" in item.explanation
    assert run.status == RunStatus.FINISHED
    assert_audited(item)


def test_an_item_that_had_called_is_unclear_when_it_is_given_up(fleet):
    run = begun(fleet)
    claim(run, "one")
    item = only_item(run)
    Attempt.objects.create(
        item=item,
        number=1,
        step=1,
        purpose="revoke",
        method="POST",
        url="https://api.box.com/oauth2/revoke",
        state="intended",
        at=timezone.now(),
    )
    run.chunks.update(claims=MAX_CLAIMS)
    lapse(run)

    runs.sweep(now=timezone.now())

    item.refresh_from_db()
    assert (item.outcome, item.cause) == (Outcome.UNCLEAR, "worker_lost")


def test_a_sync_over_which_workers_die_ends_with_a_problem(fleet):
    run = fleet.draft(RunKind.SYNC)
    claim(run, "one")
    run.chunks.update(claims=MAX_CLAIMS)
    lapse(run)

    runs.sweep(now=timezone.now())

    run.refresh_from_db()
    assert (run.status, run.problem) == (RunStatus.FINISHED, "worker_lost")
    assert runs.exit_code(run) == 1


# Pause and stop


def stopping_after(fleet, run, calls: int, act):
    """Work a run on which somebody acts once so many revocations have left."""

    class Watched(Shard):
        left = calls

        def _act(self, thread, call, attempt):
            super()._act(thread, call, attempt)
            self.left -= 1
            if self.left == 0:
                act(run, user=fleet.user, now=timezone.now())
                self.next_beat = 0

    Watched(
        run,
        FLOWS[run.kind],
        worker="watched",
        clock=timezone.now,
        connections=2,
    ).work()
    run.refresh_from_db()


def test_a_pause_begins_nothing_more_and_a_resume_goes_on(fleet):
    run = begun(fleet, count=12)

    stopping_after(fleet, run, 2, runs.pause)

    done = run.items.filter(status="done").count()
    assert run.status == RunStatus.PAUSED
    assert 2 <= done <= 6  # two connections, and twice as many that wait for a commit
    assert len(revocations(fleet)) == done
    assert run.items.filter(status="queued").count() == 12 - done
    runs.resume(run, user=fleet.user, now=timezone.now())
    run.chunks.update(not_before=None)
    fleet.work(run)
    assert set(run.items.values_list("outcome", flat=True)) == {"verified_dead"}
    assert len(revocations(fleet)) == 12


def test_a_stop_keeps_what_is_done_and_cancels_the_rest(fleet):
    run = begun(fleet, count=12)

    stopping_after(fleet, run, 2, runs.stop)
    runs.sweep(now=timezone.now())

    run.refresh_from_db()
    counts = runs.progress(run).outcomes
    assert run.status == RunStatus.STOPPED
    assert counts["verified_dead"] + counts["cancelled"] == 12
    assert len(revocations(fleet)) == counts["verified_dead"] <= 6
    ended = Event.objects.get(action="run_finished", run_uid=str(run.uid))
    assert '"cancelled"' in ended.text
    assert not Hold.objects.exists()


def test_what_was_sent_is_not_called_cancelled_when_a_run_is_stopped(fleet):
    run = begun(fleet)
    die_after(run, 0)
    runs.stop(run, user=fleet.user, now=timezone.now())
    lapse(run)

    runs.sweep(now=timezone.now())

    run.refresh_from_db()
    item = only_item(run)
    assert (run.status, item.outcome) == (RunStatus.STOPPED, Outcome.UNCLEAR)
    assert item.explanation
    assert_audited(item)


def test_a_stop_waits_for_a_worker_that_holds_a_part(fleet):
    run = begun(fleet)
    claim(run, "one")

    runs.stop(run, user=fleet.user, now=timezone.now())
    runs.sweep(now=timezone.now())

    run.refresh_from_db()
    assert run.status == RunStatus.STOPPING
    assert only_item(run).status == ItemStatus.RUNNING


def test_a_run_whose_requester_lost_the_role_waits_and_sends_nothing(fleet):
    run = begun(fleet)
    fleet.user.memberships.update(is_revoker=False)

    fleet.work(run)

    assert (run.status, run.problem) == (RunStatus.PAUSED, "not_allowed")
    assert "Rita asked for this run and may no longer do it" in run.problem_text
    assert only_item(run).status == ItemStatus.QUEUED
    assert revocations(fleet) == []


def test_a_run_whose_requester_is_gone_waits(fleet):
    run = begun(fleet)
    Run.objects.filter(pk=run.pk).update(requested_by=None)

    fleet.work(run)

    assert (run.status, run.problem) == (RunStatus.PAUSED, "not_allowed")


def test_whoever_resumes_a_run_without_its_requester_takes_it_over(fleet, team):
    run = begun(fleet)
    fleet.user.memberships.update(is_revoker=False)
    fleet.work(run)
    other = make_user("Other", team.acme, is_revoker=True)

    runs.resume(run, user=other, now=timezone.now())
    fleet.work(run)

    assert (run.status, run.requested_by) == (RunStatus.FINISHED, other)
    assert (run.problem, len(revocations(fleet))) == ("", 1)
