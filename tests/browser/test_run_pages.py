"""Drafts, runs and drills as a person has them open: what happens when something else happens meanwhile."""

import re
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from instances import runs
from instances.choices import AttemptState, Outcome, RunKind, RunStatus
from instances.models import Attempt, Instance, Item, Run
from tests.browsers import sign_in
from tests.instances.crowds import end_items, make_instances, make_run
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

NAME = (
    "Λόγος שלום עולם 🦊👩‍👩‍👧‍👦 AVeryLongNameWithoutAnySpaceInIt"
    + "ForWhomeverTypesThem" * 8
)
REFUSED = re.compile("no longer kept up to date")


@pytest.fixture(autouse=True)
def quiet(heard):
    """Fail a test on which the browser complained of anything but the cut connection."""
    yield
    assert [line for line in heard if "ERR_FAILED" not in line] == []


@pytest.fixture
def browser_context_args(browser_context_args, request):
    """Let axe add its script where a test asks for it."""
    asks = "scheme" in request.node.fixturenames
    return {**browser_context_args, "bypass_csp": asks}


@pytest.fixture
def half(team):
    """A run of 400, half of them ended long enough ago for every text to stay as it is."""
    run = make_run(team.acme, 400, started_at=timezone.now() - timedelta(hours=3))
    end_items(run, share=0.5)
    moment = timezone.now() - timedelta(hours=2)
    Item.objects.filter(run=run, status="done").update(finished_at=moment)
    return run


class Poll:
    """What a page asks for, and how much it gets."""

    def __init__(self, page: Page) -> None:
        self.page, self.asked = page, 0
        self.sizes: list[int] = []
        page.on("request", self._note_request)
        page.on("response", self._note_answer)

    def _note_request(self, request) -> None:
        self.asked += request.url.endswith("live.json")

    def _note_answer(self, answer) -> None:
        if answer.url.endswith("live.json") and answer.ok:
            self.sizes.append(len(answer.body()))

    def let_pass(self, seconds: int) -> int:
        """Let so many seconds pass on the page; return how often it asked."""
        before = self.asked
        for _ in range(seconds):
            self.page.clock.run_for(1000)
            self.page.wait_for_timeout(10)
            wait_until(self._is_answered, what="the poll is answered")
        return self.asked - before

    def _is_answered(self) -> bool:
        self.page.wait_for_timeout(5)
        return len(self.sizes) == self.asked


def go_to(page: Page, site_url: str, run: Run) -> Poll:
    """Open a run's page."""
    poll = Poll(page)
    page.goto(f"{site_url}/admin/instances/run/{run.pk}/change/")
    return poll


# Polling


def test_a_page_follows_its_run_and_grows_no_larger(site_url, team, page, half):
    sign_in(page, site_url, team.rita)
    poll = go_to(page, site_url, half)
    page.evaluate("window.unloaded = false")
    count = "document.querySelectorAll('*').length"
    expect(page.get_by_text("200 of 400 done ·")).to_be_visible()
    end_items(half, share=0.6)
    expect(page.get_by_text("240 of 400 done ·")).to_be_visible()
    nodes = page.evaluate(count)

    for share, text in ((0.8, "320 of 400 done ·"), (0.9, "360 of 400 done ·")):
        end_items(half, share=share)
        expect(page.get_by_text(text)).to_be_visible()

    assert page.evaluate(count) <= nodes
    assert page.evaluate("window.unloaded") is False  # it was never loaded again
    assert max(poll.sizes) < 20_000


def test_a_page_on_which_nothing_changes_asks_less_and_a_hidden_one_not(
    site_url, team, page, half
):
    sign_in(page, site_url, team.rita)
    page.clock.install()
    poll = go_to(page, site_url, half)

    calm = poll.let_pass(30)
    page.evaluate(LOOK_AWAY)
    hidden = poll.let_pass(30)

    assert 3 <= calm <= 10  # and not thirty
    assert hidden == 0
    with page.expect_response("**/live.json"):
        page.evaluate(LOOK_AWAY.replace("value: true", "value: false"))


LOOK_AWAY = """
  Object.defineProperty(document, 'hidden', { value: true, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
"""


def test_a_lost_connection_is_said_and_what_was_typed_stays(site_url, team, page, half):
    sign_in(page, site_url, team.rita)
    go_to(page, site_url, half)
    page.get_by_text("Change how many").click()
    page.get_by_label("Calls at once").fill("7")
    lost = page.get_by_text("Connection lost")

    page.route("**/live.json", lambda route: route.abort())
    expect(lost).to_be_visible()
    page.unroute("**/live.json")
    end_items(half, share=0.75)

    expect(page.get_by_text("300 of 400 done ·")).to_be_visible(timeout=15_000)
    expect(lost).to_be_hidden()
    expect(page.get_by_label("Calls at once")).to_have_value("7")


def test_a_page_of_somebody_who_was_signed_out_says_so_and_asks_no_more(
    site_url, team, page, context, half
):
    sign_in(page, site_url, team.rita)
    go_to(page, site_url, half)
    expect(page.get_by_text(REFUSED)).to_be_hidden()

    context.clear_cookies()

    expect(page.get_by_text(REFUSED)).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(1500)
    assert asked == []
    page.get_by_role("link", name="Load it again").click()
    page.wait_for_url("**/admin/login/**")


