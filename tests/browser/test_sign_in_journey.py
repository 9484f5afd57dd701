"""A person sets up a second factor, signs in with it, and an organization that wants one opens."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from ceadmin.teams.models import Policy, SecondFactor
from tests.browsers import listen, sign_in
from tests.people import PASSWORD
from tests.teams.signing_in import ACCOUNT, CODE, LOGIN, code_of

pytestmark = pytest.mark.django_db(transaction=True)

SET_UP = f"{ACCOUNT}factor/"


def set_up(page: Page, user) -> list[str]:
    """Set up a second factor as a person does; return the recovery codes."""
    page.get_by_role("button", name="Begin").click()
    qr = page.get_by_role("img", name="QR code")
    expect(qr).to_be_visible()
    assert qr.evaluate("image => image.complete && image.naturalWidth > 100")
    page.get_by_label("The code that the app shows now").fill(code_of(user))
    page.get_by_role("button", name="Set up").click()
    return page.locator(".recovery-codes code").all_inner_texts()


def test_an_organization_that_wants_a_factor_opens_with_it(
    site_url, team, page, heard, new_context
):
    Policy.objects.create(organization=team.acme, second_factor=True)
    sign_in(page, site_url, team.otto)
    expect(page.get_by_text("Acme: closed to you")).to_be_visible()
    page.get_by_role("link", name="Set up a second factor").click()

    codes = set_up(page, team.otto)

    assert len(codes) == 10
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("10 recovery codes are left")).to_be_visible()
    expect(page.get_by_text("closed to you")).to_have_count(0)
    assert heard == []

    SecondFactor.objects.update(last_step=0)
    elsewhere = new_context().new_page()
    complaints = listen(elsewhere.context)
    elsewhere.goto(site_url + LOGIN)
    elsewhere.get_by_label("Mail address").fill(team.otto.email)
    elsewhere.get_by_label("Password").fill(PASSWORD)
    elsewhere.get_by_role("button", name="Sign in").click()
    elsewhere.get_by_label("Code").fill(code_of(team.otto))
    elsewhere.get_by_role("button", name="Sign in").click()
    elsewhere.wait_for_url("**/admin/")
    assert complaints == []


def faults(page: Page) -> list[str]:
    return [one["id"] for one in Axe().run(page).response["violations"]]


@pytest.fixture
def browser_context_args(browser_context_args, request):
    """Let axe add its script where a test asks for it."""
    return {**browser_context_args, "bypass_csp": "scheme" in request.node.fixturenames}


OVERFLOWS = "document.documentElement.scrollWidth > innerWidth"


class Look:
    """What is wrong with the pages that somebody is led through."""

    def __init__(self, page: Page, site_url: str) -> None:
        self.page, self.site_url = page, site_url
        self.faults: dict[str, list[str]] = {}
        self.wide: list[str] = []

    def at(self, name: str) -> None:
        """Look at the page that is open now."""
        self.faults[name] = faults(self.page)
        if self.page.evaluate(OVERFLOWS):
            self.wide.append(name)

    def go(self, address: str) -> None:
        """Open a page."""
        self.page.goto(self.site_url + address)

    def send(self, label: str, text: str, button: str) -> None:
        """Fill in one field and press the button."""
        self.page.get_by_label(label).fill(text)
        self.page.get_by_role("button", name=button).click()


def set_up_slowly(look: Look, user) -> None:
    """Set up a factor and look at each step."""
    look.go(ACCOUNT)
    look.at("account without a factor")
    look.go(SET_UP)
    look.at("before it begins")
    look.page.get_by_role("button", name="Begin").click()
    look.at("set up")
    label = "The code that the app shows now"
    look.send(label, "000000", "Set up")
    look.at("a wrong code")
    look.send(label, code_of(user), "Set up")
    look.at("recovery codes")
    look.go(ACCOUNT)
    look.page.get_by_text("Remove the second factor").click()
    look.at("account with a factor")


def sign_in_slowly(look: Look, user) -> None:
    """Sign in with the factor and look at each step."""
    look.page.context.clear_cookies()
    look.go(LOGIN)
    look.page.get_by_label("Mail address").fill(user.email)
    look.send("Password", PASSWORD, "Sign in")
    look.at("code")
    look.send("Code", "000000", "Sign in")
    look.at("a wrong second code")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_no_step_has_an_accessibility_fault(site_url, team, page, scheme, width):
    """The walk does not come here: these pages have to be led up to."""
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)
    sign_in(page, site_url, team.otto)
    look = Look(page, site_url)

    set_up_slowly(look, team.otto)
    sign_in_slowly(look, team.otto)

    assert page.url.endswith(CODE)
    assert {name: found for name, found in look.faults.items() if found} == {}
    assert len(look.faults) == 8
    assert look.wide == []
