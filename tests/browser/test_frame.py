"""The frame in a real browser: keyboard, schemes, phones, the policy, accessibility."""

import json
import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.people import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)

HEAR = """
  window.violations = [];
  document.addEventListener('securitypolicyviolation',
    (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
ANONYMOUS = ["/admin/login/", "/nothing/here/"]
SIGNED_IN = [
    "/admin/",
    "/admin/search/?q=nothing",
    "/admin/instances/instance/",
    "/admin/instances/run/",
    "/admin/teams/organization/add/",
    "/admin/providers/providerapp/add/",
    "/admin/teams/membership/",
    "/admin/teams/membership/?is_owner__exact=1",
    "/admin/teams/membership/add/",
    "/admin/teams/user/",
    "/admin/teams/user/{user}/change/",
    "/admin/teams/user/{user}/password/",
    "/admin/teams/user/{user}/history/",
    "/admin/audit/event/",
    "/admin/password_change/",
    "/admin/nothing/here/",
]


def sign_in(page: Page, site_url: str, name: str = "otto") -> None:
    """Sign in through the login page."""
    page.goto(f"{site_url}/admin/login/")
    page.get_by_label("Mail address").fill(f"{name}@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/admin/")


@pytest.fixture
def boss(team):
    """Otto as a superuser, who sees every page."""
    team.otto.is_superuser = True
    team.otto.save()
    return team.otto


def visit_all(page: Page, site_url: str, boss) -> Iterator[str]:
    """Open every page, yielding its address when it is there."""
    for address in ANONYMOUS:
        page.goto(site_url + address)
        yield address
    sign_in(page, site_url)
    for address in SIGNED_IN:
        page.goto(site_url + address.format(user=boss.pk))
        yield address


def test_a_person_signs_in_goes_around_and_signs_out(site_url, boss, page):
    sign_in(page, site_url)
    main = page.get_by_role("navigation", name="Main")

    main.get_by_role("link", name="Team").click()
    expect(page.get_by_role("heading", name="Team")).to_be_visible()
    expect(main.get_by_role("link", name="Team")).to_have_attribute(
        "aria-current", "page"
    )

    page.get_by_label("Your account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()


def test_slash_goes_to_the_search_but_not_from_a_field(site_url, boss, page):
    sign_in(page, site_url)
    search = page.get_by_label("Search everything")

    page.keyboard.press("/")
    expect(search).to_be_focused()
    page.keyboard.type("a/b")

    expect(search).to_have_value("a/b")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Search for")).to_be_visible()


def test_a_menu_closes_with_escape_and_with_a_click_beside_it(site_url, boss, page):
    sign_in(page, site_url)
    button = page.get_by_role("button", name="Sign out")

    page.get_by_label("Your account").click()
    expect(button).to_be_visible()
    page.keyboard.press("Escape")
    expect(button).to_be_hidden()

    page.get_by_label("Your account").click()
    page.get_by_role("heading", level=1).click()
    expect(button).to_be_hidden()


def background(page: Page) -> str:
    """Return the colour behind the page."""
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_the_scheme_follows_the_system_until_one_is_chosen(site_url, boss, page):
    light, dark = "rgb(255, 255, 255)", "rgb(17, 21, 28)"
    sign_in(page, site_url)
    assert background(page) == light

    page.emulate_media(color_scheme="dark")
    assert background(page) == dark

    page.get_by_label("Your account").click()
    page.get_by_role("button", name="Colours: as the system").click()
    assert background(page) == light
    page.reload()
    assert background(page) == light


def test_an_organization_is_chosen_from_the_menu(site_url, boss, page):
    sign_in(page, site_url)
    page.get_by_label("Organization: All organizations").click()

    page.get_by_role("button", name="Globex").click()

    expect(page.get_by_label("Organization: Globex")).to_be_visible()


def test_a_phone_has_the_whole_navigation_behind_more(site_url, boss, page):
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, site_url)
    shortcuts = page.get_by_role("navigation", name="Shortcuts")

    shortcuts.get_by_role("link", name="More").click()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Team").click()

    expect(page.get_by_role("heading", name="Team")).to_be_visible()
    expect(shortcuts.get_by_role("link", name="Overview")).to_be_visible()


def test_no_empty_page_breaks_the_policy_or_a_phones_screen(site_url, boss, page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.add_init_script(HEAR)
    overflows = "document.documentElement.scrollWidth > innerWidth"
    broken, wide = {}, []

    for address in visit_all(page, site_url, boss):
        if heard := page.evaluate("window.violations"):
            broken[address] = heard
        if page.evaluate(overflows):
            wide.append(address)

    assert broken == {}
    assert wide == []


def test_the_listener_for_the_policy_hears(site_url, db, page):
    page.add_init_script(HEAR)
    page.goto(f"{site_url}/admin/login/")

    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"x:y\">')")
    page.wait_for_function("window.violations.length > 0")

    assert "style-src" in page.evaluate("window.violations[0]")


@pytest.fixture
def browser_context_args(browser_context_args, request):
    """Let axe add its script where a test asks for it: it breaks the policy itself."""
    asks = request.node.get_closest_marker("axe") is not None
    return {**browser_context_args, "bypass_csp": asks}


@pytest.mark.axe
def test_no_empty_page_has_an_accessibility_fault(site_url, boss, page):
    axe, faults = Axe(), {}

    for address in visit_all(page, site_url, boss):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for one in axe.run(page).response["violations"]:
                told = (one["id"], one["nodes"][0]["html"][:120])
                faults.setdefault(f"{address} {scheme}", []).append(told)

    assert faults == {}


# Scripts of their own


def serve(page: Page, site_url: str, body: str, script: str) -> str:
    """Make up a page of this site that loads one of our scripts."""
    address = f"{site_url}/made-up/"
    html = (
        f"<!DOCTYPE html><html lang=en><title>x</title><body>{body}"
        f'<script src="/static/ceadmin/js/{script}" defer></script>'
    )
    page.route(
        address, lambda route: route.fulfill(body=html, content_type="text/html")
    )
    return address


LIVE = """
<section data-live-url="/made-up/state">
  <p id=text data-live="run.percent">0 %</p>
  <div id=html data-live-html="pill"></div>
  <progress id=bar value=0 max=10 data-live-value="n" data-live-max="total"></progress>
  <p id=form data-live-show="open">Pause</p>
  <p id=said role=status data-live-summary="summary"></p>
  <p id=lost data-live-offline hidden>Lost</p>
