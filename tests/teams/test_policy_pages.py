"""The policy's page: who sees which buttons, what they do, and what wrong people and values get."""

from dataclasses import replace

import pytest
from django.urls import reverse

from ceadmin.audit.models import Event
from ceadmin.teams.choices import Answer
from ceadmin.teams.models import Membership, Organization, Policy, PolicyChange, User
from tests.teams.inviting import browser
from tests.teams.pages import fields_of
from tests.teams.policing import STRICT, WHY, senate, status_of, told

__all__ = ["senate"]

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def page_of(organization: Organization) -> str:
    """Return the address of a policy's page."""
    return reverse("admin:teams_organization_policy", args=[organization.pk])


def shown(senate, user: User) -> str:
    """Return the page as somebody sees it."""
    return browser(user).get(page_of(senate.acme)).content.decode()


def press(senate, user: User, act: str, organization=None, **typed: str):
    """Press a button of the page, with what its forms hold and what was typed."""
    page = page_of(organization or senate.acme)
    client = browser(user)
    fields = fields_of(client.get(page).content.decode())
    return client.post(f"{page}{act}/", {**fields, **typed}, follow=True)


def buttons(page: str) -> set[str]:
    """Return what can be pressed on a page."""
    acts = ("change", "approve", "refuse", "withdraw")
    return {act for act in acts if f'policy/{act}/"' in page}


# What is shown


def test_each_sees_the_buttons_that_are_theirs(senate):
    assert buttons(shown(senate, senate.otto)) == {"change"}
    assert buttons(shown(senate, senate.ann)) == set()

    senate.asked()

    assert buttons(shown(senate, senate.otto)) == {"change", "withdraw"}
    assert buttons(shown(senate, senate.ann)) == {"approve", "refuse"}
    assert buttons(shown(senate, senate.team.vic)) == set()
    Membership.objects.filter(user=senate.otto).update(is_approver=True)
    assert buttons(shown(senate, senate.otto)) == {"change", "withdraw"}


def test_an_approver_reads_who_asks_for_what_and_why(senate):
    asked = senate.asked(production_tags=frozenset({"prod"}))

    page = shown(senate, senate.ann)

    assert "Otto asks you to loosen the policy" in page
    assert "The tag “eu” no longer means production." in page
    assert WHY in page
    assert asked.digest in page


def test_a_member_reads_what_holds(senate):
    page = shown(senate, senate.team.vic)

    assert "eu, prod" in page
    assert "12 hours" in page
    assert "Owners of the organization change it." in page


def calls(user: User) -> list[str]:
    """Return what the overview calls somebody to do about policies."""
    needs = browser(user).get("/admin/").context["needs"]
    return [str(one.sentence) for one in needs if "policy" in str(one.sentence)]


def test_the_overview_calls_whoever_may_answer_and_nobody_else(senate):
    senate.asked()
    everyone = {"is_approver": True}
    Membership.objects.filter(user__in=[senate.otto, senate.team.eve]).update(
        **everyone
    )

    assert calls(senate.ann) == ["Looser policy for Acme waits for your approval"]
    for user in (senate.otto, senate.team.vic, senate.team.eve):
        assert calls(user) == []


# What the buttons do


def test_what_is_tighter_holds_once_it_was_pressed(senate):
    answer = press(senate, senate.otto, "change", most_alone="3")

    assert "The policy holds now." in answer.content.decode()
    assert senate.terms == replace(STRICT, most_alone=3)
    event = told("policy_changed")
    assert event.actor_uid == senate.otto.uid
    assert event.origin_uid is not None


def test_what_is_looser_is_asked_for_and_holds_once_another_one_approved(senate):
    asked = press(senate, senate.otto, "change", most_alone="", why=WHY)
    assert "waits for an approver other than you" in asked.content.decode()
    assert senate.terms == STRICT

    press(senate, senate.ann, "approve")

    assert senate.terms == replace(STRICT, most_alone=None)
    assert told("policy_changed").actor_uid == senate.ann.uid


def test_it_is_refused_by_the_page(senate):
    asked = senate.asked()
    silent = press(senate, senate.ann, "refuse")
    assert "Say why you refuse it, in words." in silent.content.decode()
    assert status_of(asked) == Answer.WAITING

    press(senate, senate.ann, "refuse", why="Not now")

    assert status_of(asked) == Answer.REFUSED
    assert "“Not now”" in shown(senate, senate.otto)


def test_it_is_withdrawn_by_the_page(senate):
    asked = senate.asked()

    press(senate, senate.otto, "withdraw")

    assert status_of(asked) == Answer.WITHDRAWN
    late = press(senate, senate.ann, "approve", digest=asked.digest)
    assert "Nothing waits any more. Reload the page." in late.content.decode()
    assert senate.terms == STRICT


# The wrong person


