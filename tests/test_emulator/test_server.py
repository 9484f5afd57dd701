"""The HTTP server: keep-alive, many connections, odd requests."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection

import pytest

from tests.test_emulator.tenant import send


def raw(port, data):
    """Send bytes and return all that comes back until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
        sock.sendall(data)
        return b"".join(iter(lambda: sock.recv(65536), b""))


def test_a_connection_is_kept(acme):
    instance = acme.instance()
    with closing(
        HTTPConnection("127.0.0.1", acme.emulator.port, timeout=5)
    ) as connection:
        connection.connect()
        sock = connection.sock
        for _ in range(50):
            connection.request(
                "GET", "/elements/api-v2/ping", None, acme.header(instance)
            )
            assert connection.getresponse().read()
        assert connection.sock is sock


def test_hundreds_of_connections_are_accepted_at_once(emulator):
    with ExitStack() as stack:
        for _ in range(400):
            address = ("127.0.0.1", emulator.port)
            stack.enter_context(socket.create_connection(address, timeout=2))
        assert send(emulator.port, "GET", "/_control/health").status == 200


def test_parallel_callers_get_their_own_answers(acme):
    instances = acme.instances(40)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(acme.ping, instances))

    ids = [int(a.headers["elements-element-instance-id"]) for a in answers]
    assert ids == [row["id"] for row in instances]


def test_requests_in_one_packet_are_answered_in_order(emulator):
    first = b"GET /_control/health HTTP/1.1\r\n\r\n"
    last = b"GET /nothing HTTP/1.1\r\nConnection: close\r\n\r\n"

    answers = raw(emulator.port, first + last)

    assert answers.startswith(b"HTTP/1.1 200")
    assert answers.count(b"HTTP/1.1 404") == 1


def test_a_request_in_small_pieces_is_put_together(emulator):
    with socket.create_connection(("127.0.0.1", emulator.port), timeout=5) as sock:
        for byte in b"GET /_control/health HTTP/1.1\r\nConnection: close\r\n\r\n":
            sock.sendall(bytes([byte]))
        assert sock.recv(100).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"413"),
        (b"GET /" + b"x" * 300_000, b"431"),
        (b"HEAD /nothing HTTP/1.1\r\nConnection: close\r\n\r\n", b"404"),
    ],
)
def test_odd_requests_are_answered_and_closed(emulator, data, status):
    assert raw(emulator.port, data).startswith(b"HTTP/1.1 " + status)


def test_a_client_that_waits_for_100_continue_is_told_to_go_on(emulator):
    head = b"POST /_control/organizations HTTP/1.1\r\nContent-Length: 2\r\n"
    with socket.create_connection(("127.0.0.1", emulator.port), timeout=5) as sock:
        sock.sendall(head + b"Expect: 100-continue\r\nConnection: close\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 100")
        sock.sendall(b"{}")
        assert sock.recv(1000).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("path", ["/", "/favicon.ico"])
def test_a_browsers_own_requests_are_not_logged(emulator, path):
    send(emulator.port, "GET", path)

    assert emulator.log() == []


def test_the_platform_answers_at_any_host(acme):
    path = "/api.openconnectors.eu10.ext.hana.ondemand.com/elements/api-v2"
    port = acme.emulator.port

    answer = send(port, "GET", f"{path}/organizations/me", None, acme.header())

    assert answer.status == 200
    assert acme.emulator.log()[-1]["host"].startswith("api.openconnectors.eu10")


def test_stopping_twice_is_fine(emulator):
    emulator.stop()
    emulator.stop()

    with pytest.raises(ConnectionRefusedError):
        send(emulator.port, "GET", "/")
