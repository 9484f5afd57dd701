"""Handles serve one call after another: what was set for one is gone for the next."""

import gc
import itertools
import socket
import time

import pycurl
import pytest

from ceadmin.lib import http, http_handle
from ceadmin.lib.http_handle import Exchange, Handle
from tests.lib.hostile import answers, by_path, hangs_up

SECRET = "SECRET-canary-of-a-call"
BEARER = (("Authorization", f"Bearer {SECRET}"),)

#: One call of each manner; none of them may rub off on the next.
CALLS = {
    "get": ("GET", "/get", (), None, 20.0),
    "head": ("HEAD", "/head", (), None, 20.0),
    "get with secrets": ("GET", f"/a?token={SECRET}", BEARER, None, 20.0),
    "post": ("POST", "/post", BEARER, f"token={SECRET}".encode(), 20.0),
    "post, another length": ("POST", "/post", (), b"x", 5.0),
    "empty post": ("POST", "/empty", (), b"", 20.0),
    "empty put": ("PUT", "/put", (("Accept", "a/b"),), None, 7.0),
    "patch": ("PATCH", "/patch", (("Content-Type", "a/b"),), b"{}", 20.0),
    "delete": ("DELETE", "/delete", (), None, 20.0),
    "delete with a body": ("DELETE", "/delete", (), b"x", 20.0),
    "get with a body": ("GET", "/body", (), b"x", 20.0),
}


def request_of(server, name):
    """Return the request of a manner of calling."""
    method, path, headers, body, deadline = CALLS[name]
    return http.Request(method, server.url + path, headers, body, deadline)


def perform(handle, request):
    """Make a call on a handle and return what came of it."""
    exchange = Exchange(request)
    handle.begin(exchange)
    try:
        handle.curl.perform()
        return exchange.outcome(handle.curl)
    except pycurl.error as error:
        return exchange.outcome(handle.curl, error.args[0])
    finally:
        handle.end()


@pytest.fixture
def handle():
    """A handle of its own."""
    made = Handle()
    yield made
    made.close()


@pytest.mark.usefixtures("loopback")
def test_a_call_leaves_alike_whatever_the_handle_served_before(serve, handle):
    server = serve(answers(b"ok"))
    alone = {}
    for name in CALLS:
        fresh = Handle()
        perform(fresh, request_of(server, name))
        fresh.close()
        alone[name] = server.seen[-1]

    for first, second in itertools.permutations(CALLS, 2):
        perform(handle, request_of(server, first))
        perform(handle, request_of(server, second))
        assert server.seen[-2:] == [alone[first], alone[second]], (first, second)


@pytest.mark.usefixtures("loopback")
@pytest.mark.parametrize("name", ["get with secrets", "post"])
def test_a_handle_that_was_used_holds_no_secret(serve, handle, capfd, name):
    server = serve(answers(b"ok", f"X-Token: {SECRET}"))
    assert perform(handle, request_of(server, name)).status == 200

    handle.curl.setopt(pycurl.URL, server.url)
    handle.curl.setopt(pycurl.POST, True)
    handle.curl.setopt(pycurl.WRITEFUNCTION, lambda data: None)
    handle.curl.setopt(pycurl.POSTFIELDSIZE_LARGE, 0)
    with pytest.raises(pycurl.error):  # no call, so nobody to judge the address for
        handle.curl.perform()

    assert len(server.seen) == 1
    assert handle.curl.getinfo(pycurl.EFFECTIVE_URL).rstrip("/") == server.url
    assert handle._source.getvalue() == b""
    assert SECRET not in "".join(map(str, capfd.readouterr()))


@pytest.mark.usefixtures("loopback")
def test_nothing_of_a_call_is_kept_when_it_is_over(serve):
    server = serve(by_path(good=answers(b"ok"), bad=hangs_up))
    loop, outcomes = http.Multi(3), []
    for path in ["good", "bad"] * 10:
        request = http.Request("POST", f"{server.url}/{path}", BEARER, SECRET.encode())
        loop.add(request, lambda outcome: outcomes.append(type(outcome)))
    while not loop.idle:
        loop.poll(1)
    del request
    gc.collect()

    held = [one for one in gc.get_objects() if isinstance(one, Exchange | http.Request)]
    assert len(outcomes) == 20
    assert [one for one in held if getattr(one, "url", "").startswith(server.url)] == []
    loop.close()


def test_changed_settings_reach_a_handle_that_was_used(
    serve, handle, settings, real_world, authority, certificate, trusted
):
    inside = serve(answers(b"ok"))
    proxy = serve(answers(status="403 Forbidden"))
    issued = authority.issue_cert("localhost")
    encrypted = serve(answers(b"ok"), certificate(issued))
    with http.allow_loopback():
        assert perform(handle, http.Request.get(inside.url)).status == 200
        assert perform(handle, http.Request.get(encrypted.url)).status == 200
        settings.OUTBOUND_CA_FILE = ""
        untrusted = serve(answers(b"ok"), certificate(issued))
        assert perform(handle, http.Request.get(untrusted.url)).code == "tls"

    settings.OUTBOUND_PROXY = proxy.url
    outside = perform(handle, http.Request.get("https://api.example.com/"))
    assert (type(outside), len(proxy.seen)) == (http.Unreachable, 1)
    settings.OUTBOUND_PROXY = ""
    settings.DEMO, settings.EMULATOR_URL = True, inside.url
    emulated = perform(handle, http.Request.get("https://api.example.com/x"))
    assert emulated.status == 200
    assert inside.seen[-1].startswith(b"GET /api.example.com/x ")
    settings.DEMO = False
    with pytest.raises(http.Blocked):
        perform(handle, http.Request.get(inside.url))
    assert len(proxy.seen) == 1


@pytest.mark.usefixtures("loopback")
def test_a_shorter_deadline_is_that_of_its_call_alone(handle):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        for deadline in (0.3, 0.1, 0.2):
            outcome = perform(handle, http.Request("GET", url, deadline=deadline))
            assert outcome.code == "timeout"
            spent = handle.curl.getinfo(pycurl.TOTAL_TIME)
            assert deadline - 0.02 <= spent < deadline + 5


@pytest.mark.usefixtures("loopback")
def test_a_connection_that_nobody_used_for_long_is_not_used_again(serve, monkeypatch):
    monkeypatch.setattr(http_handle, "_IDLE", 1)
    server, handle = serve(answers(b"ok")), Handle()
    for pause in (0, 0, 2.2):
        time.sleep(pause)
        assert (
            perform(handle, http.Request("POST", server.url, body=b"x")).status == 200
        )
    handle.close()

    assert server.accepted == 2
