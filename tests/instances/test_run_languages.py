"""A run between people of two languages: pages speak to each, and what is kept is English."""

import json
import re
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import translation

from ceadmin.audit.models import Event
from instances import kept_elsewhere, runs
from instances.actions.verdicts import SAYINGS
from instances.choices import Outcome, RunStatus
from instances.engine import claim, held, release
from instances.models import Approval, Item, Part, Run
from instances.runs.aftermath import WHY_PROBED
from instances.runs.threshold import REASONS
from instances.spoken import drawn, spoken, why_held
from tests.frame.test_languages import strange
from tests.instances.approving import court, question, refused, told
from tests.instances.crowds import end_items, make_run
from tests.instances.killing import fleet, quick
from tests.instances.parting import crowd, end, started, worker
from tests.instances.test_approval_pages import REASON, page_of, press, shown
from tests.speaking import german
from tests.teams.inviting import browser

__all__ = ["court", "fleet", "german", "quick"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("german")]

NEEDED = "It touches 30 instances; more than 25 need an approver."


@pytest.fixture(autouse=True)
def fresh():
    """Forget what other tests' pages were told."""
    cache.clear()
    yield
    cache.clear()


def speaks(user, language: str) -> None:
    """Let a person use the product in a language."""
    user.language = language
    user.save()


def kept_of(action: str) -> dict[str, Any]:
    """Return what the audit keeps of the one event of an action."""
    return json.loads(told(action).text)["facts"]


# The second person


def test_an_approval_is_bound_to_nobodys_language(court):
    rita, ann = court.team.rita, court.ann
    speaks(rita, "de")
    run = court.draft()

    press(run, rita, "ask", ticket="SEC-1", **REASON)
    asked = question(run)
    press(run, ann, "approve", note="Seen")
    run.refresh_from_db()
    with translation.override("de"):
        german_digest = runs.digest_of(run, siblings=asked.siblings_hash)
    press(run, rita, "start", confirm="REVOKE 30")

    run.refresh_from_db()
    assert run.status == RunStatus.RUNNING
    assert asked.digest == german_digest == question(run).digest
    assert asked.why_needed == [NEEDED]
    assert kept_of("approval_asked")["needed"] == [NEEDED]
    names = set(
        Event.objects.filter(subject_uid=str(run.uid)).values_list("subject_name")
    )
    assert names == {(f"Revoke {str(run.uid)[:8]}",)}


def test_the_frozen_list_has_one_hash_in_every_language(court):
    run = court.draft()
    with translation.override("de"):
        again = court.again()

    assert again.selection_hash == run.selection_hash


def test_each_reads_why_it_needs_a_second_person_in_their_own_language(court):
    rita, ann = court.team.rita, court.ann
    speaks(rita, "de")
    run = court.asked()

    assert strange(NEEDED) in shown(run, rita)
    assert NEEDED in shown(run, ann)


def test_a_refusal_is_told_in_german_and_kept_in_english(court):
    rita = court.team.rita
    speaks(rita, "de")
    run = court.draft()

    page = press(run, rita, "start", confirm="REVOKE 30", **REASON).content.decode()

    assert strange("Ask for it first.") in page
    assert kept_of("run_denied")["says"] == f"{NEEDED} Ask for it first."


def test_a_refusal_has_both_languages_at_any_time(court):
    run = court.draft()
    with translation.override("de"):
        no = refused(runs.withdraw, run, user=court.team.rita, now=run.created_at)
        assert no.sentence == strange("Nobody waits for an approval of this run.")
    assert no.sentence == str(no) == "Nobody waits for an approval of this run."


# The typed confirmation


def test_what_a_german_page_asks_to_be_typed_is_what_it_accepts(court):
    rita = court.team.rita
    speaks(rita, "de")
    run = court.approved()

    asked = re.search(r'data-confirm="([^"]+)"', shown(run, rita))
    assert asked
    assert f"<code>{asked[1]}</code>" in shown(run, rita)
    page = press(run, rita, "start", confirm=strange(asked[1])).content.decode()
    assert Run.objects.get(pk=run.pk).status == RunStatus.DRAFT
    assert asked[1] in page
    press(run, rita, "start", confirm=asked[1])
    assert Run.objects.get(pk=run.pk).status == RunStatus.RUNNING


