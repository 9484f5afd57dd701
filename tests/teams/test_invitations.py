"""An invitation, from the owner who makes it to the member who came by it."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.audit.verify import verify
from ceadmin.teams.choices import InvitationStatus, Role
from ceadmin.teams.members import change_roles
from ceadmin.teams.models import Invitation, Membership, User
from ceadmin.teams.recent import CONFIRMED_AT
from tests.people import PASSWORD, Team, make_user
from tests.teams.inviting import ADD, GOOD, browser, hand_of, invited, joining

pytestmark = pytest.mark.django_db

NEW = "nell@example.com"


def events() -> list[str]:
    """Return what Acme's chain says."""
    rows = Event.objects.exclude(chain="").order_by("id")
    return list(rows.values_list("action", flat=True))


def test_an_owner_invites_by_address_and_roles_and_sees_the_address_once(team: Team):
    client = browser(team.otto)
    data = {"organization": team.acme.pk, "email": "Nell@Example.com"}

    shown = client.post(ADD, data | {"is_revoker": "on"})

    made = Invitation.objects.get()
    assert (made.email, made.roles) == (NEW, ["revoker", "viewer"])
    assert (made.made_by, made.status) == (team.otto, InvitationStatus.OPEN)
    assert b"Copy this address now and send it to nell@example.com" in shown.content
    assert b"/invitation/" in shown.content
    later = client.get(f"/admin/teams/invitation/{made.pk}/change/")
    assert b"http://127.0.0.1:8000/invitation/" not in later.content
    assert events() == ["member_invited"]


def test_the_address_is_stored_hashed_and_nowhere_else(team: Team):
    made, path = invited(team.otto, team.acme, NEW)
    token = path.split("/")[2]

    rows = Invitation.objects.values_list(), Event.objects.values_list()

    assert len(token) == 43
    assert token not in str([list(one) for one in rows])
    assert NEW not in Event.objects.get().text
    assert (made.expires_at - made.made_at).days in (6, 7)


def test_looking_uses_nothing_up(team: Team):
    made, path = invited(team.otto, team.acme, NEW)

    answers = [browser().get(path) for _ in range(3)] + [browser().head(path)]

    assert [one.status_code for one in answers] == [200] * 4
    assert b"Otto invites you" in answers[0].content
    made.refresh_from_db()
    assert made.status == InvitationStatus.OPEN
    assert answers[0]["Referrer-Policy"] == "same-origin"
    assert answers[0]["Cache-Control"] == "no-store"
    assert not answers[0].cookies.get("ceadmin-demo-session")


def test_somebody_new_makes_an_account_and_is_a_member(team: Team):
    _made, path = invited(team.otto, team.acme, NEW, Role.REVOKER)
    client = browser()

    answer = client.post(path, joining())

    assert answer["Location"] == "/invitation/done/"
    nell = User.objects.get(email=NEW)
    assert (nell.name, nell.check_password(GOOD)) == ("Nell", True)
    place = Membership.objects.get(user=nell)
    assert (place.organization, place.is_revoker, place.is_owner) == (
        team.acme,
        True,
        False,
    )
    assert events() == ["member_invited", "member_added", "invitation_accepted"]
    accepted = Event.objects.get(action="invitation_accepted")
    assert (accepted.actor_uid, accepted.role) == (nell.uid, "")
    assert verify() == []


def test_somebody_with_an_account_signs_in_and_accepts(team: Team):
    _made, path = invited(team.otto, team.acme, "eve@example.com", Role.AUDITOR)
    client = browser()

    led = client.post(path, {"act": "sign_in"})
    login = {"username": "eve@example.com", "password": PASSWORD}
    back = client.post(led["Location"], login | {"next": "/invitation/"})
    page = client.get(back["Location"])
    joined = client.post("/invitation/", {"act": "accept"})

    assert path.split("/")[2] not in led["Location"]
    assert back["Location"] == "/invitation/"
    assert b"You are signed in as Eve" in page.content
    assert joined["Location"] == "/admin/"
    assert Membership.objects.get(user=team.eve, organization=team.acme).is_auditor
    assert client.get("/invitation/").status_code == 404


def test_somebody_signed_in_already_accepts_at_the_address(team: Team):
    _made, path = invited(team.otto, team.acme, "eve@example.com")

    browser(team.eve).post(path, {"act": "accept"})

    assert Membership.objects.filter(user=team.eve, organization=team.acme).exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"password1": "short", "password2": "short"}, b"too short"),
        ({"password2": "another password"}, b"are not the same"),
        ({"password1": "password1234", "password2": "password1234"}, b"too common"),
        ({"name": ""}, b"This field is required"),
        ({"password1": "nell@example.com", "password2": "nell@example.com"}, b"simila"),
    ],
)
def test_what_is_typed_wrong_is_said_and_nothing_is_lost(team: Team, typed, said):
    _made, path = invited(team.otto, team.acme, NEW)
    client = browser()

    answer = client.post(path, joining(**typed))

    assert said in answer.content
    assert not User.objects.filter(email=NEW).exists()
    assert client.post(path, joining()).status_code == 302


