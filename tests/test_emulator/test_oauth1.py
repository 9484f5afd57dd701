"""The one element of OAuth 1: a request token, a verifier, and no refresh."""

import pytest

from tests.test_emulator.tenant import CALLBACK, encoded

APP = {"provider": "twitter", "client_id": "tw", "client_secret": "tw-secret"}


@pytest.fixture
def dead(acme):
    acme.emulator.control("clients", APP | {"redirect_uris": [CALLBACK]})
    return acme.instance("twitter", client_id="tw", state="dead")


def request_token(acme, secret="tw-secret", element="twitter"):
    query = f"apiKey=tw&apiSecret={secret}&callbackUrl={encoded(CALLBACK)}"
    return acme.platform("GET", f"/elements/{element}/oauth/token?{query}")


def verified(acme, token, decision="allow"):
    query = (
        f"apiKey=tw&apiSecret=x&callbackUrl={encoded(CALLBACK)}&requestToken={token}"
    )
    url = acme.platform("GET", f"/elements/twitter/oauth/url?{query}").json()[
        "oauthUrl"
    ]
    assert url.startswith("https://api.twitter.com/oauth/authenticate?oauth_token=")
    assert b"(emulated)" in acme.provider("GET", url).body
    return acme.consent(url, decision).location()[1]


def test_an_instance_is_reconnected_with_token_verifier_and_secret(acme, dead):
    given = request_token(acme).json()
    sides = verified(acme, given["token"]) | {"secret": given["secret"]}

    assert acme.reconnect(dead, sides | {"oauth_verifier": "wrong"}).status == 400
    assert acme.reconnect(dead, sides).status == 200

    assert acme.ping(dead).status == 200
    assert acme.reconnect(dead, sides).status == 400


def test_a_denied_request_token_says_so(acme, dead):
    token = request_token(acme).json()["token"]

    assert verified(acme, token, "deny") == {"denied": token}


def test_an_unallowed_request_token_is_worth_nothing(acme, dead):
    given = request_token(acme).json()
    sides = {
        "oauth_token": given["token"],
        "oauth_verifier": "",
        "secret": given["secret"],
    }

    assert acme.reconnect(dead, sides).status == 400


def test_a_wrong_secret_gets_no_request_token(acme, dead):
    answer = request_token(acme, "wrong")

    assert (answer.status, answer.json()["providerMessage"][:2]) == (401, "32")


def test_an_oauth2_element_has_no_request_tokens(acme, dead):
    assert request_token(acme, element="box").status == 400


def test_an_unknown_request_token_gets_a_page(acme):
    url = "https://api.twitter.com/oauth/authenticate?oauth_token=x"

    assert acme.provider("GET", url).status == 400
