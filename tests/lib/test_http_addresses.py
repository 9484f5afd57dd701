"""Which addresses may be called: judged in every spelling, at the moment of connecting."""

import ipaddress
import socket

import pycurl
import pytest

from ceadmin.lib import http
from ceadmin.lib.http_guard import is_public
from ceadmin.lib.http_handle import Exchange, Handle
from tests.lib.hostile import answers

pytestmark = pytest.mark.usefixtures("real_world")

PRIVATE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.32.0.1"]


def carriers(text):
    """Yield the IPv6 addresses that carry an IPv4 address."""
    number = int(ipaddress.IPv4Address(text))
    server = int(ipaddress.IPv4Address("8.8.8.8"))
    yield f"::ffff:{text}"  # mapped
    yield f"::{text}"  # compatible
    yield f"::ffff:0:{text}"  # translated
    yield f"64:ff9b::{text}"  # NAT64
    yield str(ipaddress.IPv6Address((0x2002 << 112) + (number << 80)))  # 6to4
    teredo = (0x20010000 << 96) + (server << 64) + (number ^ 0xFFFFFFFF)
    yield str(ipaddress.IPv6Address(teredo))


@pytest.mark.parametrize("text", PRIVATE)
def test_an_address_that_is_not_public_is_refused_however_it_is_carried(text):
    assert not is_public(text)
    assert [one for one in carriers(text) if is_public(one)] == []


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_may_be_called_however_it_is_carried(text):
    assert is_public(text)
    assert [one for one in carriers(text) if not is_public(one)] == []


@pytest.mark.parametrize(
    "text",
    [
        "::",
        "::1",
        "100::1",  # discard
        "64:ff9b:1::7f00:1",  # NAT64 of a private network
        "64:ff9b:1::808:808",
        "2001:0:a00:1::f7f7:f7f7",  # Teredo through a private server
        "2001:db8::1",  # documentation
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",  # site-local
        "ff02::1",
        "ff0e::1",
    ],
)
def test_special_ipv6_addresses_are_refused(text):
    assert not is_public(text)


def test_a_public_ipv6_address_may_be_called():
    assert is_public("2606:4700:4700::1111")


SPELLINGS = [
    "127.0.0.1",
    "127.1",
    "127.0.0.1.",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "0",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "box.localhost",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "169.254.169.254",
    "[fd00:ec2::254]",
]


@pytest.mark.parametrize("host", SPELLINGS)
def test_every_spelling_of_a_place_inside_is_refused(host, serve):
    server = serve(answers())

    with pytest.raises(http.Blocked) as refusal:
        http.send(http.Request.get(f"https://{host}:{server.port}/"))

    assert refusal.value.code == "blocked_address"
    assert server.accepted == 0


@pytest.mark.parametrize("host", SPELLINGS)
def test_a_proxy_is_not_asked_to_go_there_either(host, serve, settings):
    proxy = serve(answers())
    settings.OUTBOUND_PROXY = proxy.url

    with pytest.raises(http.Blocked):
        http.send(http.Request.get(f"https://{host}/"))

    assert proxy.accepted == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/",
        "HTTP://api.example.com/",
        "ftp://api.example.com/",
        "gopher://api.example.com/",
        "file://localhost/etc/passwd",
    ],
)
def test_other_schemes_than_https_are_refused(url):
    with pytest.raises(http.Blocked) as refusal:
        http.send(http.Request.get(url))

    assert refusal.value.code == "blocked_scheme"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https:///path",
        "api.example.com",
        "https://name@api.example.com/",
        "https://name:word@api.example.com/",
        "https://@api.example.com/",
        "https://api.example.com:99999/",
        "https://api.example.com:port/",
        "https://[::1/",
        "https://api.example.com\\@127.0.0.1/",
        "https://api.example.com/\r\nHost: other",
        "https://api.example.com/a b",
        "https://api.example.com/\x00",
        "https://bücher.example/",
        "https://①②⑦.0.0.1/",
        "https://127。0。0。1/",
        "https://127%2e0%2e0%2e1/",
        "https://loc%61lhost/",
        "https://[fe80::1%25eth0]/",
        "https://api.example.com,127.0.0.1/",
    ],
)
def test_a_url_that_can_be_read_in_two_ways_is_refused(url):
    with pytest.raises(http.Blocked) as refusal:
        http.send(http.Request.get(url))

    assert refusal.value.code == "blocked_url"


def prepared(request, port):
    """Return a call whose name leads to this machine, and the handle to make it with."""
    exchange, handle = Exchange(request), Handle()
    handle.begin(exchange)
    handle.curl.setopt(pycurl.RESOLVE, [f"api.example.com:{port}:127.0.0.1"])
    return exchange, handle


def test_a_name_that_leads_inside_when_it_is_called_is_refused(serve):
    server = serve(answers())
    request = http.Request.get(f"https://api.example.com:{server.port}/")
    exchange, handle = prepared(request, server.port)

    with pytest.raises(pycurl.error) as failure:
        handle.curl.perform()

    error = exchange.outcome(handle.curl, failure.value.args[0])
    assert (type(error), error.code) == (http.Blocked, "blocked_address")
    assert server.accepted == 0


def test_a_connection_that_was_allowed_is_not_used_for_a_call_that_is_not(
    serve, authority, trusted, certificate
):
    issued = authority.issue_cert("api.example.com")
    server = serve(answers(), certificate(issued))
    request = http.Request.get(f"https://api.example.com:{server.port}/")
    allowed, handle = prepared(request, server.port)
    allowed.loopback = True
    curl = handle.curl
    curl.perform()
    handle.end()

    refused = Exchange(request)
    handle.begin(refused)
    with pytest.raises(pycurl.error) as failure:
        curl.perform()

    assert refused.outcome(curl, failure.value.args[0]).code == "blocked_address"
    assert curl.getinfo(pycurl.NUM_CONNECTS) == 0
    assert (server.accepted, len(server.seen)) == (1, 1)


def test_blocked_is_told_apart_from_nobody_listening(loopback):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(http.Unreachable) as refusal:
        http.send(http.Request.get(f"http://127.0.0.1:{port}/"))

    assert refusal.value.code == "nobody_listens"


def test_a_name_that_does_not_exist_is_said_so():
    with pytest.raises(http.Unreachable) as refusal:
        http.send(http.Request.get("https://nowhere.invalid/"))

    assert refusal.value.code == "dns"


def test_the_door_for_tests_closes_again(serve):
    server = serve(answers())
    request = http.Request.get(server.url)
    with http.allow_loopback():
        http.send(request)

    with pytest.raises(http.Blocked):
        http.send(request)


def test_the_door_for_tests_leads_to_loopback_only():
    with http.allow_loopback(), pytest.raises(http.Blocked):
        http.send(http.Request.get("https://10.0.0.1/"))
