"""Sessions of the requests family on the seam: the same road, the same bytes."""

import io

import pytest
import requests
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth1Session, OAuth2Session

from ceadmin.lib import http
from tests.lib.hostile import answers, hangs_up, is_silent, says

FORM = [("token", "a+b/c=&d é"), ("hint", "refresh_token")]
HEADERS = (("Authorization", "Basic eDp5"), ("X-One", "1"))


@pytest.fixture
def server(serve, loopback):
    """A server that answers with JSON."""
    kind = "Content-Type: application/json; charset=utf-8"
    return serve(answers(b'{"a": "\xc3\xa9"}', kind, "X-Id: 7", "Set-Cookie: a=b"))


def parts(raw: bytes):
    """Return line, set of headers and body of what arrived."""
    head, _, body = raw.partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    return line, set(fields), body


def by_session(request: http.Request) -> None:
    """Make the call with a session."""
    http.session().request(
        request.method, request.url, data=request.body, headers=dict(request.headers)
    )


def by_multi(request: http.Request) -> None:
    """Make the call with a loop."""
    loop = http.Multi()
    loop.add(request, lambda outcome: None)
    while not loop.idle:
        loop.poll(1)
    loop.close()


@pytest.mark.parametrize(
    "build",
    [
        lambda url: http.Request.get(f"{url}/a/b?c=d%20e&f=%2F", HEADERS),
        lambda url: http.Request.form("POST", f"{url}/revoke", FORM, HEADERS),
        lambda url: http.Request.json("PATCH", f"{url}/x", {"a": ["é", None]}, HEADERS),
        lambda url: http.Request("PUT", f"{url}/x", (), b"\x00\xff\r\n"),
        lambda url: http.Request("POST", f"{url}/x?token=a%2Bb"),
        lambda url: http.Request("DELETE", f"{url}/x", HEADERS),
        lambda url: http.Request.get(url, (("User-Agent", "x"), ("Accept", "a/b"))),
    ],
    ids=["get", "form", "json", "bytes", "empty post", "delete", "agent"],
)
def test_all_three_roads_send_the_same_bytes(server, build):
    request = build(server.url)

    for road in (http.send, by_multi, by_session):
        road(request)

    single, multi, session = server.seen
    assert single == multi
    assert parts(single) == parts(session)


def test_a_response_is_whole(server):
    url = f"{server.url}/a?b=c"

    response = http.session().get(url)

    assert (response.status_code, response.reason) == (200, "OK")
    assert response.ok
    assert (response.url, response.request.url) == (url, url)
    assert response.headers["x-id"] == "7"
    assert response.encoding == "utf-8"
    assert response.content == b'{"a": "\xc3\xa9"}'
    assert (response.text, response.json()) == ('{"a": "é"}', {"a": "é"})
    assert response.elapsed.total_seconds() > 0
    assert response.raw.status == 200
    assert next(response.iter_content(4)) == b'{"a"'


def test_an_error_status_is_raised_when_asked_for(serve, loopback):
    server = serve(answers(b"no", status="401 Unauthorized"))

    with pytest.raises(requests.HTTPError, match="401 Client Error: Unauthorized"):
        http.session().get(server.url).raise_for_status()


def test_a_redirect_is_returned_and_not_followed(serve, loopback):
    place = "Location: https://elsewhere.example/?code=1"
    server = serve(answers(b"", place, status="302 Found"))

    response = http.session().post(server.url, data={"a": "b"})

    assert response.status_code == 302
    assert response.headers["Location"] == "https://elsewhere.example/?code=1"
    assert (response.history, len(server.seen)) == ([], 1)


def test_cookies_are_neither_kept_nor_sent(server):
    session = http.session()

    session.get(server.url)
    session.get(server.url)

    assert len(session.cookies) == 0
    assert b"Cookie" not in server.seen[1]


def test_the_environment_has_no_say(server, serve, monkeypatch, tmp_path):
    proxy = serve(answers())
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))

    http.session().get(server.url, proxies={"http": proxy.url})

    assert proxy.accepted == 0
    assert b"Authorization" not in server.seen[0]