</section>
"""
STATES = [
    {
        "run": {"percent": "50 %"},
        "n": 5,
        "total": 10,
        "open": True,
        "pill": "<b>on</b>",
    },
    None,  # the server is away
    {
        "run": {"percent": "100 %"},
        "n": 20,
        "total": 20,
        "open": False,
        "pill": "<b>over</b>",
        "summary": "All done",
        "done": True,
    },
]


def test_live_parts_change_in_place_survive_a_gap_and_end(site_url, db, page):
    asked = []

    def answer(route):
        state = STATES[min(len(asked), len(STATES) - 1)]
        asked.append(state)
        if state is None:
            route.abort()
        else:
            route.fulfill(body=json.dumps(state), content_type="application/json")

    page.route("**/made-up/state", answer)
    page.goto(serve(page, site_url, LIVE, "live.js"))

    expect(page.locator("#text")).to_have_text("50 %")
    expect(page.locator("#html b")).to_have_text("on")
    expect(page.locator("#lost")).to_be_visible()
    expect(page.locator("#text")).to_have_text("100 %", timeout=8000)
    expect(page.locator("#lost")).to_be_hidden()
    expect(page.locator("#form")).to_be_hidden()
    expect(page.locator("#said")).to_have_text("All done")
    assert page.evaluate("document.querySelector('#bar').value") == 20
    page.wait_for_timeout(2500)
    assert len(asked) == 3


def test_a_live_page_goes_where_it_is_sent(site_url, db, page):
    page.route(
        "**/made-up/state",
        lambda route: route.fulfill(
            body=json.dumps({"goto": "/admin/login/"}), content_type="application/json"
        ),
    )

    page.goto(serve(page, site_url, LIVE, "live.js"))

    page.wait_for_url(re.compile(reverse("admin:login")))


CONFIRM = """
<form method=post action="/made-up/"><label>Words
<input data-confirm="REVOKE 214"></label><button data-confirmed>Revoke</button></form>
"""


def test_dangerous_words_have_to_be_typed(site_url, db, page):
    page.goto(serve(page, site_url, CONFIRM, "confirm.js"))
    button = page.get_by_role("button", name="Revoke")
    expect(button).to_be_disabled()

    page.get_by_label("Words").fill("REVOKE 213")
    expect(button).to_be_disabled()
    page.get_by_label("Words").fill(" REVOKE  214 ")
    expect(button).to_be_enabled()


FORM = "<form method=post action='/made-up/sink'><button>Start</button></form>"


def test_a_double_click_sends_a_form_once(site_url, db, page):
    sent = []

    def answer(route):
        sent.append(route.request.method)
        page.wait_for_timeout(300)
        route.fulfill(status=204)

    page.route("**/made-up/sink", answer)
    page.goto(serve(page, site_url, FORM, "frame.js"))
    page.get_by_role("button", name="Start").dblclick()
    page.wait_for_timeout(600)

    assert sent == ["POST"]


COPY = """
<pre id=text>curl /ping</pre>
<button data-copy="text" data-copied="Copied" hidden><span>Copy</span></button>
"""


def test_text_is_copied(site_url, db, page, context):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(serve(page, site_url, COPY, "copy.js"))

    page.get_by_role("button", name="Copy").click()

    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "curl /ping"
