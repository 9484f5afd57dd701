"""Servers that answer too much, too slowly, nonsense, or not at all."""

import gzip
import time
import zlib

import pytest

from ceadmin.lib import http
from tests.lib.hostile import (
    Server,
    answers,
    drips,
    hangs_up,
    is_silent,
    says,
)

pytestmark = pytest.mark.usefixtures("loopback")

HEAD = b"HTTP/1.1 200 OK\r\n"
MEBIBYTE = 1 << 20
DEADLINE = 0.4


def failure(server: Server, request=None, **options) -> http.HttpError:
    """Return the error that a call to the server ends with."""
    request = request or http.Request("POST", f"{server.url}/", (), b"x=1", **options)
    with pytest.raises(http.HttpError) as caught:
        http.send(request)
    return caught.value


def outcome(error: http.HttpError):
    """Return what an error says, for comparing."""
    return type(error), error.code


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        (HEAD, b"X-Drip: 1\r\n"),
        (HEAD + b"X-Endless: ", b"x"),
        (HEAD + b"Content-Length: 100000\r\n\r\n", b"x"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (HEAD + b"\r\n", b"x"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"", b"H"),
    ],
)
def test_drips_end_at_the_deadline(serve, start, drop):
    server = serve(drips(start, drop))
    began = time.monotonic()

    error = failure(server, deadline=DEADLINE)

    assert isinstance(error, http.Lost)
    assert time.monotonic() - began < 10 * DEADLINE


def test_silence_after_the_request_is_lost_not_unsent(serve):
    error = failure(serve(is_silent), deadline=DEADLINE)

    assert outcome(error) == (http.Lost, "timeout")


def test_a_body_of_just_the_cap_is_read(serve):
    server = serve(answers(b"x" * MEBIBYTE))

    answer = http.send(http.Request.get(server.url))

    assert len(answer.body) == MEBIBYTE


@pytest.mark.parametrize("more", [1, MEBIBYTE])
def test_a_body_beyond_the_cap_is_cut(serve, more):
    error = failure(serve(answers(b"x" * (MEBIBYTE + more))))

    assert outcome(error) == (http.Lost, "too_large")


def test_an_endless_body_is_cut(serve):
    server = serve(drips(HEAD + b"\r\n", b"x" * 65536, every=0))

    assert outcome(failure(server)) == (http.Lost, "too_large")


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_a_compressed_bomb_is_cut_by_what_it_unpacks_to(serve, encoding, pack):
    bomb = pack(b"\x00" * 16 * MEBIBYTE)
    server = serve(answers(bomb, f"Content-Encoding: {encoding}"))

    assert len(bomb) < MEBIBYTE / 4
    assert outcome(failure(server)) == (http.Lost, "too_large")


def test_a_bomb_inside_a_bomb_is_cut(serve):
    bomb = gzip.compress(gzip.compress(b"\x00" * 16 * MEBIBYTE))
    server = serve(answers(bomb, "Content-Encoding: gzip, gzip"))

    assert outcome(failure(server)) == (http.Lost, "too_large")


def test_a_compressed_answer_is_unpacked(serve):
    server = serve(answers(gzip.compress(b'{"a": 1}'), "Content-Encoding: gzip"))

    assert http.send(http.Request.get(server.url)).json() == {"a": 1}


@pytest.mark.parametrize(
    "head",
    [
        b"".join(b"X-%d: %s\r\n" % (i, b"v" * 60) for i in range(2000)),
        b"X-Long: " + b"v" * 90_000 + b"\r\n",
        b"X-Longer: " + b"v" * 900_000 + b"\r\n",
    ],
)
def test_headers_beyond_their_cap_are_cut(serve, head):
    server = serve(says(HEAD + head + b"Content-Length: 0\r\n\r\n"))

    assert outcome(failure(server)) == (http.Lost, "too_large")


