"""An organization keeps an owner who can sign in, whichever road somebody takes."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections, transaction

from ceadmin.teams.choices import Role
from ceadmin.teams.members import (
    LastOwner,
    change_roles,
    keep_owners,
    last_owned,
    remove_member,
)
from ceadmin.teams.models import Membership, User
from tests.people import Team
from tests.teams.inviting import browser, hand_of

pytestmark = pytest.mark.django_db


def place_of(user: User) -> Membership:
    return Membership.objects.get(user=user)


def owners(team: Team) -> int:
    """Count who owns Acme and can sign in."""
    return Membership.objects.filter(
        organization=team.acme, is_owner=True, user__is_active=True, user__is_staff=True
    ).count()


def user_form(user: User, **managed: str) -> dict[str, str]:
    """Return what a superuser posts about somebody; what is left out is off."""
    told = {"email": user.email, "name": user.name, "time_zone": "UTC"}
    return told | {"language": "en"} | managed


@pytest.mark.parametrize(
    ("page", "data"),
    [
        ("change", {"is_auditor": "on"}),
        ("delete", {"post": "yes"}),
    ],
)
@pytest.mark.parametrize("who", ["otto", "root"])
def test_on_the_pages_of_members(team: Team, page, data, who):
    root = User.objects.create_superuser("root@example.com")
    client = browser({"otto": team.otto, "root": root}[who])

    answer = client.post(
        f"/admin/teams/membership/{place_of(team.otto).pk}/{page}/", data
    )

    assert answer.status_code in (200, 403)
    assert owners(team) == 1


def test_on_the_list_of_members(team: Team):
    data = {
        "action": "delete_selected",
        "_selected_action": [place_of(team.otto).pk],
        "post": "yes",
    }

    answer = browser(team.otto).post("/admin/teams/membership/", data)

    assert answer.status_code in (200, 302, 403)
    assert owners(team) == 1


def test_a_refusal_on_the_list_says_what_to_do(team: Team):
    ann = User.objects.create_user("ann@example.com")
    Membership.objects.create(organization=team.acme, user=ann, is_owner=True)
    both = [place_of(team.otto).pk, place_of(ann).pk]
    data = {"action": "delete_selected", "_selected_action": both, "post": "yes"}

    answer = browser(team.otto).post("/admin/teams/membership/", data)

    assert b"Acme needs an owner: make somebody else one before." in answer.content
    assert owners(team) == 2  # all or none


@pytest.mark.parametrize("left", [{"is_staff": "on"}, {"is_active": "on"}])
def test_by_switching_the_account_off(team: Team, left):
    root = User.objects.create_superuser("root@example.com")
    page = f"/admin/teams/user/{team.otto.pk}/change/"

    answer = browser(root).post(page, user_form(team.otto, **left))

    assert b"Acme needs an owner: make somebody else one before." in answer.content
    assert owners(team) == 1
    assert User.objects.get(pk=team.otto.pk).is_active


def test_an_account_that_owns_nothing_alone_is_switched_off(team: Team):
    change_roles(
        place_of(team.vic), roles={Role.OWNER}, hand=hand_of(team.otto, team.acme)
    )
    root = User.objects.create_superuser("root@example.com")
    page = f"/admin/teams/user/{team.otto.pk}/change/"

    browser(root).post(page, user_form(team.otto))

    assert not User.objects.get(pk=team.otto.pk).is_active
    assert owners(team) == 1


@pytest.mark.parametrize("who", ["otto", "root"])
def test_by_deleting_the_account(team: Team, who):
    root = User.objects.create_superuser("root@example.com")
    client = browser({"otto": team.otto, "root": root}[who])
    listed = {
        "action": "delete_selected",
        "_selected_action": [team.otto.pk],
        "post": "yes",
    }

    client.post(f"/admin/teams/user/{team.otto.pk}/delete/", {"post": "yes"})
    client.post("/admin/teams/user/", listed)

    assert owners(team) == 1


def test_an_owner_to_whom_the_admin_is_closed_counts_for_nothing(team: Team):
    User.objects.filter(pk=team.vic.pk).update(is_staff=False)
    Membership.objects.filter(user=team.vic).update(is_owner=True)

    with pytest.raises(LastOwner):
        remove_member(place_of(team.otto), hand_of(team.otto, team.acme))

    assert last_owned(team.otto) == team.acme
    assert last_owned(team.vic) is None


def switch_off(user: User) -> None:
    """Do what the page of a user does."""
    with transaction.atomic():
        keep_owners(user)
        User.objects.filter(pk=user.pk).update(is_active=False)


def remove(user: User, hand) -> None:
    remove_member(place_of(user), hand)


def lower(user: User, hand) -> None:
    change_roles(place_of(user), roles={Role.AUDITOR}, hand=hand)


def off(user: User, hand) -> None:
    switch_off(user)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", [remove, lower, off])
@pytest.mark.parametrize("second", [remove, lower, off])
def test_two_owners_at_the_same_moment(team: Team, first, second):
    Membership.objects.filter(user=team.vic).update(is_owner=True)
    hand, start = hand_of(team.otto, team.acme), Barrier(2)

    def take(way, user: User) -> str:
        try:
            start.wait()
            way(user, hand)
        except LastOwner:
            return "refused"
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(take, (first, second), (team.otto, team.vic)))

    assert sorted(ended) == ["done", "refused"]
    assert owners(team) == 1
