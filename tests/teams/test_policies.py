"""Changing a policy: what is tighter holds at once, what is looser waits for a second person."""

from dataclasses import replace

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation

from ceadmin.audit.models import Event
from ceadmin.audit.verify import verify
from ceadmin.teams import policies
from ceadmin.teams.choices import Answer
from ceadmin.teams.models import Membership, Policy, PolicyChange, User
from ceadmin.teams.permissions import NotAllowed
from ceadmin.teams.terms import differences, terms_from, terms_of
from tests.teams.policing import (
    LOOSER,
    STRICT,
    TIGHTER,
    WHY,
    Senate,
    by,
    facts_of,
    refused,
    senate,
    status_of,
    told,
)
from tests.teams.signing_in import give_factor

__all__ = ["senate"]

pytestmark = pytest.mark.django_db


# Tighter


@pytest.mark.parametrize("knob", TIGHTER)
def test_what_is_tighter_holds_at_once(senate: Senate, knob):
    waits = senate.change(why="", **TIGHTER[knob])

    assert waits is None
    assert senate.terms == replace(STRICT, **TIGHTER[knob])
    event = told("policy_changed")
    assert (event.actor_uid, event.role) == (senate.otto.uid, "owner,viewer")
    assert (event.chain, event.subject_uid) == (senate.acme.chain, str(senate.acme.uid))
    facts = facts_of(event)
    assert terms_from(facts["before"]) == STRICT
    assert terms_from(facts["after"]) == senate.terms


def test_a_number_where_none_mattered_is_tighter(senate):
    Policy.objects.update(most_alone=None)

    assert senate.change(why="", most_alone=1_000_000) is None
    assert senate.terms.most_alone == 1_000_000


def test_wanting_a_second_factor_holds_at_once(senate):
    give_factor(senate.otto)

    assert senate.change(why="", second_factor=True) is None
    assert senate.terms.second_factor


def test_an_organization_without_a_policy_tightens_and_loosens_the_usual_one(senate):
    usual = terms_of(senate.team.other)
    eve = by(senate.team.eve)
    wanted = replace(usual, most_alone=400, approval_hours=1)

    waits = policies.change(senate.team.other, wanted, why=WHY, by=eve)

    assert terms_of(senate.team.other) == replace(usual, approval_hours=1)
    assert terms_from(waits.after) == wanted


# Looser


@pytest.mark.parametrize("knob", LOOSER)
def test_each_looser_knob_waits_for_an_approver(senate, knob):
    wanted = replace(STRICT, **LOOSER[knob])

    asked = senate.asked(**LOOSER[knob])

    held = senate.terms
    assert held != wanted
    assert (held.most_alone, held.approval_hours) == (10, 12)
    assert held.production_tags >= STRICT.production_tags
    assert held.test_tags == STRICT.test_tags
    assert policies.waiting(senate.acme) == asked
    senate.approve(asked)
    assert senate.terms == wanted


def test_no_longer_wanting_a_second_factor_waits_for_an_approver(senate):
    for user in (senate.otto, senate.ann):
        give_factor(user)
    Policy.objects.update(second_factor=True)

    asked = senate.asked(second_factor=False)

    assert senate.terms.second_factor
    senate.approve(asked)
    assert not senate.terms.second_factor


def test_what_is_tighter_of_a_mixed_change_does_not_wait(senate):
    asked = senate.asked(most_alone=400, approval_hours=2)

    assert senate.terms == replace(STRICT, approval_hours=2)
    senate.approve(asked)
    assert senate.terms == replace(STRICT, approval_hours=2, most_alone=400)


@pytest.mark.parametrize("why", ["", "  ", "..."])
def test_what_is_looser_takes_a_reason(senate, why):
    error = refused(senate.change, why=why, most_alone=400, approval_hours=2)

    assert error.code == "reason_missing"
    assert senate.terms == STRICT
    assert not PolicyChange.objects.exists()


def test_one_looser_policy_waits_at_a_time(senate):
    asked = senate.asked()

    error = refused(senate.change, senate.orla, approval_hours=100)

    assert error.code == "waits_already"
    assert PolicyChange.objects.get() == asked
    assert status_of(asked) == Answer.WAITING


def test_what_holds_already_is_said_to(senate):
    assert refused(senate.change).code == "unchanged"
    assert not Event.objects.filter(action="policy_changed").exists()


@pytest.mark.parametrize("name", ["vic", "olga", "rita", "eve"])
def test_only_owners_of_the_organization_change_or_withdraw(senate, name):
    user, asked = getattr(senate.team, name), senate.asked()

    with pytest.raises(NotAllowed):
        senate.change(user, approval_hours=2)
    with pytest.raises(NotAllowed):
        policies.withdraw(asked, by=by(user))

    assert senate.terms == STRICT
    assert status_of(asked) == Answer.WAITING
    denied = Event.objects.filter(action="policy_denied", outcome="not_allowed")
    assert [event.actor_uid for event in denied] == [user.uid] * 2


