"""What is asked of the platform: addresses, headers, bodies."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from instances import cloud_elements as ce
from instances.cloud_elements import Code, Credentials, OAuthClient, Refused
from tests.instances.canned import CREDENTIALS, TOKEN, answer, instance

CLIENT = OAuthClient(
    "client id & co", "client0secret", "https://ceadmin.test/oauth/callback/box/", "a b"
)


def authorization(request):
    return dict(request.headers)["Authorization"]


def body(request):
    return json.loads(request.body)


def fetched(**changed):
    return ce.read_instance(answer(200, instance(**changed)))


def test_the_full_header_names_all_three_parts():
    request = ce.instance_of_token(CREDENTIALS, TOKEN)

    assert authorization(request) == (
        f"User {CREDENTIALS.user_secret}, Organization {CREDENTIALS.organization_secret}, Element {TOKEN}"
    )


def test_a_call_through_the_element_needs_no_organization():
    request = ce.ping(CREDENTIALS, TOKEN)

    assert authorization(request) == f"User {CREDENTIALS.user_secret}, Element {TOKEN}"


@pytest.mark.parametrize(
    "base",
    [
        "https://h.test",
        "https://h.test/",
        "https://h.test/elements/api-v2",
        "https://h.test/elements/api-v2/",
    ],
)
def test_the_base_url_may_end_as_people_paste_it(base):
    request = ce.instance_by_id(Credentials(base, "u", "o"), "7")

    assert request.url == "https://h.test/elements/api-v2/instances/7"


@pytest.mark.parametrize(
    "secret", ["", "two words", "a,b", "line\r\nX: y", "nul\x00", "ключ"]
)
def test_a_secret_that_cannot_stand_in_a_header_is_refused_before_sending(secret):
    with pytest.raises(Refused) as caught:
        ce.organization_me(Credentials("https://h.test", secret, "o"))

    assert caught.value.code == Code.MALFORMED_SECRET


@pytest.mark.parametrize("remote_id", ["", " ", ".", ".."])
def test_an_id_that_would_change_the_path_is_refused(remote_id):
    with pytest.raises(Refused) as caught:
        ce.instance_by_id(CREDENTIALS, remote_id)

    assert caught.value.code == Code.MALFORMED_ID


def test_an_id_is_one_segment_of_the_path():
    request = ce.enable(CREDENTIALS, "7/../8?x")

    assert request.method == "PUT"
    assert request.url.endswith("/instances/7%2F..%2F8%3Fx/enabled")


def test_neither_secret_nor_token_shows_in_a_repr():
    shown = (
        repr(CREDENTIALS)
        + repr(CLIENT)
        + repr(fetched())
        + repr(ce.ping(CREDENTIALS, TOKEN))
    )

    hidden = (
        *CREDENTIALS.secrets,
        TOKEN,
        "client0secret",
        "access0token",
        "refresh0token",
    )
    assert [value for value in hidden if value in shown] == []


def test_a_list_is_asked_for_in_pages_of_at_most_200():
    request = ce.list_instances(
        CREDENTIALS, next_page="c=&2", page_size=5000, tags=["a&b", "c"], search="Ü"
    )

    query = parse_qs(urlsplit(request.url).query)
    assert query == {
        "pageSize": ["200"],
        "hydrate": ["true"],
        "tags[]": ["a&b", "c"],
        "searchText": ["Ü"],
        "nextPage": ["c=&2"],
    }


def test_the_consent_address_is_asked_for_by_get():
    request = ce.oauth_url(
        CREDENTIALS, "box", CLIENT, state="s1", extra={"siteAddress": "acme"}
    )

    query = parse_qs(urlsplit(request.url).query)
    assert (request.method, urlsplit(request.url).path) == (
        "GET",
        "/elements/api-v2/elements/box/oauth/url",
    )
    assert query == {
        "apiKey": ["client id & co"],
        "apiSecret": ["client0secret"],
        "callbackUrl": [CLIENT.callback_url],
        "scope": ["a b"],
        "state": ["s1"],
        "siteAddress": ["acme"],
    }


def test_the_consent_address_asked_for_by_post_keeps_the_secret_out_of_the_url():
    request = ce.oauth_url(CREDENTIALS, "box", CLIENT, state="s1", method="POST")

    assert "?" not in request.url
    assert body(request)["apiSecret"] == "client0secret"


def test_an_oauth1_request_token_is_asked_for_with_key_and_secret():
    request = ce.oauth_token(CREDENTIALS, "twitter", CLIENT)

    assert urlsplit(request.url).path == "/elements/api-v2/elements/twitter/oauth/token"
    assert parse_qs(urlsplit(request.url).query)["apiKey"] == ["client id & co"]


def test_an_element_without_ping_is_read_by_its_own_smallest_call():
    own = ce.fallback_probe(CREDENTIALS, TOKEN, element_key="github", hub="general")
    of_hub = ce.fallback_probe(CREDENTIALS, TOKEN, element_key="boxv2", hub="documents")

    assert own.url.endswith("/hubs/general/me")
    assert of_hub.url.endswith("/hubs/documents/folders/contents?path=%2F&pageSize=1")


def test_an_element_of_which_no_call_is_known_has_no_fallback():
    assert ce.fallback_probe(CREDENTIALS, TOKEN, element_key="unheard", hub="") is None


def test_a_login_sends_the_password_in_the_body():
    request = ce.login("https://h.test", "ann@example.test", "pass0word")

    assert request.url == "https://h.test/elements/api-v2/authentication"
    assert body(request) == {"username": "ann@example.test", "password": "pass0word"}


def test_the_article_reauthenticates_with_nothing_but_the_code():
    request = ce.patch_instance(CREDENTIALS, TOKEN, {"code": "c1"})

    assert (request.method, urlsplit(request.url).path) == (
        "PATCH",
        "/elements/api-v2/instances",
    )
    assert authorization(request).endswith(f"Element {TOKEN}")
    assert body(request) == {"providerData": {"code": "c1"}}


def test_mode_ours_also_sends_our_app():
    request = ce.patch_instance_by_id(
        CREDENTIALS, "7", {"code": "c1", "realmId": "9"}, ce.app_configuration(CLIENT)
    )

    assert request.url.endswith("/instances/7")
    assert body(request) == {
        "providerData": {"code": "c1", "realmId": "9"},
        "configuration": {
            "oauth.api.key": "client id & co",
            "oauth.api.secret": "client0secret",
            "oauth.callback.url": CLIENT.callback_url,
        },
    }


def test_put_sends_neither_masks_nor_old_tokens():
    request = ce.put_instance(
        CREDENTIALS, fetched(), {"code": "c1"}, ce.app_configuration(CLIENT)
    )

    assert request.method == "PUT"
    assert request.url.endswith("/instances/471196?reAuthenticate=true")
    assert body(request) == {
        "name": "Acme Box – finance",
        "element": {"key": "box"},
        "tags": ["finance"],
        "configuration": {"pagination.type": "offset"} | ce.app_configuration(CLIENT),
        "providerData": {"code": "c1"},
    }


def test_put_without_the_real_secret_is_refused():
    with pytest.raises(Refused) as caught:
        ce.put_instance(CREDENTIALS, fetched(), {"code": "c1"}, {"oauth.api.key": "k"})

    assert caught.value.code == Code.MISSING_APP_SECRET


@pytest.mark.parametrize("build", [ce.patch_instance, ce.patch_instance_by_id])
def test_a_masked_value_is_never_written_back(build):
    with pytest.raises(Refused) as caught:
        build(CREDENTIALS, "7", {"code": "c1"}, {"oauth.api.secret": "********"})

    assert caught.value.code == Code.MASKED_VALUE


@pytest.mark.parametrize("data", [{}, {"code": ""}, {"realmId": "9"}])
def test_reauthenticating_without_a_code_is_refused(data):
    with pytest.raises(Refused) as caught:
        ce.patch_instance(CREDENTIALS, TOKEN, data)

    assert caught.value.code == Code.MISSING_CODE
