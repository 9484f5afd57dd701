"""The whole of what people come for, in a browser that runs no scripts."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from ceadmin.teams.models import Membership, Organization
from instances import runs
from instances.choices import RunKind, RunStatus
from instances.models import Instance, ReconnectLink, Run, SavedView
from tests.browsers import sign_in
from tests.instances.fleet import Fleet

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def plain(new_context) -> Page:
    """A page that runs no scripts."""
    return new_context(java_script_enabled=False).new_page()


@pytest.fixture
def fleet(emulator, broker, site_url, team) -> Fleet:
    """Ten instances of Box that work."""
    fleet = Fleet(emulator, team.acme, team.rita)
    fleet.synced("box", 10)
    fleet.run(RunKind.PROBE)
    return fleet


def planned(kind: str) -> Run:
    """Return the newest run of a kind, its list frozen as a worker would do it."""
    run = Run.objects.filter(kind=kind).latest("pk")
    runs.plan(run.pk, now=timezone.now())
    run.refresh_from_db()
    return run


def test_instances_are_filtered_ticked_and_revoked(fleet, site_url, team, plain):
    sign_in(plain, site_url, team.rita)
    plain.get_by_role("link", name="Instances").first.click()
    plain.get_by_text("Status", exact=True).first.click()
    chip = plain.get_by_role("listitem").get_by_role("link", name="Connected 10")
    chip.click()
    for number in range(3):
        plain.get_by_role("checkbox", name=f"Select box {number}").check()
    plain.get_by_role("button", name="Revoke tokens…").click()
    run = planned(RunKind.REVOKE)
    plain.reload()
    expect(plain.get_by_role("heading", name="Revoke 3 instances?")).to_be_visible()
    plain.get_by_label("Reason").fill("the app's secret leaked")
    plain.get_by_role("button", name="Revoke 3 instances").click()
    expect(plain.get_by_text("“the app's secret leaked”")).to_be_visible()

    plain.get_by_role("button", name="Pause").click()
    expect(plain.get_by_role("button", name="Resume")).to_be_visible()
    plain.get_by_role("button", name="Resume").click()
    fleet.work(run)
    plain.reload()

    expect(plain.get_by_role("link", name="Verified dead 3")).to_be_visible()
    run.refresh_from_db()
    assert run.status == RunStatus.FINISHED


def test_a_large_revocation_asks_for_its_words_and_is_discarded(
    fleet, site_url, team, plain
):
    sign_in(plain, site_url, team.rita)
    plain.get_by_role("link", name="Instances").first.click()
    for number in range(10):
        plain.get_by_role("checkbox", name=f"Select box {number}").check()
    plain.get_by_role("button", name="Revoke tokens…").click()
    run = planned(RunKind.REVOKE)
    plain.reload()
    plain.get_by_label("Reason").fill("the app's secret leaked")
    plain.get_by_role("button", name="Revoke 10 instances").click()
    expect(plain.get_by_label("Reason")).to_have_value("the app's secret leaked")
    run.refresh_from_db()
    assert run.status == RunStatus.DRAFT

    plain.get_by_role("button", name="Discard this draft").click()

    expect(plain.get_by_text("Discarded").first).to_be_visible()
    run.refresh_from_db()
    assert run.started_at is None


def test_a_link_is_made_and_taken_back_and_a_drill_is_drafted(
    fleet, site_url, team, plain
):
    sign_in(plain, site_url, team.rita)
    one = Instance.objects.get(name="box 4")
    plain.goto(f"{site_url}/admin/instances/instance/")
    plain.get_by_role("checkbox", name="Select box 4").check()
    plain.get_by_role("button", name="Reauthenticate…").click()
    run = planned(RunKind.RECONNECT)
    plain.reload()
    plain.get_by_role("button", name="Reauthenticate box 4").click()
    fleet.work(run)
    plain.reload()
    expect(plain.get_by_text(f"{site_url}/reconnect/")).to_be_visible()
    link = ReconnectLink.objects.get()
    plain.goto(f"{site_url}/admin/instances/reconnectlink/{link.pk}/change/")
    plain.get_by_role("button", name="Cancel this link").click()
    expect(plain.get_by_text("Cancelled").first).to_be_visible()

    plain.goto(f"{site_url}/admin/instances/instance/{one.pk}/change/")
    plain.get_by_role("button", name="Drill…").click()
    planned(RunKind.DRILL)
    plain.reload()

    expect(plain.get_by_role("heading", name="Drill box 4?")).to_be_visible()


def test_a_view_is_saved_and_columns_are_chosen(fleet, site_url, team, plain):
    sign_in(plain, site_url, team.rita)
    plain.goto(f"{site_url}/admin/instances/instance/?status=connected")
    plain.get_by_role("link", name="Save view").click()
    plain.get_by_label("Name").fill("Ours")
    plain.get_by_role("button", name="Save view").click()
    expect(plain.get_by_role("link", name="Ours")).to_be_visible()
    assert SavedView.objects.get().query == "status=connected"

    plain.get_by_text("Columns", exact=True).click()
    plain.get_by_label("Provider app").set_checked(False)
    plain.get_by_role("button", name="Show these").click()

    expect(plain.get_by_role("columnheader", name="Provider app")).to_have_count(0)


def test_one_of_several_hundred_organizations_is_searched_and_chosen(
    site_url, team, plain
):
    rows = [Organization(name=f"Firm {n:03}", slug=f"firm-{n}") for n in range(300)]
    made = Organization.objects.bulk_create(rows)
    Membership.objects.bulk_create(
        Membership(user=team.otto, organization=row) for row in made
    )
    sign_in(plain, site_url, team.otto)
    plain.get_by_role("link", name="Team").first.click()

    plain.get_by_label("Organization: All organizations").click()
    plain.get_by_role("link", name="Search organizations").click()
    expect(plain.get_by_text("301 organizations")).to_be_visible()
    plain.get_by_label("Search organizations").fill("firm 27")
    plain.keyboard.press("Enter")
    expect(plain.get_by_text("10 organizations")).to_be_visible()
    plain.get_by_role("main").get_by_role("button", name="Firm 277").press("Enter")

    plain.wait_for_url("**/teams/membership/")
    expect(plain.get_by_label("Organization: Firm 277")).to_be_visible()