# Acting


def test_a_run_is_stopped_and_what_failed_is_retried(site_url, team, page, half):
    make_instances(team.acme, 3)
    bad = Item.objects.filter(run=half, outcome="transient").order_by("number")[:3]
    for item, instance in zip(bad, Instance.objects.order_by("pk"), strict=True):
        Item.objects.filter(pk=item.pk).update(instance=instance)
    sign_in(page, site_url, team.rita)
    go_to(page, site_url, half)

    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Stopping").first).to_be_visible()
    runs.sweep(now=timezone.now())
    expect(page.get_by_text("Stopped").first).to_be_visible()
    expect(page.get_by_role("link", name="Cancelled 200")).to_be_visible()
    page.get_by_role("button", name="Retry 20 that need attention").dblclick()

    page.wait_for_url(lambda url: f"/run/{half.pk}/" not in url)
    again = Run.objects.exclude(pk=half.pk).get()
    assert again.selection["instances"] == [one.pk for one in Instance.objects.all()]


def test_a_draft_keeps_its_selection_and_enter_alone_starts_nothing(
    site_url, team, page
):
    make_instances(team.acme, 4)
    sign_in(page, site_url, team.rita)
    page.goto(f"{site_url}/admin/instances/instance/")
    for number in (1, 2):
        page.get_by_role("checkbox", name=f"Select Box {number}").check()
    page.get_by_role("button", name="Revoke tokens…").click()
    expect(page.get_by_text("Nothing is sent before you start it.")).to_be_visible()
    run = Run.objects.get()
    runs.plan(run.pk, now=timezone.now())
    page.get_by_label("Reason").fill("the app's secret leaked")

    page.keyboard.press("Enter")
    expect(page.get_by_label("Reason")).to_have_value("the app's secret leaked")
    page.get_by_role("link", name="Back to the selection").click()

    page.wait_for_url("**/instance/?drafted=*")
    expect(page.get_by_role("checkbox", name="Select Box", checked=True)).to_have_count(
        2
    )
    expect(page.get_by_text("2 selected")).to_be_visible()
    run.refresh_from_db()
    assert run.status == RunStatus.DRAFT


# Looks


@pytest.fixture
def drilled(team):
    """A drill that stopped behind its fourth step, its instance's name a trial."""
    run = make_run(
        team.acme, 1, kind=RunKind.DRILL, reason=NAME, requested_by=team.rita
    )
    now = timezone.now()
    Item.objects.filter(run=run).update(
        status="done", outcome=Outcome.STILL_ALIVE, finished_at=now, instance_name=NAME
    )
    ended = {"status": RunStatus.FINISHED, "finished_at": now}
    Run.objects.filter(pk=run.pk).update(**ended)
    purposes = ("alive", "read", "revoke_refresh", "verify_source")
    Attempt.objects.bulk_create(
        Attempt(
            item=run.items.get(),
            number=1,
            step=step,
            purpose=purpose,
            method="POST" if step == 3 else "GET",
            url="https://api.box.com/oauth2/revoke"
            if step == 3
            else f"https://x/{NAME}",
            state=AttemptState.ANSWERED,
            status_code=200,
            excerpt="{id: …}",
            at=now,
        )
        for step, purpose in enumerate(purposes, 1)
    )
    return run


@pytest.fixture
def draft(team):
    run = make_run(
        team.acme, 12, kind=RunKind.REVOKE, status=RunStatus.DRAFT, started_at=None
    )
    run.items.update(instance_name=NAME)
    return run


#: What stands out of the page to the right.
TOO_WIDE = """
  [...document.querySelectorAll('body, main *')]
    .filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .filter((one) => !one.closest('.code, .visually-hidden, svg'))
    .map((one) => `${one.tagName} ${one.className} ${one.textContent.trim().slice(0, 40)}`)
"""


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 1280)])
def test_hard_names_fit_everywhere_and_the_pages_are_clean(
    site_url, team, page, scheme, width, drilled, draft, half
):
    half.items.update(instance_name=NAME)
    Run.objects.filter(pk=half.pk).update(reason=NAME, ticket="T" * 120)
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    sign_in(page, site_url, team.rita)

    for run in (drilled, draft, half):
        go_to(page, site_url, run)
        for summary in page.get_by_text("Request and answer").all():
            summary.click()
        assert page.evaluate(TOO_WIDE) == []
        if width > 390:
            found = Axe().run(page).response["violations"]
            assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


def test_a_finished_run_prints_as_a_report(site_url, team, page, drilled):
    sign_in(page, site_url, team.rita)
    go_to(page, site_url, drilled)
    evidence = page.get_by_text("POST https://api.box.com/oauth2/revoke")
    expect(page.get_by_text(str(drilled.uid))).to_be_hidden()
    expect(evidence).to_be_hidden()

    page.emulate_media(media="print")

    expect(page.get_by_text(str(drilled.uid))).to_be_visible()
    expect(evidence).to_be_visible()
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    expect(page.locator("main").get_by_role("button")).to_have_count(0)
