"""In the demo every address stays on this machine, and only there."""

import pytest

from ceadmin.lib import http
from tests.lib.hostile import answers


@pytest.fixture
def emulator(serve, settings):
    """A server in the emulator's place."""
    server = serve(answers(b"ok"))
    settings.DEMO, settings.EMULATOR_URL = True, server.url
    return server


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("https://api.box.com/oauth2/revoke", b"POST /api.box.com/oauth2/revoke"),
        ("https://na54.my.sf.com/s?token=a%2Fb", b"POST /na54.my.sf.com/s?token=a%2Fb"),
        ("https://api.example.com", b"POST /api.example.com"),
        ("https://api.example.com:8443/x", b"POST /api.example.com:8443/x"),
        ("https://10.0.0.1/x", b"POST /10.0.0.1/x"),
        (
            "https://staging.example.com/elements/api-v2/instances?a=b",
            b"POST /staging.example.com/elements/api-v2/instances?a=b",
        ),
    ],
)
def test_every_host_is_the_emulator_s(emulator, url, line):
    http.send(http.Request("POST", url, (), b"x"))

    assert emulator.seen[0].split(b" HTTP/1.1\r\n")[0] == line


@pytest.mark.parametrize("url", ["http://api.box.com/", "ftp://api.box.com/", "//x/"])
def test_what_would_not_leave_a_real_installation_does_not_leave_here(emulator, url):
    with pytest.raises(http.Blocked):
        http.send(http.Request.get(url))

    assert emulator.accepted == 0


def test_loopback_itself_is_not_open(emulator):
    with pytest.raises(http.Blocked):
        http.send(http.Request.get(emulator.url))


def test_no_proxy_stands_between_us_and_the_emulator(emulator, serve, settings):
    proxy = serve(answers())
    settings.OUTBOUND_PROXY = proxy.url

    http.send(http.Request.get("https://api.box.com/"))

    assert (proxy.accepted, emulator.accepted) == (0, 1)


def test_browsers_are_sent_to_the_emulator_too(emulator):
    assert (
        http.browser_url("https://account.box.com/api?a=b%20c&state=1")
        == f"{emulator.url}/account.box.com/api?a=b%20c&state=1"
    )
    assert http.browser_url("http://account.box.com/") == "http://account.box.com/"


@pytest.mark.parametrize(
    ("demo", "emulator_url", "stays"),
    [
        (True, "http://127.0.0.1:9900", True),
        (True, "http://127.8.9.10:9900", True),
        (True, "http://localhost:9900", True),
        (True, "http://[::1]:9900", True),
        (False, "http://127.0.0.1:9900", False),
        (True, "", False),
        (True, "http://emulator.example.com:9900", False),
        (True, "http://10.0.0.1:9900", False),
        (True, "http://127.0.0.1.example.com", False),
        (True, "http://localhost@example.com", False),
    ],
)
def test_only_a_demo_with_an_emulator_on_this_machine_is_one(
    settings, demo, emulator_url, stays
):
    settings.DEMO, settings.EMULATOR_URL = demo, emulator_url
    url = "https://account.box.com/api"

    assert http.emulated() is stays
    assert (http.browser_url(url) != url) is stays


def test_an_emulator_elsewhere_opens_no_door(settings, serve):
    server = serve(answers())
    settings.DEMO, settings.EMULATOR_URL = True, "http://10.0.0.1:9900"

    with pytest.raises(http.Blocked):
        http.send(http.Request.get(f"https://127.0.0.1:{server.port}/"))

    assert server.accepted == 0
