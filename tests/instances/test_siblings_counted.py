"""Whoever dies with a list counts as if they stood on it: typed, approved, and looked at again at the start."""

import pytest
from django.urls import reverse

from ceadmin.teams.choices import Answer
from instances import runs
from instances.choices import RunKind, RunStatus
from instances.models import Instance, InstanceTag
from tests.instances.approving import court, now, question, refused
from tests.instances.kindred import Kindred
from tests.people import allow_alone

__all__ = ["court"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def kindred(court) -> Kindred:
    return Kindred(court.acme, court.team.rita)


@pytest.fixture
def pair(kindred):
    """One that is chosen, and one that dies with it by its account alone."""
    return kindred.hold("google", "ann"), kindred.hold("google", "ann")


# The second person


def test_they_count_towards_the_number_that_needs_an_approver(court, kindred, pair):
    court.policy(most_alone=1)

    (reason,) = runs.needed(kindred.draft(pair[0]))

    assert "2 instances, 1 of them by a shared grant" in reason


def test_a_tag_of_production_counts_on_them_too(kindred, pair):
    InstanceTag.objects.create(instance=pair[1], name="Production")

    assert "One instance is tagged" in runs.needed(kindred.draft(pair[0]))[0]


def approved(court, kindred, pair):
    court.policy(most_alone=0)
    run = kindred.draft(pair[0])
    runs.ask(run, user=court.team.rita, now=now(), reason="A leak")
    return run


@pytest.mark.parametrize("when", ["before", "after"])
def test_who_came_after_the_question_does_not_slip_by(court, kindred, pair, when):
    run = approved(court, kindred, pair)
    if when == "after":
        court.approve(run)
    kindred.hold("google", "ann")

    act = court.start if when == "after" else court.approve

    assert refused(act, run).code == "siblings_changed"
    run.refresh_from_db()
    assert run.status == RunStatus.DRAFT


def test_asked_again_the_new_question_is_about_them_too(court, kindred, pair):
    run = approved(court, kindred, pair)
    first = question(run)
    kindred.hold("google", "ann")

    runs.ask(run, user=court.team.rita, now=now())
    court.approve(run)
    court.start(run)

    first.refresh_from_db()
    assert (first.status, question(run).status) == (Answer.VOID, Answer.USED)
    assert run.status == RunStatus.RUNNING
    assert first.digest != question(run).digest


def test_what_changes_while_it_is_worked_stops_nothing(court, kindred, pair):
    run = approved(court, kindred, pair)
    court.approve(run)
    court.start(run)
    Instance.objects.filter(pk=pair[1].pk).update(account="bob")

    runs.work(run.pk, worker="test")

    run.refresh_from_db()
    assert run.problem != "not_as_approved"


# The page


@pytest.fixture
def press(client, court):
    """Press the start of a draft's page, with what the page holds."""
    allow_alone(court.acme)
    client.force_login(court.team.rita)

    def start(run, **typed):
        where = reverse("admin:instances_run_do", args=[run.pk, "start"])
        return client.post(where, {"reason": "A leak"} | typed)

    return start


def test_what_is_typed_is_the_number_of_all_that_die(court, kindred, client, press):
    chosen = [kindred.hold("google", f"user {n}") for n in range(6)]
    for n in range(5):
        kindred.hold("google", f"user {n}")
    run = kindred.draft(*chosen)
    seen = runs.kin_of(run).hash

    page = client.get(reverse("admin:instances_run_change", args=[run.pk])).text
    short = press(run, dies_too=seen, confirm="REVOKE 6")
    full = press(run, dies_too=seen, confirm="REVOKE 11")

    assert "Type <code>REVOKE 11</code> to start" in page
    assert "6 selected, and 5 that die with them." in page
    assert short.status_code == 422
    assert full.status_code == 302


def test_who_came_since_the_page_was_loaded_is_looked_at_first(kindred, pair, press):
    run = kindred.draft(pair[0])
    seen = runs.kin_of(run).hash
    kindred.hold("google", "ann", name="Just connected")

    late = press(run, dies_too=seen)
    now_seen = runs.kin_of(run).hash

    assert late.status_code == 422
    assert "Meanwhile other instances share a grant with these" in late.text
    assert "Just connected" in late.text
    assert f'name="dies_too" value="{now_seen}"' in late.text
    assert press(run, dies_too=now_seen).status_code == 302


# A drill of tests


def test_a_drill_of_tests_is_none_where_production_dies_with_it(court, kindred, pair):
    court.policy(test_tags=["test"], production_tags=["production"])
    InstanceTag.objects.create(instance=pair[0], name="test")
    own = Instance.objects.filter(pk=pair[0].pk)

    before = runs.rights.only_tests(court.acme, own)
    InstanceTag.objects.create(instance=pair[1], name="test")

    assert (before, runs.rights.only_tests(court.acme, own)) == (False, True)
    assert kindred.draft(pair[0], kind=RunKind.DRILL).total == 1
