"""What stands under a secret's name is masked, whatever it is."""

import json

import pytest

from ceadmin.lib import redact

VALUE = "Zx9-kanari.Y7~q/Q+=="


@pytest.mark.parametrize(
    "text",
    [
        f"https://h.test/p?access_token={VALUE}&x=1",
        f"https://h.test/p?x=1&refresh_token={VALUE}#end",
        f"grant_type=x&client_secret={VALUE}",
        f"GET /callback?state={VALUE}&code={VALUE}",
        f"to=https%3A%2F%2Fh.test%2F%3Fcode%3D{VALUE}%26x%3D1",
        json.dumps({"oauth.user.token": VALUE, "x": 1}),
        json.dumps({"userSecret": VALUE, "refreshToken": VALUE}),
        json.dumps({"body": json.dumps({"access_token": VALUE, "x": 1})}),
        json.dumps({"a": json.dumps({"b": json.dumps({"apiKey": VALUE})})}),
        json.dumps({"password": f'quo"te {VALUE}', "x": 1}),
        str({"client_secret": VALUE, "x": 1}),
        str({"token": VALUE.encode()}),
        f"<response><access_token>{VALUE}</access_token></response>",
        f"<ns:clientSecret>{VALUE}</ns:clientSecret>",
        f"Authorization: Bearer {VALUE}",
        f"authorization: User {VALUE}, Organization {VALUE}",
        f"sent User {VALUE}, Organization {VALUE}, Element {VALUE} there",
        f"Set-Cookie: session={VALUE}; Path=/",
        f"called with bearer {VALUE} today",
        f"https://anna:{VALUE.replace('/', '')}@h.test/",
        f'{{"access_token": "{VALUE}',
    ],
)
def test_a_value_under_a_secret_s_name_is_masked(text):
    masked = redact.text(text)

    assert "kanari" not in masked
    assert redact.MASK in masked


@pytest.mark.parametrize(
    "text",
    [
        '{"code":"INVALID_ACCESS_TOKEN","message":"Access token provided is invalid"}',
        '[{"errorCode":"INVALID_SESSION_ID","message":"Session expired or invalid"}]',
        '{"error":"invalid_token","error_description":"the token was revoked"}',
        '{"Fault":{"Error":[{"code":"3200"}],"type":"AUTHENTICATION"}}',
        '{"token_type":"bearer","expires_in":3600}',
        "run 7 of organization 0a1b2c3d-0000-4000-8000-123456789abc: state=paused",
        "answered 401, status_code=401",
        "<html><title>token</title><code>NOT_FOUND</code><p>secret</p></html>",
        "https://api.box.com/oauth2/revoke?page=2",
    ],
)
def test_what_is_no_secret_can_be_read(text):
    assert redact.text(text) == text


def test_an_address_keeps_all_but_its_secrets():
    url = redact.url("https://h.test/a/tok-12345/b?token=x&page=2", "tok-12345")

    assert url == "https://h.test/a/********/b?token=********&page=2"


def test_a_mapping_is_masked_by_key_and_by_value_at_any_depth():
    redact.learn("canary-value")
    given = {
        "client_secret": "x",
        "note": "has canary-value inside",
        "canary-value": 1,
        "raw": b"canary-value",
        "deep": [{"apiKey": "y", "count": 3}, ("canary-value", None, True)],
        "code": "invalid_grant",
    }

    assert redact.mapping(given) == {
        "client_secret": "********",
        "note": "has ******** inside",
        "********": 1,
        "raw": "********",
        "deep": [{"apiKey": "********", "count": 3}, ["********", None, True]],
        "code": "invalid_grant",
    }


def test_a_mapping_that_holds_itself_comes_to_an_end():
    given = {"name": "box"}
    given["self"] = given

    assert "********" in str(redact.mapping(given))


@pytest.mark.parametrize(
    ("value", "expected"),
    [("********", True), ("***", True), ("**", False), ("", False), ("a***", False)],
)
def test_the_platform_s_mask_is_known(value, expected):
    assert redact.is_masked(value) is expected
