"""The buttons of a draft that needs a second person: pressed by the right and the wrong one."""

import pytest
from django.test import Client

from ceadmin.audit.models import Event
from ceadmin.teams.choices import Answer
from ceadmin.teams.models import User
from instances.choices import RunStatus
from instances.models import Approval, BrokenGlass, Run
from tests.instances.approving import court, question, told
from tests.instances.breaking import WHY, also, break_glass, broken, glass_of
from tests.people import make_user
from tests.teams.inviting import browser
from tests.teams.pages import fields_of

__all__ = ["court"]

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

ACTS = ("ask", "start", "approve", "refuse", "withdraw", "break-glass", "review")
REASON = {"reason": "Leaked secret"}


def page_of(run: Run) -> str:
    """Return the address of a run's page."""
    return f"/admin/instances/run/{run.pk}"


def shown(run: Run, user: User, client: Client | None = None) -> str:
    """Return the page as somebody sees it."""
    client = client or browser(user)
    return client.get(f"{page_of(run)}/change/").content.decode()


def press(run: Run, user: User, act: str, **typed: str):
    """Press a button, with what the forms of the page hold and what was typed."""
    client = browser(user)
    fields = fields_of(shown(run, user, client))
    address = f"{page_of(run)}/do/{act}/"
    return client.post(address, {**fields, **typed}, follow=True)


def buttons(run: Run, user: User) -> set[str]:
    """Return what somebody can press on the page."""
    page = shown(run, user)
    return {act for act in ACTS if f'/do/{act}/"' in page}


def status_of(run: Run) -> str:
    """Return a run's status as stored."""
    return Run.objects.get(pk=run.pk).status


# Whose buttons are there


def test_each_sees_the_buttons_that_are_theirs(court):
    run, team = court.draft(), court.team
    assert buttons(run, team.rita) == {"ask"}
    assert buttons(run, team.otto) == {"break-glass"}
    assert buttons(run, court.ann) == buttons(run, team.vic) == set()

    press(run, team.rita, "ask", **REASON)

    assert buttons(run, team.rita) == {"withdraw"}
    assert buttons(run, court.ann) == {"approve", "refuse"}
    assert buttons(run, team.otto) == {"break-glass"}
    assert buttons(run, team.vic) == buttons(run, team.olga) == set()


def test_after_the_answer_only_who_asked_goes_on(court):
    run = court.approved()

    assert buttons(run, court.team.rita) == {"start", "withdraw"}
    assert buttons(run, court.ann) == buttons(run, court.abe) == set()


@pytest.mark.parametrize("superuser", [False, True])
def test_whoever_asked_is_shown_no_way_to_approve(court, superuser):
    run, rita = court.asked(), court.team.rita
    also(rita, is_approver=True)
    rita.is_superuser = superuser
    rita.save()

    assert not buttons(run, rita) & {"approve", "refuse"}
    assert "an approver other than you has to answer" in shown(run, rita)


def test_the_approver_reads_what_the_answer_is_bound_to(court):
    run = court.asked(ticket="SEC-1")

    page = shown(run, court.ann)

    assert "Rita asks you to approve this" in page
    assert "It touches 30 instances; more than 25 need an approver." in page
    for words in ("Leaked secret", "SEC-1", run.selection_hash, question(run).digest):
        assert words in page
    assert fields_of(page)["digest"] == question(run).digest


# Asking, answering, starting


def test_a_run_is_asked_approved_and_started_by_the_buttons_alone(court):
    run, rita = court.draft(), court.team.rita

    press(run, rita, "ask", ticket="SEC-1", **REASON)
    assert question(run).status == Answer.WAITING
    press(run, court.ann, "approve", note="Seen")
    assert (question(run).status, question(run).words) == (Answer.APPROVED, "Seen")
    started = press(run, rita, "start", confirm="REVOKE 30")

    assert status_of(run) == RunStatus.RUNNING
    page = started.content.decode()
    assert "Asked for by Rita, approved by Ann" in page
    for act, user in (("approval_asked", rita), ("run_approved", court.ann)):
        assert told(act).actor_uid == user.uid
        assert told(act).origin_uid is not None


