"""The organization to work in, for people who have a few, or several hundred."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from ceadmin.switcher import IN_MENU, ON_PAGE
from ceadmin.teams.models import Membership, Organization

HOME = reverse("admin:index")
MEMBERS = reverse("admin:teams_membership_changelist")
CHOOSE = reverse("admin:choose_organization")
SWITCH = reverse("admin:switch")
BUTTON = re.compile(r'<button type="submit" name="organization" value="[^"]+"[^>]*>')


def client_of(user) -> Client:
    """Return a browser in which `user` is signed in."""
    client = Client()
    client.force_login(user)
    return client


def joined(user, count: int) -> list[Organization]:
    """Make somebody a member of so many more organizations, named by number."""
    rows = [Organization(name=f"Firm {n:03}", slug=f"firm-{n}") for n in range(count)]
    made = Organization.objects.bulk_create(rows)
    Membership.objects.bulk_create(
        Membership(user=user, organization=row) for row in made
    )
    return made


def menu_of(client: Client, address: str = HOME) -> str:
    """Return what a page's menu of organizations is."""
    text = client.get(address).content.decode()
    return text.split('<div class="switcher">', 1)[1].split("</details>", 1)[0]


def offered(text: str) -> int:
    """Return how many organizations can be chosen there."""
    return len(BUTTON.findall(text))


def main_of(client: Client, query: str = "") -> str:
    """Return the page on which one is chosen, without the frame around it."""
    answer = client.get(CHOOSE + query)
    assert answer.status_code == 200
    return answer.content.decode().split('<main id="content-start"', 1)[1]


def test_a_menu_that_holds_all_leads_nowhere_else(team):
    joined(team.otto, IN_MENU - 1)  # and Acme

    menu = menu_of(client_of(team.otto))

    assert offered(menu) == IN_MENU
    assert CHOOSE not in menu
    assert f'<span class="monogram" aria-hidden="true">{IN_MENU}</span>' in menu


def test_a_menu_that_holds_some_says_so_and_leads_to_all(team):
    joined(team.otto, IN_MENU)

    menu = menu_of(client_of(team.otto), MEMBERS)

    assert offered(menu) == IN_MENU
    assert f"Only the first {IN_MENU} are shown here" in menu
    assert f'href="{CHOOSE}?next={MEMBERS}"' in menu


def test_the_one_that_is_chosen_is_in_the_menu_wherever_it_stands(team):
    last = joined(team.otto, IN_MENU + 20)[-1]
    client = client_of(team.otto)
    client.post(SWITCH, {"organization": last.uid})

    menu = menu_of(client)

    assert f'value="{last.uid}" aria-current="true">{last.name}</button>' in menu
    assert offered(menu) == IN_MENU + 1


def test_all_of_them_can_be_turned_over(team):
    joined(team.otto, ON_PAGE + 5)
    client = client_of(team.otto)

    first, second = main_of(client, f"?next={MEMBERS}"), main_of(client, "?page=2")

    assert (offered(first), offered(second)) == (ON_PAGE, 6)
    assert f"{ON_PAGE + 6} organizations" in first
    assert f'<input type="hidden" name="next" value="{MEMBERS}">' in first
    assert re.search(r'href="\?next=[^"]+&amp;page=2" rel="next"', first)
    assert 'href="?page=1" rel="prev"' in second


def test_they_are_searched_by_name(team):
    joined(team.otto, 120)

    found = main_of(client_of(team.otto), "?q=fIRM+11")

    assert offered(found) == 10
    assert "Firm 110" in found
    assert "Firm 111" in found
    assert "Firm 109" not in found


def test_one_that_is_chosen_there_is_worked_in_where_one_came_from(team):
    made = joined(team.otto, 120)
    client = client_of(team.otto)

    answer = client.post(SWITCH, {"organization": made[110].uid, "next": MEMBERS})

    assert answer.url == MEMBERS
    assert "Firm 110" in menu_of(client)
    assert 'aria-current="true"' in main_of(client, "?q=Firm+110")


@pytest.mark.parametrize("query", ["", "?q=Globex", "?q=%00", "?page=x", "?page=9"])
def test_nobody_is_shown_somebody_else_s(team, query):
    page = main_of(client_of(team.otto), query)

    assert str(team.other.uid) not in page
    assert offered(page) == (0 if "Globex" in query else 1)


def test_a_search_without_an_answer_says_so(team):
    joined(team.otto, 60)

    page = main_of(client_of(team.otto), "?q=nothing-like-it")

    assert "Nothing found" in page
    assert offered(page) == 0


def test_a_menu_asks_the_same_for_one_as_for_hundreds(
    team, django_assert_max_num_queries
):
    client = client_of(team.otto)
    with django_assert_max_num_queries(200) as few:
        client.get(CHOOSE)
    joined(team.otto, 300)

    with django_assert_max_num_queries(len(few)):
        client.get(CHOOSE)
