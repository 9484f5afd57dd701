"""Deciding over a held provider in a real browser: both schemes, phones, without JavaScript."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from instances.choices import Outcome, PartStatus, RunKind
from instances.engine import claim, release
from instances.models import Run
from tests.instances.fleet import Fleet
from tests.instances.parting import crowd, end, part, started, worker
from tests.people import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def paused(emulator, team) -> Run:
    """A revocation that paused over the first answers of two providers."""
    fleet = Fleet(emulator, team.acme, team.rita)
    crowd(fleet, box=60, salesforce=60)
    run = started(fleet, RunKind.REVOKE)
    writer = worker(run)
    causes = ("invalid_client", "unsupported_token_type")
    claimed = [claim(run, "one") for _ in causes]
    for (chunk, items), cause in zip(claimed, causes, strict=True):
        end(writer, items, Outcome.REFUSED, cause=cause)
        release(chunk)
    return run


def look_at(page: Page, site_url: str, run: Run) -> None:
    """Sign Rita in and open a run."""
    page.goto(f"{site_url}/admin/login/?next=/admin/instances/run/{run.pk}/change/")
    page.get_by_label("Mail address").fill("rita@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Box is held")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_held_provider_is_legible_everywhere(page, site_url, paused, scheme, width):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    look_at(page, site_url, paused)
    for words in ("What was answered", "Leave Box out…"):
        page.get_by_text(words).first.click()

    assert Axe().run(page).response["violations"] == []
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width


def test_open_evidence_stays_open_while_the_page_asks_again(page, site_url, paused):
    look_at(page, site_url, paused)
    page.get_by_text("Leave Box out…").click()
    with page.expect_response("**/live.json"):
        pass

    page.get_by_role("button", name="Leave Box out", exact=True).click()

    expect(page.get_by_text("Left out: Box")).to_be_visible()
    assert part(paused, "box").status == PartStatus.LEFT_OUT


def test_a_decision_needs_no_javascript(new_context, site_url, paused):
    page = new_context(java_script_enabled=False).new_page()
    look_at(page, site_url, paused)

    page.get_by_role("button", name="Go on with Box").click()

    assert part(paused, "box").status == PartStatus.OPEN
