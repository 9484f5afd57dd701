"""requests-oauthlib makes the single calls, on the same road and with the same bytes."""

import logging
import re
import socket
import threading
from contextlib import closing
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oauthlib import oauth1
from oauthlib.oauth2 import WebApplicationClient

from ceadmin.lib import http
from providers import catalogue, oauth
from providers.choices import ClientAuth
from providers.errors import BadCallbackValue
from providers.revocation import identity, plan, verification
from tests.providers.support import ALL_KEYS, REVOCABLE, grant, record

REPLY = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nX-Echo: yes\r\n\r\n" + b'{"id": "77"}'
)
FRESH = re.compile(rb'oauth_(nonce|timestamp|signature)="[^"]*"')


class Recorder:
    """A server that keeps the bytes of each request and answers 200."""

    def __init__(self):
        self.seen = []
        self.reply = REPLY
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client):
        with closing(client), client.makefile("rb") as stream:
            while head := self._head(stream):
                length = re.search(rb"(?i)content-length: *(\d+)", head)
                body = stream.read(int(length[1])) if length else b""
                self.seen.append(head + body)
                client.sendall(self.reply)

    def _head(self, stream):
        lines = []
        while line := stream.readline():
            lines.append(line)
            if line == b"\r\n":
                return b"".join(lines)
        return b""


@pytest.fixture
def recorder(settings):
    it = Recorder()
    settings.DEMO, settings.EMULATOR_URL = True, it.url
    yield it
    it.listener.close()


def normal(raw):
    """Return a request's line, its headers in a fixed order, and its body."""
    head, _, body = FRESH.sub(b"", raw).partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    return line, sorted(fields), body


def both_roads(recorder, request, held):
    http.send(request)
    oauth.call(request, grant=held)
    bulk, single = recorder.seen
    return normal(bulk), normal(single)


@pytest.mark.parametrize("key", ALL_KEYS)
@pytest.mark.parametrize("make", [verification, identity])
def test_a_bearer_call_has_equal_bytes_on_both_roads(recorder, key, make):
    provider, held = catalogue.get(key), grant(key)
    request = make(provider, held)
    if request is None:
        assert provider.identity is None
        return

    bulk, single = both_roads(recorder, request, held)

    assert bulk == single


@pytest.mark.parametrize("key", REVOCABLE)
def test_a_revocation_has_equal_bytes_on_both_roads(recorder, key):
    # A header takes no other letters than ASCII's.
    plain = catalogue.get(key).revoke.call.client_auth == ClientAuth.HEADER
    secret = "s:e" if plain else "s:é"
    held = grant(key, refresh_token="a+b/c=&ü", client_secret=secret)
    [step, *_] = plan(catalogue.get(key), held)

    bulk, single = both_roads(recorder, step.request, held)

    assert bulk == single


@pytest.mark.parametrize("key", ["salesforce", "adobe_sign"])
def test_the_article_s_form_has_equal_bytes_on_both_roads(recorder, key):
    held = grant(key, access_token="a+b/c=&ü~")
    [step] = plan(catalogue.get(key), held, form="article", only="access")

    bulk, single = both_roads(recorder, step.request, held)

    assert bulk == single
    assert b"?token=a%2Bb%2Fc%3D%26%C3%BC~ " in recorder.seen[0]


@given(st.text(min_size=1), st.lists(st.tuples(st.text(), st.text()), max_size=3))
@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token"])
def test_the_standard_s_body_is_the_one_that_oauthlib_makes(hint, token, fields):
    clean = [(name or "n", value) for name, value in fields]
    _, headers, body = WebApplicationClient("").prepare_token_revocation_request(
        "https://a.example/", token, token_type_hint=hint, body=urlencode(clean)
    )

    made = oauth.revocation_body(token, hint, clean)

    assert made == (tuple(headers.items()), body.encode())


SIGNED = record(
    flow="oauth1",
    revoke__order=["access"],
    revoke__call={
        "url": "https://api.example.com/oauth/invalidate",
        "token": {"place": "signed"},
        "client_auth": "oauth1_hmac_sha1",
    },
)


def test_a_signed_call_has_equal_bytes_but_for_what_each_signature_draws(recorder):
    held = grant(token_secret="token-secret")
    [step] = plan(SIGNED, held)

    bulk, single = both_roads(recorder, step.request, held)

    assert bulk == single
    assert b'oauth_token="access-1"' in recorder.seen[1]


