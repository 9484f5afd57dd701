"""Working on a long list in a real browser: a selection that survives turning its pages."""

import pytest
from playwright.sync_api import expect

from instances.models import Run
from tests.browsers import sign_in
from tests.instances.listing import many

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_ticked_on_two_pages_is_acted_on_together(
    broker, site_url, page, heard, team
):
    rows = many(team.acme, 60)
    sign_in(page, site_url, team.rita)
    page.goto(f"{site_url}/admin/instances/instance/")

    page.get_by_role("checkbox").and_(page.locator(".action-select")).first.check()
    page.get_by_role("link", name="Next page").click()
    page.locator(".action-select").nth(3).check()
    expect(page.get_by_text("2 selected on 2 pages")).to_be_visible()
    page.go_back()
    expect(page.locator(".action-select").first).to_be_checked()
    page.get_by_role("button", name="Revoke tokens…").click()
    page.wait_for_url("**/run/**")

    assert Run.objects.get().selection["instances"] == [rows[0].pk, rows[53].pk]
    assert heard == []


def test_a_selection_can_be_cleared_and_all_that_match_chosen(
    broker, site_url, page, team
):
    many(team.acme, 60)
    sign_in(page, site_url, team.rita)
    page.goto(f"{site_url}/admin/instances/instance/?status=connected")

    page.locator("#action-toggle").check()
    expect(page.get_by_text("50 selected")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("checkbox", name="Select all 60 that match").check()
    expect(page.get_by_text("Everything that matches is selected")).to_be_visible()
    page.get_by_role("button", name="Revoke tokens…").click()
    page.wait_for_url("**/run/**")

    assert Run.objects.get().selection["filter"] == {"status": ["connected"]}
