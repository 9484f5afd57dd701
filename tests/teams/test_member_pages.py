"""The pages of members: owners look after them, others look."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.teams.invitations import accept_as_new
from ceadmin.teams.models import Membership, User
from tests.people import Team
from tests.teams.inviting import GOOD, invited

pytestmark = pytest.mark.django_db

LIST = "/admin/teams/membership/"
ADD = f"{LIST}add/"


def browser(user: User) -> Client:
    """Return a signed-in browser; what signing in recorded is not of interest here."""
    client = Client(REMOTE_ADDR="192.0.2.9")
    client.force_login(user)
    return client


def place_of(user: User) -> Membership:
    """Return somebody's membership."""
    return Membership.objects.get(user=user)


def page_of(user: User, page: str = "change") -> str:
    """Return the address of the page of somebody's membership."""
    return reverse(f"admin:teams_membership_{page}", args=[place_of(user).pk])


def events() -> list[tuple[str, str]]:
    """Return what organizations' chains say: act and roles."""
    rows = Event.objects.exclude(chain="").order_by("id")
    return list(rows.values_list("action", "role"))


@pytest.fixture
def root(team: Team) -> User:
    """Somebody who sees every account anyway, and so may add without inviting."""
    return User.objects.create_superuser("root@example.com")


def test_a_superuser_adds_a_member(team: Team, root):
    data = {
        "organization": team.acme.pk,
        "email": "New@Example.com",
        "is_revoker": "on",
    }

    response = browser(root).post(ADD, data)

    assert response.status_code == 302
    added = Membership.objects.get(user__email="new@example.com")
    assert (added.organization, added.is_revoker, added.is_owner) == (
        team.acme,
        True,
        False,
    )
    assert events() == [("member_added", "superuser")]


def test_an_owner_invites_instead_of_adding(team: Team):
    data = {"organization": team.acme.pk, "email": "eve@example.com"}
    client = browser(team.otto)

    led, forged = client.get(ADD), client.post(ADD, data)

    assert led["Location"] == reverse("admin:teams_invitation_add")
    assert forged.status_code == 403
    assert not Membership.objects.filter(user=team.eve, organization=team.acme)


def test_a_superuser_is_told_who_is_a_member_already(team: Team, root):
    data = {"organization": team.acme.pk, "email": "vic@example.com"}

    response = browser(root).post(ADD, data)

    assert b"vic@example.com is a member of Acme already." in response.content
    assert events() == []


def test_a_superuser_is_told_that_nobody_proved_an_address(team: Team, root):
    made, _ = invited(team.eve, team.other, "ann@acme.example")
    accept_as_new(made, name="Ann", password=GOOD, now=timezone.now())
    data = {"organization": team.acme.pk, "email": "ann@acme.example"}

    response = browser(root).post(ADD, data)

    assert b"nobody proved that the address is theirs" in response.content
    assert not team.acme.memberships.filter(user__email="ann@acme.example").exists()


@pytest.mark.parametrize("address", ["no address", "", "a@b@c", "nul\0@example.com"])
def test_a_bad_address_adds_nobody(team: Team, root, address):
    data = {"organization": team.acme.pk, "email": address}

    response = browser(root).post(ADD, data)

    assert response.status_code == 200
    assert Membership.objects.count() == 5


def test_an_owner_changes_roles(team: Team):
    response = browser(team.otto).post(page_of(team.vic), {"is_auditor": "on"})

    assert response.status_code == 302
    assert place_of(team.vic).is_auditor
    assert events() == [("member_changed", "owner,viewer")]
    assert Event.objects.latest("id").origin_uid is not None


def test_a_forged_user_or_organization_changes_nothing(team: Team):
    data = {"user": team.eve.pk, "organization": team.other.pk, "is_auditor": "on"}

    browser(team.otto).post(page_of(team.vic), data)

    membership = place_of(team.vic)
    assert (membership.user, membership.organization) == (team.vic, team.acme)


