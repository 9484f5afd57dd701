"""Many calls at once, in one thread."""

import gc
import os
import resource
import socket
import threading
import time
from collections import Counter

import pytest

from ceadmin.lib import http
from tests.lib.crowd import Crowd
from tests.lib.hostile import (
    answers,
    by_path,
    drips,
    hangs_up,
    is_silent,
    says,
)

pytestmark = pytest.mark.usefixtures("loopback")

OK = b"HTTP/1.1 200 OK\r\n"
#: Long enough for a busy machine, short enough to notice a stall.
PATIENCE = 60.0


@pytest.fixture
def multi():
    """A function that makes a loop and closes it at the end."""
    loops = []

    def make(connections=50):
        loops.append(http.Multi(connections))
        return loops[-1]

    yield make
    for loop in loops:
        loop.close()


@pytest.fixture
def files():
    """A function that lets the process open so many more files, and no more; afterwards as before."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def allow(more):
        gc.collect()  # what earlier tests left to be closed
        most = max(map(int, os.listdir("/dev/fd"))) + more
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, hard), hard))

    yield allow
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def crowd(files):
    """A server for hundreds of connections; each is two files here, the server's end and ours."""
    files(4000)
    server = Crowd()
    yield server
    server.close()


def run(loop, until=lambda: True):
    """Go on until nothing is under way and `until` holds."""
    end = time.monotonic() + PATIENCE
    while not (loop.idle and until()):
        assert time.monotonic() < end, "the loop stalled"
        loop.poll(0.5)


def said(outcome):
    """Return what an outcome says, for counting."""
    if isinstance(outcome, http.Answer):
        return outcome.status
    return type(outcome).__name__, outcome.code


def test_many_calls_share_few_connections(serve, multi):
    server = serve(answers(b"ok"))
    loop, outcomes = multi(10), []
    for number in range(200):
        loop.add(http.Request.get(f"{server.url}/{number}"), outcomes.append)

    assert (loop.in_flight, loop.idle) == (10, False)
    run(loop)

    assert Counter(map(said, outcomes)) == {200: 200}
    assert len(set(server.seen)) == 200
    assert server.accepted <= 10
    assert loop.in_flight == 0


def test_one_call_s_fate_is_not_another_s(serve, multi):
    server = serve(
        by_path(
            good=answers(b"ok"),
            cut=hangs_up,
            garbage=says(b"garbage\r\n" * 20),
            large=says(OK + b"\r\n" + b"x" * (2 << 20)),
            slow=is_silent,
            drip=drips(OK, b"X-Drip: 1\r\n"),
        )
    )
    loop, outcomes = multi(50), {}
    kinds = ["good", "cut", "garbage", "large", "slow", "drip", "good", "good"]
    for number in range(200):
        url = f"{server.url}/{kinds[number % len(kinds)]}/{number}"
        request = http.Request("POST", url, (), b"x", deadline=3.0)
        loop.add(request, lambda outcome, url=url: outcomes.update({url: outcome}))

    run(loop)

    found = Counter((url.split("/")[3], said(one)) for url, one in outcomes.items())
    assert found == {
        ("good", 200): 75,
        ("cut", ("Lost", "cut")): 25,
        ("garbage", ("Lost", "garbage")): 25,
        ("large", ("Lost", "too_large")): 25,
        ("slow", ("Lost", "timeout")): 25,
        ("drip", ("Lost", "timeout")): 25,
    }


def test_each_call_gets_its_own_answer(multi, crowd):
    loop, outcomes = multi(50), {}
    for number in range(300):
        url = f"{crowd.url}/echo/{number}"
        loop.add(
            http.Request.get(url),
            lambda outcome, number=number: outcomes.update({number: outcome.text}),
        )

    run(loop)

    assert outcomes == {number: f"/echo/{number}" for number in range(300)}


def test_flows_that_go_from_host_to_host_keep_their_connections(serve, multi):
    servers = [serve(answers(b"ok")) for _ in range(3)]
    loop, outcomes = multi(10), []

    def go(number):
        def done(outcome):
            outcomes.append(outcome)
            if number < 14:
                go(number + 1)

        loop.add(http.Request("POST", servers[number % 3].url, (), b"x"), done)

    for _ in range(10):
        go(0)
    run(loop)

    assert Counter(map(said, outcomes)) == {200: 150}
    assert max(server.accepted for server in servers) <= 10


def test_five_hundred_calls_are_in_the_air_at_once(multi, crowd):
    crowd.gather(500)
    loop, outcomes = multi(500), []
    for _ in range(1000):
        loop.add(http.Request.get(f"{crowd.url}/together"), outcomes.append)

    run(loop)

    assert Counter(map(said, outcomes)) == {200: 1000}
    assert crowd.accepted <= 500


def test_a_loop_gets_the_files_that_its_connections_need(multi, crowd, files):
    files(1100)
    crowd.gather(800)
    loop, outcomes = multi(50), []
    loop.resize(1400)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for _ in range(800):
        loop.add(http.Request.get(f"{crowd.url}/together"), outcomes.append)

    assert soft >= min(1700, hard)
    loop.resize(2400)  # as a worker would have it whose server lives elsewhere
    run(loop)

    assert Counter(map(said, outcomes)) == {200: 800}


