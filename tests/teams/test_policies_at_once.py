"""Policies that several people change, ask for and answer at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from django.db import connections

from ceadmin.audit.models import Event
from ceadmin.audit.verify import verify
from ceadmin.teams import policies
from ceadmin.teams.choices import Answer
from ceadmin.teams.models import PolicyChange
from ceadmin.teams.policies import PolicyError
from tests.teams.policing import STRICT, WHY, by, refused, senate, status_of, told

__all__ = ["senate"]

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts) -> list[str]:
    """Do several things at the same moment; return what each came to."""
    start = Barrier(len(acts))

    def one(act) -> str:
        start.wait()
        try:
            act()
        except PolicyError as refusal:
            return refusal.code
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(one, acts))


def changing(senate, user, **knobs):
    """Return an act that turns knobs of the strict policy."""
    wanted = replace(STRICT, **knobs)
    return lambda: policies.change(senate.acme, wanted, why=WHY, by=by(user))


def test_of_two_who_ask_for_a_looser_one_the_second_is_told_that_one_waits(senate):
    came_to = at_once(
        changing(senate, senate.otto, most_alone=400),
        changing(senate, senate.orla, approval_hours=100),
    )

    assert sorted(came_to) == ["done", "waits_already"]
    assert PolicyChange.objects.get().status == Answer.WAITING
    assert told("policy_asked")
    assert senate.terms == STRICT


def test_two_who_tighten_lose_nothing_of_each_other_s(senate):
    """The second's page showed what held before: what the first tightened stays so."""
    at_once(
        changing(senate, senate.otto, most_alone=3),
        changing(senate, senate.orla, approval_hours=2),
    )

    held = senate.terms
    assert (held.most_alone, held.approval_hours) == (3, 2)
    assert Event.objects.filter(action="policy_changed").count() == 2
    waits = policies.waiting(senate.acme)
    assert waits is not None and status_of(waits) == Answer.WAITING
    assert verify() == []


def test_an_approval_and_a_tightening_never_make_a_policy_that_nobody_read(senate):
    asked = senate.asked()

    came_to = at_once(
        lambda: senate.approve(PolicyChange.objects.get(pk=asked.pk)),
        changing(senate, senate.orla, approval_hours=2),
    )

    assert came_to[0] in ("done", "void", "answered")
    assert status_of(asked) == (
        Answer.APPROVED if came_to[0] == "done" else Answer.VOID
    )
    # Whichever came first, what Orla read and set is what holds.
    assert senate.terms == replace(STRICT, approval_hours=2)
    assert verify() == []


def test_an_approval_and_a_withdrawal_are_one_answer(senate):
    asked = senate.asked()

    came_to = at_once(
        lambda: senate.approve(PolicyChange.objects.get(pk=asked.pk)),
        lambda: policies.withdraw(
            PolicyChange.objects.get(pk=asked.pk), by=by(senate.otto)
        ),
    )

    assert came_to.count("done") == 1
    approved = status_of(asked) == Answer.APPROVED
    assert senate.terms.most_alone == (400 if approved else 10)
    assert refused(senate.approve, asked, senate.abe).code == (
        "void" if approved else "answered"
    )
