"""What people come for, clicked in a real browser while a real worker process does the work."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from ceadmin.audit.models import Event
from instances.choices import RunKind, RunStatus
from instances.models import Instance, Run
from tests.browsers import listen, sign_in
from tests.instances.fleet import Fleet
from tests.instances.reconnecting import CLIENT_SECRET, THEIR_CALLBACK
from tests.people import ORGANIZATION_SECRET, PASSWORD, USER_SECRET
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

#: A worker on a busy machine.
SOON = 20_000
CONFIRMED = "Say why: the audit keeps the reason."


class SharedFleet(Fleet):
    """A fleet whose runs the worker process takes up too: each is waited for."""

    def draft(self, kind: str, chosen=None, **options) -> Run:
        return self._after(super().draft(kind, chosen, **options), RunStatus.PLANNING)

    def work(self, run: Run) -> Run:
        return self._after(super().work(run), RunStatus.RUNNING)

    def _after(self, run: Run, status: str) -> Run:
        same = Run.objects.filter(pk=run.pk, status=status)
        wait_until(lambda: not same.exists(), what=f"{run} is {status} no more")
        run.refresh_from_db()
        return run


@pytest.fixture
def fleet(emulator, worker, site_url, team):
    return SharedFleet(emulator, team.acme, team.rita)


@pytest.fixture(autouse=True)
def quiet(heard):
    """Fail a journey on which the browser complained."""
    yield
    unexpected = [line for line in heard if "status of 422" not in line]
    assert unexpected == []


def open_instances(page: Page, site_url: str, user) -> None:
    sign_in(page, site_url, user)
    main = page.get_by_role("navigation", name="Main")
    main.get_by_role("link", name="Instances").click()
    expect(page.get_by_role("heading", name="Instances")).to_be_visible()


def choose_status(page: Page, status: str) -> None:
    page.get_by_text("Status", exact=True).first.click()
    chip = page.get_by_role("listitem").get_by_role("link", name=counted(status))
    chip.click()


def counted(status: str) -> re.Pattern[str]:
    """Return a chip's name: the status, and how many there are where that is known."""
    return re.compile(rf"^{status}( [\d,]+\+?)?$")


def select(page: Page, *names: str) -> None:
    for name in names:
        row = page.get_by_role("row").filter(
            has=page.get_by_role("link", name=name, exact=True)
        )
        row.get_by_role("checkbox").check()


def started(kind: str) -> list[str]:
    """Return the uids of the runs of a kind that somebody started."""
    runs = [str(run.uid) for run in Run.objects.filter(kind=kind)]
    return [
        one.run_uid
        for one in Event.objects.filter(action="run_started")
        if one.run_uid in runs
    ]


def test_many_instances_are_revoked_after_a_page_that_asks(fleet, site_url, team, page):
    fleet.seed("box", 10)
    fleet.seed("box", 2, state="dead", name="dead box")
    fleet.sync()
    fleet.run(RunKind.PROBE)
    fleet.fault("latency", "/oauth2/revoke", seconds=1, times=0)
    open_instances(page, site_url, team.rita)

    choose_status(page, "Connected")
    expect(page.get_by_text("dead box")).to_have_count(0)
    select(page, *(f"box {number}" for number in range(10)))
    page.get_by_role("button", name="Revoke tokens…").click()

    ask_and_start(page)

    outcome = page.get_by_role("link", name="Verified dead 10")
    expect(outcome).to_be_visible(timeout=SOON)
    expect(page.get_by_text("Nothing needs attention")).to_be_visible(timeout=SOON)
    outcome.click()
    expect(page.get_by_text("10 items").first).to_be_visible()
    assert len(started(RunKind.REVOKE)) == 1
    one = Instance.objects.get(name="box 3")
    assert fleet.truth(one)["refresh_alive"] is False


