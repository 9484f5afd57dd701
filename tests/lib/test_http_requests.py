"""What leaves, byte for byte, and what never does."""

import os
import pickle
import traceback

import pytest

from ceadmin.lib import http
from tests.lib.hostile import answers, by_path, hangs_up

SECRET = "SECRET-canary-77"
BODY_METHODS = ["POST", "PUT", "PATCH", "DELETE"]


def sent(server, request: http.Request):
    """Send the request and return its line, its headers and its body as they arrived."""
    http.send(request)
    head, _, body = server.seen[-1].partition(b"\r\n\r\n")
    line, *fields = head.decode("latin-1").split("\r\n")
    return line, dict(field.split(": ", 1) for field in fields), body


@pytest.fixture
def server(serve, loopback):
    """A server that says yes to everything."""
    return serve(answers(b"{}"))


def test_a_get_carries_nothing_that_was_not_asked_for(server):
    line, headers, body = sent(server, http.Request.get(f"{server.url}/a?b=c"))

    assert line == "GET /a?b=c HTTP/1.1"
    assert headers.pop("Accept-Encoding").startswith("deflate, gzip")
    assert headers.pop("Host") == f"127.0.0.1:{server.port}"
    assert headers == {"User-Agent": "ceadmin/0.1", "Accept": "*/*"}
    assert body == b""


@pytest.mark.parametrize("method", BODY_METHODS)
@pytest.mark.parametrize("body", [b"x", b"\x00\xff\r\n", b"y" * 3_000_000])
def test_a_body_leaves_as_it_is_with_its_length(server, method, body):
    line, headers, arrived = sent(server, http.Request(method, server.url, (), body))

    assert line == f"{method} / HTTP/1.1"
    assert headers["Content-Length"] == str(len(body))
    assert "Expect" not in headers
    assert "Content-Type" not in headers
    assert arrived == body


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("body", [None, b""])
def test_a_method_that_means_a_body_says_that_it_is_empty(server, method, body):
    _, headers, arrived = sent(server, http.Request(method, server.url, (), body))

    assert headers["Content-Length"] == "0"
    assert arrived == b""


def test_a_form_is_encoded_as_forms_are(server):
    fields = [("token", "a+b/c=&d"), ("name", "Zoë ☃"), ("token", "twice")]

    _, headers, body = sent(server, http.Request.form("POST", server.url, fields))

    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert body == b"token=a%2Bb%2Fc%3D%26d&name=Zo%C3%AB+%E2%98%83&token=twice"


def test_json_is_sent_as_json(server):
    _, headers, body = sent(server, http.Request.json("PATCH", server.url, {"a": "é"}))

    assert headers["Content-Type"] == "application/json"
    assert body == b'{"a": "\\u00e9"}'


def test_given_headers_leave_in_order_and_replace_the_usual_ones(server):
    given = (("X-Two", "2"), ("Accept", "text/html"), ("X-Empty", ""), ("X-One", "1"))

    http.send(http.Request.get(server.url, given))

    head = server.seen[-1].decode()
    assert head.index("X-Two: 2") < head.index("X-Empty:") < head.index("X-One: 1")
    assert head.count("Accept:") == 1