# Approving


def test_the_audit_has_who_asked_and_who_approved_in_which_role_and_what(senate):
    asked = senate.asked()

    senate.approve(asked)

    for action, user, role in (
        ("policy_asked", senate.otto, "owner,viewer"),
        ("policy_changed", senate.ann, "approver,viewer"),
    ):
        event = told(action)
        assert (event.actor_uid, event.role, event.reason) == (user.uid, role, WHY)
        assert event.origin_uid is not None
        facts = facts_of(event)
        assert facts["says"] == [
            "Approval is needed for more than 400 instances; "
            "before: for more than 10 instances."
        ]
        assert facts["asked_by"] == str(senate.otto.uid)
        assert facts["digest"] == asked.digest
    asked.refresh_from_db()
    assert (asked.status, asked.decided_by) == (Answer.APPROVED, senate.ann)
    assert verify() == []


def test_the_audit_says_it_in_english_whatever_language_the_page_speaks(senate):
    with translation.override("de"):
        asked = senate.asked(most_alone=4000)
        page = list(differences(terms_from(asked.before), terms_from(asked.after)))

    assert facts_of(told("policy_asked"))["says"] == [
        "Approval is needed for more than 4,000 instances; "
        "before: for more than 10 instances."
    ]
    assert "4.000" in page[0]


@pytest.mark.parametrize("superuser", [False, True])
def test_whoever_asked_neither_approves_nor_refuses_it(senate, superuser):
    asked = senate.asked()
    Membership.objects.filter(user=senate.otto).update(is_approver=True)
    senate.otto.is_superuser = superuser
    senate.otto.save()

    codes = [
        refused(senate.approve, asked, senate.otto).code,
        refused(policies.refuse, asked, why="No", by=by(senate.otto)).code,
    ]

    assert codes == ["own_request"] * 2
    assert (status_of(asked), senate.terms) == (Answer.WAITING, STRICT)
    denied = Event.objects.filter(action="policy_denied", outcome="own_request")
    assert [event.actor_uid for event in denied] == [senate.otto.uid] * 2


def test_a_superuser_who_asked_does_not_approve(senate):
    asked = senate.asked(senate.sue)

    assert refused(senate.approve, asked, senate.sue).code == "own_request"
    senate.approve(asked)
    assert senate.terms.most_alone == 400


def test_the_database_keeps_it_so_whatever_code_does(senate):
    asked = senate.asked()
    own = {"status": Answer.APPROVED, "decided_by": senate.otto}

    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyChange.objects.filter(pk=asked.pk).update(**own)


@pytest.mark.parametrize("name", ["vic", "rita", "eve"])
def test_only_approvers_of_the_organization_answer(senate, name):
    asked, user = senate.asked(), getattr(senate.team, name)

    with pytest.raises(NotAllowed):
        senate.approve(asked, user)
    with pytest.raises(NotAllowed):
        policies.refuse(asked, why="No", by=by(user))

    assert (status_of(asked), senate.terms) == (Answer.WAITING, STRICT)
    assert Event.objects.filter(action="policy_denied", actor_uid=user.uid).count() == 2


def test_another_owner_who_does_not_approve_is_not_enough(senate):
    asked = senate.asked()

    with pytest.raises(NotAllowed):
        senate.approve(asked, senate.orla)

    assert senate.terms == STRICT


@pytest.mark.parametrize("digest", ["", "0", "0" * 64])
def test_an_approval_names_what_it_approves(senate, digest):
    asked = senate.asked()

    assert refused(senate.approve, asked, digest=digest).code == "another_change"
    assert senate.terms == STRICT
    assert told("policy_denied").outcome == "another_change"


def test_what_was_read_before_is_not_approved_for_another_change(senate):
    first = senate.asked()
    policies.withdraw(first, by=by(senate.otto))
    second = senate.asked(most_alone=None)

    assert refused(senate.approve, second, digest=first.digest).code == "another_change"
    assert refused(senate.approve, first).code == "answered"
    assert senate.terms == STRICT


def test_a_change_whose_row_was_altered_is_void(senate):
    asked = senate.asked()
    after = {**asked.after, "most_alone": None}
    PolicyChange.objects.filter(pk=asked.pk).update(after=after)

    assert refused(senate.approve, PolicyChange.objects.get()).code == "void"
    assert senate.terms == STRICT


def test_what_somebody_asked_who_owns_it_no_longer_is_not_approved(senate):
    asked = senate.asked()
    Membership.objects.filter(user=senate.otto).update(is_owner=False)

    error = refused(senate.approve, asked)

    assert error.code == "asker_lost_role"
    assert senate.terms == STRICT


def test_an_account_that_is_gone_asked_for_nothing_that_holds(senate):
    asked = senate.asked()
    User.objects.filter(pk=senate.otto.pk).delete()

    error = refused(senate.approve, PolicyChange.objects.get(pk=asked.pk))

    assert error.code == "asker_lost_role"
    assert senate.terms == STRICT
