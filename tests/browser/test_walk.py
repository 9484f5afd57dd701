"""Every page of the admin and every public page, walked in a real browser with a full database.

Policy and accessibility are looked at apart: axe's own script breaks the policy.
"""

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.urls import Resolver404, resolve, reverse
from playwright.sync_api import Page

from ceadmin.teams.models import User
from tests.browser.everything import every_page, world
from tests.browsers import sign_in

__all__ = ["world"]

pytestmark = pytest.mark.django_db(transaction=True)


#: How pages are looked at: on a desk by day, and on a phone at night.
LOOKS = (("light", 1280), ("dark", 390))
NAMES_OF_LOOKS = [f"{scheme}-{width}" for scheme, width in LOOKS]


def walk(page: Page, site_url: str, looks=LOOKS) -> Iterator[tuple[str, str]]:
    """Open every page as somebody who may see all; yield address and look, for each look."""
    sign_in(page, site_url, User.objects.get(email="otto@example.com"))
    for address in every_page():
        page.goto(site_url + address)
        for scheme, width in looks:
            page.set_viewport_size({"width": width, "height": 844})
            page.emulate_media(color_scheme=scheme)
            yield address, f"{scheme}-{width}"


#: Chromium reports the page's own status, which these pages mean.
MEANT = ("403 (Forbidden)", "404 (Not Found)", "410 (Gone)")


def test_no_page_breaks_the_policy_or_the_screen(world, site_url, page, heard):
    overflows = "document.documentElement.scrollWidth > innerWidth"
    User.objects.update(language="de")  # whose words are longer

    wide = [seen for seen in walk(page, site_url) if page.evaluate(overflows)]

    complaints = [line for line in heard if not line.endswith(MEANT)]
    assert complaints == []
    assert wide == []


@pytest.fixture
def browser_context_args(browser_context_args, request):
    """Let axe add its script where a test asks for it."""
    asks = request.node.get_closest_marker("axe") is not None
    return {**browser_context_args, "bypass_csp": asks}


#: Only what is asked for crosses over to Python: whatever passed is a megabyte for each page.
ASK_AXE = "options => axe.run(options).then((found) => found.violations)"
EVERYTHING = {"resultTypes": ["violations"]}
COLOURS = {**EVERYTHING, "runOnly": ["color-contrast", "link-in-text-block"]}


def kind_of(address: str) -> str:
    """Return what pages of the same kind have in common: their route; itself where it has none."""
    try:
        return resolve(urlsplit(address).path).route
    except Resolver404:
        return address


@pytest.mark.axe
def test_no_page_has_an_accessibility_fault(world, site_url, page):
    faults: dict[str, list[str]] = {}
    known: set[tuple[str, str]] = set()

    for address, look in walk(page, site_url):
        if look == NAMES_OF_LOOKS[0]:
            page.evaluate(AXE_SCRIPT)
        # A second row's page has the parts of the first one's; on a phone its colours are left.
        kind = (kind_of(address), look)
        whole = look == NAMES_OF_LOOKS[0] or kind not in known
        known.add(kind)
        for one in page.evaluate(ASK_AXE, EVERYTHING if whole else COLOURS):
            nodes = [node["html"][:160] for node in one["nodes"][:3]]
            faults.setdefault(f"{one['id']}: {nodes}", []).append(f"{address} {look}")

    assert not faults, json.dumps(faults, indent=2)


def test_the_walk_hears_what_breaks_the_policy(site_url, db, page, heard):
    page.goto(f"{site_url}{reverse('admin:login')}")

    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"x:y\">')")
    page.wait_for_timeout(300)

    assert any("policy: style-src" in line for line in heard)
