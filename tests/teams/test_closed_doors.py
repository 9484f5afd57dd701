"""The pages at which people prove who they are close after too many tries."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import F
from django.test import Client
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.teams.models import Tally
from tests.people import PASSWORD
from tests.teams.pages import fields_of
from tests.teams.signing_in import (
    ACCOUNT,
    CODE,
    LOGIN,
    browser_of,
    code_of,
    give_factor,
    give_password,
    long_ago,
    signed_in,
)

pytestmark = pytest.mark.django_db


def wrong(client: Client, user, times: int = 5) -> None:
    for _ in range(times):
        assert give_password(client, user, "wrong").status_code == 200


def let_time_pass(minutes: int = 15) -> None:
    """Move every stretch into the past."""
    gone = timedelta(minutes=minutes)
    Tally.objects.update(since=F("since") - gone, until=F("until") - gone)


def events(action: str) -> list[dict]:
    rows = Event.objects.filter(action=action).order_by("pk")
    return [json.loads(row.text) for row in rows]


def test_the_right_password_is_refused_too_while_the_door_is_closed(team):
    client = Client()
    wrong(client, team.otto)

    refused = give_password(client, team.otto)

    page = refused.content.decode()
    assert refused.status_code == 429
    assert "Too many tries" in page
    assert "try again from" in page
    assert not signed_in(client)


def test_the_door_opens_when_its_time_is_over(team):
    client = Client()
    wrong(client, team.otto)
    let_time_pass()

    assert give_password(client, team.otto).status_code == 302
    assert signed_in(client)


def test_an_account_that_does_not_exist_is_answered_alike(team):
    answers = []
    for mail in (team.otto.email, "nobody@example.com"):
        client = Client(REMOTE_ADDR=f"192.0.2.{len(answers)}")
        sent = {"username": mail, "password": "wrong"}
        pages = [client.post(LOGIN, sent) for _ in range(6)]
        answers.append([page.status_code for page in pages])

    assert answers[0] == answers[1] == [200] * 5 + [429]


def test_one_refusal_is_an_event_and_the_others_are_a_number(team):
    client = Client(REMOTE_ADDR="192.0.2.9")
    wrong(client, team.otto)
    for _ in range(3):
        give_password(client, team.otto)

    assert [one["outcome"] for one in events("sign_in_refused")] == ["bad_password"]
    let_time_pass()
    wrong(client, team.otto, 1)
    assert events("sign_ins_refused")[0]["facts"]["count"] == 7


def test_strangers_cannot_close_the_account_to_a_browser_that_is_known(team):
    home = browser_of(team.otto, REMOTE_ADDR="192.0.2.9")
    home.post("/admin/logout/")
    for n in range(12):
        wrong(Client(REMOTE_ADDR=f"203.0.113.{n}"), team.otto, 4)
    wrong(Client(REMOTE_ADDR="203.0.113.99"), team.otto, 2)

    stranger = give_password(Client(REMOTE_ADDR="198.51.100.1"), team.otto)

    assert stranger.status_code == 429
    assert give_password(home, team.otto).status_code == 302


@pytest.mark.parametrize("forged", ["x", "a:b:c", "eyJ4IjoxfQ:1abc:zzz"])
def test_a_forged_sign_of_a_known_browser_is_a_stranger_s(team, forged):
    for _ in range(5):
        client = Client()
        client.cookies[settings.KNOWN_BROWSER_COOKIE_NAME] = forged
        wrong(client, team.otto, 1)

    assert give_password(Client(), team.otto).status_code == 429


def test_the_sign_of_a_known_browser_is_no_good_for_another_account(team):
    home = browser_of(team.vic)
    home.post("/admin/logout/")
    wrong(Client(), team.otto)

    assert give_password(home, team.otto).status_code == 429


def test_the_address_behind_a_proxy_counts_only_where_it_is_trusted(team, settings):
    settings.TRUSTED_PROXY = False
    for n in range(5):
        client = Client(headers={"x-forwarded-for": f"203.0.113.{n}"})
        wrong(client, team.otto, 1)

    assert give_password(Client(), team.otto).status_code == 429


def test_who_may_not_use_the_admin_is_told_and_counted(team):
    team.otto.is_staff = False
    team.otto.save()
    client = Client()

    for _ in range(5):
        assert give_password(client, team.otto).status_code == 200

    assert events("sign_in_refused")[0]["outcome"] == "not_staff"
    assert give_password(client, team.otto).status_code == 429


def test_an_empty_form_is_no_try(team):
    for _ in range(9):
        Client().post(LOGIN, {"username": team.otto.email, "password": ""})

    assert not Tally.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_so_many_at_once_get_no_more_answers_than_the_limit(team):
    def one(_: int) -> int:
        try:
            return give_password(Client(), team.otto, "wrong").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = Counter(pool.map(one, range(24)))

    assert answers == {200: 5, 429: 19}


# The code


def test_codes_are_counted_and_the_right_one_is_refused_too(team):
    give_factor(team.otto)
    client = Client()
    give_password(client, team.otto)
    for _ in range(5):
        assert client.post(CODE, {"code": "000000"}).status_code == 200

    refused = client.post(CODE, {"code": code_of(team.otto)})

    assert refused.status_code == 429
    assert "Too many tries" in refused.content.decode()
    assert not signed_in(client)
    assert events("sign_in_refused")[0]["outcome"] == "bad_code"


def test_a_new_session_is_no_new_chance_at_the_code(team):
    give_factor(team.otto)
    for _ in range(5):
        client = Client()
        give_password(client, team.otto)
        client.post(CODE, {"code": "000000"})

    Tally.objects.exclude(key__startswith="code").update(tries=0)
    client = Client()
    give_password(client, team.otto)
    assert client.post(CODE, {"code": code_of(team.otto)}).status_code == 429


# Confirm it is you, and the old password


def ask(client: Client):
    """Press a button that asks first."""
    return client.post(f"{ACCOUNT}factor/begin/")


def answer(client: Client, asked, **answers: str):
    fields = fields_of(asked.content.decode())
    return client.post(f"{ACCOUNT}factor/begin/", {**fields, **answers})


def test_confirming_is_counted_for_the_session_and_closes(team):
    client = long_ago(browser_of(team.otto))
    asked = ask(client)
    for _ in range(5):
        assert answer(client, asked, confirm_password="no").status_code == 403

    refused = answer(client, asked, confirm_password=PASSWORD)

    assert refused.status_code == 429
    assert "Too many tries" in refused.content.decode()
    assert len(events("confirm_refused")) == 1
    other = long_ago(browser_of(team.otto))
    assert answer(other, ask(other), confirm_password=PASSWORD).status_code == 302


def test_signing_out_others_opens_no_door(team):
    client = long_ago(browser_of(team.otto))
    asked = ask(client)
    for _ in range(5):
        answer(client, asked, confirm_password="no")

    client.post(f"{ACCOUNT}end/")

    again = answer(client, ask(client), confirm_password="no")
    assert again.status_code == 429


def test_confirming_is_recorded(team):
    client = long_ago(browser_of(team.otto))

    answer(client, ask(client), confirm_password=PASSWORD)

    event = Event.objects.get(action="person_confirmed")
    assert event.actor_uid == team.otto.uid


def test_the_old_password_cannot_be_guessed_on_its_page(team):
    client = browser_of(team.otto)
    new = {
        "new_password1": "a new long password",
        "new_password2": "a new long password",
    }
    page = "/admin/password_change/"
    for _ in range(5):
        client.post(page, {"old_password": "no", **new})

    client.post(page, {"old_password": PASSWORD, **new})

    team.otto.refresh_from_db()
    assert team.otto.check_password(PASSWORD)
    assert len(events("confirm_refused")) == 1


def test_no_password_stands_in_the_audit_or_the_tallies(team):
    client = Client()
    give_password(client, team.otto, "hunter2-hunter2")

    assert "hunter2" not in "".join(Event.objects.values_list("text", flat=True))
    assert "otto" not in "".join(Tally.objects.values_list("key", flat=True))
    assert timezone.now() < Tally.objects.earliest("pk").until