def ask_and_start(page: Page) -> None:
    """Confirm a revocation of ten, after forgetting the reason."""
    heading = page.get_by_role("heading", name="Revoke 10 instances?")
    expect(heading).to_be_visible(timeout=SOON)
    expect(page.get_by_text("Kills 10 grants at 1 provider.")).to_be_visible()
    expect(page.get_by_text("This cannot be undone.")).to_be_visible()
    button = page.get_by_role("button", name="Revoke 10 instances")
    expect(button).to_be_disabled()
    page.get_by_label("Ticket").fill("SEC-7")
    page.get_by_label("Type REVOKE 10 to start").fill("REVOKE 10")
    button.click()
    expect(page.get_by_text(CONFIRMED)).to_be_visible()
    expect(page.get_by_label("Ticket")).to_have_value("SEC-7")

    page.get_by_label("Reason").fill("the app's secret leaked")
    button.dblclick()
    expect(page.get_by_text("“the app's secret leaked” · SEC-7")).to_be_visible()
    expect(page.get_by_role("progressbar", name="Progress")).to_be_visible()


def test_a_run_is_paused_and_resumed_and_goes_on_while_nobody_looks(
    fleet, site_url, team, page, context
):
    fleet.synced("box", 2)
    fleet.fault("latency", "/oauth2/revoke", seconds=2, times=0)
    run = fleet.draft(RunKind.REVOKE)
    sign_in(page, site_url, team.rita)
    page.goto(f"{site_url}/admin/instances/run/{run.pk}/change/")
    page.get_by_label("Reason").fill("a look")
    page.get_by_role("button", name="Revoke 2 instances").click()

    expect(page.get_by_text("Running").first).to_be_visible(timeout=SOON)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible(timeout=SOON)
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible(timeout=SOON)
    page.close()
    over = Run.objects.filter(pk=run.pk, status=RunStatus.FINISHED)
    wait_until(over.exists, what="the run is finished")

    page = context.new_page()
    page.goto(f"{site_url}/admin/instances/run/{run.pk}/change/")
    expect(page.get_by_text("Verified dead").first).to_be_visible(timeout=SOON)
    expect(page.get_by_text("Finished").first).to_be_visible(timeout=SOON)
    expect(page.get_by_role("button", name="Pause")).to_be_hidden()


def test_all_matching_instances_are_probed(fleet, site_url, team, page):
    fleet.seed("box", 55)
    fleet.seed("salesforce", 3)
    fleet.sync()
    open_instances(page, site_url, team.rita)

    page.get_by_text("Provider", exact=True).first.click()
    page.get_by_role("listitem").get_by_role("link", name="Box 55").click()
    page.get_by_role("checkbox", name="Select all 55 that match").check()
    page.get_by_role("button", name="Probe").click()

    expect(page.get_by_role("heading", name="Probe 55 instances")).to_be_visible(
        timeout=SOON
    )
    expect(page.get_by_role("link", name="Connected 55")).to_be_visible(timeout=SOON)
    expect(page.get_by_role("link", name="All 55 items")).to_be_visible()


def test_a_customer_brings_an_instance_back_while_the_operator_watches(
    fleet, site_url, emulator, team, page, browser
):
    one = fleet.synced("box", 1, name="Acme – EU", state="dead")[0]
    open_instances(page, site_url, team.olga)
    select(page, "Acme – EU")
    page.get_by_role("button", name="Reauthenticate…").click()
    page.get_by_role("button", name="Reauthenticate Acme – EU").click()
    link = page.get_by_role("cell").get_by_text(f"{site_url}/reconnect/")
    expect(link).to_be_visible(timeout=SOON)
    expect(page.get_by_text("waiting for 1 person to consent")).to_be_visible()

    phone = browser.new_context(viewport={"width": 390, "height": 844})
    complaints, customer = listen(phone), phone.new_page()
    customer.goto(link.inner_text())
    assert customer.evaluate("document.documentElement.scrollWidth") <= 390
    customer.get_by_role("button", name="Reconnect Box").click()
    customer.get_by_role("link", name="Continue to Box").click()
    provider, ours = urlsplit(customer.url), urlsplit(site_url)
    assert (provider.hostname, provider.port) != (ours.hostname, ours.port)
    assert provider.port == emulator.port
    customer.get_by_role("button", name="Allow").click()
    expect(customer.get_by_role("heading", name="Connected again")).to_be_visible()
    assert customer.url == f"{site_url}/reconnect/done/"

    expect(page.get_by_role("link", name="Reconnected 1")).to_be_visible(timeout=SOON)
    expect(page.get_by_text("Finished").first).to_be_visible()
    assert fleet.truth(one)["access_alive"] is True
    assert complaints == []
    phone.close()


