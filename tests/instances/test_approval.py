"""The second person: when one is needed, what they approve, and what their answer is good for."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connections, transaction

from ceadmin.audit.models import Event
from ceadmin.teams.choices import Answer
from ceadmin.teams.permissions import NotAllowed
from instances import runs, selection
from instances.choices import RunKind, RunStatus
from instances.models import Approval, Instance, Run
from tests.instances.approving import court, now, question, refused, tag, told
from tests.instances.crowds import make_instances
from tests.people import make_user

__all__ = ["court"]

pytestmark = pytest.mark.django_db


# When


@pytest.mark.parametrize(("count", "alone"), [(25, True), (26, False)])
def test_a_new_organization_needs_an_approver_above_its_number(court, count, alone):
    run = court.draft(count)

    assert (runs.needed(run) == []) is alone


def test_without_the_approval_nothing_starts(court):
    run = court.draft(26)

    error = refused(court.start, run, reason="Leaked secret")

    assert error.code == "needs_approval"
    assert "It touches 26 instances; more than 25 need an approver." in error.sentence
    run.refresh_from_db()
    assert run.status == RunStatus.DRAFT


@pytest.mark.parametrize("name", ["production", "Production", "prod"])
def test_production_needs_an_approver_however_few_they_are(court, name):
    make_instances(court.acme, 2)
    tag(name, 1)

    run = court.again()

    assert runs.needed(run) == [
        "One instance is tagged “prod” or “production”; production needs an approver."
    ]


def test_what_shares_a_grant_is_touched_too(court):
    make_instances(court.acme, 2)
    Instance.objects.update(grant_fingerprint="demo1:abc")
    tag("production", 1)
    first = Instance.objects.earliest("pk")

    run = court.again(chosen=selection.of_instances([first.pk]))

    assert run.total == 1
    assert len(runs.needed(run)) == 1
    court.policy(most_alone=1, production_tags=[])
    assert "2 instances, 1 of them by a shared grant" in runs.needed(run)[0]


def test_a_tag_that_comes_after_the_draft_counts_at_the_start(court):
    run = court.draft(3)
    assert runs.needed(run) == []

    tag("production", 0)

    assert refused(court.start, run, reason="A test").code == "needs_approval"


def test_zero_means_every_one_and_empty_means_none(court):
    run = court.draft(1)
    court.policy(most_alone=0)
    assert "here every one needs an approver" in runs.needed(run)[0]

    court.policy(most_alone=None)

    assert runs.needed(run) == []


def test_drills_need_one_too_and_probes_do_not(court):
    drill = court.draft(30, RunKind.DRILL)
    probe = court.again(RunKind.PROBE)

    assert runs.needed(drill)
    assert not runs.needed(probe)
    assert probe.status == RunStatus.RUNNING


# Asking and answering


def test_a_run_is_asked_approved_and_started(court):
    run = court.approved()
    Approval.objects.get(status=Answer.APPROVED)

    court.start(run)

    assert run.status == RunStatus.RUNNING
    assert question(run).status == Answer.USED
    facts = json.loads(told("run_started").text)["facts"]
    assert facts["digest"] == question(run).digest
    assert facts["decided_by"] == str(court.ann.uid)


def test_the_audit_has_who_asked_and_who_approved_in_which_role_and_why(court):
    run = court.draft()
    given = {"now": now(), "address": "192.0.2.7"}
    runs.ask(run, user=court.team.rita, reason="Leaked secret", ticket="SEC-1", **given)
    runs.approve(run, user=court.ann, digest=question(run).digest, note="Seen", **given)

    for action, who, role in (
        ("approval_asked", court.team.rita, "operator,revoker,viewer"),
        ("run_approved", court.ann, "approver,viewer"),
    ):
        event = told(action)
        assert (event.actor_uid, event.role) == (who.uid, role)
        assert (event.reason, event.ticket) == ("Leaked secret", "SEC-1")
        assert event.origin_uid is not None
        assert event.run_uid == str(run.uid)


@pytest.mark.parametrize("superuser", [False, True])
def test_whoever_asked_cannot_approve(court, superuser):
    run = court.asked()
    court.acme.memberships.filter(user=court.team.rita).update(is_approver=True)
    court.team.rita.is_superuser = superuser
    court.team.rita.save()

    error = refused(court.approve, run, court.team.rita)

    assert error.code == "own_request"
    assert question(run).status == Answer.WAITING
    assert told("run_denied").outcome == "own_request"


def test_whoever_drafted_cannot_approve_what_another_asked_for(court):
    sue = court.sue
    run = court.draft(user=sue)
    runs.ask(run, user=court.team.rita, now=now(), reason="Leaked secret")

    assert refused(court.approve, run, sue).code == "own_request"


def test_the_database_keeps_it_so_whatever_code_does(court):
    run = court.asked()

    for who in ("asked_by", "drafted_by"):
        mine = {who: court.ann, "decided_by": court.ann, "status": Answer.APPROVED}
        with pytest.raises(IntegrityError), transaction.atomic():
            Approval.objects.filter(run=run).update(**mine)


@pytest.mark.parametrize("name", ["vic", "olga", "otto", "eve"])
def test_only_approvers_of_the_organization_answer(court, name):
    run = court.asked()
    user = getattr(court.team, name)

    with pytest.raises(NotAllowed):
        court.approve(run, user)
    with pytest.raises(NotAllowed):
        runs.refuse(run, user=user, now=now(), why="No")

    assert question(run).status == Answer.WAITING
    assert Event.objects.filter(action="run_denied").count() == 2


def test_an_approver_does_not_start_what_they_approved(court):
    court.acme.memberships.filter(user=court.ann).update(is_revoker=True)
    run = court.approved()

    assert refused(court.start, run, court.ann).code == "approver_starts"


def test_an_approver_does_not_take_over_what_they_approved(court):
    court.acme.memberships.filter(user=court.ann).update(is_revoker=True)
    run = court.approved()
    court.start(run)
    court.acme.memberships.filter(user=court.team.rita).update(is_revoker=False)
    runs.work(run.pk, worker="test")

    error = refused(runs.resume, run, user=court.ann, now=now())

    assert error.code == "approver_starts"


def test_another_revoker_may_start_what_was_approved(court):
    run = court.approved()
    other = make_user("Other", court.acme, is_revoker=True)

    court.start(run, other)

    assert (run.status, run.requested_by) == (RunStatus.RUNNING, other)


def test_an_answer_is_refused_with_words(court):
    run = court.asked()
    assert refused(runs.refuse, run, user=court.ann, now=now(), why=" ").code == (
        "reason_missing"
    )

    runs.refuse(run, user=court.ann, now=now(), why="Not on a Friday")

    error = refused(court.start, run)
    assert "Ann refused it: “Not on a Friday”" in error.sentence
    assert '"words":"Not on a Friday"' in told("run_refused").text


def test_a_refused_run_can_be_asked_about_again(court):
    run = court.asked()
    runs.refuse(run, user=court.ann, now=now(), why="Say which ticket")

    runs.ask(run, user=court.team.rita, now=now(), ticket="SEC-2")
    court.approve(run)
    court.start(run)

    assert [one.status for one in Approval.objects.order_by("pk")] == [
        Answer.REFUSED,
        Answer.USED,
    ]


def test_a_question_is_asked_once(court):
    run = court.asked()

    assert refused(runs.ask, run, user=court.team.rita, now=now()).code == (
        "asked_already"
    )


def test_what_needs_no_approval_is_not_asked(court):
    run = court.draft(3)

    error = refused(runs.ask, run, user=court.team.rita, now=now(), reason="A test")

    assert error.code == "no_approval_needed"
    assert not Approval.objects.exists()


def test_a_question_is_withdrawn(court):
    run = court.approved()

    runs.withdraw(run, user=court.team.rita, now=now())

    assert question(run).status == Answer.WITHDRAWN
    assert refused(court.start, run).code == "needs_approval"


@pytest.mark.django_db(transaction=True)
def test_of_two_approvers_at_once_one_wins_and_the_other_is_told_who(court):
    run = court.asked()

    def answer(user) -> str:
        try:
            court.approve(Run.objects.get(pk=run.pk), user)
        except runs.RunError as error:
            return error.sentence
        finally:
            connections.close_all()
        return "won"

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(answer, [court.ann, court.abe]))

    assert said[1] == "won"
    assert said[0].startswith("The request was approved by A")
    assert told("run_approved").actor_uid in (court.ann.uid, court.abe.uid)