def test_the_last_owner_cannot_lose_the_role(team: Team):
    response = browser(team.otto).post(page_of(team.otto), {"is_auditor": "on"})

    assert b"Acme needs an owner: make somebody else one before." in response.content
    assert place_of(team.otto).is_owner
    assert events() == []


def test_the_last_owner_cannot_be_removed(team: Team):
    response = browser(team.otto).post(page_of(team.otto, "delete"), {"post": "yes"})

    assert response.status_code == 403
    assert place_of(team.otto).is_owner


def test_the_last_owner_cannot_be_removed_among_many(team: Team):
    pks = list(Membership.objects.filter(organization=team.acme).values_list("pk"))
    data = {
        "action": "delete_selected",
        "_selected_action": [pk for (pk,) in pks],
        "post": "yes",
    }

    browser(team.otto).post(LIST, data)

    assert Membership.objects.filter(organization=team.acme).count() == 4
    assert events() == []


def test_an_owner_removes_members_one_by_one_and_together(team: Team):
    client = browser(team.otto)
    client.post(page_of(team.vic, "delete"), {"post": "yes"})
    client.post(
        LIST,
        {
            "action": "delete_selected",
            "_selected_action": [place_of(team.rita).pk, place_of(team.olga).pk],
            "post": "yes",
        },
    )

    left = Membership.objects.filter(organization=team.acme)
    assert [membership.user for membership in left] == [team.otto]
    assert events() == [("member_removed", "owner,viewer")] * 3


@pytest.mark.parametrize("name", ["vic", "olga", "rita"])
def test_whoever_is_no_owner_only_looks(team: Team, name):
    client = browser(getattr(team, name))

    assert client.get(LIST).status_code == 200
    assert client.get(page_of(team.otto)).status_code == 200
    assert client.get(ADD).status_code == 403
    for address in (ADD, page_of(team.vic), page_of(team.vic, "delete")):
        data = {
            "organization": team.acme.pk,
            "email": "x@example.com",
            "is_owner": "on",
            "post": "yes",
        }
        assert client.post(address, data).status_code == 403
    assert events() == []


def test_nobody_makes_themselves_an_owner(team: Team):
    response = browser(team.vic).post(page_of(team.vic), {"is_owner": "on"})

    assert response.status_code == 403
    assert not place_of(team.vic).is_owner


def test_an_owner_here_is_not_one_elsewhere(team: Team):
    Membership.objects.create(organization=team.other, user=team.otto)
    client = browser(team.otto)

    page = client.get(page_of(team.eve))
    forged = client.post(page_of(team.eve), {"is_owner": ""})
    planted = client.post(
        ADD, {"organization": team.other.pk, "email": "x@example.com"}
    )

    assert page.status_code == 200  # a member sees the other members
    assert forged.status_code == 403
    assert planted.status_code == 403
    assert place_of(team.eve).is_owner
    assert not User.objects.filter(email="x@example.com").exists()


def test_a_superuser_acts_as_one(team: Team, root):
    browser(root).post(page_of(team.vic), {"is_auditor": "on"})

    assert events() == [("member_changed", "superuser")]


def test_whoever_was_removed_is_out_at_the_next_click(team: Team):
    client = browser(team.otto)
    assert client.get(LIST).status_code == 200

    Membership.objects.filter(user=team.otto).delete()

    assert client.get(LIST).status_code == 403
    assert client.post(page_of(team.vic), {"is_owner": "on"}).status_code in (302, 403)
    assert not place_of(team.vic).is_owner


def test_the_list_asks_the_database_as_often_for_many_members(
    team: Team, django_assert_max_num_queries
):
    for number in range(30):
        user = User.objects.create_user(f"m{number}@example.com")
        Membership.objects.create(organization=team.acme, user=user)
    client = browser(team.otto)

    with django_assert_max_num_queries(40):
        assert client.get(LIST).status_code == 200
