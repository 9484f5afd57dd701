"""Callbacks that nobody should act upon."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from ceadmin.audit.choices import Action
from ceadmin.audit.models import Event
from instances.choices import LinkStatus, Outcome
from instances.models import Hold, ReconnectLink
from tests.instances.reconnecting import (
    ACCOUNT,
    CLIENT_SECRET,
    Browser,
    callback_path,
    query_of,
    waiting,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    return Browser()


@pytest.fixture
def case(emulator, acme):
    return waiting(emulator, acme)


def refusals():
    return [
        event.text
        for event in Event.objects.filter(action=Action.CALLBACK_REFUSED).order_by("pk")
    ]


def assert_untouched(case, code):
    """Nothing was consumed, nothing sent to the platform, and the refusal is audited."""
    assert case.fresh().status == LinkStatus.OPENED
    assert case.heard("PATCH", "/instances") == []
    assert len(refusals()) == 1
    assert f'"code":"{code}"' in refusals()[0].replace(" ", "")


# -- refused, and nothing used up ----------------------------------------------------------------


def test_missing_state(case, person):
    back = query_of(person.consent(case))

    answer = person.client.get(callback_path("box", code=back["code"]))

    assert answer["Location"] == "/reconnect/failed/refused/"
    assert_untouched(case, "missing_state")


def test_foreign_state(case, person):
    back = query_of(person.consent(case))

    person.client.get(callback_path("box", code=back["code"], state="A" * 43))

    assert_untouched(case, "unknown_state")


def test_error_without_a_valid_state(case, person):
    person.consent(case)

    person.client.get(callback_path("box", error="access_denied", state="A" * 43))

    assert_untouched(case, "unknown_state")


def test_another_browser(case, person):
    back = person.consent(case)

    answer = Browser().come_back(back)

    assert answer["Location"] == "/reconnect/failed/other-browser/"
    assert_untouched(case, "other_browser")


def test_a_forwarded_consent_address_connects_nobody(case, person):
    address = person.start(case)
    victim = Browser()

    back = victim.decide(address, account="other")
    page = victim.land(victim.come_back(back))

    assert "no account was connected" in page.content.decode()
    assert case.link.instance.name not in page.content.decode()
    assert_untouched(case, "other_browser")
    assert not case.truth()["access_alive"]


def test_the_browser_of_another_link_is_another_browser(emulator, acme, case, person):
    back = person.consent(case)
    other = waiting(emulator, acme, provider="salesforce")
    mallory = Browser()
    mallory.start(other)

    mallory.come_back(back)

    assert_untouched(case, "other_browser")


@pytest.mark.parametrize("name", ["state", "code", "error", "anything"])
def test_repeated_parameters(case, person, name):
    back = person.consent(case)

    person.come_back(f"{back}&{name}=x&{name}=y")

    assert_untouched(case, "repeated_parameter")


def test_the_callback_of_another_provider(case, person):
    back = person.consent(case)

    person.come_back(back.replace("/callback/box/", "/callback/salesforce/"))

    assert_untouched(case, "wrong_callback")


def test_expired_state(case, person):
    back = person.consent(case)
    hour_ago = timezone.now() - timedelta(minutes=61)
    ReconnectLink.objects.update(opened_at=hour_ago)

    answer = person.come_back(back)

    assert answer["Location"] == "/reconnect/failed/too-late/"
    assert_untouched(case, "expired_state")


def test_expired_link(case, person):
    back = person.consent(case)
    ReconnectLink.objects.update(expires_at=timezone.now())

    answer = person.come_back(back)

    assert answer["Location"] == "/reconnect/failed/expired/"
    assert_untouched(case, "expired")


def test_cancelled_link(case, person, team):
    back = person.consent(case)
    ReconnectLink.objects.update(status=LinkStatus.CANCELLED)

    answer = person.come_back(back)

    assert answer["Location"] == "/reconnect/failed/cancelled/"
    assert case.heard("PATCH", "/instances") == []


def test_reused_state(case, person):
    back = person.consent(case)
    person.come_back(back)

    again = person.come_back(back)

    assert again["Location"] == "/reconnect/done/"
    assert len(case.heard("PATCH", "/instances")) == 1
    assert '"reused_state"' in refusals()[0]


@pytest.mark.services
@pytest.mark.parametrize("name", ["oauth_token", "denied", "state"])
def test_a_token_that_no_database_keeps_is_refused_like_any_other(case, person, name):
    person.start(case)

    person.come_back(callback_path("box", **{name: "a\x00b"}))

    assert_untouched(case, "unknown_state")


def test_a_state_that_a_second_start_replaced(case, person):
    old = person.consent(case)
    person.start(case)

    person.come_back(old)

    assert_untouched(case, "unknown_state")


def test_an_instance_that_somebody_works_on(case, person):
    back = person.consent(case)
    until = timezone.now() + timedelta(minutes=1)
    Hold.objects.create(instance=case.link.instance, item_id=999, until=until)

    answer = person.come_back(back)

    assert answer["Location"] == "/reconnect/failed/busy/"
    assert_untouched(case, "busy")


@pytest.mark.parametrize("method", ["head", "post", "put", "delete", "options"])
def test_other_methods(case, person, method):
    back = person.consent(case)

    answer = getattr(person.client, method)(back.replace("http://127.0.0.1:8000", ""))

    assert answer.status_code == 405
    assert case.fresh().status == LinkStatus.OPENED


# -- refused with a valid state: it is used up ---------------------------------------------------


@pytest.mark.parametrize("code", ["", "c\x00de", "c\nde", "ключ", "c" * 5000])
def test_codes_that_are_none(case, person, code):
    state = query_of(person.consent(case))["state"]

    person.client.get(callback_path("box", code=code, state=state))

    link = case.fresh()
    assert (link.status, link.item.outcome) == (LinkStatus.FAILED, Outcome.STILL_DEAD)
    assert case.heard("PATCH", "/instances") == []


def test_a_script_in_the_providers_words_is_shown_nowhere_as_one(case, person):
    state = query_of(person.start(case))["state"]
    script = "<script>alert(1)</script>"

    answer = person.client.get(
        callback_path("box", error=script, error_description=script, state=state)
    )
    page = person.land(answer).content.decode()

    assert script not in page
    assert script not in answer["Location"]
    assert case.fresh().item.outcome == Outcome.STILL_DEAD


@pytest.mark.parametrize("realm", ["", "../1", "x" * 300])
def test_bad_values_beside_the_code(emulator, acme, person, realm):
    case = waiting(emulator, acme, provider="quickbooks")
    back = query_of(person.consent(case))

    person.client.get(callback_path("quickbooks", **back | {"realmId": realm}))

    assert case.fresh().problem == "bad_callback_value"
    assert case.heard("PATCH", "/instances") == []


def test_unknown_extra_parameters_are_ignored(case, person):
    back = person.consent(case)

    page = person.land(person.come_back(f"{back}&next=https://evil.example/&iss=x"))

    assert "Connected again" in page.content.decode()


def test_invalid_utf8_is_refused(case, person):
    person.consent(case)

    person.client.get("/oauth/callback/box/?state=%ff%fe&code=%00")

    assert_untouched(case, "unknown_state")


# -- two at once ---------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_callbacks_at_once_send_one_patch(emulator, acme, person):
    case = waiting(emulator, acme)
    back = person.consent(case)
    cookies = person.client.cookies
    barrier, answers = threading.Barrier(2), []

    def come_back():
        browser = Browser()
        browser.client.cookies = cookies.copy()
        barrier.wait()
        answers.append(browser.come_back(back))
        connection.close()

    threads = [threading.Thread(target=come_back) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(case.heard("PATCH", "/instances")) == 1
    assert case.fresh().item.outcome == Outcome.RECONNECTED
    assert all(answer.status_code == 303 for answer in answers)


# -- secrets -------------------------------------------------------------------------------------


def test_secrets_stay_out_of_pages_logs_and_rows(case, person, caplog):
    caplog.set_level("DEBUG")
    back = person.consent(case)
    secrets = [query_of(back)["code"], query_of(back)["state"], CLIENT_SECRET]
    cookie = next(
        c.value for c in person.client.cookies.values() if "reconnect" in c.key
    )

    answer = person.come_back(back)
    page = person.land(answer).content.decode()

    for secret in [*secrets, cookie]:
        assert secret not in page + answer["Location"]
        assert secret not in caplog.text
        assert not in_database(secret), secret
    assert in_database(ACCOUNT)


def in_database(text):
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            if any(text in str(row) for row in cursor.fetchall()):
                return True
    return False