def test_an_account_that_nobody_ever_used_gets_its_password_by_the_invitation(team):
    waiting = User.objects.create_user(NEW)
    _made, path = invited(team.otto, team.acme, NEW)

    browser().post(path, joining())

    waiting.refresh_from_db()
    assert waiting.check_password(GOOD)
    assert waiting.memberships.get().organization == team.acme


def test_a_renewed_invitation_has_a_new_address_and_the_old_one_is_unknown(team: Team):
    made, old = invited(team.otto, team.acme, NEW)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))

    shown = browser(team.otto).post(f"/admin/teams/invitation/{made.pk}/do/renew/")

    assert b"Copy this address now" in shown.content
    assert browser().get(old).status_code == 404
    new = shown.context["address"].removeprefix("http://127.0.0.1:8000")
    assert browser().get(new).status_code == 200
    assert events() == ["member_invited", "invitation_renewed"]


def test_a_withdrawn_invitation_is_over(team: Team):
    made, path = invited(team.otto, team.acme, NEW)
    client = browser(team.otto)

    client.post(f"/admin/teams/invitation/{made.pk}/do/withdraw/")
    again = client.post(f"/admin/teams/invitation/{made.pk}/do/withdraw/", follow=True)

    assert b"It is accepted or withdrawn already." in again.content
    answer = browser().post(path, joining())
    assert answer.status_code == 410
    assert b"Ask an owner of Acme for a new one." in answer.content
    assert events() == ["member_invited", "invitation_withdrawn"]


def test_several_are_withdrawn_together(team: Team):
    pks = [invited(team.otto, team.acme, f"{n}@example.com")[0].pk for n in range(3)]
    data = {"action": "withdraw", "_selected_action": pks}

    answer = browser(team.otto).post("/admin/teams/invitation/", data, follow=True)

    assert b"3 invitations withdrawn." in answer.content
    assert not Invitation.objects.filter(status=InvitationStatus.OPEN).exists()


def test_the_list_says_how_each_stands(team: Team):
    for name in ("waiting", "expired", "withdrawn", "void", "accepted"):
        invited(team.otto, team.acme, f"{name}@example.com")
    row = Invitation.objects.filter
    row(email="expired@example.com").update(expires_at=timezone.now())
    row(email="withdrawn@example.com").update(status="withdrawn")
    row(email="accepted@example.com").update(status="accepted")
    row(email="void@example.com").update(made_by=team.vic)

    page = browser(team.otto).get("/admin/teams/invitation/").content.decode()

    for word in ("Waiting", "Expired", "Withdrawn", "Void", "Accepted"):
        assert f"</svg>{word}</span>" in page


def test_the_list_asks_the_database_as_often_for_many(
    team: Team, django_assert_max_num_queries
):
    for number in range(30):
        invited(team.otto, team.acme, f"n{number}@example.com")
    client = browser(team.otto)

    with django_assert_max_num_queries(40):
        assert client.get("/admin/teams/invitation/").status_code == 200


def test_the_members_page_leads_owners_to_inviting_and_nobody_else(team: Team):
    link = b'href="/admin/teams/invitation/add/"'
    page = "/admin/teams/membership/"

    assert link in browser(team.otto).get(page).content
    assert link not in browser(team.vic).get(page).content
    assert browser(team.vic).get(ADD).status_code == 403
    assert browser(team.vic).get("/admin/teams/invitation/").status_code == 403


def test_an_event_of_the_invitation_tells_roles_and_no_mail_address(team: Team):
    invited(team.otto, team.acme, NEW, Role.OWNER)

    facts = json.loads(Event.objects.get().text)["facts"]

    assert facts["roles"] == ["owner", "viewer"]
    assert facts["address_fingerprint"].startswith("demo1:")


def unconfirmed(client) -> None:
    """Let it be long ago that the person proved who they are."""
    session = client.session
    session[CONFIRMED_AT] = 0
    session.save()


def test_who_invites_proves_first_that_it_is_them_and_nothing_typed_is_lost(team: Team):
    client = browser()
    client.login(username="otto@example.com", password=PASSWORD)
    unconfirmed(client)
    data = {"organization": team.acme.pk, "email": NEW, "is_auditor": "on"}

    asked = client.post(ADD, data)
    assert asked.status_code == 403
    assert not Invitation.objects.exists()
    answers = {"confirm_held": asked.context["held"], "confirm_password": PASSWORD}
    shown = client.post(ADD, answers)

    assert b"Copy this address now" in shown.content
    assert Invitation.objects.get().roles == ["auditor", "viewer"]


def test_who_lost_the_role_meanwhile_confirms_in_vain(team: Team):
    other = make_user("Other", team.acme, is_owner=True)
    client = browser()
    client.login(username="otto@example.com", password=PASSWORD)
    unconfirmed(client)
    asked = client.post(ADD, {"organization": team.acme.pk, "email": NEW})

    place = Membership.objects.get(user=team.otto)
    change_roles(place, roles=(), hand=hand_of(other, team.acme))
    answers = {"confirm_held": asked.context["held"], "confirm_password": PASSWORD}
    answer = client.post(ADD, answers)

    assert answer.status_code == 403
    assert not Invitation.objects.exists()
    assert Event.objects.filter(action="access_denied").count() == 1
