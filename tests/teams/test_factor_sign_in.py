"""Signing in with a second factor: each code once, and nobody in between is signed in."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyotp
import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.teams import factors, halfway
from ceadmin.teams.models import SecondFactor
from tests.teams.signing_in import (
    ACCOUNT,
    CODE,
    HOME,
    LOGIN,
    browser_of,
    code_of,
    give_factor,
    give_password,
    hand,
    signed_in,
)

pytestmark = pytest.mark.django_db

SET_UP = f"{ACCOUNT}factor/"


def begin(client: Client):
    return client.post(f"{SET_UP}begin/", follow=True)


def actions(*names: str) -> list[str]:
    rows = Event.objects.filter(action__in=names).order_by("pk")
    return list(rows.values_list("action", flat=True))


# Signing in with it


def test_the_password_alone_lets_nobody_in(team):
    give_factor(team.otto)
    client = Client()

    response = give_password(client, team.otto)

    assert response["Location"] == CODE
    assert not signed_in(client)
    assert client.get(ACCOUNT).status_code == 302
    assert actions("signed_in") == []


def test_the_code_lets_them_in_to_where_they_wanted_to_go(team):
    give_factor(team.otto)
    client = Client()
    give_password(client, team.otto, to=ACCOUNT)
    before = client.session.session_key

    response = client.post(CODE, {"code": code_of(team.otto)})

    assert response["Location"] == ACCOUNT
    assert signed_in(client)
    assert client.session.session_key != before
    event = json.loads(Event.objects.get(action="signed_in").text)
    assert event["facts"] == {"second_factor": True}


def test_nobody_is_sent_elsewhere_after_the_code(team):
    give_factor(team.otto)
    client = Client()
    give_password(client, team.otto, to="https://evil.example/")

    response = client.post(CODE, {"code": code_of(team.otto)})

    assert response["Location"] == HOME


def test_a_code_is_taken_once(team):
    give_factor(team.otto)
    code = code_of(team.otto)
    for client in (first := Client(), second := Client()):
        give_password(client, team.otto)
        client.post(CODE, {"code": code})

    assert signed_in(first)
    assert not signed_in(second)


@pytest.mark.parametrize(
    ("step", "lets_in"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_a_code_at_the_edge_of_its_step_is_taken(team, step, lets_in):
    give_factor(team.otto)
    factor = SecondFactor.objects.get()
    totp = pyotp.TOTP(factor.secret.reveal())
    now = timezone.now()

    code = totp.at(now.timestamp(), counter_offset=step)

    at_now = hand().__class__(hand().actor, now)
    assert factors.take_code(team.otto, code, at_now) is lets_in


def test_an_older_code_is_not_taken_after_a_newer_one(team):
    give_factor(team.otto)
    now = hand()
    totp = pyotp.TOTP(SecondFactor.objects.get().secret.reveal())
    newer, older = (totp.at(now.now, counter_offset=step) for step in (1, 0))

    assert factors.take_code(team.otto, newer, now)
    assert not factors.take_code(team.otto, older, now)


def test_a_clock_that_goes_back_brings_no_code_back(team):
    give_factor(team.otto)
    code, now = code_of(team.otto), hand()
    assert factors.take_code(team.otto, code, now)

    earlier = now.__class__(now.actor, now.now - timedelta(seconds=20))

    assert not factors.take_code(team.otto, code, earlier)


@pytest.mark.parametrize("typed", ["{0} {1}", " {0}{1} ", "{0}-{1}"])
def test_a_code_may_have_spaces_and_dashes(team, typed):
    give_factor(team.otto)
    code = code_of(team.otto)

    assert factors.take_code(team.otto, typed.format(code[:3], code[3:]), hand())


def test_full_width_digits_are_digits(team):
    give_factor(team.otto)
    wide = code_of(team.otto).translate({ord("0") + n: 0xFF10 + n for n in range(10)})

    assert factors.take_code(team.otto, wide, hand())


@pytest.mark.parametrize(
    "typed", ["", "1", "nul\0", "\ud800" * 6, "9" * 5000, "²²²²²²"]
)
def test_hostile_codes_are_wrong_codes(team, typed):
    give_factor(team.otto)

    assert not factors.take_code(team.otto, typed, hand())


@pytest.mark.django_db(transaction=True)
def test_of_many_who_send_one_code_at_once_one_gets_in(team):
    give_factor(team.otto)
    code, now = code_of(team.otto), hand()

    def one(_: int) -> bool:
        try:
            return factors.take_code(team.otto, code, now)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(one, range(24)))

    assert sum(taken) == 1


# Half-way in


def half_way(team) -> Client:
    give_factor(team.otto)
    client = Client()
    give_password(client, team.otto)
    return client


def is_asked(client: Client) -> bool:
    return client.get(CODE).status_code == 200


def test_without_a_password_nobody_is_asked_for_a_code(team):
    give_factor(team.otto)

    response = Client().post(CODE, {"code": code_of(team.otto)})

    assert response["Location"] == LOGIN
    assert SecondFactor.objects.get().last_step == 0


def test_a_forged_session_is_nobody_s(team):
    half_way(team)
    thief = Client()
    thief.cookies["ceadmin-demo-session"] = "a" * 32

    assert not is_asked(thief)


def test_half_way_is_no_good_after_five_minutes(team):
    client = half_way(team)
    session = client.session
    session[halfway._AT] = int(time.time()) - 5 * 60
    session.save()

    assert client.post(CODE, {"code": code_of(team.otto)})["Location"] == LOGIN
    assert not signed_in(client)


@pytest.mark.parametrize("change", ["password", "is_active", "is_staff", "round"])
def test_half_way_ends_with_what_ends_sessions(team, change):
    client = half_way(team)
    if change == "password":
        team.otto.set_password("another long one")
    elif change == "round":
        team.otto.session_round += 1
    else:
        setattr(team.otto, change, False)
    team.otto.save()

    assert not is_asked(client)


def test_half_way_in_means_not_signed_in_anywhere(team):
    client = half_way(team)

    answers = {client.get(page).status_code for page in (HOME, ACCOUNT, SET_UP)}

    assert answers == {302}
    assert client.post(f"{ACCOUNT}factor/remove/").status_code == 302
    assert factors.is_set(team.otto)


def test_a_session_planted_before_is_not_the_one_that_gets_in(team):
    give_factor(team.otto)
    planted = Client()
    planted.get(LOGIN)
    session = planted.session
    session["planted"] = 1
    session.save()
    key = session.session_key

    give_password(planted, team.otto)

    assert planted.session.session_key != key
    assert not Session.objects.filter(session_key=key).exists()


def test_signing_in_as_another_who_has_a_factor_ends_the_session_before(team):
    give_factor(team.otto)
    client = browser_of(team.vic)

    give_password(client, team.otto)

    assert not signed_in(client)
    assert not team.vic.browsers.exists()


# Recovery codes


@pytest.mark.parametrize(
    "spelled", [str, str.lower, lambda code: code.replace("-", " ")]
)
def test_a_recovery_code_stands_in_once(team, spelled):
    code = spelled(give_factor(team.otto)[3])
    for client in (first := Client(), second := Client()):
        give_password(client, team.otto)
        client.post(CODE, {"code": code})

    assert signed_in(first)
    assert not signed_in(second)
    assert factors.codes_left(team.otto) == 9
    assert actions("recovery_code_used") == ["recovery_code_used"]


def test_the_recovery_code_of_another_person_is_worth_nothing(team):
    give_factor(team.otto)
    theirs = give_factor(team.vic)

    assert not factors.take_code(team.otto, theirs[0], hand())
    assert factors.codes_left(team.vic) == 10


def test_few_recovery_codes_are_worth_a_word(team):
    codes = give_factor(team.otto)
    for code in codes[:6]:
        factors.take_code(team.otto, code, hand())
    client = Client()
    give_password(client, team.otto)

    page = client.post(CODE, {"code": codes[7]}, follow=True).content.decode()

    assert "You have 3 recovery codes left" in page


def test_new_recovery_codes_void_the_old_ones(team):
    old = give_factor(team.otto)
    client = Client()
    give_password(client, team.otto)
    client.post(CODE, {"code": code_of(team.otto)})

    page = client.post(f"{SET_UP}codes/").content.decode()

    assert len(re.findall(r"<code>([A-Z2-7-]{19})</code>", page)) == 10
    assert not factors.take_code(team.otto, old[0], hand())
    assert actions("recovery_codes_made") == ["recovery_codes_made"]


@pytest.mark.django_db(transaction=True)
def test_of_many_who_send_one_recovery_code_at_once_one_gets_in(team):
    code = give_factor(team.otto)[0]

    def one(_: int) -> bool:
        try:
            return factors.take_code(team.otto, code, hand())
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(one, range(16)))

    assert sum(taken) == 1
