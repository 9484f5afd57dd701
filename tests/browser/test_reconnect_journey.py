"""A customer reconnects in a real browser, with the provider on another origin."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from ceadmin.teams.models import Brand
from instances import reconnect
from instances.choices import LinkStatus, Outcome
from instances.models import Instance
from tests.instances.reconnecting import waiting
from tests.people import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def complaints(page):
    """What the browser complained about."""
    heard = []
    page.on(
        "console",
        lambda line: heard.append(line.text) if line.type == "error" else None,
    )
    page.on("pageerror", lambda error: heard.append(str(error)))
    return heard


def test_a_customer_reconnects_on_a_phone(emulator, site_url, acme, page, complaints):
    case = waiting(emulator, acme)
    page.set_viewport_size({"width": 360, "height": 740})

    page.goto(reconnect.address_of(case.link))
    expect(
        page.get_by_role("heading", name="Reconnect your Box account")
    ).to_be_visible()
    page.get_by_role("button", name="Reconnect Box").click()
    page.get_by_role("link", name="Continue to Box").click()
    page.get_by_role("button", name="Allow").click()

    expect(page.get_by_role("heading", name="Connected again")).to_be_visible()
    assert page.url == f"{site_url}/reconnect/done/"
    assert case.fresh().item.outcome == Outcome.RECONNECTED
    assert complaints == []


def test_no_name_makes_a_phone_scroll_sideways(emulator, site_url, team, page):
    case = waiting(emulator, team.acme)
    write_to = f"{'a' * 64}@{'b' * 60}.example"
    Brand.objects.create(
        organization=team.acme,
        name="W" * 80,
        reply_to=write_to,
        version="1",
        changed_at=timezone.now(),
    )
    Instance.objects.update(name="W" * 255)
    page.set_viewport_size({"width": 360, "height": 740})

    page.goto(reconnect.address_of(case.link))

    expect(page.get_by_role("link", name=write_to)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_a_customer_says_no_and_thinks_again(
    emulator, site_url, acme, page, complaints
):
    case = waiting(emulator, acme)

    page.goto(reconnect.address_of(case.link))
    page.get_by_role("button", name="Reconnect Box").click()
    page.get_by_role("link", name="Continue to Box").click()
    page.get_by_role("button", name="Deny").click()
    expect(
        page.get_by_role("heading", name="You did not allow the access")
    ).to_be_visible()
    page.get_by_role("link", name="Start again").click()
    page.get_by_role("button", name="Reconnect Box").click()
    page.get_by_role("link", name="Continue to Box").click()
    page.get_by_role("button", name="Allow").click()

    expect(page.get_by_role("heading", name="Connected again")).to_be_visible()
    assert case.fresh().status == LinkStatus.FINISHED
    assert complaints == []


def test_a_member_pastes_a_redirected_address(
    emulator, site_url, team, page, complaints
):
    emulator.control("switches", {"keep_browser_here": True})
    case = waiting(emulator, team.acme, mode="theirs")
    address = f"{site_url}/reconnect-links/{case.link.uid}/paste/"
    sign_in(page, address, team.olga)

    page.get_by_role("button", name="Start").click()
    with page.expect_popup() as popup:
        page.get_by_role("link", name="Continue to Box").click()
    popup.value.get_by_role("button", name="Allow").click()
    back = popup.value.locator("#address").inner_text()
    page.get_by_label("The redirected address, or the code in it").fill(back)
    page.get_by_role("button", name="Reconnect with this").click()

    expect(page.get_by_text("Finished").first).to_be_visible()
    assert case.fresh().item.outcome == Outcome.RECONNECTED
    assert complaints == []


def sign_in(page, address, user):
    """Sign in and go on to `address`."""
    page.goto(address)
    page.locator("input[name=username]").fill(user.email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(address)
