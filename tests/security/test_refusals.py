"""Forged, foreign, replayed, at once: refused with a sentence, recorded, nothing lost."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from ceadmin.audit.models import Event
from ceadmin.audit.verify import verify
from ceadmin.teams import policies
from ceadmin.teams.models import Invitation, Membership, PolicyChange, User
from ceadmin.teams.policies import Asker, PolicyError
from ceadmin.teams.terms import Terms, terms_of
from instances import runs
from instances.models import Approval, Instance, Run
from tests.commands.conftest import manage
from tests.instances.approving import court, now, question
from tests.instances.crowds import make_instances
from tests.people import Team
from tests.teams.inviting import browser, invited

__all__ = ["court"]

pytestmark = pytest.mark.django_db


def facts_of(event: Event) -> dict:
    return json.loads(event.text)["facts"]


def denied(outcome: str) -> Event:
    """Return the one event of something that was denied."""
    return Event.objects.get(action="access_denied", outcome=outcome)


# A forged role in a POST


@pytest.mark.parametrize("who", ["vic", "rita", "olga"])
def test_a_role_forged_by_somebody_who_is_no_owner(team: Team, who):
    user = getattr(team, who)
    mine = Membership.objects.get(user=user)
    before = mine.roles

    answer = browser(user).post(
        f"/admin/teams/membership/{mine.pk}/change/", {"is_owner": "on"}
    )

    assert answer.status_code == 403
    assert b"Somebody with the role owner can change that under Team." in answer.content
    assert Membership.objects.get(user=user).roles == before
    event = denied("not_allowed")
    assert (event.actor_uid, event.subject_uid) == (user.uid, str(user.uid))
    assert facts_of(event)["route"].endswith("membership/<path:object_id>/change/")
    assert facts_of(event)["row"] == str(mine.pk)


@pytest.mark.parametrize(
    "forged",
    [{"is_superuser": "on"}, {"role": "owner"}, {"roles": ["god"]}, {"is_god": "on"}],
)
def test_a_role_that_no_form_has_is_given_to_nobody(team: Team, forged):
    place = Membership.objects.get(user=team.vic)
    page = f"/admin/teams/membership/{place.pk}/change/"

    browser(team.otto).post(page, {"is_auditor": "on"} | forged)

    assert {role.value for role in Membership.objects.get(pk=place.pk).roles} == {
        *("viewer", "auditor")
    }
    assert not User.objects.get(pk=team.vic.pk).is_superuser


@pytest.mark.parametrize("name", ["vic", "rita"])
def test_an_invitation_forged_by_somebody_who_is_no_owner(team: Team, name):
    user = getattr(team, name)
    data = {"organization": team.acme.pk, "email": user.email, "is_owner": "on"}

    answer = browser(user).post("/admin/teams/invitation/add/", data)

    assert answer.status_code == 403
    assert not Invitation.objects.exists()
    assert denied("not_allowed").actor_uid == user.uid


def test_looking_at_what_is_not_allowed_records_nothing(team: Team):
    browser(team.vic).get("/admin/teams/invitation/add/")

    assert not Event.objects.filter(action="access_denied").exists()


def test_a_run_of_somebody_without_the_role_is_recorded_once(team: Team):
    make_instances(team.acme, 1)
    pk = Instance.objects.get().pk

    browser(team.vic).post(f"/admin/instances/instance/{pk}/act/revoke/")

    refused = Event.objects.filter(action__in=["run_denied", "access_denied"])
    assert [event.action for event in refused] == ["run_denied"]


@pytest.mark.parametrize("act", ["start", "ask"])
def test_a_form_that_says_nothing_is_no_way_past_the_role(court, act):
    run = court.draft(1)

    answer = browser(court.team.vic).post(f"/admin/instances/run/{run.pk}/do/{act}/")

    assert answer.status_code == 403
    refused = Event.objects.filter(action__in=["run_denied", "access_denied"])
    assert [event.actor_uid for event in refused] == [court.team.vic.uid]


def test_a_command_without_the_role_is_recorded_once(team: Team):
    make_instances(team.acme, 1)

    ended = manage(
        "run", "revoke", "--all", "--organization", "acme", "--reason", "x",
        "--as", "vic@example.com",
    )  # fmt: skip

    assert ended.code == 3
    assert "not allowed to revoke tokens and run drills in Acme" in ended.error
    event = Event.objects.get(action__in=["run_denied", "access_denied"])
    assert (event.chain, event.actor_uid) == (team.acme.chain, team.vic.uid)


# Foreign ids in an action


def test_foreign_ids_among_the_ticked_ones(team: Team):
    make_instances(team.acme, 2)
    make_instances(team.other, 1)
    mine = list(Instance.objects.of(team.acme).values_list("pk", flat=True))
    foreign = Instance.objects.of(team.other).get().pk
    data = {"action": "probe", "_selected_action": [*mine, foreign]}
    client = browser(team.olga)

    answer = client.post("/admin/instances/instance/", data, follow=True)

    assert b"Nothing was done: some of the rows that you ticked" in answer.content
    assert not Run.objects.exists()
    event = denied("not_on_the_list")
    assert (event.actor_uid, event.chain) == (team.olga.uid, "")
    assert facts_of(event)["rows"] == [str(foreign)]
    data["_selected_action"] = mine
    client.post("/admin/instances/instance/", data)
    assert Run.objects.count() == 1


def test_foreign_ids_of_members_and_invitations(team: Team):
    invited(team.eve, team.other, "nell@example.com")
    theirs = {
        "membership": Membership.objects.get(user=team.eve).pk,
        "invitation": Invitation.objects.get().pk,
    }
    acts = {"membership": "delete_selected", "invitation": "withdraw"}

    for name, pk in theirs.items():
        data = {"action": acts[name], "_selected_action": [pk], "post": "yes"}
        browser(team.otto).post(f"/admin/teams/{name}/", data)

    assert Membership.objects.filter(user=team.eve).exists()
    assert Invitation.objects.get().status == "open"
    kept = Event.objects.filter(action="access_denied", outcome="not_on_the_list")
    assert [event.chain for event in kept] == [""] * 2


# An approval replayed for another list


def test_an_approval_is_not_replayed_for_another_list(court):
    first = court.approved()
    other = court.again()
    client = browser(court.team.rita)
    page = f"/admin/instances/run/{other.pk}/do"

    runs.ask(other, user=court.team.rita, now=now(), reason="Leaked secret")
    replayed = browser(court.abe).post(
        f"{page}/approve/", {"digest": question(first).digest}, follow=True
    )
    typed = {"reason": "Leaked secret", "confirm": "REVOKE 30"}
    started = client.post(f"{page}/start/", typed)

    assert b"What you approve is not what is asked for now." in replayed.content
    assert "It waits for an approver." in str(started.context["form"].errors)
    assert Run.objects.get(pk=other.pk).status == "draft"
    refused = Event.objects.filter(action="run_denied", run_uid=other.uid)
    assert [event.outcome for event in refused.order_by("pk")] == [
        "another_list",
        "needs_approval",
    ]
    assert Approval.objects.get(run=first).status == "approved"  # nothing is lost


# Two approvers at once


def at_once(*acts) -> list[str]:
    """Do several things at the same moment; return what each came to."""
    start = Barrier(len(acts))

    def one(act) -> str:
        start.wait()
        try:
            act()
        except (runs.RunError, PolicyError) as refusal:
            return refusal.sentence
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(len(acts)) as pool:
        return sorted(pool.map(one, acts))


@pytest.mark.django_db(transaction=True)
def test_of_two_approvers_at_once_the_second_is_told_and_recorded(court):
    run = court.asked()

    ended = at_once(
        lambda: court.approve(Run.objects.get(pk=run.pk), court.ann),
        lambda: court.approve(Run.objects.get(pk=run.pk), court.abe),
    )

    assert ended[1] == "done"
    assert ended[0].startswith("The request was approved by A")
    assert ended[0].endswith("meanwhile. Reload the page.")
    assert Event.objects.filter(action="run_approved").count() == 1
    refused = Event.objects.get(action="run_denied")
    won = Event.objects.get(action="run_approved")
    assert refused.outcome == "answered"
    assert {refused.actor_uid, won.actor_uid} == {court.ann.uid, court.abe.uid}
    assert verify() == []


@pytest.mark.django_db(transaction=True)
def test_of_two_who_answer_a_policy_at_once_the_second_is_told_and_recorded(court):
    wanted = Terms(None, frozenset(), frozenset({"test", "sandbox"}), 24)
    policies.change(court.acme, wanted, why="a test", by=Asker(court.team.otto, now()))
    digest = PolicyChange.objects.get().digest

    def approve(user: User):
        change = PolicyChange.objects.select_related("organization").get()
        return lambda: policies.approve(change, digest=digest, by=Asker(user, now()))

    ended = at_once(approve(court.ann), approve(court.abe))

    assert ended.count("done") == 1
    assert Event.objects.filter(action="policy_denied").count() == 1
    assert PolicyChange.objects.get().status == "approved"


def test_no_tag_is_lost_by_naming_many(court):
    before = terms_of(court.acme)
    many = frozenset(f"a{number:02}" for number in range(50))
    wanted = Terms(before.most_alone, many, before.test_tags, before.approval_hours)

    with pytest.raises(PolicyError) as refusal:
        policies.change(
            court.acme, wanted, why="a test", by=Asker(court.team.otto, now())
        )

    assert refusal.value.code == "too_many_tags"
    assert terms_of(court.acme) == before
    assert before.production_tags
    assert not PolicyChange.objects.exists()


def test_every_tag_of_a_policy_is_read(court):
    many = [f"a{number:02}" for number in range(50)]
    court.policy(production_tags=[*many, "production"])

    assert "production" in terms_of(court.acme).production_tags
