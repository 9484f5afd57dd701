"""A draft that needs a second person names who that can be, or who could make somebody one."""

import pytest
from django.urls import reverse

from ceadmin.teams.models import User
from tests.instances.approving import court
from tests.instances.breaking import also
from tests.instances.test_approval_pages import shown
from tests.people import make_user
from tests.teams.inviting import browser

__all__ = ["court"]

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("make", ["draft", "asked"])
def test_who_can_approve_is_named_before_and_after_asking(court, make):
    run = getattr(court, make)()
    also(court.team.rita, is_approver=True)

    seen = [shown(run, user) for user in (court.team.rita, court.team.vic)]

    assert all("Abe, Ann can approve it." in page for page in seen)
    assert "Nobody here can approve" not in "".join(seen)


def test_of_many_approvers_a_few_are_named(court):
    for number in range(4):
        make_user(f"Zoe {number}", court.acme, is_approver=True)

    page = shown(court.draft(), court.team.rita)

    assert "Abe, Ann, Zoe 0, Zoe 1 and 2 others can approve it." in page


def test_an_approver_who_is_about_to_ask_does_not_count(court):
    court.ann.memberships.update(is_revoker=True)
    court.abe.delete()
    run = court.draft()

    assert "Ann can approve it." in shown(run, court.team.rita)
    assert "Nobody here can approve it." in shown(run, court.ann)


@pytest.mark.parametrize("make", ["draft", "asked"])
def test_where_nobody_can_approve_owners_are_named_and_led_to_the_team(court, make):
    run, team = getattr(court, make)(), court.team
    User.objects.filter(pk__in=[court.ann.pk, court.abe.pk]).update(is_active=False)

    rita, otto = shown(run, team.rita), shown(run, team.otto)

    assert "Ask an owner to make somebody else an approver: Otto." in rita
    assert "Make somebody else an approver." in otto
    assert "sk an owner" not in otto
    query = f"?organization__id__exact={court.acme.pk}"
    listing = f"{reverse('admin:teams_membership_changelist')}{query}"
    assert f'href="{listing}"' in otto and listing not in rita
    assert f">{team.rita}<" in browser(team.otto).get(listing).content.decode()


def test_who_may_only_look_is_told_whom_to_ask_and_an_owner_is_not(court):
    run, team = court.draft(), court.team

    vic, otto = shown(run, team.vic), shown(run, team.otto)

    assert "takes the role revoker; ask an owner: Otto." in vic
    assert "takes the role revoker, which owners give." in otto
    assert "sk an owner" not in otto