def test_verification_cannot_be_switched_off(serve, loopback, authority, certificate):
    server = serve(answers(), certificate(authority.issue_cert("localhost")))

    with pytest.raises(requests.exceptions.SSLError) as caught:
        http.session().get(server.url, verify=False)

    assert caught.value.__cause__.code == "tls"
    assert server.seen == []


@pytest.mark.parametrize(
    ("behave", "raised", "cause"),
    [
        (is_silent, requests.ReadTimeout, (http.Lost, "timeout")),
        (hangs_up, requests.ConnectionError, (http.Lost, "cut")),
        (says(b"garbage\r\n" * 9), requests.ConnectionError, (http.Lost, "garbage")),
    ],
)
def test_failures_are_what_requests_would_raise(serve, loopback, behave, raised, cause):
    server = serve(behave)

    with pytest.raises(raised) as caught:
        http.session().post(server.url, data="x", timeout=(5, 0.3))

    error = caught.value.__cause__
    assert (type(error), error.code) == cause
    assert caught.value.request.url == f"{server.url}/"


def test_a_silent_handshake_is_a_connect_timeout(serve, loopback):
    server = serve(is_silent)
    url = server.url.replace("http:", "https:")

    with pytest.raises(requests.ConnectTimeout) as caught:
        http.session().get(url, timeout=0.3)

    assert isinstance(caught.value.__cause__, http.Unreachable)


def test_the_guard_holds_for_sessions_too(real_world):
    with pytest.raises(requests.ConnectionError) as caught:
        http.session().get("https://127.0.0.1/?token=SECRET-canary")

    assert isinstance(caught.value.__cause__, http.Blocked)
    assert "SECRET-canary" not in str(caught.value)


def test_bodies_that_are_not_in_memory_are_refused(server):
    with pytest.raises(TypeError):
        http.session().post(server.url, data=io.BytesIO(b"x"))

    assert server.accepted == 0


def test_an_oauth2_session_travels_on_the_seam(serve, loopback, trusted, tls_server):
    token = {"access_token": "A-1", "token_type": "Bearer"}
    session = http.mount(OAuth2Session("client", token=token))

    response = session.get(f"{tls_server.url}/me")

    assert response.json() == {"id": 1}
    assert b"\r\nAuthorization: Bearer A-1\r\n" in tls_server.seen[0]
    assert b"\r\nUser-Agent: ceadmin/" in tls_server.seen[0]


def test_an_oauth2_session_fetches_a_token(serve, loopback, trusted, tls_server):
    session = http.mount(OAuth2Session("client", redirect_uri="https://us.example/"))
    tls_server.behave = answers(b'{"access_token": "A-2", "token_type": "bearer"}')

    token = session.fetch_token(
        f"{tls_server.url}/token", code="c-1", auth=HTTPBasicAuth("client", "word")
    )

    assert token["access_token"] == "A-2"
    assert b"code=c-1" in tls_server.seen[0]


def test_an_oauth1_session_travels_on_the_seam(server):
    session = http.mount(
        OAuth1Session("key", "word", resource_owner_key="A-1", signature_type="query")
    )

    assert session.get(f"{server.url}/me?x=y").json() == {"a": "é"}
    assert b"oauth_signature=" in server.seen[0].split(b"\r\n")[0]


def test_an_oauth1_session_signs_in_a_header(server):
    session = http.mount(OAuth1Session("key", "word", "A-1", "T-1"))

    session.post(f"{server.url}/me", data={"x": "y z"})

    assert b"\r\nAuthorization: OAuth oauth_nonce=" in server.seen[0]
    assert server.seen[0].endswith(b"\r\n\r\nx=y+z")


@pytest.fixture
def tls_server(serve, authority, certificate):
    """A server with a certificate."""
    issued = authority.issue_cert("localhost")
    return serve(answers(b'{"id": 1}'), certificate(issued))