def test_a_drill_fills_its_eight_steps_while_one_watches(
    fleet, site_url, team, page, context
):
    fleet.synced("box", 1, name="Acme – EU")
    fleet.run(RunKind.PROBE)
    open_instances(page, site_url, team.rita)
    page.get_by_role("link", name="Acme – EU").click()
    page.get_by_role("button", name="Drill…").click()
    expect(page.get_by_role("heading", name="Drill Acme – EU?")).to_be_visible(
        timeout=SOON
    )
    page.get_by_label("Reason").fill("release 5.2")
    page.get_by_role("button", name="Drill Acme – EU").click()

    done = page.locator(".step-done")
    expect(done).to_have_count(4, timeout=SOON)
    way = page.get_by_role("link", name="Open the consent page")
    expect(way).to_be_visible(timeout=SOON)
    other = context.new_page()
    other.goto(way.get_attribute("href"))
    other.get_by_role("button", name="Reconnect Box").click()
    other.get_by_role("link", name="Continue to Box").click()
    other.get_by_role("button", name="Allow").click()
    expect(other.get_by_role("heading", name="Connected again")).to_be_visible()

    page.bring_to_front()
    expect(done).to_have_count(8, timeout=SOON)
    expect(page.get_by_role("link", name="Reconnected 1")).to_be_visible()
    page.get_by_text("Request and answer").nth(3).click()
    expect(page.get_by_text("401").first).to_be_visible()
    assert Run.objects.get(kind=RunKind.DRILL).status == RunStatus.FINISHED


# The first run, without the demo


def prepare_platform(emulator, callback: str) -> None:
    """Let the platform know an organization with two instances of Box."""
    secrets = {"user_secret": USER_SECRET, "organization_secret": ORGANIZATION_SECRET}
    made = emulator.control("organizations", {"id": 1, **secrets})
    client = {"provider": "box", "client_id": "box-client"}
    uris = {"client_secret": CLIENT_SECRET, "redirect_uris": [THEIR_CALLBACK, callback]}
    emulator.control("clients", client | uris)
    row = {"organization": made["id"], "element": "box", "client_id": "box-client"}
    emulator.control("instances", [row | {"name": f"Customer {n}"} for n in (1, 2)])


def test_a_first_owner_connects_an_organization_and_sees_its_instances(
    emulator, worker, site_url, django_user_model, page
):
    prepare_platform(emulator, f"{site_url}/oauth/callback/box/")
    ada = django_user_model.objects.create_superuser("ada@example.com", PASSWORD)
    sign_in(page, site_url, ada)
    add_organization(page)
    add_provider_app(page, f"{site_url}/oauth/callback/box/")

    main = page.get_by_role("navigation", name="Main")
    main.get_by_role("link", name="Organization").click()
    page.get_by_role("link", name="Acme", exact=True).click()
    page.get_by_role("button", name="Sync instances").click()
    expect(page.get_by_role("link", name="New 2")).to_be_visible(timeout=SOON)
    main.get_by_role("link", name="Instances").click()
    expect(page.get_by_role("link", name="Customer 2")).to_be_visible()
    assert Instance.objects.filter(provider_app__name="Acme Box").count() == 2


