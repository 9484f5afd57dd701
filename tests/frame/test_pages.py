"""The frame around the admin's pages: where one is, for whom, who is needed, what broke."""

import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse

from ceadmin.frame import chosen_organization, organizations_in_view
from ceadmin.site import CeAdminSite, Hit, Need, Panel
from ceadmin.teams.models import Membership
from tests.frame.test_looks import INLINE
from tests.people import PASSWORD

SWITCH = reverse("admin:switch")
MEMBERS = reverse("admin:teams_membership_changelist")


def client_of(user) -> Client:
    """Return a browser in which `user` is signed in."""
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, address: str, status: int = 200) -> str:
    """Return the text of a page."""
    response = client.get(address)
    assert response.status_code == status
    return response.content.decode()


def request_of(user, path: str = "/admin/"):
    """Return a request as the middleware leaves it."""
    request = RequestFactory().get(path)
    request.user, request.session = user, SessionStore()
    return request


@pytest.fixture
def fresh_site() -> CeAdminSite:
    """A site of its own, so that what a test registers stays in the test."""
    return CeAdminSite()


def test_signing_in_asks_for_a_mail_address(db):
    form = page(Client(), reverse("admin:login"))

    assert "Mail address" in form
    assert 'type="email"' in form


def test_a_person_signs_in_by_mail_address(team):
    client = Client()

    answer = client.post(
        reverse("admin:login"),
        {"username": "Olga@Example.com", "password": PASSWORD, "next": "/admin/"},
    )

    assert (answer.status_code, answer.url) == (302, "/admin/")


@pytest.fixture
def boss(team):
    """Otto as a superuser, who sees every place."""
    team.otto.is_superuser = True
    team.otto.save()
    return team.otto


def test_the_navigation_uses_the_product_s_words(boss):
    overview = page(client_of(boss), reverse("admin:index"))
    side = overview.split('<nav id="menu"', 1)[1].split("</nav>", 1)[0]
    words = re.findall(r"<span>([^<]+)</span>", side)

    assert words[2:] == [
        "Overview",
        "Instances",
        "Runs",
        "Reconnect links",
        "Providers",
        "Audit",
        "Organization",
        "Team",
    ]


def test_the_current_place_is_marked(team):
    members = page(client_of(team.otto), MEMBERS)

    assert re.search(rf'<a href="{MEMBERS}" aria-current="page">\s*<svg', members)


def test_a_place_shows_how_many_wait_there(fresh_site, team):
    fresh_site.register_badge("overview", lambda request: 3)
    fresh_site.register_badge("overview", lambda request: 4)

    entries = fresh_site.navigation(request_of(team.olga))

    assert [(one.place.key, one.count) for one in entries] == [("overview", 7)]


def test_the_overview_says_what_needs_the_reader(fresh_site, team):
    fresh_site.register_need(lambda request: [Need("3 are still alive", "/a/", 3)])
    fresh_site.register_need(lambda request: [Need("1 run waits", "/b/", 1, "active")])

    shown = fresh_site.index(request_of(team.olga)).render().content.decode()

    assert "4 things need you" in shown
    assert '<a href="/a/"' in shown


def test_the_overview_says_when_nobody_is_needed(fresh_site, team):
    shown = fresh_site.index(request_of(team.olga)).render().content.decode()

    assert "Nothing needs you right now" in shown


def test_panels_stand_in_their_order_and_may_be_left_out(fresh_site, team):
    facts = {"facts": []}
    fresh_site.register_overview(
        lambda request: Panel("Later", "ceadmin/facts.html", facts), order=20
    )
    fresh_site.register_overview(
        lambda request: Panel("Sooner", "ceadmin/facts.html", facts), order=10
    )
    fresh_site.register_overview(lambda request: None)

    shown = fresh_site.index(request_of(team.olga)).render().content.decode()

    assert re.findall(r'<h2 id="panel-\d">(\w+)</h2>', shown) == ["Sooner", "Later"]


def test_the_search_shows_what_was_found_by_kind(fresh_site, team):
    fresh_site.register_search(
        lambda request, query: [Hit("Instances", query, "/x/", "Box", "connected")]
    )
    request = request_of(team.olga, "/admin/search/?q=%3Cb%3E")

    shown = fresh_site.search(request).render().content.decode()

    assert '<h2 id="kind-1">Instances</h2>' in shown
    assert "<strong>&lt;b&gt;</strong>" in shown


def test_an_empty_search_asks_nobody(fresh_site, team):
    fresh_site.register_search(lambda request, query: 1 / 0)

    assert fresh_site.search(request_of(team.olga, "/admin/search/?q=+")).render()


def test_an_application_s_address_shows_the_overview(team):
    shown = page(client_of(team.olga), reverse("admin:app_list", args=["teams"]))

    assert "<title>Overview" in shown


# The organization to work in