# The live page


def test_the_poll_speaks_to_each_whoever_asked_first(team):
    run = make_run(team.acme, 6_000)
    end_items(run, share=0.5)
    speaks(team.rita, "de")
    poll = reverse("admin:instances_run_live", args=[run.pk])
    in_english, in_german = browser(team.vic), browser(team.rita)

    first = in_german.get(poll).json()["summary"]
    second = in_english.get(poll).json()["summary"]
    third = in_german.get(poll).json()["summary"]

    assert first == third == strange(second)
    assert second.startswith("3000 of 6000 done")


def test_that_no_worker_lives_is_told_to_each_in_their_language(team, monkeypatch):
    monkeypatch.setattr("ceadmin.lib.broker.live_workers", list)
    run = make_run(team.acme, 30, status=RunStatus.PLANNING)
    poll = reverse("admin:instances_run_live", args=[run.pk])
    speaks(team.rita, "de")

    assert browser(team.rita).get(poll).json()["problem"] == strange(runs.NO_WORKER)
    assert browser(team.vic).get(poll).json()["problem"] == runs.NO_WORKER


def test_only_what_a_worker_gave_as_a_reason_is_told_in_the_readers_language(team):
    words = WHY_PROBED.english(run="Revoke 12345678")
    typed = make_run(team.acme, 1, reason=words, requested_by_name="Rita")
    made = make_run(team.acme, 1, reason=words, requested_by_name="")
    speaks(team.rita, "de")

    assert words in shown(typed, team.rita)
    assert words not in shown(made, team.rita)
    assert words in shown(made, team.vic)


def test_the_download_is_the_same_in_every_language(team):
    run = make_run(team.acme, 20)
    end_items(run, share=1)
    speaks(team.rita, "de")
    address = f"{page_of(run)}/items.csv"

    files = [
        b"".join(browser(who).get(address).streaming_content)
        for who in (team.rita, team.vic)
    ]

    assert files[0] == files[1]
    assert b"remote_id" in files[0]


# What workers wrote down


def test_a_held_part_is_told_in_german_with_its_outcomes(fleet, quick):
    crowd(fleet, box=60)
    run = started(fleet, "revoke")
    chunk, items = claim(run, "one")
    with translation.override("de"):  # as when a callback brings a run on
        end(worker(run), items, Outcome.REFUSED, cause="invalid_client")
    release(chunk)
    part = Part.objects.get(run=run)
    kept = held.FIRST.english(count=5, tried=5, outcomes="5 refused")

    assert part.explanation.startswith(kept)
    assert why_held(part) == part.explanation
    with translation.override("de"):
        assert why_held(part).startswith(f"5 {strange('of the first')} 5")
        counted = held.counted_outcomes([("refused", 5)])
        assert f": {counted}. " in why_held(part)


@pytest.mark.parametrize(
    "saying",
    [*SAYINGS, *REASONS, *kept_elsewhere.SAYINGS],
    ids=lambda one: one.text[:30],
)
def test_what_was_kept_with_holes_is_told_with_them(saying, monkeypatch):
    names = re.findall(r"%\((\w+)\)s", saying.text)
    kept = saying.english(**dict.fromkeys(names, "7"))
    monkeypatch.setattr(
        translation._trans,
        "gettext",
        lambda text: strange(text) if text == saying.text else text,
        raising=False,
    )

    assert spoken(kept) == strange(saying.text) % dict.fromkeys(names, "7")


def test_steps_for_a_person_are_drawn_as_the_english_that_they_are():
    kept = "The provider's record is off. By hand: open <it>; press so."

    with translation.override("de"):
        page = drawn(kept)

    assert '<span lang="en">open &lt;it&gt;; press so</span>' in page
    assert page.startswith(
        strange("The provider's record is off").replace("'", "&#x27;")
    )


def test_what_an_item_came_to_is_kept_in_english(court):
    run = court.draft(3)
    with translation.override("de"):
        runs.discard(run, user=court.team.rita, now=run.created_at)

    kept = Item.objects.filter(run=run).values_list("explanation", flat=True)
    assert all(text.isascii() for text in kept)
    assert not Approval.objects.filter(run=run).exists()
