"""What each record sends, and that hostile values arrive as they are."""

import base64
import json
from urllib.parse import parse_qsl, unquote, unquote_plus, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers import catalogue, oauth
from providers.revocation import NotRevocable, plan
from tests.providers.support import grant, record

FORM = "application/x-www-form-urlencoded"
HOSTILE = [
    "a+b/c=d==",
    "a b&token=c#d?e",
    "100%&%26%2526",
    "00D!AQ4.x_y~z-*",
    "';--<script>\"",
    "{client_secret}",
    "ünï→😀",
    "a;b,c|d\\e^f`g",
    "line\nfeed\ttab",
]


def only_request(key, form="default", **changes):
    [step] = plan(catalogue.get(key), grant(key, **changes), form=form, only="refresh")
    return step.request


def header(request, name):
    found = [value for key, value in request.headers if key.lower() == name]
    assert len(found) == 1
    return found[0]


def fields(request):
    assert header(request, "content-type").startswith(FORM)
    return parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True)


def test_box_gets_a_form_with_the_app_s_credentials_and_no_hint():
    request = only_request("box")

    assert (request.method, request.url) == (
        "POST",
        "https://api.box.com/oauth2/revoke",
    )
    assert dict(fields(request)) == {
        "client_id": "client-1",
        "client_secret": "secret-1",
        "token": "refresh-1",
    }


def test_salesforce_gets_a_form_at_the_instance_s_own_host():
    request = only_request("salesforce", site={"instance": "acme--uat.sandbox.my"})

    assert request.method == "POST"
    assert request.url == (
        "https://acme--uat.sandbox.my.salesforce.com/services/oauth2/revoke"
    )
    assert fields(request) == [("token", "refresh-1")]


def test_adobe_sign_gets_a_form_at_the_account_s_own_shard():
    request = only_request("adobe_sign", site={"shard": "eu2"})

    assert request.method == "POST"
    assert request.url == "https://api.eu2.adobesign.com/oauth/v2/revoke"
    assert fields(request) == [("token", "refresh-1")]


def test_quickbooks_gets_json_with_basic():
    request = only_request("quickbooks")

    assert request.method == "POST"
    assert request.url == "https://developer.api.intuit.com/v2/oauth2/tokens/revoke"
    assert json.loads(request.body) == {"token": "refresh-1"}
    assert header(request, "content-type").startswith("application/json")
    assert header(request, "accept") == "application/json"
    assert (
        header(request, "authorization")
        == "Basic " + base64.b64encode(b"client-1:secret-1").decode()
    )


def test_a_standard_server_gets_a_hint_and_basic():
    steps = plan(catalogue.get("generic_rfc7009"), grant("generic_rfc7009"))

    assert [fields(step.request) for step in steps] == [
        [("token", "refresh-1"), ("token_type_hint", "refresh_token")],
        [("token", "access-1"), ("token_type_hint", "access_token")],
    ]
    assert header(steps[0].request, "authorization").startswith("Basic ")


@pytest.mark.parametrize(
    ("method", "credentials"),
    [
        (
            "client_secret_post",
            [("client_id", "client-1"), ("client_secret", "secret-1")],
        ),
        ("none", [("client_id", "client-1")]),
    ],
)
def test_a_standard_server_may_want_the_credentials_elsewhere(method, credentials):
    site = {"revocation_endpoint": "https://id.example.com/r", "client_auth": method}

    request = only_request("generic_rfc7009", site=site)

    assert fields(request)[:-2] == credentials
    assert "Authorization" not in dict(request.headers)


def test_an_address_with_a_query_keeps_it():
    site = {"revocation_endpoint": "https://id.example.com/r?tenant=a"}

    request = only_request("generic_rfc7009", site=site)

    assert request.url == "https://id.example.com/r?tenant=a"


@pytest.mark.parametrize("token", HOSTILE)
def test_a_token_arrives_whole_in_a_form(token):
    assert ("token", token) in fields(only_request("box", refresh_token=token))


@pytest.mark.parametrize("token", HOSTILE)
@pytest.mark.parametrize("key", ["salesforce", "adobe_sign"])
def test_a_token_arrives_whole_in_a_query(key, token):
    request = only_request(key, form="article", refresh_token=token)

    parts = urlsplit(request.url)

    assert unquote(parts.query) == f"token={token}"
    assert dict(parse_qsl(parts.query)) == {"token": token}
    assert request.url.isascii()
    assert (parts.fragment, request.body) == ("", None)


@pytest.mark.parametrize("token", HOSTILE)
def test_a_token_arrives_whole_in_json(token):
    request = only_request("quickbooks", refresh_token=token)

    assert json.loads(request.body) == {"token": token}


