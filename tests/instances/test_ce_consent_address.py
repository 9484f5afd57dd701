"""The address a person is sent to, and OAuth 1's request token, as the platform answers them."""

import pytest

from instances import cloud_elements as ce
from instances.cloud_elements import Code, Refused
from tests.instances.canned import answer


def test_a_consent_address_is_read():
    url = "https://account.box.com/api/oauth2/authorize?client_id=a&state=s"

    assert ce.read_oauth_url(answer(200, {"element": "box", "oauthUrl": url})) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        None,
        7,
        "http://account.box.com/authorize",
        "/authorize",
        "//account.box.com/authorize",
        "javascript:alert(1)",
        "https:///authorize",
        "https://user@account.box.com/",
        "https://account.box.com\\@evil.test/",
        "https://account.box.com/\r\nSet-Cookie: a=b",
        "https://[::1/",
        "https://account.box.com:99999/",
        "https://account.box.com/" + "a" * 9000,
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_absolute_https(url):
    with pytest.raises(Refused) as caught:
        ce.read_oauth_url(answer(200, {"oauthUrl": url}))

    assert caught.value.code == Code.BAD_OAUTH_URL


def test_an_oauth1_request_token_is_read():
    read = ce.read_request_token(answer(200, {"token": "t", "secret": "canary"}))

    assert read == ce.RequestToken("t", "canary")
    assert "canary" not in repr(read)