@pytest.fixture
def both(team):
    """Otto, who belongs to both organizations."""
    Membership.objects.create(organization=team.other, user=team.otto)
    return team


def test_a_member_of_several_chooses_one_and_lists_follow(both):
    client = client_of(both.otto)
    assert ">Eve<" in page(client, MEMBERS)

    answer = client.post(SWITCH, {"organization": both.acme.uid, "next": MEMBERS})

    assert (answer.status_code, answer.url) == (302, MEMBERS)
    assert ">Eve<" not in page(client, MEMBERS)
    assert ">Olga<" in page(client, MEMBERS)


def test_choosing_all_shows_everything_again(both):
    client = client_of(both.otto)
    client.post(SWITCH, {"organization": both.acme.uid})

    client.post(SWITCH, {"organization": ""})

    assert ">Eve<" in page(client, MEMBERS)


@pytest.mark.parametrize("uid", ["other", "nonsense"])
def test_somebody_else_s_organization_cannot_be_chosen(team, uid):
    client = client_of(team.olga)

    client.post(SWITCH, {"organization": team.other.uid if uid == "other" else uid})

    assert "organization" not in client.session


def test_a_lost_membership_ends_the_choice(both):
    request = request_of(both.otto)
    request.session["organization"] = str(both.other.uid)
    both.other.memberships.filter(user=both.otto).delete()

    assert chosen_organization(request) is None
    assert list(organizations_in_view(request)) == [both.acme]


def test_the_switch_leads_nowhere_else(both):
    client = client_of(both.otto)
    form = {"organization": both.acme.uid, "next": "https://evil.example/"}

    assert client.post(SWITCH, form).url == reverse("admin:index")


def test_the_switch_is_not_an_address_to_open(team):
    assert client_of(team.olga).get(SWITCH).status_code == 405


def test_nobody_has_no_organizations(db):
    assert list(organizations_in_view(request_of(AnonymousUser()))) == []


# The strip that names the environment


@pytest.mark.parametrize(
    ("demo", "name", "words"),
    [
        (True, "demo", "Demo on an emulator"),
        (False, "staging", "This is staging, not production."),
    ],
)
def test_the_environment_is_named(settings, team, demo, name, words):
    settings.DEMO, settings.ENVIRONMENT_NAME = demo, name

    assert words in page(client_of(team.olga), reverse("admin:index"))


def test_production_has_no_strip(settings, team):
    settings.DEMO, settings.ENVIRONMENT_NAME = False, "production"

    assert 'class="banner' not in page(client_of(team.olga), reverse("admin:index"))


# What went wrong


def test_a_wrong_address_inside_keeps_the_frame(team):
    shown = page(client_of(team.olga), "/admin/nothing/here/", 404)

    assert "There is nothing here" in shown
    assert '<nav id="menu"' in shown


def test_a_wrong_address_outside_is_a_bare_page(db):
    shown = page(Client(), "/nothing/here/", 404)

    assert "There is nothing here" in shown
    assert "<nav" not in shown


def test_what_is_not_allowed_says_who_can_change_that(team):
    shown = page(client_of(team.vic), reverse("admin:teams_membership_add"), 403)

    assert "You may not do this" in shown
    assert '<nav id="menu"' in shown


def test_an_old_form_says_what_to_do(team):
    client = Client(enforce_csrf_checks=True)
    client.force_login(team.olga)

    answer = client.post(SWITCH, {"organization": ""})

    assert answer.status_code == 403
    assert "This form is too old" in answer.content.decode()


@pytest.mark.parametrize("name", ["400.html", "500.html"])
def test_pages_without_any_context_can_be_drawn(name):
    assert "<h1>" in render_to_string(name)


@pytest.mark.parametrize(
    "name",
    ["admin:index", "admin:search", "admin:password_change", "admin:teams_user_add"],
)
def test_a_page_has_nothing_inline(boss, name):
    assert INLINE.findall(page(client_of(boss), reverse(name))) == []


def test_a_list_without_rows_says_what_it_is_for(team):
    members = page(client_of(team.olga), f"{MEMBERS}?q=nobody-at-all")

    assert "Nothing matches" in members
    assert 'href="?"' in members


def test_cells_carry_their_column_s_name_for_cards(team):
    members = page(client_of(team.olga), MEMBERS)

    assert 'data-label="Organization"' in members


def test_a_button_of_the_action_bar_starts_its_action(team):
    """The browser sends the empty hidden field first, then the pressed button."""
    client = client_of(team.otto)
    assert '<input type="hidden" name="action" value="">' in page(client, MEMBERS)

    answer = client.post(
        MEMBERS,
        {
            "index": ["1", "1"],
            "action": ["", "delete_selected"],
            "_selected_action": [team.vic.memberships.get().pk],
            "select_across": "0",
        },
    )

    assert answer.status_code == 200
    assert "Delete the selected" in answer.content.decode()
