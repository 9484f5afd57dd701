"""Limits that several processes keep together, and each alone while the broker is away."""

import logging
import subprocess
import sys
import time

import pytest
import redis

from ceadmin.lib import broker as broker_client
from ceadmin.lib import ratelimit
from ceadmin.lib.ratelimit import Limit, Limiter
from tests.lib.counting import Counter, busiest_second
from tests.services import forget_limits, variables

RATE = 20.0


@pytest.fixture
def limiter(broker):
    forget_limits()
    return Limiter("one")


@pytest.fixture
def alone(settings, tmp_path):
    """A limiter whose broker is away."""
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    settings.WORKER_PROCESSES = 2
    return Limiter("alone")


def taken(limiter, scope, rate, seconds):
    """Return the moments at which one loop may call in so many seconds."""
    moments, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        turns = limiter.take(10, [(scope, rate)])
        first = time.monotonic() + turns.delay
        moments += [first + n * turns.apart for n in range(turns.count)]
        time.sleep(turns.again)
    return moments


# The rate


def test_two_processes_keep_a_rate_together_and_use_it(limiter, settings):
    counter, seconds = Counter(), 6.0
    command = [sys.executable, "-m", "tests.lib.counting", str(counter.port)]
    with variables(REDIS_URL=settings.REDIS_URL):
        callers = [
            subprocess.Popen(
                [*command, "host:counts", str(RATE), "60"], stdout=subprocess.PIPE
            )
            for _ in range(2)
        ]
    try:
        for caller in callers:
            assert caller.stdout.readline() == b"at work\n"
        counter.count(0.5)
        counter.moments.clear()
        counter.count(seconds)
    finally:
        for caller in callers:
            caller.kill()
            caller.wait()
            caller.stdout.close()
        counter.close()

    print(
        busiest_second(counter.moments), "in the busiest second,", len(counter.moments)
    )
    assert busiest_second(counter.moments) <= RATE * 1.1
    assert len(counter.moments) >= seconds * RATE * 0.9


def test_a_batch_is_a_tenth_of_a_second_at_most(limiter):
    assert limiter.take(10_000, [("host:fast", 1000.0)]).count <= 100
    assert limiter.take(10_000, [("host:slow", 3.0)]).count == 1


def test_an_idle_scope_saves_nothing_up(limiter):
    limiter.take(1, [("host:idle", 100.0)])
    time.sleep(0.5)

    turns = limiter.take(100, [("host:idle", 100.0)])

    at_once = sum(turns.delay + n * turns.apart <= 0 for n in range(turns.count))
    assert at_once <= 100.0 / 10


def test_a_call_of_two_scopes_takes_from_both_or_from_none(limiter):
    limiter.pause("app:1", 5)

    both = limiter.take(1, [("host:two", 1.0), ("app:1", 100.0)])

    assert both.count == 0
    assert limiter.take(1, [("host:two", 1.0)]).count == 1


def test_the_slowest_of_two_scopes_counts(limiter):
    first = limiter.take(5, [("host:both", 100.0), ("app:both", 10.0)])
    second = limiter.take(5, [("host:both", 100.0), ("app:both", 10.0)])

    assert first.count == 1
    assert second.delay + second.again > 0.03


def test_turns_that_were_not_used_are_taken_by_others(limiter):
    unused = limiter.take(50, [("host:back", 100.0)])
    limiter.give_back(unused, unused.count)

    again = limiter.take(50, [("host:back", 100.0)])

    assert again.delay <= unused.delay + 0.05
    assert again.count == unused.count


def test_a_turn_costs_next_to_nothing_where_many_are_taken(limiter):
    count, asked = 0, 0
    began = time.process_time()
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        turns = limiter.take(100_000, [("host:rapid", 100_000.0)])
        count, asked = count + turns.count, asked + 1
        last = turns.delay + turns.count * turns.apart
        time.sleep(max(0.0, last, turns.again))

    assert count > 20_000
    assert (time.process_time() - began) / count < 5e-6
    assert asked < count / 100


def test_a_broker_that_forgets_changes_nothing_but_the_pace(limiter):
    taken(limiter, "host:lost", RATE, 0.5)
    limiter.pause("host:lost", 60)
    forget_limits()

    moments = taken(limiter, "host:lost", RATE, 1.5)

    assert busiest_second(moments) <= RATE * 1.1
    assert len(moments) >= RATE * 1.5 * 0.9


# Servers that ask for less