def test_endless_headers_are_cut(serve):
    server = serve(drips(HEAD, b"X-More: " + b"v" * 4096 + b"\r\n", every=0))

    assert outcome(failure(server)) == (http.Lost, "too_large")


@pytest.mark.parametrize(
    "raw",
    [
        b"garbage\r\n" * 20,
        b"\x00" * 500,
        b"SSH-2.0-OpenSSH_9.2\r\n" + b"x" * 500,
        HEAD + b"no colon here\r\n\r\n",
        HEAD + b"Content-Length: many\r\n\r\nbody",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nbody",
        HEAD + b"Content-Encoding: unheard-of\r\nContent-Length: 4\r\n\r\nbody",
    ],
)
def test_what_is_not_http_is_lost(serve, raw):
    assert outcome(failure(serve(says(raw)))) == (http.Lost, "garbage")


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200",
        HEAD,
        HEAD + b"Content-Type: application/json",
        HEAD + b"Content-Type: application/json\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
        b"HTTP/1.1 150 Unheard Of\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + HEAD,
        HEAD + b"Content-Length: 100\r\n\r\nshort",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_an_answer_that_breaks_off_is_lost(serve, raw):
    error = failure(serve(says(raw)))

    assert isinstance(error, http.Lost)
    assert error.code in {"cut", "garbage"}


def test_a_cut_after_the_request_is_lost_and_nothing_is_sent_again(serve):
    server = serve(hangs_up)

    assert outcome(failure(server)) == (http.Lost, "cut")
    assert len(server.seen) == 1


@pytest.mark.parametrize("body", [b"token=1", b"", None])
def test_a_write_is_not_repeated_on_a_connection_that_died(serve, body):
    server = serve(
        lambda client, request: answers()(client, request) and b"/a" in request
    )
    http.send(http.Request("GET", f"{server.url}/a"))
    server.behave = hangs_up

    error = failure(server, http.Request("POST", f"{server.url}/b", (), body))

    assert outcome(error) == (http.Lost, "cut")
    assert [b"POST" in request for request in server.seen] == [False, True]


def test_a_redirect_is_an_answer_and_is_not_followed(serve):
    elsewhere = "Location: http://169.254.169.254/latest/meta-data/"
    server = serve(answers(b"", elsewhere, status="302 Found"))

    answer = http.send(http.Request.get(server.url))

    assert (answer.status, len(server.seen)) == (302, 1)
    assert answer.headers["location"].startswith("http://169.254.169.254/")


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_answers_without_a_body_end_at_once(serve, status):
    server = serve(answers(status=status, length=False))

    first = http.send(http.Request.get(server.url))
    http.send(http.Request.get(server.url))

    assert (first.status, first.body) == (int(status[:3]), b"")
    assert server.accepted == 1


def test_head_does_not_wait_for_the_body_that_is_announced(serve):
    server = serve(says(HEAD + b"Content-Length: 500\r\n\r\n", keep=True))

    answer = http.send(http.Request("HEAD", server.url))

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == "500"


def test_interim_answers_are_passed_over(serve):
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    hints = b"HTTP/1.1 103 Early Hints\r\nX-Interim: 1\r\n\r\n"
    final = HEAD + b"X-Final: 1\r\nContent-Length: 2\r\n\r\nok"
    server = serve(says(interim + hints + final))

    answer = http.send(http.Request("POST", server.url, (), b"x"))

    assert (answer.status, answer.body) == (200, b"ok")
    assert "x-final" in answer.headers
    assert "x-interim" not in answer.headers


def test_what_follows_the_body_is_no_header(serve):
    chunked = b"Transfer-Encoding: chunked\r\nTrailer: X-Late\r\n\r\n"
    body = b"2\r\nok\r\n0\r\nX-Late: 1\r\nContent-Type: text/html\r\n\r\n"
    server = serve(says(HEAD + chunked + body))

    answer = http.send(http.Request.get(server.url))

    assert answer.body == b"ok"
    assert not {"x-late", "content-type"} & {name.lower() for name in answer.headers}
