"""Invitations in the wrong hands: replayed, forged, guessed, overtaken."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.teams import invitations
from ceadmin.teams.choices import InvitationStatus, Role
from ceadmin.teams.invitations import InvitationError
from ceadmin.teams.members import change_roles, remove_member
from ceadmin.teams.models import Invitation, Membership, User
from tests.people import Team, make_user
from tests.teams.inviting import ADD, browser, hand_of, invited, joining

pytestmark = pytest.mark.django_db

NEW = "nell@example.com"


def refusals() -> list[str]:
    """Return why invitations were refused."""
    rows = Event.objects.filter(action="invitation_refused").order_by("id")
    return list(rows.values_list("outcome", flat=True))


def place_in(team: Team, user: User) -> Membership:
    return Membership.objects.get(user=user, organization=team.acme)


def test_an_address_works_once(team: Team):
    _made, path = invited(team.otto, team.acme, NEW)
    browser().post(path, joining())

    replayed = browser().post(path, joining(name="Mallory", password1="x" * 20))

    assert replayed.status_code == 410
    assert b"This invitation was accepted" in replayed.content
    assert User.objects.get(email=NEW).name == "Nell"
    assert Membership.objects.filter(organization=team.acme).count() == 5


def test_an_expired_address_is_over_even_for_who_looked_in_time(team: Team):
    made, path = invited(team.otto, team.acme, NEW)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    answer = browser().post(path, joining())
    with pytest.raises(InvitationError):  # the page was open when it ended
        invitations.accept_as_new(
            made, name="Nell", password="an unlikely one", now=timezone.now()
        )

    assert answer.status_code == 410
    assert b"This invitation has expired" in answer.content
    assert not User.objects.filter(email=NEW).exists()
    assert refusals() == ["closed"]


def test_the_wrong_person_signed_in_is_told_so_and_cannot_accept(team: Team):
    made, path = invited(team.otto, team.acme, NEW)
    client = browser(team.eve)

    page = client.get(path)
    answer = client.post(path, {"act": "accept"})

    assert b"You are signed in as eve@example.com" in page.content
    assert b"Sign in with that mail address." in answer.content
    made.refresh_from_db()
    assert made.status == InvitationStatus.OPEN
    assert not Membership.objects.filter(user=team.eve, organization=team.acme)
    assert refusals() == ["another_person"]
    refused = Event.objects.get(action="invitation_refused")
    assert refused.actor_kind == "customer"  # a foreign member's name is no news here


def test_an_account_in_use_is_not_taken_over_with_a_new_password(team: Team):
    _made, path = invited(team.otto, team.acme, "eve@example.com")
    before = User.objects.get(pk=team.eve.pk)

    answer = browser().post(path, joining())

    after = User.objects.get(pk=team.eve.pk)
    assert b"There is an account with this mail address already." in answer.content
    assert (after.password, after.name) == (before.password, before.name)
    assert refusals() == ["has_account"]


@pytest.mark.parametrize(
    "facts", [{"is_active": False}, {"is_superuser": True}, {"member": True}]
)
def test_an_account_without_a_password_is_taken_over_only_where_it_is_worth_nothing(
    team: Team, facts
):
    belongs = facts.pop("member", False)
    user = User.objects.create_user(NEW, **facts)
    if belongs:
        Membership.objects.create(organization=team.other, user=user, is_owner=True)
    _made, path = invited(team.otto, team.acme, NEW)

    browser().post(path, joining())

    user.refresh_from_db()
    assert not user.has_usable_password()
    assert refusals() == ["has_account"]


def test_a_page_does_not_tell_whether_an_address_has_an_account(team: Team):
    known = browser().get(invited(team.otto, team.acme, "eve@example.com")[1])
    unknown = browser().get(invited(team.otto, team.acme, "eva@example.com")[1])

    texts = [
        page.content.decode().split("<main")[1].replace("eva@", "eve@")
        for page in (known, unknown)
    ]
    shown = [text.split("csrfmiddlewaretoken")[0] for text in texts]
    assert shown[0] == shown[1]


def test_inviting_known_and_unknown_addresses_is_answered_alike(team: Team):
    client = browser(team.otto)
    data = {"organization": team.acme.pk}

    known = client.post(ADD, data | {"email": "eve@example.com"})
    unknown = client.post(ADD, data | {"email": "eva@example.com"})

    assert (known.status_code, unknown.status_code) == (200, 200)
    assert known.content.count(b"eve@") == unknown.content.count(b"eva@")


def test_a_guessed_address_is_answered_like_any_unknown_one(team: Team):
    invited(team.otto, team.acme, NEW)
    client = browser()

    answers = [
        client.get(f"/invitation/{'A' * 43}/"),
        client.post(f"/invitation/{'B' * 43}/", joining()),
        client.get("/invitation/"),
    ]

    assert {one.status_code for one in answers} == {404}
    assert len({one.content for one in answers}) == 1
    assert not User.objects.filter(email=NEW).exists()


def test_an_invitation_is_void_once_its_maker_is_no_owner(team: Team):
    ann = make_user("Ann", team.acme, is_owner=True)
    made, path = invited(ann, team.acme, NEW)
    hand = hand_of(team.otto, team.acme)

    change_roles(place_in(team, ann), roles={Role.REVOKER}, hand=hand)

    assert browser().post(path, joining()).status_code == 410
    page = browser(team.otto).get(f"/admin/teams/invitation/{made.pk}/change/")
    assert b"Renew it to vouch for it yourself." in page.content
    assert not User.objects.filter(email=NEW).exists()


@pytest.mark.parametrize("how", ["removed", "switched off", "deleted"])
def test_an_invitation_is_void_once_its_maker_is_gone(team: Team, how):
    ann = make_user("Ann", team.acme, is_owner=True)
    made, _path = invited(ann, team.acme, NEW)
    gone = {
        "removed": lambda: remove_member(
            place_in(team, ann), hand_of(team.otto, team.acme)
        ),
        "switched off": lambda: User.objects.filter(pk=ann.pk).update(is_active=False),
        "deleted": lambda: User.objects.filter(pk=ann.pk).delete(),
    }

    gone[how]()

    with pytest.raises(InvitationError):  # the page was open meanwhile
        invitations.accept_as_new(
            made, name="N", password="an unlikely one", now=timezone.now()
        )
    assert refusals() == ["closed"]
    assert not User.objects.filter(email=NEW).exists()


def test_with_its_organization_an_invitation_is_gone(team: Team):
    _made, path = invited(team.eve, team.other, NEW)

    team.other.delete()

    assert browser().post(path, joining()).status_code == 404


def test_nobody_is_invited_twice_and_the_first_address_stays(team: Team):
    _made, path = invited(team.otto, team.acme, NEW)
    data = {"organization": team.acme.pk, "email": NEW.upper(), "is_owner": "on"}

    answer = browser(team.otto).post(ADD, data)

    assert b"renew it for a new link" in answer.content
    assert Invitation.objects.get().roles == ["viewer"]
    assert browser().get(path).status_code == 200


def test_a_member_is_not_invited(team: Team):
    data = {"organization": team.acme.pk, "email": "vic@example.com"}

    answer = browser(team.otto).post(ADD, data)

    assert b"vic@example.com is a member of Acme already." in answer.content
    assert not Invitation.objects.exists()


def test_an_invitation_does_not_bring_a_removed_member_back(team: Team):
    made, path = invited(team.otto, team.acme, "eve@example.com", Role.OWNER)
    hand = hand_of(team.otto, team.acme)
    place = Membership.objects.create(organization=team.acme, user=team.eve)

    remove_member(place, hand)

    assert browser(team.eve).post(path, {"act": "accept"}).status_code == 410
    made.refresh_from_db()
    assert made.status == InvitationStatus.WITHDRAWN
    assert not Membership.objects.filter(user=team.eve, organization=team.acme)


@pytest.mark.parametrize("name", ["vic", "rita", "eve"])
def test_only_owners_invite_renew_and_withdraw(team: Team, name):
    made, _path = invited(team.otto, team.acme, NEW)
    client = browser(getattr(team, name))
    data = {"organization": team.acme.pk, "email": "x@example.com", "is_owner": "on"}

    client.post(ADD, data)
    codes = [
        client.post(f"/admin/teams/invitation/{made.pk}/do/{act}/").status_code
        for act in ("renew", "withdraw")
    ]

    assert set(codes) <= {403, 404}
    assert Invitation.objects.get().status == InvitationStatus.OPEN


@pytest.mark.parametrize(
    "forged",
    [
        {"roles": "owner"},
        {"roles": ["owner"], "is_superuser": "on"},
        {"is_owner": "on", "organization": "1"},
        {"email": "eve@example.com"},
    ],
)
def test_whoever_accepts_chooses_neither_roles_nor_organization_nor_address(
    team: Team, forged
):
    _made, path = invited(team.otto, team.acme, NEW, Role.OPERATOR)

    browser().post(path, joining() | forged)

    nell = User.objects.get(email=NEW)
    place = nell.memberships.get()
    assert place.roles == {Role.VIEWER, Role.OPERATOR}
    assert (place.organization, nell.is_superuser) == (team.acme, False)


def test_a_form_from_another_site_is_refused(team: Team):
    _made, path = invited(team.otto, team.acme, NEW)

    answer = browser(enforce_csrf_checks=True).post(path, joining())

    assert answer.status_code == 403
    assert not User.objects.filter(email=NEW).exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_accept_at_once_one_is_a_member(team: Team):
    made, _path = invited(team.otto, team.acme, NEW)
    start, ended = threading.Barrier(2), []

    def join(name: str) -> None:
        start.wait()
        try:
            invitations.accept_as_new(
                made, name=name, password="an unlikely one", now=timezone.now()
            )
            ended.append("joined")
        except InvitationError as refusal:
            ended.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=join, args=(name,)) for name in ("A", "B")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(ended) == ["closed", "joined"]
    assert Membership.objects.filter(user__email=NEW).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_invite_somebody_at_once_one_is_told(team: Team):
    start, ended = threading.Barrier(2), []

    def ask() -> None:
        start.wait()
        try:
            invited(team.otto, team.acme, NEW)
            ended.append("invited now")
        except InvitationError as refusal:
            ended.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(ended) == ["invited", "invited now"]
    assert Invitation.objects.count() == 1


def test_logs_name_the_route_and_never_the_address(team: Team, caplog):
    _made, path = invited(team.otto, team.acme, NEW)

    with caplog.at_level("DEBUG"):
        browser().get(path)
        browser().post(path, joining())

    assert "invitation" in caplog.text
    assert path.split("/")[2] not in caplog.text
    assert joining()["password1"] not in caplog.text