@pytest.mark.parametrize(
    "field",
    [
        ("X-Bad", "a\r\nX-Smuggled: 1"),
        ("X-Bad", "a\nb"),
        ("X-Bad", "a\x00b"),
        ("X-Bad", "café"),
        ("X-Bad\r\nX-Smuggled", "1"),
        ("X-Bad ", "1"),
        ("X-Bad:", "1"),
        ("", "1"),
        ("Host", "other.example"),
        ("Content-Length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("expect", "100-continue"),
        ("Connection", "close"),
        ("Proxy-Authorization", "Basic eA=="),
    ],
)
def test_headers_that_break_out_are_refused(server, field):
    with pytest.raises(http.Blocked) as refusal:
        http.send(http.Request.get(server.url, (field,)))

    assert refusal.value.code == "blocked_request"
    assert server.accepted == 0


@pytest.mark.parametrize("method", ["", "GET /x HTTP/1.1\r\n", "GET\r\nX: 1", "G T"])
def test_methods_that_break_out_are_refused(server, method):
    with pytest.raises(http.Blocked):
        http.send(http.Request(method, server.url))

    assert server.accepted == 0


def test_one_connection_serves_many_calls(server):
    for method, body in [("GET", None), ("POST", b"x"), ("GET", None), ("PATCH", b"y")]:
        http.send(http.Request(method, server.url, (), body))

    assert (len(server.seen), server.accepted) == (4, 1)


@pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")
def test_a_forked_process_leaves_the_parent_s_connections_alone(server):
    http.send(http.Request.get(server.url))

    child = os.fork()
    if child == 0:
        status = http.send(http.Request.get(server.url)).status
        os._exit(0 if status == 200 else 1)

    assert os.waitpid(child, 0)[1] == 0
    http.send(http.Request.get(server.url))
    assert server.accepted == 2


# The environment


@pytest.mark.parametrize(
    "name", ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
)
def test_a_proxy_of_the_environment_is_not_used(server, serve, monkeypatch, name):
    proxy = serve(answers())
    monkeypatch.setenv(name, proxy.url)

    http.send(http.Request.get(server.url))

    assert (proxy.accepted, server.accepted) == (0, 1)


def test_passwords_of_netrc_are_not_sent(server, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login me password {SECRET}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))

    _, headers, _ = sent(server, http.Request.get(server.url))

    assert "Authorization" not in headers


def test_cookies_are_not_kept(serve, loopback):
    server = serve(answers(b"", "Set-Cookie: session=1; Path=/"))
    http.send(http.Request.get(server.url))

    _, headers, _ = sent(server, http.Request.get(server.url))

    assert "Cookie" not in headers


# The proxy of the settings


def refused_by_proxy(proxy, settings) -> http.HttpError:
    """Return what becomes of a call through the proxy."""
    settings.OUTBOUND_PROXY = proxy.url
    headers = (("Authorization", f"Bearer {SECRET}"),)
    request = http.Request("POST", "https://api.example.com/x", headers, b"token=1")
    with pytest.raises(http.HttpError) as caught:
        http.send(request)
    return caught.value


def test_the_proxy_learns_the_name_and_nothing_else(serve, real_world, settings):
    proxy = serve(answers(status="403 Forbidden"))

    error = refused_by_proxy(proxy, settings)

    assert isinstance(error, http.Unreachable)
    assert proxy.seen[0].startswith(b"CONNECT api.example.com:443 HTTP/1.1\r\n")
    assert SECRET.encode() not in proxy.seen[0]


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_the_environment_leads_nobody_past_the_proxy(
    serve, real_world, settings, monkeypatch, name
):
    monkeypatch.setenv(name, "*")
    proxy = serve(hangs_up)

    refused_by_proxy(proxy, settings)

    assert len(proxy.seen) == 1


def test_a_proxy_is_asked_for_public_names_only(serve, real_world, settings):
    proxy = serve(answers())
    settings.OUTBOUND_PROXY = proxy.url

    with pytest.raises(http.Blocked):
        http.send(http.Request.get("https://169.254.169.254/"))

    assert proxy.accepted == 0


# What is shown of a call


def test_nothing_that_describes_a_call_holds_its_secrets(serve, loopback):
    server = serve(by_path(cut=hangs_up))
    request = http.Request(
        "POST",
        f"{server.url}/cut?token={SECRET}",
        (("Authorization", SECRET),),
        SECRET.encode(),
    )

    with pytest.raises(http.Lost) as caught:
        http.send(request)

    error = caught.value
    shown = [repr(request), str(error), repr(error), *traceback.format_exception(error)]
    assert SECRET not in "".join(shown)
    assert str(error) == "POST 127.0.0.1: cut"
    assert error.request is request


def test_an_answer_shows_its_status_only(serve, loopback):
    server = serve(answers(SECRET.encode(), f"X-Token: {SECRET}"))

    answer = http.send(http.Request.get(server.url))

    assert "200" in repr(answer)
    assert SECRET not in repr(answer)


def test_a_call_can_be_compared_and_kept():
    request = http.Request.get("https://api.example.com/")

    assert pickle.loads(pickle.dumps(request)) == request
    assert hash(request) == hash(http.Request.get("https://api.example.com/"))