@pytest.mark.parametrize("token", HOSTILE)
def test_a_token_arrives_whole_in_a_path(token):
    provider = record(
        revoke__call={
            "method": "DELETE",
            "url": "https://api.example.com/tokens/{token}",
            "token": {"place": "path"},
        }
    )

    [step, _] = plan(provider, grant(refresh_token=token))
    path = urlsplit(step.request.url).path

    assert path.count("/") == 2
    assert unquote(path.rpartition("/")[2]) == token


@pytest.mark.parametrize("token", [".", ".."])
def test_a_token_that_would_be_a_step_in_the_path_is_refused(token):
    provider = record(
        revoke__call={
            "url": "https://api.example.com/tokens/{token}",
            "token": {"place": "path"},
        }
    )

    with pytest.raises(NotRevocable, match="cannot be sent"):
        plan(provider, grant(refresh_token=token))


@pytest.mark.parametrize("text", HOSTILE)
def test_credentials_arrive_whole_in_basic(text):
    value = oauth.basic(f"id:{text}", text)

    decoded = base64.b64decode(value.removeprefix("Basic ")).decode("ascii")
    client_id, secret = decoded.split(":")

    assert (unquote_plus(client_id), unquote_plus(secret)) == (f"id:{text}", text)


@pytest.mark.parametrize("token", ["a\r\nX-Evil: 1", "a\nb", "ünï", "a\tb", "a\x7fb"])
def test_a_token_that_would_break_a_header_is_refused(token):
    provider = record(
        revoke__call={"url": "https://x.example.com", "token": {"place": "bearer"}}
    )

    with pytest.raises(NotRevocable) as caught:
        plan(provider, grant(refresh_token=token))

    assert caught.value.code == "bad_token"


@settings(deadline=None)
@given(
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1
    )
)
def test_whatever_a_token_is_it_arrives_whole(token):
    form = fields(only_request("salesforce", refresh_token=token))
    query = urlsplit(
        only_request("salesforce", "article", refresh_token=token).url
    ).query
    payload = json.loads(only_request("quickbooks", refresh_token=token).body)

    assert form == [("token", token)]
    assert unquote(query) == f"token={token}"
    assert payload == {"token": token}


SHAPES = [
    (
        {
            "url": "https://x.example.com/r",
            "token": {"place": "header", "name": "X-Token"},
        },
        {"X-Token": "refresh-1"},
        None,
    ),
    (
        {
            "url": "https://x.example.com/r",
            "token": {"place": "bearer", "scheme": "Zoho-oauthtoken"},
        },
        {"Authorization": "Zoho-oauthtoken refresh-1"},
        None,
    ),
    (
        {
            "url": "https://x.example.com/r",
            "token": {"place": "form", "name": "token"},
            "client_auth": "bearer",
        },
        {"Authorization": "Bearer access-1"},
        {"token": "refresh-1"},
    ),
    (
        {
            "url": "https://x.example.com/r",
            "token": {"place": "json", "name": "access_token"},
            "client_auth": "header",
            "fields": {"client_id": "{client_id}"},
            "headers": {"Authorization": "Client {client_secret}"},
        },
        {"Authorization": "Client secret-1"},
        {"client_id": "client-1", "access_token": "refresh-1"},
    ),
    (
        {
            "url": "https://x.example.com/r",
            "token": {"place": "form", "name": "token"},
            "client_auth": "body",
            "client_id_field": "client_key",
        },
        {},
        {"client_key": "client-1", "client_secret": "secret-1", "token": "refresh-1"},
    ),
    (
        {
            "url": "https://x.example.com/{client_id}",
            "token": {"place": "none"},
            "body": "form",
            "fields": {"account": "a"},
        },
        {},
        {"account": "a"},
    ),
]


@pytest.mark.parametrize(("call", "headers", "body"), SHAPES)
def test_other_shapes_are_data_too(call, headers, body):
    [step, *_] = plan(record(revoke__call=call), grant())
    request = step.request

    assert headers.items() <= dict(request.headers).items()
    if body is None:
        assert request.body is None
    elif "json" in dict(request.headers)["Content-Type"]:
        assert json.loads(request.body) == body
    else:
        assert dict(fields(request)) == body


def test_a_secret_that_looks_like_a_placeholder_is_not_filled_in():
    call = {
        "url": "https://x.example.com/r",
        "token": {"place": "form", "name": "token"},
        "fields": {"secret": "{client_secret}"},
    }

    [step, *_] = plan(record(revoke__call=call), grant(client_secret="{token}"))

    assert dict(fields(step.request))["secret"] == "{token}"