def add_organization(page: Page) -> None:
    """Follow the empty pages to the form, and test what was typed."""
    page.get_by_role("link", name="Go to organizations").click()
    expect(page.get_by_text("Connect your first organization")).to_be_visible()
    page.get_by_role("link", name="Add an organization").click()
    page.get_by_label("Name").fill("Acme")
    page.get_by_label("Base URL").fill("https://api.cloud-elements.com")
    page.get_by_label("User secret").fill(USER_SECRET)
    page.get_by_label("Organization secret").fill(ORGANIZATION_SECRET)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="First steps")).to_be_visible()
    assert USER_SECRET not in page.content()
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("Both secrets work.")).to_be_visible()


def add_provider_app(page: Page, callback: str) -> None:
    """Follow the first steps to the app's form; the callback to register is shown then."""
    page.get_by_role("link", name="Add a provider app for each provider.").click()
    page.get_by_label("Name").fill("Acme Box")
    page.get_by_label("Provider", exact=False).first.select_option("Box")
    page.get_by_label("Client id").fill("box-client")
    page.get_by_label("Client secret").fill(CLIENT_SECRET)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text(callback)).to_be_visible()
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("The platform makes a consent address")).to_be_visible()


# Without a mouse


def tab_to(page: Page, target) -> None:
    """Press Tab until `target` has the focus, as somebody without a mouse does."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"no Tab leads to {target}")


def type_in(page: Page, site_url: str, user) -> None:
    """Sign in with nothing but the keyboard."""
    page.goto(f"{site_url}/admin/login/")
    page.keyboard.type(user.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/")


def test_a_revocation_is_started_without_a_mouse(fleet, site_url, team, page):
    fleet.synced("box", 10)
    fleet.run(RunKind.PROBE)
    type_in(page, site_url, team.rita)
    main = page.get_by_role("navigation", name="Main")
    tab_to(page, main.get_by_role("link", name="Instances"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Instances")).to_be_visible()

    tab_to(page, page.locator("summary").filter(has_text="Status"))
    page.keyboard.press("Enter")
    menu = page.get_by_role("listitem")
    tab_to(page, menu.get_by_role("link", name=counted("Connected")))
    page.keyboard.press("Enter")
    page.wait_for_url("**status=connected")
    tab_to(page, page.get_by_role("checkbox", name="Select all").first)
    page.keyboard.press("Space")
    tab_to(page, page.get_by_role("button", name="Revoke tokens…"))
    page.keyboard.press("Enter")

    reason = page.get_by_label("Reason")
    expect(reason).to_be_visible(timeout=SOON)
    tab_to(page, reason)
    page.keyboard.type("the secret leaked")
    tab_to(page, page.get_by_label("Type REVOKE 10 to start"))
    page.keyboard.type("REVOKE 10")
    tab_to(page, page.get_by_role("button", name="Revoke 10 instances"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("“the secret leaked”")).to_be_visible(timeout=SOON)
    assert len(started(RunKind.REVOKE)) == 1


# Whoever may only look


def test_a_viewer_sees_everything_and_no_button(fleet, site_url, team, page):
    fleet.synced("box", 1, name="Acme – EU")
    run = fleet.run(RunKind.REVOKE)
    open_instances(page, site_url, team.vic)

    expect(page.get_by_role("link", name="Acme – EU")).to_be_visible()
    expect(page.get_by_role("group", name="Actions")).to_have_count(0)
    expect(page.get_by_role("checkbox")).to_have_count(0)
    page.get_by_role("link", name="Acme – EU").click()
    expect(page.get_by_text("What happened")).to_be_visible()
    expect(page.locator("main").get_by_role("button")).to_have_count(0)
    page.goto(f"{site_url}/admin/instances/run/{run.pk}/change/")
    expect(page.get_by_text("Verified dead").first).to_be_visible()
    expect(page.locator("main").get_by_role("button")).to_have_count(0)
