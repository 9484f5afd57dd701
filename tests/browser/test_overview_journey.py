"""From the overview to the rows behind a number, and days by the browser's own clock."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ceadmin.teams.models import User
from tests.browsers import sign_in
from tests.instances.charted import an_instance, changed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def browser_context_args(browser_context_args):
    """Look from Lord Howe Island, which is half an hour off most others."""
    return {**browser_context_args, "timezone_id": "Australia/Lord_Howe"}


def test_a_person_takes_the_browser_s_zone_and_follows_a_column(
    site_url, team, page, heard
):
    now = timezone.now()
    for number in range(3):
        one = an_instance(team.acme, number)
        died = now - timedelta(days=3 + number)
        changed(one, (now - timedelta(days=9), "connected"), (died, "needs_reauth"))
    sign_in(page, site_url, team.olga)

    page.get_by_role(
        "button", name="Use this browser's zone, Australia/Lord_Howe"
    ).click()

    page.get_by_text("Times and days are now those of Australia/Lord_Howe.").wait_for()
    assert User.objects.get(pk=team.olga.pk).time_zone == "Australia/Lord_Howe"
    assert page.get_by_text("Use this browser's zone").count() == 0

    # By keyboard: the table behind the columns has the same links.
    summary = page.locator("#health-table summary")
    summary.focus()
    page.keyboard.press("Enter")
    day_before = page.locator("#health-table tbody tr").nth(-5)
    link = day_before.get_by_role("link").last
    count = int(link.inner_text())
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**was=needs_reauth**")

    assert page.locator("#result_list tbody tr").count() == count > 0
    assert page.get_by_text("Status then: Needs reauthentication").is_visible()

    # By mouse: a part of a column.
    page.goto(f"{site_url}/admin/")
    part = page.locator(".column-chart svg a.fill-bad").last
    part.click()
    page.wait_for_url("**status=needs_reauth")
    assert page.locator("#result_list tbody tr").count() == 3
    assert heard == []
