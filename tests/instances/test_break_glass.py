"""Breaking the glass: who may, what it needs, and what it leaves behind."""

import pytest

from ceadmin.audit.models import Event
from ceadmin.audit.verify import verify
from ceadmin.teams.choices import Answer
from ceadmin.teams.permissions import NotAllowed
from instances import runs
from instances.choices import RunKind, RunStatus
from instances.models import BrokenGlass, Item, Run
from tests.instances.approving import court, question, refused, told
from tests.instances.breaking import (
    WHY,
    also,
    at_once,
    break_glass,
    broken,
    facts_of,
    glass_of,
)
from tests.people import make_user

__all__ = ["court"]

pytestmark = pytest.mark.django_db


def is_a_draft(run: Run) -> bool:
    """Say whether nothing of a run was begun."""
    stored = Run.objects.get(pk=run.pk)
    marked = BrokenGlass.objects.filter(run=run).exists()
    return stored.status == RunStatus.DRAFT and not stored.started_at and not marked


# Who may, and what it needs


@pytest.mark.parametrize("name", ["vic", "olga", "rita", "eve"])
def test_only_an_owner_of_the_organization_breaks_the_glass(court, name):
    run, user = court.draft(), getattr(court.team, name)

    with pytest.raises(NotAllowed):
        break_glass(court, run, user)

    assert is_a_draft(run)
    event = told("run_denied")
    assert (event.chain, event.actor_uid) == (court.acme.chain, user.uid)
    assert (event.outcome, event.run_uid) == ("not_allowed", str(run.uid))
    assert facts_of(event)["act"] == "break_glass"
    assert event.origin_uid is not None


@pytest.mark.parametrize("roles", [{"is_approver": True}, {"is_auditor": True}])
def test_no_other_role_is_enough(court, roles):
    run, user = court.draft(), make_user("Max", court.acme, **roles)

    with pytest.raises(NotAllowed):
        break_glass(court, run, user)

    assert is_a_draft(run)


@pytest.mark.parametrize("why", ["", "   ", "...", "\u200b\u200b"])
def test_it_takes_a_reason_in_words(court, why):
    run = court.draft()

    error = refused(break_glass, court, run, why=why)

    assert error.code == "reason_missing"
    assert "why this cannot wait" in error.sentence
    assert is_a_draft(run)


def test_what_needs_no_approval_is_started_as_usual(court):
    run = court.draft(3)

    error = refused(break_glass, court, run)

    assert error.code == "no_approval_needed"
    assert is_a_draft(run)


def test_only_a_draft_is_started_by_it(court):
    run = court.approved()
    court.start(run)

    error = refused(break_glass, court, run)

    assert error.code == "not_a_draft"
    assert not BrokenGlass.objects.exists()
    assert not Event.objects.filter(action="glass_broken").exists()


def test_a_refusal_leaves_what_waits_for_an_approver_waiting(court):
    run = court.asked()
    Item.objects.filter(run=run, number=1).delete()

    error = refused(break_glass, court, run)

    assert error.code == "list_changed"
    assert is_a_draft(run)
    assert question(run).status == Answer.WAITING
    event = told("run_denied")
    assert (event.outcome, event.actor_uid) == ("list_changed", court.team.otto.uid)


def test_an_owner_starts_nothing_in_the_name_of_somebody_who_may_no_longer(court):
    run = court.draft()
    also(court.team.rita, is_revoker=False)

    error = refused(break_glass, court, run)

    assert error.code == "nobody_may"
    assert is_a_draft(run)
    assert told("run_denied").outcome == "nobody_may"


# What it does


def test_the_run_is_started_and_marked(court):
    run = broken(court)

    assert run.status == RunStatus.RUNNING
    mark = glass_of(run)
    assert (mark.broken_by, mark.broken_by_name) == (court.team.otto, "Otto")
    assert (mark.why, mark.reviewed_at, mark.reviewed_by) == (WHY, None, None)
    assert mark.digest == runs.digest_of(run)
    assert mark.why_needed == runs.needed(run)


def test_it_goes_in_the_name_of_who_drafted_where_the_owner_is_no_revoker(court):
    run = broken(court)

    runs.work(run.pk, worker="test")

    run.refresh_from_db()
    assert run.requested_by == court.team.rita
    assert run.problem != "not_allowed"


def test_it_goes_in_the_name_of_an_owner_who_may_revoke(court):
    also(court.team.otto, is_revoker=True)

    run = broken(court)

    assert run.requested_by == court.team.otto


def test_a_drill_is_started_by_it_too(court):
    run = broken(court, kind=RunKind.DRILL)

    assert run.status == RunStatus.RUNNING
    assert glass_of(run).why == WHY


def test_what_waited_for_an_approver_is_void(court):
    run = court.asked()

    break_glass(court, run)

    assert question(run).status == Answer.VOID
    assert told("approval_void").actor_uid == court.team.otto.uid
    assert refused(court.approve, run).code == "answered"


def test_the_audit_has_who_broke_it_in_which_role_from_where_and_why(court):
    run = broken(court, reason="Leaked secret", ticket="SEC-1")

    for action in ("glass_broken", "run_started"):
        event = told(action)
        assert (event.actor_uid, event.role) == (court.team.otto.uid, "owner,viewer")
        assert (event.reason, event.ticket) == ("Leaked secret", "SEC-1")
        assert (event.run_uid, event.chain) == (str(run.uid), court.acme.chain)
        assert event.origin_uid is not None
    facts = facts_of(told("glass_broken"))
    assert (facts["why"], facts["needed"]) == (WHY, runs.needed(run))
    assert facts_of(told("run_started"))["without_approval"] is True
    assert verify() == []


def test_a_draft_without_a_reason_gets_the_one_why_it_could_not_wait(court):
    run = broken(court)

    assert run.reason == WHY
    assert told("run_started").reason == WHY


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_at_once_one_breaks_it(court):
    run = court.draft()
    other = make_user("Orla", court.acme, is_owner=True)

    came_to = at_once(
        lambda: break_glass(court, Run.objects.get(pk=run.pk)),
        lambda: break_glass(court, Run.objects.get(pk=run.pk), other),
    )

    assert came_to == ["done", "not_a_draft"]
    assert BrokenGlass.objects.count() == 1
    assert told("glass_broken").actor_uid == glass_of(run).broken_by.uid