def test_asking_takes_a_reason_and_keeps_what_was_typed(court):
    run = court.draft()

    answer = press(run, court.team.rita, "ask", reason=" ", ticket="SEC-1")

    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Say why" in page
    assert fields_of(page)["ticket"] == "SEC-1"
    assert not Approval.objects.exists()


def test_a_start_that_nobody_approved_is_refused_and_keeps_what_was_typed(court):
    run = court.draft()

    answer = press(run, court.team.rita, "start", ticket="SEC-1", **REASON)

    assert answer.status_code == 422
    page = answer.content.decode()
    assert "more than 25 need an approver. Ask for it first." in page
    assert fields_of(page)["ticket"] == "SEC-1"
    assert status_of(run) == RunStatus.DRAFT
    assert told("run_denied").outcome == "needs_approval"


@pytest.mark.parametrize(
    "forged", [{"reason": "Another"}, {"ticket": "T-2"}, {"only": "refresh"}]
)
def test_what_is_forged_into_the_start_is_not_what_was_approved(court, forged):
    run = court.approved()

    answer = press(run, court.team.rita, "start", confirm="REVOKE 30", **forged)

    assert "This is not what was approved" in answer.content.decode()
    assert status_of(run) == RunStatus.DRAFT
    assert question(run).status == Answer.APPROVED
    assert told("run_denied").outcome == "not_as_approved"


def test_it_is_refused_with_words_and_asked_again(court):
    run = court.asked()
    silent = press(run, court.ann, "refuse")
    assert "Say in words why you refuse it." in silent.content.decode()

    press(run, court.ann, "refuse", why="Which ticket?")

    page = shown(run, court.team.rita)
    assert "Refused by Ann" in page
    assert "Which ticket?" in page
    assert buttons(run, court.team.rita) == {"ask"}
    press(run, court.team.rita, "ask", ticket="SEC-2")
    assert question(run).status == Answer.WAITING


def test_it_is_withdrawn(court):
    run = court.asked()

    press(run, court.team.rita, "withdraw")

    assert question(run).status == Answer.WITHDRAWN
    late = press(run, court.ann, "approve", digest=question(run).digest)
    assert "The request was withdrawn" in late.content.decode()
    assert question(run).status == Answer.WITHDRAWN


@pytest.mark.parametrize("digest", ["", "0" * 64])
def test_an_approval_without_the_hash_that_was_shown_is_refused(court, digest):
    run = court.asked()

    answer = press(run, court.ann, "approve", digest=digest)

    assert "What you approve is not what is asked for now." in answer.content.decode()
    assert question(run).status == Answer.WAITING
    assert told("run_denied").outcome == "another_list"


def test_the_page_that_was_open_does_not_approve_what_was_asked_since(court):
    run, client = court.asked(), browser(court.ann)
    read = fields_of(shown(run, court.ann, client))
    press(run, court.team.rita, "withdraw")
    press(run, court.team.rita, "ask", only="refresh", **REASON)

    client.post(f"{page_of(run)}/do/approve/", read)

    assert question(run).status == Answer.WAITING
    assert told("run_denied").outcome == "another_list"


# The wrong person


@pytest.mark.parametrize("superuser", [False, True])
def test_whoever_asked_presses_a_forged_button_in_vain(court, superuser):
    run, rita = court.asked(), court.team.rita
    also(rita, is_approver=True)
    rita.is_superuser = superuser
    rita.save()

    approved = press(run, rita, "approve", digest=question(run).digest)
    refused = press(run, rita, "refuse", why="No")

    assert "somebody else has to approve it" in approved.content.decode()
    assert "withdraw it instead of refusing it" in refused.content.decode()
    assert question(run).status == Answer.WAITING
    denied = Event.objects.filter(action="run_denied", actor_uid=rita.uid)
    assert [event.outcome for event in denied] == ["own_request"] * 2


def test_the_approver_does_not_start_it(court):
    also(court.ann, is_revoker=True)
    run = court.approved()

    answer = press(run, court.ann, "start", confirm="REVOKE 30")

    assert "somebody else has to start it" in answer.content.decode()
    assert status_of(run) == RunStatus.DRAFT


