"""Links: opened by scanners and people, cancelled, expired, superseded."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ceadmin.audit.choices import Action
from ceadmin.audit.models import Event
from instances import reconnect
from instances.actions.consent_flow import STEP_ADDRESS
from instances.choices import LinkStatus, Outcome
from instances.models import Attempt
from instances.reconnect import LinkError
from tests.instances.reconnecting import (
    Browser,
    make_item,
    waiting,
)

pytestmark = pytest.mark.django_db


def events(action):
    return Event.objects.filter(action=action).count()


@pytest.fixture
def person():
    return Browser()


# -- the link ------------------------------------------------------------------------------------


def test_opening_consumes_nothing(emulator, acme, person):
    case = waiting(emulator, acme)
    scanner = Browser()

    scanner.open(case)
    scanner.client.head(case.path)
    scanner.open(case)

    assert case.fresh().status == LinkStatus.MADE
    assert case.emulator.log() == []
    assert "Connected again" in person.reconnect(case).content.decode()


def test_the_page_says_who_asks_for_what(emulator, acme, person):
    case = waiting(emulator, acme)

    page = person.open(case).content.decode()

    for words in ("Acme", "Reconnect your Box account", case.link.instance.name):
        assert words in page


@pytest.mark.parametrize(("minutes", "status"), [(59, 429), (61, 200)])
def test_who_has_the_link_cannot_use_the_platform_s_limits_up(
    emulator, acme, person, minutes, status
):
    case = waiting(emulator, acme)
    begun = timezone.now() - timedelta(minutes=minutes)
    call = {"step": STEP_ADDRESS, "purpose": "address", "method": "GET", "url": "/x"}
    Attempt.objects.bulk_create(
        Attempt(item=case.link.item, number=1, state="answered", at=begun, **call)
        for _ in range(30)
    )

    answer = person.client.post(case.path)

    assert answer.status_code == status
    assert (case.emulator.log() == []) is (status == 429)
    assert "Reconnect your Box account" in person.open(case).content.decode()


def test_in_mode_theirs_both_pages_say_where_it_ends_and_promise_nothing(
    emulator, acme, person
):
    case = waiting(emulator, acme, mode="theirs")

    pages = [person.open(case), person.client.post(case.path)]

    for page in (answer.content.decode() for answer in pages):
        assert "app.customer.example, which has to finish the connection" in page
    assert "tell Acme: it is not connected yet" in pages[1].content.decode()


def test_the_next_page_is_a_plain_link_in_this_browser(emulator, acme, person):
    case = waiting(emulator, acme)

    answer = person.client.post(case.path)

    assert answer.context["url"].startswith(emulator.url)
    assert 'rel="noreferrer"' in answer.content.decode()


def test_the_cookie_is_this_links_only(emulator, acme, person):
    case = waiting(emulator, acme)
    person.start(case)

    (cookie,) = [c for c in person.client.cookies.values() if "reconnect" in c.key]

    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    assert cookie["path"] == "/oauth/callback/box/"


def test_pages_are_not_stored_and_tell_nobody_their_address(emulator, acme, person):
    case = waiting(emulator, acme)

    pages = [person.open(case), person.client.post(case.path), person.reconnect(case)]

    assert {page["Cache-Control"] for page in pages} == {"no-store"}
    # Pages with a form: "no-referrer" would make browsers send "Origin: null".
    assert [page["Referrer-Policy"] for page in pages] == [
        "same-origin",
        "same-origin",
        "no-referrer",
    ]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (LinkStatus.FINISHED, "used already"),
        (LinkStatus.CANCELLED, "was cancelled"),
        (LinkStatus.EXPIRED, "has expired"),
        (LinkStatus.WRONG_ACCOUNT, "another account"),
        (LinkStatus.CONSENTED, "being made"),
    ],
)
def test_a_closed_link_says_why(emulator, acme, person, status, words):
    case = waiting(emulator, acme)
    path = case.path
    case.link.status = status
    case.link.save(update_fields=["status"])

    page = person.client.get(path)

    assert page.status_code == 410
    assert words in page.content.decode()
    assert person.client.post(path).status_code == 410


def test_an_unknown_link_says_so(client, db):
    page = client.get(f"/reconnect/{'x' * 43}/")

    assert page.status_code == 404
    assert "no such link" in page.content.decode()


def test_a_link_past_its_time_is_closed_before_the_sweep(emulator, acme, person):
    case = waiting(emulator, acme)
    case.link.expires_at = timezone.now() - timedelta(seconds=1)
    case.link.save(update_fields=["expires_at"])

    assert "has expired" in person.open(case).content.decode()
    assert person.client.post(case.path).status_code == 410


def test_overdue_links_end_their_items(emulator, acme):
    case = waiting(emulator, acme)

    reconnect.expire_overdue(now=timezone.now() + timedelta(hours=73))

    link = case.fresh()
    assert (link.status, link.item.outcome) == (LinkStatus.EXPIRED, Outcome.EXPIRED)
    assert events(Action.LINK_EXPIRED) == 1


def test_the_organization_sets_the_lifetime(emulator, acme):
    acme.link_lifetime_hours = 5
    acme.save()

    link = waiting(emulator, acme).link

    assert link.expires_at - link.made_at == timedelta(hours=5)


def test_making_a_link_twice_makes_one(emulator, acme):
    case = waiting(emulator, acme)

    again = reconnect.make_link(
        case.link.instance, item=case.link.item, user=None, now=timezone.now()
    )

    assert again == case.link


def test_a_newer_link_supersedes_the_older(emulator, acme):
    first = waiting(emulator, acme)
    instance, run = first.link.instance, first.link.item.run
    run.pk, run.uid = None, instance.uid
    run.save()
    reconnect.make_link(
        instance, item=make_item(run, instance), user=None, now=timezone.now()
    )

    old = first.fresh()
    assert (old.status, old.problem) == (LinkStatus.CANCELLED, "superseded")
    assert old.item.outcome == Outcome.CANCELLED


def test_a_member_cancels_a_link(emulator, team):
    case = waiting(emulator, team.acme)

    reconnect.cancel(case.link, user=team.olga, now=timezone.now())

    assert case.fresh().status == LinkStatus.CANCELLED
    with pytest.raises(LinkError):
        reconnect.cancel(case.fresh(), user=team.olga, now=timezone.now())
