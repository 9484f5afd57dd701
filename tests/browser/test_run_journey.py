"""A run's page in a real browser, while a real worker process does the work."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from instances.choices import RunKind, RunStatus
from instances.models import Instance, Run
from tests.browsers import sign_in
from tests.instances.crowds import end_items, make_run
from tests.instances.fleet import Fleet
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

#: A worker on a busy machine.
SOON = 30_000


@pytest.fixture(autouse=True)
def quiet(heard):
    """Fail a journey on which the browser complained."""
    yield
    assert heard == []


@pytest.fixture
def fleet(emulator, worker, site_url, team, settings):
    """Twelve instances whose calls take a while, and are made one after the other."""
    settings.RUN_CONNECTIONS = 1
    fleet = Fleet(emulator, team.acme, team.rita)
    fleet.seed("box", 12)
    sync = fleet.sync()
    same = Run.objects.filter(pk=sync.pk, status=RunStatus.FINISHED)
    wait_until(same.exists, what="the sync is finished")
    fleet.fault("latency", "/ping", seconds=2, times=0)
    return fleet


def test_a_run_is_watched_and_hurried_while_it_works(fleet, site_url, team, page):
    sign_in(page, site_url, team.rita)
    page.goto(f"{site_url}/admin/instances/instance/")
    page.get_by_role("checkbox", name="Select all").first.check()
    page.get_by_role("button", name="Probe", exact=True).click()

    expect(page.get_by_role("heading", name="Probe 12 instances")).to_be_visible(
        timeout=SOON
    )
    expect(page.get_by_text(re.compile("up to 1 call at once"))).to_be_visible(
        timeout=SOON
    )
    expect(page.get_by_text(re.compile(r"[1-9] of 12 done ·"))).to_be_visible(
        timeout=SOON
    )
    expect(page.get_by_text(re.compile("about .* left"))).to_be_visible(timeout=SOON)
    change_connections(page, "20")

    assert Run.objects.get(kind=RunKind.PROBE).connections == 20
    address = page.url
    expect(page.get_by_text("Nothing needs attention")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("12 of 12 done ·")).to_be_visible()
    expect(page.get_by_role("link", name="Connected 12")).to_be_visible()
    assert page.url == address  # it was never loaded again
    assert Instance.objects.filter(status="connected").count() == 12


@pytest.fixture
def browser_context_args(browser_context_args, request):
    """Let axe add its script where a test asks for it."""
    asks = "scheme" in request.node.fixturenames
    return {**browser_context_args, "bypass_csp": asks}


def change_connections(page: Page, number: str) -> None:
    page.get_by_text("Change how many").click()
    page.get_by_label("Calls at once").fill(number)
    page.get_by_role("button", name="Set").click()
    expect(page.get_by_text(re.compile(f"up to {number} calls at once"))).to_be_visible(
        timeout=SOON
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_page_of_a_large_run_is_clean_for_everybody(
    site_url, team, page, scheme, width
):
    run = make_run(team.acme, 400)
    end_items(run, share=0.6)
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    sign_in(page, site_url, team.rita)

    page.goto(f"{site_url}/admin/instances/run/{run.pk}/change/")
    page.get_by_text("Change how many").click()

    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert page.evaluate(wide) is False


def test_the_page_works_without_scripts(browser, site_url, team):
    run = make_run(team.acme, 400)
    end_items(run, share=0.6)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, site_url, team.rita)

    page.goto(f"{site_url}/admin/instances/run/{run.pk}/change/")
    expect(page.get_by_text("240 of 400 done")).to_be_visible()
    page.get_by_text("Change how many").click()
    page.get_by_label("Calls at once").fill("7")
    page.get_by_role("button", name="Set").click()

    expect(page.get_by_text(re.compile("up to 7 calls at once"))).to_be_visible()
    run.refresh_from_db()
    assert run.connections == 7
    context.close()
