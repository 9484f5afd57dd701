"""Members at the callback and at the page where they paste what came back."""

import pytest

from ceadmin.audit.choices import Action
from ceadmin.audit.models import Event
from ceadmin.teams.models import Membership
from instances.choices import LinkStatus, Outcome
from tests.instances.reconnecting import Browser, query_of, signed_in, waiting
from tests.instances.test_callback_hostile import assert_untouched

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    return Browser()


@pytest.fixture
def case(emulator, acme):
    return waiting(emulator, acme)


def paste(browser, case, text):
    return browser.client.post(
        f"/reconnect-links/{case.link.uid}/paste/",
        {"act": "paste", "pasted": text},
        follow=True,
    )


def started(browser, case):
    page = f"/reconnect-links/{case.link.uid}/paste/"
    address = browser.client.post(page, {"act": "start"}).context["url"]
    return browser.decide(address, instance=str(case.remote_id))


def test_a_bare_code_is_taken_from_the_session_that_started(case, team):
    olga = signed_in(team.olga)
    back = query_of(started(olga, case))

    paste(olga, case, back["code"])

    assert case.fresh().item.outcome == Outcome.RECONNECTED


def test_a_code_is_not_taken_before_the_member_started(case, team, person):
    code = query_of(person.consent(case))["code"]

    page = paste(signed_in(team.olga), case, code)

    assert "Start here" in page.content.decode()
    assert case.fresh().status == LinkStatus.OPENED


def test_a_pasted_address_of_another_start_is_refused(case, team):
    olga = signed_in(team.olga)
    old = started(olga, case)
    started(olga, case)

    page = paste(olga, case, old)

    assert "another start" in page.content.decode()
    assert case.heard("PATCH", "/instances") == []


def test_another_session_of_the_same_member_is_another_browser(case, team):
    back = started(signed_in(team.olga), case)

    paste(signed_in(team.olga), case, back)

    assert case.fresh().status == LinkStatus.OPENED


@pytest.mark.parametrize(("name", "status"), [("vic", 403), ("eve", 404)])
def test_only_operators_paste(case, team, name, status):
    browser = signed_in(getattr(team, name))

    assert paste(browser, case, "code").status_code == status


def test_a_member_who_started_comes_back_in_their_own_name(case, team):
    olga = signed_in(team.olga)
    back = started(olga, case)

    olga.come_back(back)

    consented = Event.objects.get(action=Action.LINK_CONSENTED)
    assert case.fresh().item.outcome == Outcome.RECONNECTED
    assert consented.actor_uid == team.olga.uid


def test_a_member_removed_meanwhile_finishes_nothing(case, team):
    olga = signed_in(team.olga)
    back = started(olga, case)
    Membership.objects.filter(user=team.olga).delete()

    page = olga.land(olga.come_back(back))

    assert "Your role was changed" in page.content.decode()
    assert_untouched(case, "not_allowed")
    assert not case.truth()["access_alive"]


def test_a_member_with_the_customers_link_is_the_customer(case, team):
    vic = signed_in(team.vic)

    vic.reconnect(case)

    assert case.fresh().item.outcome == Outcome.RECONNECTED


def test_strangers_are_asked_to_sign_in(case, client):
    answer = client.get(f"/reconnect-links/{case.link.uid}/paste/")

    assert answer.status_code == 302
    assert "/login/" in answer["Location"]
