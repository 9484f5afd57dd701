"""How often somebody may try: by account, by network, by both, by a browser that is known."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.teams.models import Tally
from ceadmin.teams.tasks import sweep
from ceadmin.teams.throttle import (
    MOST_EVENTS,
    Door,
    Key,
    TooMany,
    close_stretches,
    forgive,
    network_of,
    person_door,
    refuse,
    sign_in_door,
    take_try,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
MAIL, ADDRESS = "otto@example.com", "192.0.2.9"
LATER = timedelta(minutes=15)


def tries(door: Door, most: int = 200, now: datetime = NOW) -> int:
    """Try until the door closes; return how many tries it let through."""
    for done in range(most):
        try:
            take_try(door, now)
        except TooMany:
            return done
    return most


def turn_away(door: Door, now: datetime = NOW) -> bool:
    """Count a refusal."""
    with transaction.atomic():
        return refuse(door, now)


def test_five_tries_and_the_door_is_closed_until_the_stretch_is_over():
    door = sign_in_door(MAIL, ADDRESS)

    assert tries(door) == 5
    with pytest.raises(TooMany) as closed:
        take_try(door, NOW + timedelta(minutes=14))
    assert closed.value.until == NOW + LATER
    assert "12:15:00 UTC" in closed.value.sentence
    assert tries(door, now=NOW + LATER) == 5


def test_one_network_may_not_spray_many_accounts():
    through = [tries(sign_in_door(f"p{n}@example.com", ADDRESS)) for n in range(30)]

    assert sum(through) == 50
    assert tries(sign_in_door("other@example.com", "198.51.100.7")) == 5


def test_many_networks_may_not_press_one_account():
    through = [tries(sign_in_door(MAIL, f"203.0.113.{n}")) for n in range(30)]

    assert sum(through) == 50
    assert tries(sign_in_door("vic@example.com", "203.0.113.77")) == 5


def test_a_slash_64_is_one_network():
    hosts = [f"2001:db8:1:2::{n:x}" for n in range(1, 200)]
    through = [tries(sign_in_door(MAIL, host)) for host in hosts]

    assert sum(through) == 5
    assert tries(sign_in_door(MAIL, "2001:db8:1:3::1")) == 5


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.9", "192.0.2.9"),
        ("::ffff:192.0.2.9", "192.0.2.9"),
        ("2001:db8::1", "2001:db8::/64"),
        ("", "-"),
        ("nonsense\0", "nonsense\\x00"),
    ],
)
def test_a_network_has_one_name(address, network):
    assert network_of(address) == network


def test_a_known_browser_is_open_when_strangers_closed_the_account():
    for n in range(30):
        tries(sign_in_door(MAIL, f"203.0.113.{n}"))

    assert tries(sign_in_door(MAIL, ADDRESS)) == 0
    assert tries(sign_in_door(MAIL, ADDRESS, browser="b1")) == 5


@pytest.mark.parametrize(
    "spelled", ["OTTO@example.com", " otto@example.com ", "Otto@Example.COM"]
)
def test_an_account_is_one_however_it_is_written(spelled):
    tries(sign_in_door(MAIL, ADDRESS))

    assert tries(sign_in_door(spelled, ADDRESS)) == 0


@pytest.mark.parametrize(
    "hostile", ["nul\0@x", "\ud800@x", "ünï@пример.рф", "x" * 5000]
)
def test_hostile_addresses_are_counted_too(hostile):
    assert tries(sign_in_door(hostile, ADDRESS)) == 5


def test_who_proved_who_they_are_leaves_no_trace_in_the_count():
    door = sign_in_door(MAIL, ADDRESS)
    for _ in range(200):
        take_try(door, NOW)
        forgive(door)

    assert set(Tally.objects.values_list("tries", flat=True)) == {0}


def test_forgiving_does_not_take_back_what_others_tried():
    tries(sign_in_door("a@example.com", ADDRESS))
    own = sign_in_door(MAIL, ADDRESS)
    take_try(own, NOW)

    forgive(own)

    row = Tally.objects.get(key=f"network:{ADDRESS}")
    assert row.tries == 5


def test_a_clock_that_goes_back_an_hour_closes_nobody_out():
    door = sign_in_door(MAIL, ADDRESS)
    tries(door)

    assert tries(door, now=NOW - timedelta(hours=1)) == 5


def test_who_read_the_clock_a_little_earlier_is_in_the_same_stretch():
    door = sign_in_door(MAIL, ADDRESS)
    through = 0
    for back in range(20):
        through += tries(door, 1, NOW - timedelta(milliseconds=back))

    assert through == 5


def test_a_person_is_counted_for_each_browser():
    assert tries(person_door("code", "uid", ADDRESS, "b1")) == 5
    assert tries(person_door("code", "uid", ADDRESS)) == 5
    assert tries(person_door("code", "uid", ADDRESS, "b1")) == 0


@pytest.mark.django_db(transaction=True)
def test_so_many_at_once_never_get_more_than_the_limit():
    door = sign_in_door(MAIL, ADDRESS)

    def one(n: int) -> int:
        try:
            # Whoever read the clock last may be the first to count.
            return tries(door, 1, NOW + timedelta(milliseconds=40 - n))
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as pool:
        through = list(pool.map(one, range(40)))

    assert sum(through) == 5
    assert Tally.objects.get(key=f"network:{ADDRESS}").tries == 5


@pytest.mark.django_db(transaction=True)
def test_trying_and_forgiving_at_once_never_wait_for_each_other():
    door = sign_in_door(MAIL, ADDRESS)

    def one(_: int) -> bool:
        try:
            take_try(door, NOW)
            forgive(door)
            turn_away(door)
        except TooMany:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        went = list(pool.map(one, range(60)))

    assert any(went)
    assert Tally.objects.get(key=f"network:{ADDRESS}").tries == 0


def test_a_flood_of_names_leaves_no_rows_behind_a_closed_network():
    for n in range(80):
        tries(sign_in_door(f"p{n}@example.com", ADDRESS), 1)

    assert Tally.objects.count() == 1 + 2 * 50


def test_of_two_closed_keys_the_later_says_when():
    tries(sign_in_door(MAIL, ADDRESS))
    later = NOW + timedelta(minutes=5)
    tries(sign_in_door("vic@example.com", ADDRESS), now=later)
    Tally.objects.filter(key=f"network:{ADDRESS}").update(tries=50)

    with pytest.raises(TooMany) as closed:
        take_try(sign_in_door("vic@example.com", ADDRESS), later)

    assert closed.value.until == later + LATER


# What reaches the audit


def test_the_first_refusal_is_told_and_the_others_are_counted():
    door = sign_in_door(MAIL, ADDRESS)

    assert [turn_away(door) for _ in range(4)] == [True, False, False, False]
    close_stretches(NOW + timedelta(minutes=14))
    assert not Event.objects.exists()
    close_stretches(NOW + LATER)

    event = Event.objects.get()
    facts = json.loads(event.text)["facts"]
    assert event.action == "sign_ins_refused"
    assert (facts["count"], facts["counted_by"]) == (3, "pair")
    assert not Tally.objects.filter(key__startswith="pair").exists()


def test_a_flood_of_names_from_one_network_is_counted_as_its_own():
    for n in range(300):
        door = sign_in_door(f"p{n}@example.com", ADDRESS)
        tries(door, 1)
        turn_away(door)

    told = Tally.objects.filter(key__startswith="pair", told=1).count()
    network = Tally.objects.get(key=f"network:{ADDRESS}")
    assert told < 60
    assert network.refused > 240


def test_all_together_have_only_so_many_events():
    told = [turn_away(sign_in_door(MAIL, f"203.0.113.{n}")) for n in range(220)]

    assert sum(told) == MOST_EVENTS


def test_a_stretch_that_is_taken_up_again_tells_of_the_last_one():
    door = Door((Key("pair:x", 5),), ADDRESS)
    turn_away(door)
    turn_away(door)

    take_try(door, NOW + LATER)

    assert json.loads(Event.objects.get().text)["facts"]["count"] == 1


def test_the_sweep_tells_once_however_often_it_runs():
    door, before = sign_in_door(MAIL, ADDRESS), timezone.now() - timedelta(hours=1)
    turn_away(door, before)
    turn_away(door, before)

    sweep()
    sweep()

    assert Event.objects.filter(action="sign_ins_refused").count() == 1