def test_a_signature_is_made_with_both_secrets():
    [step] = plan(SIGNED, grant(token_secret="token-secret"))
    given = dict(step.request.headers)["Authorization"]
    drawn = dict(re.findall(r'(oauth_\w+)="([^"]*)"', given))

    expected = oauth1.Client(
        "client-1",
        client_secret="secret-1",
        resource_owner_key="access-1",
        resource_owner_secret="token-secret",
        nonce=drawn["oauth_nonce"],
        timestamp=drawn["oauth_timestamp"],
    )
    _, headers, _ = expected.sign(step.request.url, "POST")

    assert headers["Authorization"] == given


def test_a_single_call_gives_the_seam_s_answer(recorder):
    answer = oauth.call(http.Request.get("https://api.example.com/me"))

    assert (answer.status, answer.json()) == (200, {"id": "77"})
    assert answer.headers["x-echo"] == "yes"


def test_a_single_call_follows_no_redirect(recorder):
    recorder.reply = b"HTTP/1.1 302 Found\r\nLocation: https://evil.com/\r\nContent-Length: 0\r\n\r\n"

    answer = oauth.call(http.Request.get("https://api.example.com/me"))

    assert answer.status == 302
    assert len(recorder.seen) == 1


def test_a_single_call_fails_as_the_seam_does(settings):
    settings.DEMO, settings.EMULATOR_URL = True, "http://127.0.0.1:9"

    with pytest.raises(http.Unreachable):
        oauth.call(http.Request.get("https://api.example.com/me"))


def test_a_private_address_is_blocked_here_too(settings):
    settings.EMULATOR_URL = ""

    with pytest.raises(http.Blocked):
        oauth.call(http.Request.get("https://127.0.0.1/me"))


def test_the_libraries_log_no_secret(recorder, caplog):
    held = grant("generic_rfc7009", access_token="A-CANARY", client_secret="S-CANARY")
    with caplog.at_level(logging.NOTSET):
        for step in plan(catalogue.get("generic_rfc7009"), held):
            oauth.call(step.request, grant=held)
        oauth.call(verification(catalogue.get("box"), held), grant=held)

    for name in ("oauthlib", "requests_oauthlib", "urllib3"):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO)
    assert "CANARY" not in caplog.text


# Consent


def test_consent_extras_come_from_the_record():
    provider = record(consent__extras={"access_type": "offline", "prompt": "consent"})

    extras = oauth.consent_extras(provider)

    assert extras == {"access_type": "offline", "prompt": "consent"}
    assert oauth.consent_extras(catalogue.get("box")) == {}


def test_the_company_s_id_comes_back_beside_the_code():
    query = {"code": "c", "state": "s", "realmId": "4620816365", "other": "x"}

    values = oauth.callback_values(catalogue.get("quickbooks"), query)

    assert values == {"realmId": "4620816365"}
    assert oauth.provider_data(catalogue.get("quickbooks"), query) == values


def test_the_access_point_is_known_and_not_sent_to_the_platform():
    query = {"code": "c", "api_access_point": "https://api.na1.adobesign.com/"}
    adobe = catalogue.get("adobe_sign")

    assert oauth.callback_values(adobe, query) == {
        "api_access_point": "https://api.na1.adobesign.com/"
    }
    assert oauth.provider_data(adobe, query) == {}


@pytest.mark.parametrize(
    ("key", "query", "problem"),
    [
        ("quickbooks", {}, "realmId is missing"),
        ("quickbooks", {"realmId": ""}, "realmId is missing"),
        ("quickbooks", {"realmId": "1\n"}, "realmId is not of the expected shape"),
        ("quickbooks", {"realmId": "../1"}, "realmId is not of the expected shape"),
        ("quickbooks", {"realmId": "1" * 33}, "realmId is not of the expected shape"),
        (
            "adobe_sign",
            {"api_access_point": "https://evil.com/"},
            "not of the expected",
        ),
    ],
)
def test_a_callback_value_that_does_not_fit_is_refused(key, query, problem):
    with pytest.raises(BadCallbackValue, match=problem):
        oauth.callback_values(catalogue.get(key), query)
