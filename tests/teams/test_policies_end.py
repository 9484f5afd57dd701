"""How a looser policy ends that nobody approved: void, refused, withdrawn, expired; and bad values."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.teams import policies
from ceadmin.teams.choices import Answer
from ceadmin.teams.models import Policy, PolicyChange
from tests.teams.policing import STRICT, by, facts_of, refused, senate, status_of, told

__all__ = ["senate"]

pytestmark = pytest.mark.django_db


def test_a_change_of_the_policy_meanwhile_makes_it_void(senate):
    asked = senate.asked()

    senate.change(senate.orla, why="", approval_hours=2)

    assert status_of(asked) == Answer.VOID
    event = told("policy_void")
    assert event.actor_uid == senate.orla.uid
    assert facts_of(event)["change"] == str(asked.uid)
    assert refused(senate.approve, asked).code in ("void", "answered")
    assert senate.terms == replace(STRICT, approval_hours=2)


def test_what_was_asked_of_another_policy_is_void_whatever_changed_it(senate):
    asked = senate.asked()
    Policy.objects.update(approval_hours=2)

    assert refused(senate.approve, asked).code == "void"
    assert told("policy_denied").outcome == "void"
    assert senate.terms.most_alone == 10


def test_it_is_refused_with_words(senate):
    asked = senate.asked()
    assert refused(policies.refuse, asked, why=" ", by=by(senate.ann)).code == (
        "reason_missing"
    )

    policies.refuse(asked, why="Not before the audit", by=by(senate.ann))

    asked.refresh_from_db()
    assert (asked.status, asked.words) == (Answer.REFUSED, "Not before the audit")
    event = told("policy_refused")
    assert (event.actor_uid, event.reason) == (senate.ann.uid, "Not before the audit")
    assert refused(senate.approve, asked, senate.abe).code == "answered"
    assert senate.terms == STRICT


@pytest.mark.parametrize("name", ["otto", "orla"])
def test_an_owner_withdraws_it(senate, name):
    asked, user = senate.asked(), getattr(senate, name)

    policies.withdraw(asked, by=by(user))

    assert status_of(asked) == Answer.WITHDRAWN
    assert told("policy_withdrawn").actor_uid == user.uid
    assert refused(senate.approve, asked).code == "answered"
    assert senate.asked(most_alone=300).status == Answer.WAITING


def test_it_lives_as_long_as_the_policy_says_that_held_before(senate):
    asked = senate.asked(approval_hours=100)

    left = asked.expires_at - timezone.now()

    assert timedelta(hours=11, minutes=59) < left < timedelta(hours=12, minutes=1)


def overdue(change: PolicyChange) -> PolicyChange:
    """Let its time be over."""
    ended = timezone.now() - timedelta(seconds=1)
    PolicyChange.objects.filter(pk=change.pk).update(expires_at=ended)
    change.refresh_from_db()
    return change


def test_what_nobody_answers_expires(senate):
    asked = overdue(senate.asked())

    assert policies.waiting(senate.acme) is None
    error = refused(senate.approve, asked)
    assert "Nobody answered in time, so this expired. Ask again." in error.sentence
    policies.expire_overdue(timezone.now())
    policies.expire_overdue(timezone.now())

    assert status_of(asked) == Answer.EXPIRED
    event = told("policy_expired")
    assert (event.actor_kind, event.chain) == ("schedule", senate.acme.chain)
    assert senate.terms == STRICT


def test_what_expired_does_not_come_back_when_the_clock_is_set_back(senate):
    asked = senate.asked()
    # The policy gives it 12 hours. It has 13: the clock was set back since it was asked.
    ends = timezone.now() + timedelta(hours=13)
    PolicyChange.objects.filter(pk=asked.pk).update(expires_at=ends)

    error = refused(senate.approve, asked)

    assert "so this expired. Ask again." in error.sentence
    assert senate.terms == STRICT
    policies.withdraw(asked, by=by(senate.otto))
    assert senate.asked().status == Answer.WAITING


def test_what_expired_is_told_though_it_is_asked_again_before_the_sweep(senate):
    first = overdue(senate.asked())

    second = senate.asked(senate.orla)

    assert (status_of(first), second.status) == (Answer.EXPIRED, Answer.WAITING)
    event = told("policy_expired")
    assert event.actor_kind == "schedule"
    assert facts_of(event)["change"] == str(first.uid)
    acts = Event.objects.filter(action__startswith="policy").order_by("pk")
    assert [one.action for one in acts] == [
        "policy_asked",
        "policy_expired",
        "policy_asked",
    ]


# Bad values


def test_more_than_fifty_tags_are_refused_and_none_is_lost(senate):
    many = frozenset(f"tag{number}" for number in range(51))

    for knob in ("production_tags", "test_tags"):
        error = refused(senate.change, **{knob: many})
        assert error.code == "too_many_tags"
        assert "at most 50 tags" in error.sentence

    assert senate.terms == STRICT
    assert not PolicyChange.objects.exists()


def test_fifty_tags_are_kept(senate):
    many = STRICT.production_tags | {f"tag{number}" for number in range(48)}

    assert senate.change(why="", production_tags=many) is None
    assert senate.terms.production_tags == many


def test_a_refusal_that_comes_after_the_approval_is_told_and_recorded(senate):
    asked = senate.asked()
    senate.approve(asked)

    error = refused(policies.refuse, asked, why="No", by=by(senate.abe))

    assert (error.code, senate.terms.most_alone) == ("answered", 400)
    assert error.sentence == "This was approved by Ann meanwhile. Reload the page."
    event = told("policy_denied")
    assert (event.outcome, event.actor_uid) == ("answered", senate.abe.uid)
