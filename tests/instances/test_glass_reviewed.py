"""A start without approval stands among what needs somebody until another person looked at it."""

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from ceadmin.audit.verify import verify
from ceadmin.teams.models import User
from ceadmin.teams.permissions import NotAllowed
from instances import runs
from instances.choices import ItemStatus, Outcome, RunStatus
from instances.models import BrokenGlass, Item, Run
from tests.instances.approving import court, now, refused, told
from tests.instances.breaking import (
    also,
    at_once,
    break_glass,
    broken,
    facts_of,
    glass_of,
    review,
)
from tests.teams.inviting import browser

__all__ = ["court"]

pytestmark = pytest.mark.django_db


# Until somebody looked at it


def needs_of(user: User) -> list[tuple[str, int]]:
    """Return what the overview says to somebody of starts without approval."""
    client = browser(user)
    needs = [
        need
        for need in client.get("/admin/").context["needs"]
        if "without approval" in str(need.sentence)
    ]
    for need in needs:
        assert client.get(need.url).context["cl"].result_count == need.count
    return [(str(need.sentence), need.count) for need in needs]


@pytest.mark.parametrize("name", ["vic", "rita", "otto"])
def test_it_stands_among_what_needs_somebody_until_it_was_reviewed(court, name):
    run, reader = broken(court), getattr(court.team, name)
    words = "1 run was started without approval and not reviewed since"
    assert needs_of(reader) == [(words, 1)]
    ended(run, now())
    assert needs_of(reader) == [(words, 1)]  # that it is over ends nothing

    review(run, court.ann)

    assert needs_of(reader) == []


def ended(run: Run, at: datetime) -> None:
    """Let a run be over since then."""
    Item.objects.filter(run=run).update(
        status=ItemStatus.DONE, outcome=Outcome.VERIFIED_DEAD, finished_at=at
    )
    over = {"status": RunStatus.FINISHED, "finished_at": at}
    Run.objects.filter(pk=run.pk).update(**over)


def listed(user: User, chosen: str) -> list[int]:
    """Return the runs that the list's filter of approvals leaves."""
    page = browser(user).get("/admin/instances/run/", {"approval": chosen})
    return [one.pk for one in page.context["cl"].result_list]


def test_the_list_finds_it_and_marks_it_for_good(court):
    run = broken(court)
    court.again()
    page = "/admin/instances/run/"
    assert listed(court.ann, "unreviewed") == listed(court.ann, "without") == [run.pk]
    assert b"Without approval" in browser(court.ann).get(page).content

    review(run, court.ann)

    assert listed(court.ann, "unreviewed") == []
    assert listed(court.ann, "without") == [run.pk]


def test_a_foreign_organization_hears_nothing_of_it(court):
    run = broken(court)
    also(court.team.eve, is_approver=True)

    assert needs_of(court.team.eve) == []
    assert listed(court.team.eve, "unreviewed") == []
    with pytest.raises(NotAllowed):
        review(run, court.team.eve)
    assert glass_of(run).reviewed_at is None


def test_it_stands_there_though_its_list_was_removed_for_age(court, settings):
    run, settings.RETAIN_ITEMS_DAYS = broken(court), timedelta(days=30)
    ended(run, now() - timedelta(days=31))

    runs.thin_out(now=now())

    assert not Item.objects.filter(run=run).exists()
    assert listed(court.ann, "unreviewed") == [run.pk]


# The review


def test_an_approver_who_had_no_part_in_it_reviews_it(court):
    run = broken(court, reason="Leaked secret", ticket="SEC-1")

    review(run, court.ann, "Seen with  the vendor")

    mark = glass_of(run)
    assert (mark.reviewed_by, mark.reviewed_by_name) == (court.ann, "Ann")
    assert mark.note == "Seen with the vendor"
    assert mark.reviewed_at >= mark.broken_at
    event = told("glass_reviewed")
    assert (event.actor_uid, event.role) == (court.ann.uid, "approver,viewer")
    assert (event.reason, event.ticket) == ("Leaked secret", "SEC-1")
    assert facts_of(event)["note"] == "Seen with the vendor"
    assert event.origin_uid is not None


@pytest.mark.parametrize("superuser", [False, True])
@pytest.mark.parametrize("name", ["otto", "rita"])
def test_neither_who_broke_it_nor_its_requester_reviews_it(court, name, superuser):
    run, user = broken(court), getattr(court.team, name)
    also(user, is_approver=True)
    user.is_superuser = superuser
    user.save()

    error = refused(review, run, user)

    assert error.code == "own_start"
    assert glass_of(run).reviewed_at is None
    event = told("run_denied")
    assert (event.outcome, event.actor_uid) == ("own_start", user.uid)
    assert facts_of(event)["act"] == "review"


def test_a_superuser_who_broke_it_in_the_name_of_another_does_not_review_it(court):
    run = court.draft()
    break_glass(court, run, court.sue)

    assert refused(review, run, court.sue).code == "own_start"
    assert told("glass_broken").role == "superuser"


@pytest.mark.parametrize("name", ["vic", "olga", "otto", "eve"])
def test_only_approvers_of_the_organization_review(court, name):
    run, user = broken(court), getattr(court.team, name)

    with pytest.raises(NotAllowed):
        review(run, user)

    assert glass_of(run).reviewed_at is None
    event = told("run_denied")
    assert (event.outcome, event.actor_uid) == ("not_allowed", user.uid)
    assert facts_of(event)["act"] == "review"


@pytest.mark.parametrize("note", ["", "  ", "—"])
def test_a_review_says_in_words_what_was_found(court, note):
    run = broken(court)

    assert refused(review, run, court.ann, note).code == "reason_missing"
    assert glass_of(run).reviewed_at is None


def test_what_was_approved_is_not_reviewed(court):
    run = court.approved()
    court.start(run)

    assert refused(review, run, court.abe).code == "not_broken"


def test_it_is_reviewed_once(court):
    run = broken(court)
    review(run, court.ann, "It was right")

    error = refused(review, run, court.abe, "It was wrong")

    assert error.code == "reviewed"
    assert "Ann reviewed it" in error.sentence
    assert (glass_of(run).reviewed_by, glass_of(run).note) == (
        court.ann,
        "It was right",
    )
    event = told("run_denied")
    assert (event.outcome, event.actor_uid) == ("reviewed", court.abe.uid)


@pytest.mark.django_db(transaction=True)
def test_of_two_reviewers_at_once_one_counts_and_the_other_is_told_and_recorded(court):
    run = broken(court)

    came_to = at_once(
        lambda: review(Run.objects.get(pk=run.pk), court.ann),
        lambda: review(Run.objects.get(pk=run.pk), court.abe),
    )

    assert came_to == ["done", "reviewed"]
    won, lost = told("glass_reviewed"), told("run_denied")
    assert glass_of(run).reviewed_by.uid == won.actor_uid
    assert {won.actor_uid, lost.actor_uid} == {court.ann.uid, court.abe.uid}
    assert verify() == []


def test_the_database_keeps_it_so_whatever_code_does(court):
    run = broken(court)
    own = {"reviewed_by": court.team.otto, "reviewed_at": now(), "note": "Fine"}
    silent = {"reviewed_by": court.ann, "reviewed_at": now(), "note": ""}

    for columns in (own, silent, {"why": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            BrokenGlass.objects.filter(run=run).update(**columns)
