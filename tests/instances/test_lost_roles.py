"""Removing somebody, or lowering a role, ends what they may do: pages, drafts, runs, answers."""

import pytest
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.teams.choices import Answer, Role
from ceadmin.teams.members import change_roles, remove_member
from ceadmin.teams.models import Membership, User
from ceadmin.teams.permissions import NotAllowed
from instances import runs
from instances.choices import Outcome, RunKind, RunStatus
from instances.models import Approval, Item, Run
from tests.commands.conftest import manage
from tests.instances.approving import court, refused
from tests.instances.fleet import Fleet, only_item
from tests.instances.reconnecting import signed_in
from tests.people import Team, make_user
from tests.teams.inviting import hand_of

__all__ = ["court"]

pytestmark = pytest.mark.django_db


def lower(user: User, team: Team, *left: Role) -> None:
    """Leave somebody these roles only."""
    place = Membership.objects.get(user=user, organization=team.acme)
    change_roles(place, roles=left, hand=hand_of(team.otto, team.acme))


def remove(user: User, team: Team) -> None:
    """Take somebody's place away."""
    place = Membership.objects.get(user=user, organization=team.acme)
    remove_member(place, hand_of(team.otto, team.acme))


def switch_off(user: User, team: Team) -> None:
    """Switch somebody's account off."""
    User.objects.filter(pk=user.pk).update(is_active=False)


each_end = pytest.mark.parametrize("end", [lower, remove, switch_off])


@pytest.fixture
def fleet(emulator, team):
    return Fleet(emulator, team.acme, team.rita)


@each_end
def test_an_open_page_does_nothing_any_more(fleet, team, end):
    fleet.synced("box")
    draft, page = fleet.draft(RunKind.REVOKE), signed_in(team.rita).client
    address = f"/admin/instances/run/{draft.pk}/"
    assert page.get(f"{address}change/").status_code == 200

    end(team.rita, team)
    answer = page.post(f"{address}do/start/", {"reason": "go"})

    assert answer.status_code in (302, 403, 404)
    assert Run.objects.get(pk=draft.pk).status == RunStatus.DRAFT
    assert not Run.objects.filter(status=RunStatus.RUNNING).exists()


def test_a_page_that_refreshes_itself_ends_with_the_membership(fleet, team):
    fleet.synced("box")
    run, page = fleet.run(RunKind.PROBE), signed_in(team.vic).client
    live = f"/admin/instances/run/{run.pk}/live.json"
    assert page.get(live).status_code == 200

    remove(team.vic, team)

    assert page.get(live).status_code in (302, 403, 404)


@each_end
def test_a_queued_draft_is_started_by_nobody(fleet, team, end):
    other = make_user("Other", team.acme, is_revoker=True)
    fleet.synced("box")
    draft = fleet.draft(RunKind.REVOKE)

    end(team.rita, team)

    with pytest.raises(NotAllowed):
        rita = User.objects.get(pk=team.rita.pk)
        runs.start(draft, user=rita, now=timezone.now(), reason="mine")
    error = refused(
        runs.start, draft, user=other, now=timezone.now(), reason="for Rita"
    )
    assert error.code == "drafter_lost_role"
    assert "Rita drafted this and may no longer do it. Discard it" in error.sentence
    assert Run.objects.get(pk=draft.pk).status == RunStatus.DRAFT
    denied = Event.objects.filter(action="run_denied", outcome="drafter_lost_role")
    assert denied.get().actor_uid == other.uid


def test_the_page_of_such_a_draft_says_so_and_offers_to_discard_it(fleet, team):
    other = make_user("Other", team.acme, is_revoker=True)
    fleet.synced("box")
    draft = fleet.draft(RunKind.REVOKE)
    remove(team.rita, team)
    client, page = signed_in(other).client, f"/admin/instances/run/{draft.pk}/"

    shown = client.get(f"{page}change/").content.decode()
    client.post(f"{page}do/discard/")

    assert "Rita drafted this and may no longer do it" in shown
    assert "do/start/" not in shown
    assert Run.objects.get(pk=draft.pk).status == RunStatus.EXPIRED