@pytest.mark.parametrize(
    ("name", "act"),
    [
        ("vic", "ask"),
        ("vic", "approve"),
        ("olga", "refuse"),
        ("rita", "approve"),
        ("otto", "approve"),
        ("vic", "withdraw"),
        ("olga", "withdraw"),
        ("rita", "break-glass"),
        ("vic", "break-glass"),
        ("otto", "start"),
    ],
)
def test_members_without_the_role_are_refused_and_recorded(court, name, act):
    run, user = court.asked(), getattr(court.team, name)

    typed = {"digest": question(run).digest, "why": "so", "confirm": "REVOKE 30"}

    answer = press(run, user, act, **typed, **REASON)

    assert answer.status_code == 403
    assert (status_of(run), question(run).status) == (RunStatus.DRAFT, Answer.WAITING)
    assert not BrokenGlass.objects.exists()
    event = told("run_denied")
    assert (event.outcome, event.actor_uid) == ("not_allowed", user.uid)


@pytest.mark.parametrize("act", ACTS)
def test_a_foreign_run_is_not_there(court, act):
    run, eve = court.asked(), court.team.eve
    also(eve, is_approver=True)
    client, typed = browser(eve), {"digest": question(run).digest, "why": "so"}

    answers = [
        client.post(f"/admin/instances/run/{pk}/do/{act}/", typed)
        for pk in (run.pk, 987654321)
    ]

    assert [one.status_code for one in answers] == [404, 404]
    assert (status_of(run), question(run).status) == (RunStatus.DRAFT, Answer.WAITING)


@pytest.mark.parametrize("act", ACTS)
def test_looking_changes_nothing(court, act):
    run = court.asked()

    assert browser(court.ann).get(f"{page_of(run)}/do/{act}/").status_code == 405
    assert question(run).status == Answer.WAITING


# Without approval


def test_an_owner_breaks_the_glass_and_an_approver_reviews_it(court):
    run = court.asked()

    broke = press(run, court.team.otto, "break-glass", why=WHY)
    assert status_of(run) == RunStatus.RUNNING
    assert "Started without approval by Otto" in broke.content.decode()
    assert told("glass_broken").origin_uid is not None
    seen = shown(run, court.ann)
    assert WHY in seen
    assert "Nobody has reviewed it yet." in seen
    reviewed = press(run, court.ann, "review", note="It was right")

    page = reviewed.content.decode()
    assert "Reviewed by Ann" in page
    assert "“It was right”" in page
    assert glass_of(run).reviewed_by == court.ann
    assert told("glass_reviewed").origin_uid is not None


def test_breaking_it_takes_a_reason(court):
    run = court.draft()

    answer = press(run, court.team.otto, "break-glass", why=" ")

    assert "why this cannot wait" in answer.content.decode()
    assert status_of(run) == RunStatus.DRAFT


def test_a_review_takes_words(court):
    run = broken(court)

    answer = press(run, court.ann, "review", note="")

    assert "Say in words what you found." in answer.content.decode()
    assert glass_of(run).reviewed_at is None


@pytest.mark.parametrize("name", ["otto", "rita"])
def test_who_had_a_part_in_it_is_shown_no_review_and_forges_it_in_vain(court, name):
    run, user = broken(court), getattr(court.team, name)
    also(user, is_approver=True)
    assert "review" not in buttons(run, user)
    assert "review" in buttons(run, court.abe)

    answer = press(run, user, "review", note="All is well")

    assert "You had a part in it" in answer.content.decode()
    assert glass_of(run).reviewed_at is None
    assert told("run_denied").outcome == "own_start"


def test_a_superuser_who_broke_it_is_shown_no_review(court):
    run = court.draft()
    break_glass(court, run, court.sue)

    assert "review" not in buttons(run, court.sue)
    press(run, court.sue, "review", note="All is well")
    assert glass_of(run).reviewed_at is None


@pytest.mark.parametrize("name", ["vic", "olga"])
def test_members_who_do_not_approve_do_not_review(court, name):
    run, user = broken(court), getattr(court.team, name)
    assert "review" not in buttons(run, user)

    assert press(run, user, "review", note="All is well").status_code == 403
    assert glass_of(run).reviewed_at is None


def test_a_second_owner_finds_the_button_gone(court):
    run, other = broken(court), make_user("Orla", court.acme, is_owner=True)

    assert "break-glass" not in buttons(run, other)
    answer = press(run, other, "break-glass", why=WHY)

    assert "The run is running already." in answer.content.decode()
    assert glass_of(run).broken_by == court.team.otto
