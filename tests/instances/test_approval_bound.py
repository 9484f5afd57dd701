"""What an approval is bound to: list, options, time, and people who may."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ceadmin.teams.choices import Answer
from ceadmin.teams.models import Policy
from instances import runs, selection
from instances.choices import RunKind, RunStatus
from instances.models import Approval, Instance, Item, Run
from providers.models import ProviderApp
from tests.instances.approving import court, now, question, refused, told
from tests.instances.crowds import make_instances
from tests.people import make_user

__all__ = ["court"]

pytestmark = pytest.mark.django_db


# What it is bound to


def test_an_approval_is_for_the_options_it_was_given_for(court):
    run = court.approved()

    for other in ({"options": {"only": "refresh"}}, {"reason": "X2"}, {"ticket": "T"}):
        assert refused(court.start, run, **other).code == "not_as_approved"
    court.start(run, options={"only": ""})

    assert run.status == RunStatus.RUNNING


def test_asking_with_other_options_makes_the_answer_void(court):
    run = court.approved()

    runs.ask(run, user=court.team.rita, now=now(), options={"only": "refresh"})

    assert [one.status for one in Approval.objects.order_by("pk")] == [
        Answer.VOID,
        Answer.WAITING,
    ]
    assert told("approval_void").run_uid == str(run.uid)
    assert refused(court.start, run).code == "needs_approval"


def test_what_was_read_on_one_page_is_not_approved_for_another_list(court):
    first = court.asked()
    shown = question(first).digest
    second = court.again()
    runs.ask(second, user=court.team.rita, now=now(), reason="Leaked secret")

    error = refused(court.approve, second, digest=shown)

    assert error.code == "another_list"
    assert question(second).status == Answer.WAITING
    assert told("run_denied").outcome == "another_list"


@pytest.mark.parametrize("digest", ["", "0", "0" * 64])
def test_an_approval_names_what_it_approves(court, digest):
    run = court.asked()

    assert refused(court.approve, run, digest=digest).code == "another_list"


def test_the_beginning_of_the_hash_is_enough(court):
    run = court.asked()

    court.approve(run, digest=question(run).digest[:8])

    assert question(run).status == Answer.APPROVED


def test_an_approval_moved_to_another_run_is_good_for_nothing(court):
    run = court.approved()
    other = court.again(reason="Leaked secret")
    Approval.objects.filter(run=run).update(run=other)

    assert refused(court.start, other).code == "not_as_approved"


@pytest.mark.parametrize("when", ["before", "after"])
def test_rows_slipped_into_the_list_are_found(court, when):
    run = court.asked() if when == "before" else court.approved()
    Item.objects.filter(run=run, number=1).delete()

    if when == "before":
        assert refused(court.approve, run).code == "changed"
    else:
        assert refused(court.start, run).code == "list_changed"


def test_a_run_whose_options_are_changed_at_work_waits(court):
    run = court.approved()
    court.start(run)
    Run.objects.filter(pk=run.pk).update(options={"only": "access"})

    runs.work(run.pk, worker="test")

    run.refresh_from_db()
    assert (run.status, run.problem) == (RunStatus.PAUSED, "not_as_approved")


def test_who_loaded_a_draft_before_its_list_was_written_needs_approval_too(court):
    make_instances(court.acme, 30)
    made = runs.create(
        RunKind.REVOKE,
        court.acme,
        selection.everything(),
        user=court.team.rita,
        now=now(),
    )
    early = Run.objects.get(pk=made.pk)
    runs.plan(made.pk, now=now())

    assert early.total == 0
    assert refused(court.start, early, reason="A leak").code == "needs_approval"
    assert Run.objects.get(pk=made.pk).status == RunStatus.DRAFT


@pytest.mark.parametrize("when", ["before", "at work"])
def test_tokens_are_sent_nowhere_else_than_was_approved(court, when):
    """Another app for an instance may be another place for its tokens."""
    run = court.approved()
    if when == "at work":
        court.start(run)
    app = ProviderApp.objects.create(
        organization=court.acme,
        name="Elsewhere",
        provider_key="generic_rfc7009",
        element_key="box",
        client_id="x",
        site={"revocation_endpoint": "https://elsewhere.example.com/revoke"},
    )
    Instance.objects.filter(items__run=run, items__number=1).update(provider_app=app)

    if when == "before":
        assert refused(court.start, run).code == "not_as_approved"
    else:
        runs.work(run.pk, worker="test")
        run.refresh_from_db()
        assert (run.status, run.problem) == (RunStatus.PAUSED, "not_as_approved")


def test_an_approval_is_used_once(court):
    run = court.approved()
    court.start(run)
    Run.objects.filter(pk=run.pk).update(status=RunStatus.DRAFT, started_at=None)

    assert refused(court.start, run).code == "needs_approval"


def test_a_retry_needs_an_approval_of_its_own(court):
    run = court.approved()
    court.start(run)
    Item.objects.filter(run=run).update(
        status="done", outcome="refused", finished_at=now()
    )
    runs.finish_if_done(run, now())

    again = runs.retry(run, user=court.team.rita, now=now())
    runs.plan(again.pk, now=now())
    again.refresh_from_db()

    assert (again.status, again.total) == (RunStatus.DRAFT, 30)
    assert refused(court.start, again).code == "needs_approval"
    assert f'"again":"{again.uid}"' in told("run_retried").text


# Time


def at(**columns):
    """Set the times of the newest question."""
    Approval.objects.filter(pk=Approval.objects.latest("pk").pk).update(**columns)


def test_an_approval_lives_as_long_as_the_policy_says(court):
    court.policy(approval_hours=2)
    run = court.approved()
    left = question(run).expires_at - timezone.now()
    assert timedelta(minutes=119) < left < timedelta(minutes=121)

    at(expires_at=timezone.now() - timedelta(seconds=1))

    assert refused(court.start, run).code == "approval_over"


def test_a_question_that_nobody_answers_expires(court):
    run = court.asked()
    at(expires_at=timezone.now() - timedelta(seconds=1))

    assert refused(court.approve, run).code == "over"
    runs.sweep(now=now())

    assert question(run).status == Answer.EXPIRED
    event = told("approval_expired")
    assert (event.actor_kind, event.run_uid) == ("schedule", str(run.uid))


def test_what_expired_does_not_come_back_when_the_clock_is_set_back(court):
    run = court.approved()
    hour = timedelta(hours=1)
    at(counted_from=timezone.now() + hour, expires_at=timezone.now() + 2 * hour)

    assert refused(court.start, run).code == "approval_over"


def test_a_draft_that_expires_takes_its_question_along(court, settings):
    run = court.asked()
    Run.objects.update(created_at=timezone.now() - 2 * settings.DRAFT_DAYS)

    runs.sweep(now=now())

    assert question(run).status == Answer.EXPIRED
    assert Run.objects.get().status == RunStatus.EXPIRED


def test_a_discarded_draft_takes_its_question_along(court):
    run = court.asked()

    runs.discard(run, user=court.team.rita, now=now())

    assert question(run).status == Answer.WITHDRAWN
    assert refused(court.approve, run).code == "answered"


# Rights at that moment


def test_what_somebody_asked_who_lost_the_role_is_neither_approved_nor_started(court):
    run, other = court.asked(), make_user("Other", court.acme, is_revoker=True)
    mine = court.acme.memberships.filter(user=court.team.rita)
    mine.update(is_revoker=False)
    assert refused(court.approve, run).code == "asker_lost_role"

    mine.update(is_revoker=True)
    court.approve(run)
    mine.update(is_revoker=False)

    # Rita drafted it, too: that alone is enough.
    assert refused(court.start, run, other).code == "drafter_lost_role"


def test_what_another_one_asked_is_void_once_they_lost_the_role(court):
    run, other = court.draft(), make_user("Other", court.acme, is_revoker=True)
    runs.ask(run, user=other, now=now(), reason="Leaked secret")
    court.approve(run)
    court.acme.memberships.filter(user=other).update(is_revoker=False)

    assert refused(court.start, run).code == "asker_lost_role"


def test_a_looser_policy_starts_without_and_closes_the_question(court):
    run = court.asked()
    Policy.objects.create(organization=court.acme, most_alone=100)

    court.start(run)

    assert run.status == RunStatus.RUNNING
    assert question(run).status == Answer.VOID
