"""The addresses where a person consents, and the pages there."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.test_emulator.tenant import CALLBACK, ELEMENTS, form


def address(acme, element="box", **values):
    return acme.oauth_url(element, **values).json()["oauthUrl"]


@pytest.mark.parametrize(
    ("element", "start"),
    [
        ("box", "https://account.box.com/api/oauth2/authorize?"),
        ("sfdc", "https://login.salesforce.com/services/oauth2/authorize?"),
        ("adobe-esign", "https://secure.na1.adobesign.com/public/oauth/v2?"),
        ("quickbooks", "https://appcenter.intuit.com/connect/oauth2?"),
        ("generic", "https://auth.example.com/oauth/authorize?"),
    ],
)
def test_the_address_is_the_providers_own(acme, element, start):
    url = address(acme, element)

    query = parse_qs(urlsplit(url).query)
    assert url.startswith(start)
    assert query["redirect_uri"] == [CALLBACK]
    assert (query["response_type"], query["state"]) == (["code"], ["s-1"])
    assert query["client_id"][0].endswith("-app")
    assert query["scope"]


def test_state_scope_and_site_are_passed_on(acme):
    url = address(acme, "sfdc", scope="api", siteAddress="test.salesforce.com")
    eu = address(acme, "adobe-esign", siteAddress="https://api.eu1.adobesign.com/")

    assert url.startswith("https://test.salesforce.com/services/oauth2/authorize?")
    assert parse_qs(urlsplit(url).query)["scope"] == ["api"]
    assert eu.startswith("https://secure.eu1.adobesign.com/public/oauth/v2?")
    assert "state=box" in address(acme, state="")


def test_a_foreign_site_address_is_not_followed(acme):
    url = address(acme, "sfdc", siteAddress="evil.example")

    assert url.startswith("https://login.salesforce.com/")


def test_an_unknown_element_is_named(acme):
    answer = acme.oauth_url("nonsense")

    assert (answer.status, answer.json()["message"]) == (
        404,
        "No element found with key nonsense",
    )


def test_the_values_can_be_posted_instead(acme):
    values = {"apiKey": "box-app", "apiSecret": "x", "callbackUrl": CALLBACK}

    answer = acme.platform("POST", "/elements/box/oauth/url", values)

    assert answer.json()["element"] == "box"
    lacking = acme.platform("POST", "/elements/box/oauth/url", {"apiKey": "a"})
    assert lacking.status == 400
    assert "apiSecret, callbackUrl" in lacking.json()["message"]


def test_the_address_needs_the_secrets_unless_switched(acme):
    acme.organization["user_secret"] = "wrong"

    assert acme.oauth_url().status == 401
    acme.switch(oauth_url_needs_secrets=False)
    assert acme.oauth_url().status == 200


@pytest.mark.parametrize("provider", ELEMENTS)
def test_a_page_says_that_it_is_a_stand_in_and_loads_nothing(acme, provider):
    page = acme.provider("GET", address(acme, ELEMENTS[provider]))

    text = page.body.decode()
    assert page.status == 200
    assert "(emulated)" in text
    assert "src=" not in text
    assert "href=" not in text
    assert 'name="decision" value="allow"' in text
    assert 'value="same" checked' in text
    assert page.headers["referrer-policy"] == "no-referrer"


def test_the_page_lists_the_accounts_that_lost_access_last(acme):
    acme.instances(3)
    lost = acme.instance(account="424242", state="dead")

    text = acme.provider("GET", address(acme)).body.decode()

    values = [piece.split('"')[0] for piece in text.split('name="account" value="')[1:]]
    assert values[:3] == ["same", "other", acme.truth(lost)["account"]]


def test_script_in_the_query_is_escaped(acme):
    page = acme.provider("GET", address(acme, scope="<script>alert(1)</script>"))

    assert b"<script>" not in page.body


def test_allow_brings_code_and_state_back(acme):
    target, query = acme.consent(address(acme)).location()

    assert target == CALLBACK
    assert sorted(query) == ["code", "state"]


def test_deny_brings_the_error_and_state_back(acme):
    answer = acme.consent(address(acme), "deny")

    assert answer.status == 302
    assert answer.location()[1]["error"] == "access_denied"
    assert answer.location()[1]["state"] == "s-1"


def test_adobe_and_quickbooks_bring_more_back(acme):
    adobe = acme.code(acme.instance("adobe_sign", shard="eu1"))
    quickbooks = acme.code(acme.instance("quickbooks", realm="4242"))

    assert adobe["api_access_point"] == "https://api.eu1.adobesign.com/"
    assert adobe["web_access_point"] == "https://secure.eu1.adobesign.com/"
    assert quickbooks["realmId"] == "4242"


def test_the_realm_of_the_company_that_lost_access_last_comes_back(acme):
    acme.instances(3, "quickbooks", realm="111")
    lost = acme.instance("quickbooks", realm="4242", account="last")
    acme.revoke("quickbooks", lost["refresh_token"])

    answer = acme.consent(address(acme, "quickbooks"))

    assert answer.location()[1]["realmId"] == "4242"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"apiKey": "unknown"}, "client_id"),
        ({"callbackUrl": "https://evil.example/"}, "redirect_uri"),
        ({"callbackUrl": CALLBACK + "more"}, "redirect_uri"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_not_registered_gets_a_page_and_no_redirect(
    acme, values, words, method
):
    body, headers = form(decision="allow")

    answer = acme.provider(method, address(acme, **values), body, headers)

    assert answer.status == 400
    assert words in answer.body.decode()
    assert "location" not in answer.headers


def test_only_codes_are_given(acme):
    url = address(acme).replace("response_type=code", "response_type=token")

    assert acme.provider("GET", url).status == 400


def test_a_decision_is_needed(acme):
    assert acme.consent(address(acme), "perhaps").status == 400


def test_the_query_of_a_callback_is_kept(acme):
    callback = CALLBACK + "?tenant=1"
    row = {"provider": "box", "client_id": "box-app", "redirect_uris": [callback]}
    acme.emulator.control("clients", row)

    query = acme.consent(address(acme, callbackUrl=callback)).location()[1]

    assert query["tenant"] == "1"
    assert query["code"]


def test_a_browser_can_be_kept_on_this_machine(acme):
    acme.switch(keep_browser_here=True)

    answer = acme.consent(address(acme))

    assert answer.status == 200
    assert f"{CALLBACK}?code=" in answer.body.decode()


def test_a_program_is_redirected_though_browsers_are_kept_here(acme):
    made = acme.instance()
    acme.switch(keep_browser_here=True)

    answer = acme.consent(address(acme), instance=str(made["id"]))

    assert answer.status == 302