def test_such_a_draft_is_neither_asked_for_nor_started_by_breaking_the_glass(court):
    run, team = court.draft(), court.team
    other = make_user("Other", team.acme, is_revoker=True, is_owner=True)
    lower(team.rita, team, Role.OPERATOR)

    asked = refused(runs.ask, run, user=other, now=timezone.now(), reason="why")
    broken = refused(
        runs.break_glass, run, user=other, now=timezone.now(), why="urgent"
    )

    assert (asked.code, broken.code) == ("drafter_lost_role", "nobody_may")
    assert Run.objects.get(pk=run.pk).status == RunStatus.DRAFT


def test_who_drafted_may_lose_the_role_once_another_one_started(fleet, team):
    other = make_user("Other", team.acme, is_revoker=True)
    fleet.synced("box")
    run = fleet.draft(RunKind.REVOKE)
    runs.start(run, user=other, now=timezone.now(), reason="mine now")

    lower(team.rita, team)
    fleet.work(run)

    assert only_item(run).outcome == Outcome.VERIFIED_DEAD


@each_end
def test_a_run_at_work_begins_nothing_more_and_waits_with_the_sentence(
    fleet, team, end
):
    fleet.synced("box")
    run = fleet.draft(RunKind.REVOKE)
    runs.start(run, user=team.rita, now=timezone.now(), reason="go")

    end(team.rita, team)
    fleet.work(run)

    assert (run.status, run.problem) == (RunStatus.PAUSED, "not_allowed")
    assert "Rita asked for this run and may no longer do it" in run.problem_text
    assert only_item(run).outcome == ""


@each_end
def test_a_probe_that_was_only_queued_begins_nothing(fleet, team, end):
    fleet.synced("box")
    run = Run.objects.create(
        organization=team.acme,
        kind=RunKind.PROBE,
        selection={"version": 1, "filter": {}},
        requested_by=team.rita,
        requested_by_name="Rita",
        status=RunStatus.PLANNING,
        created_at=timezone.now(),
    )

    end(team.rita, team)
    runs.plan(run.pk, now=timezone.now())
    fleet.work(run)

    assert run.status in (RunStatus.PAUSED, RunStatus.FAILED)
    assert not Item.objects.filter(run=run).exclude(outcome="").exists()


def test_a_paused_run_is_taken_over_by_somebody_who_may(fleet, team):
    other = make_user("Other", team.acme, is_revoker=True)
    fleet.synced("box")
    run = fleet.draft(RunKind.REVOKE)
    runs.start(run, user=team.rita, now=timezone.now(), reason="go")
    remove(team.rita, team)
    fleet.work(run)

    with pytest.raises(NotAllowed):
        runs.resume(run, user=team.rita, now=timezone.now())
    runs.resume(run, user=other, now=timezone.now())
    fleet.work(run)

    assert run.requested_by == other
    assert only_item(run).outcome == Outcome.VERIFIED_DEAD


@each_end
def test_a_command_in_their_name_does_nothing(fleet, team, end):
    fleet.synced("box")
    before = Run.objects.count()

    end(team.rita, team)
    ended = manage(
        "run", "revoke", "--as", "rita@example.com", "--organization", "acme",
        "--reason", "still here",
    )  # fmt: skip

    assert ended.code in (2, 3)
    assert Run.objects.count() == before


@each_end
def test_an_answer_given_before_is_void_and_nothing_starts_with_it(court, end):
    run = court.approved()

    end(court.ann, court.team)
    error = refused(court.start, run)
    runs.sweep(now=timezone.now())

    assert error.code == "approver_lost_role"
    assert "the approval is void. Ask again." in error.sentence
    assert Approval.objects.get().status == Answer.VOID
    assert Event.objects.filter(action="approval_void").count() == 1
    assert Run.objects.get(pk=run.pk).status == RunStatus.DRAFT


def test_another_approver_answers_in_their_place(court):
    run = court.approved()
    lower(court.ann, court.team)
    runs.sweep(now=timezone.now())

    runs.ask(run, user=court.team.rita, now=timezone.now())
    court.approve(run, court.abe)
    court.start(run)

    assert run.status == RunStatus.RUNNING


def test_a_sweep_leaves_good_answers_alone(court):
    court.approved()

    runs.sweep(now=timezone.now())

    assert Approval.objects.get().status == Answer.APPROVED
