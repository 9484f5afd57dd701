"""What several people do with the same run, and what one keeps for the others, in a real browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from instances.choices import RunKind, RunStatus
from instances.models import Run, SavedView
from tests.browsers import listen, sign_in
from tests.instances.approving import court
from tests.instances.fleet import Fleet
from tests.instances.listing import many
from tests.people import make_user

__all__ = ["court"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quiet(heard):
    """Fail a journey on which the browser complained."""
    yield
    assert heard == []


def open_place(page: Page, name: str) -> None:
    """Go to a place of the navigation."""
    main = page.get_by_role("navigation", name="Main")
    main.get_by_role("link", name=name).first.click()


def test_a_run_is_approved_by_a_second_person_and_started_by_the_first(
    court, broker, site_url, page, browser
):
    run, team = court.draft(), court.team
    sign_in(page, site_url, team.rita)
    page.goto(f"{site_url}/admin/instances/run/{run.pk}/change/")
    expect(
        page.get_by_role("heading", name="This needs a second person")
    ).to_be_visible()
    page.get_by_label("Reason").fill("the app's secret leaked")
    page.get_by_role("button", name="Ask for approval: Revoke 30 instances").click()
    expect(page.get_by_role("heading", name="Waiting for an approver")).to_be_visible()
    expect(page.get_by_role("button", name="Revoke 30 instances")).to_have_count(0)

    other = browser.new_context(locale="en-US")
    complaints, second = listen(other), other.new_page()
    sign_in(second, site_url, court.ann)
    second.get_by_role("link", name=re.compile("approv", re.IGNORECASE)).first.click()
    asked = second.get_by_role("heading", name="Rita asks you to approve this")
    expect(asked).to_be_visible()
    expect(second.get_by_text("the app's secret leaked").first).to_be_visible()
    second.get_by_label("Note").fill("seen with the vendor")
    second.get_by_role("button", name="Approve: Revoke 30 instances").click()
    expect(second.get_by_role("heading", name="Approved by Ann")).to_be_visible()
    assert complaints == []
    other.close()

    page.reload()
    expect(page.get_by_role("heading", name="Approved by Ann")).to_be_visible()
    page.get_by_role("textbox", name=re.compile("^Type")).fill("REVOKE 30")
    page.get_by_role("button", name="Revoke 30 instances", exact=True).click()
    expect(page.get_by_text("approved by Ann")).to_be_visible()
    run.refresh_from_db()
    assert run.status == RunStatus.RUNNING


def test_an_auditor_finds_a_revocation_and_reads_its_receipt(
    emulator, broker, site_url, page, team
):
    fleet = Fleet(emulator, team.acme, team.rita)
    fleet.synced("box", 1, name="Kilo – EU")
    run = fleet.run(RunKind.REVOKE)
    sign_in(page, site_url, make_user("Aud", team.acme, is_auditor=True))

    open_place(page, "Audit")
    page.get_by_role("searchbox", name="Search").last.fill("Kilo")
    page.keyboard.press("Enter")
    settled = page.get_by_role("link", name=re.compile("part of a run was settled"))
    expect(settled).to_have_count(1)
    settled.click()
    expect(page.get_by_text("Verified dead").first).to_be_visible()
    page.get_by_role("link", name=re.compile("receipt", re.IGNORECASE)).first.click()

    heading = "Receipt of the revocation of Kilo – EU"
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    expect(page.get_by_text("a test").first).to_be_visible()
    expect(page.get_by_text(str(run.uid)).first).to_be_visible()
    expect(page.get_by_text("/oauth2/revoke").first).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_filtered_list_is_kept_under_a_name_and_opened_by_a_colleague(
    broker, site_url, page, browser, team
):
    many(team.acme, 12, status="needs_reauth")
    many(team.acme, 3, "Other")
    sign_in(page, site_url, team.olga)
    open_place(page, "Instances")
    page.get_by_text("Status", exact=True).first.click()
    chip = re.compile("^Needs reauthentication")
    page.get_by_role("listitem").get_by_role("link", name=chip).click()
    page.wait_for_url("**status=needs_reauth**")
    page.get_by_role("link", name="Save view").click()
    page.get_by_label("Name").fill("Dead ones")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_role("link", name="Dead ones")).to_be_visible()
    assert SavedView.objects.get().shared

    other = browser.new_context(locale="en-US")
    second = other.new_page()
    sign_in(second, site_url, team.vic)
    open_place(second, "Instances")
    second.get_by_role("link", name="Dead ones").click()
    second.wait_for_url("**status=needs_reauth**")
    expect(second.locator("#result_list tbody tr")).to_have_count(12)
    other.close()
    assert Run.objects.count() == 0