def test_a_pause_holds_one_host_up_for_everyone(limiter):
    other = Limiter("two")
    limiter.pause("host:busy", 2.0)

    assert other.take(1, [("host:busy", None)]).count == 0
    assert 1.5 < other.take(1, [("host:busy", None)]).again <= 2.0
    assert other.take(1, [("host:free", None)]).count == 1
    assert set(other.look(["host:busy", "host:free"])) == {"host:busy"}


def test_a_shorter_pause_does_not_end_a_longer_one(limiter):
    limiter.pause("host:busy", 60.0)
    limiter.pause("host:busy", 1.0)

    assert limiter.look(["host:busy"])["host:busy"].pause > 50


def test_trouble_meanwhile_does_not_let_a_long_pause_be_forgotten(limiter):
    limiter.pause("host:busy", 3600.0)

    limiter.slow("host:busy", 40.0)  # a call in flight ends with 503, without a time

    kept = broker_client.client().pttl("ceadmin:limit:host:busy")
    assert kept >= 3_600_000


def test_a_pause_ends_by_itself(limiter):
    limiter.pause("host:busy", 0.2)
    time.sleep(0.25)

    assert limiter.take(1, [("host:busy", None)]).count == 1
    assert limiter.look(["host:busy"]) == {}


def rate_of(limiter, name):
    return limiter.look([name])[name].rate


def test_trouble_halves_a_rate_once_for_calls_that_end_together(limiter):
    for _ in range(20):
        limiter.slow("host:ill", 40.0)

    assert 15 <= rate_of(limiter, "host:ill") <= 23


def test_more_trouble_halves_it_again_and_quiet_gives_it_back(limiter):
    limiter.slow("host:ill", 40.0)
    time.sleep(1.1)
    limiter.slow("host:ill", 40.0)
    low = rate_of(limiter, "host:ill")
    time.sleep(1.0)

    assert low <= 14
    assert rate_of(limiter, "host:ill") >= low + 1.5
    assert limiter.take(1, [("host:ill", None)]).count <= 1


# Slots


def test_slots_are_shared_and_those_of_a_dead_worker_come_back(limiter, monkeypatch):
    other = Limiter("two")
    monkeypatch.setattr(ratelimit, "SLOT_LEASE", 0.3)
    assert limiter.slots("host:few", 3, 3).held == 3
    monkeypatch.undo()

    assert other.slots("host:few", 2, 3).held == 0
    time.sleep(0.35)  # "one" has died

    assert other.slots("host:few", 2, 3).held == 2


def test_a_worker_without_a_slot_is_seen_by_those_that_have_some(limiter):
    other = Limiter("two")
    limiter.slots("host:few", 3, 3)
    assert other.slots("host:few", 1, 3).held == 0

    seen = limiter.slots("host:few", 2, 3)

    assert (seen.held, seen.workers, seen.starving) == (2, 2, True)
    assert other.slots("host:few", 1, 3).held == 1
    assert limiter.slots("host:few", -1, 3).held == 0


# Without the broker


def test_each_process_keeps_to_its_share_while_the_broker_is_away(alone, caplog):
    with caplog.at_level(logging.WARNING):
        moments = taken(alone, "host:alone", RATE, 1.5)

    assert busiest_second(moments) <= RATE / 2 * 1.1 + 1
    assert len(moments) >= RATE / 2 * 1.5 * 0.8
    assert [one.message[:30] for one in caplog.records] == [
        "limits are kept by each proces"
    ]


def test_pauses_troubles_and_slots_count_without_the_broker(alone):
    alone.pause("host:busy", 5)
    alone.slow("host:ill", 40)

    assert alone.take(1, [("host:busy", None)]).count == 0
    assert set(alone.look(["host:busy", "host:ill", "host:free"])) == {
        "host:busy",
        "host:ill",
    }
    assert alone.slots("host:few", 10, 6).held == 3
    assert alone.slots("host:few", 10, 1).held == 1


def test_a_broker_that_comes_back_is_asked_again(limiter, monkeypatch, caplog):
    def away(*args, **kwargs):
        raise redis.ConnectionError

    monkeypatch.setattr(limiter, "_script", away)
    limiter.take(1, [("host:x", 1.0)])
    monkeypatch.undo()
    limiter._away_until = 0.0

    limiter.pause("host:x", 9)

    assert Limiter("two").look(["host:x"])
    assert "again" in caplog.records[-1].message


def test_a_limit_of_nothing_is_no_limit():
    assert not Limit().is_set
    assert Limit(rate=1.0).is_set
    assert Limit(concurrency=1).is_set