@pytest.mark.parametrize("superuser", [False, True])
def test_whoever_asked_presses_a_forged_button_in_vain(senate, superuser):
    asked = senate.asked()
    Membership.objects.filter(user=senate.otto).update(is_approver=True)
    senate.otto.is_superuser = superuser
    senate.otto.save()

    answer = press(senate, senate.otto, "approve", digest=asked.digest)
    press(senate, senate.otto, "refuse", why="No")

    assert "somebody else has to approve it" in answer.content.decode()
    assert (status_of(asked), senate.terms) == (Answer.WAITING, STRICT)
    denied = Event.objects.filter(action="policy_denied", actor_uid=senate.otto.uid)
    assert [event.outcome for event in denied] == ["own_request"] * 2


def test_what_was_shown_before_is_not_approved_instead_of_what_waits(senate):
    first = senate.asked()
    press(senate, senate.otto, "withdraw")
    second = senate.asked(most_alone=None)

    answer = press(senate, senate.ann, "approve", digest=first.digest)

    assert "What you approve is not what is asked for." in answer.content.decode()
    assert (status_of(second), senate.terms) == (Answer.WAITING, STRICT)


@pytest.mark.parametrize("act", ["change", "approve", "refuse", "withdraw"])
@pytest.mark.parametrize("name", ["vic", "rita"])
def test_members_without_the_role_are_refused_and_recorded(senate, act, name):
    asked, user = senate.asked(), getattr(senate.team, name)
    typed = {"digest": asked.digest, "why": "so", "approval_hours": "2"}

    answer = press(senate, user, act, most_alone="3", **typed)

    assert answer.status_code == 403
    assert (status_of(asked), senate.terms) == (Answer.WAITING, STRICT)
    event = told("policy_denied")
    assert (event.actor_uid, event.outcome) == (user.uid, "not_allowed")


@pytest.mark.parametrize("act", ["change", "approve", "refuse", "withdraw"])
def test_a_foreign_organization_is_not_there(senate, act):
    asked, eve = senate.asked(), browser(senate.team.eve)
    Membership.objects.filter(user=senate.team.eve).update(is_approver=True)
    typed = {"digest": asked.digest, "why": "so", "most_alone": "3"}

    answers = [
        eve.post(f"/admin/teams/organization/{pk}/policy/{act}/", typed)
        for pk in (senate.acme.pk, 987654321)
    ]

    assert [one.status_code for one in answers] == [404, 404]
    assert eve.get(page_of(senate.acme)).status_code == 404
    assert (status_of(asked), senate.terms) == (Answer.WAITING, STRICT)


def test_looking_changes_nothing(senate):
    asked, client = senate.asked(), browser(senate.ann)

    for act in ("change", "approve", "refuse", "withdraw"):
        assert client.get(f"{page_of(senate.acme)}{act}/").status_code == 405

    assert status_of(asked) == Answer.WAITING


# Bad values


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("most_alone", "-1", "greater than or equal to 0"),
        ("most_alone", "1000001", "less than or equal to 1000000"),
        ("most_alone", "many", "Enter a whole number."),
        ("most_alone", "2.5", "Enter a whole number."),
        ("approval_hours", "0", "greater than or equal to 1"),
        ("approval_hours", "169", "less than or equal to 168"),
        ("approval_hours", "", "This field is required."),
        ("production_tags", "eu, prod, " + "x" * 129, "at most 128 characters"),
        ("test_tags", "x" * 129, "at most 128 characters"),
        ("production_tags", "a\0b", "Null characters are not allowed."),
        ("test_tags", ",".join(f"t{n}" for n in range(51)), "at most 50 tags"),
        ("production_tags", ",".join(f"t{n}" for n in range(49)), "at most 50 tags"),
        ("why", "x" * 501, "at most 500 characters"),
    ],
)
def test_a_bad_value_gets_a_sentence_and_what_was_typed_stands_there(
    senate, field, value, says
):
    typed = {"why": WHY, field: value}

    answer = press(senate, senate.otto, "change", **typed)

    assert answer.status_code == 422
    page = answer.content.decode()
    assert says in page
    kept = fields_of(page)
    assert {name: kept[name] for name in typed} == typed
    assert senate.terms == STRICT
    assert not PolicyChange.objects.exists()


def test_what_is_looser_without_a_reason_says_so_and_keeps_what_was_typed(senate):
    answer = press(senate, senate.otto, "change", most_alone="400")

    page = answer.content.decode()
    assert "Say why the policy is to be looser, in words." in page
    assert fields_of(page)["most_alone"] == "400"
    assert senate.terms == STRICT


def test_as_many_tags_as_a_policy_holds_can_be_typed(senate):
    long_ones = sorted(f"{number:02}-{'x' * 125}" for number in range(50))
    Policy.objects.update(production_tags=long_ones)

    answer = press(senate, senate.otto, "change", approval_hours="2")

    assert answer.status_code == 200
    assert "The policy holds now." in answer.content.decode()
    assert senate.terms.production_tags == set(long_ones)


def test_tags_are_read_as_they_are_compared(senate):
    press(senate, senate.otto, "change", production_tags=" EU ,Prod,, us , us")

    assert senate.terms.production_tags == {"eu", "prod", "us"}


def test_a_button_that_is_not_there_is_said_to(senate):
    senate.asked()

    answer = press(senate, senate.ann, "abolish")

    assert "There is no such button." in answer.content.decode()
