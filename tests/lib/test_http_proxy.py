"""The one proxy that the settings name, and what is said when it fails."""

import re
import socket
import threading
from contextlib import closing, suppress

import pytest

from ceadmin.lib import http
from tests.lib.hostile import answers, is_silent, says

pytestmark = pytest.mark.usefixtures("real_world", "trusted")

CALL = http.Request("POST", "https://api.example.com/x", (), b"token=1", deadline=1.0)


@pytest.fixture
def server(serve, authority, certificate):
    """A server that passes for api.example.com."""
    return serve(answers(b"ok"), certificate(authority.issue_cert("api.example.com")))


def leads_to(server):
    """Behave as a proxy that opens a tunnel to a server, whatever name it is told."""

    def pump(source, target):
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def behave(client, request):
        with closing(socket.create_connection(("127.0.0.1", server.port))) as onward:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pump, args=(onward, client), daemon=True)
            back.start()
            pump(client, onward)
            back.join(5)

    return behave


def failure(proxy, settings):
    """Return type and code of what a call through the proxy ends with."""
    settings.OUTBOUND_PROXY = proxy
    with pytest.raises(http.HttpError) as caught:
        http.send(CALL)
    return type(caught.value), caught.value.code


def test_a_call_goes_through_the_tunnel_and_the_proxy_reads_nothing(
    serve, server, settings
):
    proxy = serve(leads_to(server))
    settings.OUTBOUND_PROXY = proxy.url

    answer = http.send(CALL)

    assert (answer.status, answer.body) == (200, b"ok")
    assert "Connection established" not in str(dict(answer.headers))
    assert re.match(rb"CONNECT api\.example\.com:443 ", proxy.seen[0])
    assert b"token" not in proxy.seen[0]
    assert server.seen[0].startswith(b"POST /x HTTP/1.1\r\n")


def test_a_proxy_that_poses_as_the_server_is_found_out(
    serve, authority, certificate, settings
):
    imposter = serve(answers(b"ok"), certificate(authority.issue_cert("other.example")))
    proxy = serve(leads_to(imposter))

    assert failure(proxy.url, settings) == (http.Unreachable, "tls")
    assert imposter.seen == []


@pytest.mark.parametrize(
    ("behave", "code"),
    [
        (answers(status="403 Forbidden"), "proxy"),
        (answers(status="407 Proxy Authentication Required"), "proxy"),
        (answers(b"", "Location: https://other.example/", status="302 Found"), "proxy"),
        (answers(status="502 Bad Gateway"), "proxy"),
        (says(b"HTTP/1.1 200 OK\r\n\r\n"), "tls"),
        (is_silent, "connect_timeout"),
    ],
)
def test_what_a_proxy_refuses_was_certainly_not_sent(serve, settings, behave, code):
    assert failure(serve(behave).url, settings) == (http.Unreachable, code)


def test_a_proxy_that_is_down_was_not_sent_anything(settings):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"

    assert failure(address, settings) == (http.Unreachable, "nobody_listens")