def test_what_the_guard_refuses_arrives_like_any_other_error(multi):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    urls = [
        nobody,
        "https://10.0.0.1/",
        "http://api.example.com/",
        "https://a@b.example/",
    ]
    loop, outcomes = multi(), []
    for url in urls * 20:
        loop.add(http.Request.get(url), outcomes.append)

    assert outcomes == []
    run(loop)

    assert Counter(map(said, outcomes)) == {
        ("Unreachable", "nobody_listens"): 20,
        ("Blocked", "blocked_address"): 20,
        ("Blocked", "blocked_scheme"): 20,
        ("Blocked", "blocked_url"): 20,
    }


def test_calls_added_by_answers_go_on_without_a_stall(serve, multi):
    server = serve(answers(b"ok"))
    loop, left = multi(5), Counter(calls=300)
    request = http.Request.get(server.url)

    def again(outcome):
        assert outcome.status == 200
        left["calls"] -= 1
        if left["calls"] > 5:
            loop.add(request, again)

    for _ in range(5):
        loop.add(request, again)
    run(loop)

    assert 0 <= left["calls"] <= 5
    assert server.accepted <= 5


def test_calls_added_by_refusals_go_on_without_a_stall(multi):
    loop, outcomes = multi(1), []
    request = http.Request.get("https://10.0.0.1/")

    def again(outcome):
        outcomes.append(outcome)
        if len(outcomes) < 2000:
            loop.add(request, again)

    loop.add(request, again)
    run(loop)

    assert len(outcomes) == 2000


def test_calls_added_by_timers_go_on(serve, multi):
    server = serve(answers(b"ok"))
    loop, outcomes = multi(), []
    request = http.Request.get(server.url)
    for number in range(20):
        loop.later(number / 200, lambda: loop.add(request, outcomes.append))

    run(loop, until=lambda: len(outcomes) == 20)

    assert Counter(map(said, outcomes)) == {200: 20}


def test_timers_ring_in_the_order_in_which_they_are_due(multi):
    loop, rung = multi(), []
    began = time.monotonic()
    for seconds in (0.3, 0.1, 0.2, 0.1, 0):
        loop.later(seconds, lambda seconds=seconds: rung.append(seconds))

    run(loop, until=lambda: len(rung) == 5)

    assert rung == [0, 0.1, 0.1, 0.2, 0.3]
    assert time.monotonic() - began >= 0.3


def test_a_timer_set_by_a_timer_waits_for_the_next_turn(multi):
    loop, rung = multi(), []

    def ring():
        rung.append(1)
        loop.later(0, ring)

    loop.later(0, ring)
    loop.poll(0)
    loop.poll(0)

    assert 1 <= len(rung) <= 2


def test_a_timer_rings_while_calls_wait(serve, multi):
    loop, order = multi(), []
    loop.add(http.Request.get(serve(is_silent).url), lambda _: order.append("end"))
    loop.later(0.1, lambda: order.append("timer"))

    while not order:
        loop.poll(PATIENCE)

    assert (order, loop.in_flight) == (["timer"], 1)


def test_polling_with_nothing_to_do_waits_no_longer_than_asked(multi):
    began = time.monotonic()

    multi().poll(0.1)

    assert 0.05 < time.monotonic() - began < PATIENCE


def test_a_callback_that_breaks_takes_no_other_along(serve, multi):
    server = serve(answers(b"ok"))
    loop, outcomes = multi(3), []

    def breaks(outcome):
        raise LookupError

    loop.add(http.Request.get(server.url), breaks)
    for _ in range(10):
        loop.add(http.Request.get(server.url), outcomes.append)
    with pytest.raises(LookupError):
        run(loop)
    run(loop)

    assert Counter(map(said, outcomes)) == {200: 10}


def test_everything_happens_in_the_one_thread(serve, multi):
    server, loop, threads = serve(answers()), multi(), set()
    for _ in range(10):
        loop.add(
            http.Request.get(server.url), lambda _: threads.add(threading.get_ident())
        )

    run(loop)

    assert threads == {threading.get_ident()}


def test_closing_cuts_what_is_under_way_and_tells_nobody(serve):
    server = serve(is_silent)
    loop, outcomes = http.Multi(2), []
    for _ in range(4):
        loop.add(http.Request.get(server.url), outcomes.append)
    loop.later(0, lambda: outcomes.append("timer"))
    loop.poll(0)

    loop.close()

    assert (loop.idle, loop.in_flight) == (True, 0)
    assert outcomes in ([], ["timer"])


def test_a_callback_can_close_the_loop(serve):
    server = serve(answers(b"ok"))
    loop, outcomes = http.Multi(5), []

    def last(outcome):
        outcomes.append(outcome)
        loop.close()

    for _ in range(20):
        loop.add(http.Request.get(server.url), last)
    while not loop.idle:
        loop.poll(1)
    loop.close()

    assert len(outcomes) == 1


def test_a_connection_that_the_server_closed_is_replaced(serve, multi):
    server = serve(says(OK + b"Content-Length: 0\r\nConnection: close\r\n\r\n"))
    loop, outcomes = multi(2), []
    for _ in range(40):
        loop.add(http.Request("POST", server.url, (), b"x"), outcomes.append)

    run(loop)

    assert Counter(map(said, outcomes)) == {200: 40}
    assert (server.accepted, len(server.seen)) == (40, 40)
