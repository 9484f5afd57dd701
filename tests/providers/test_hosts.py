"""Whose host a call goes to: regions, sandboxes, own domains, and addresses that only hint."""

from urllib.parse import urlsplit

import pytest

from providers import catalogue, sites
from providers.revocation import NotRevocable, plan, site_values
from tests.providers.support import OWN_SITES, grant

HINT = "oauth.token.revoke_url"


def host(key, configuration, app_site=None):
    """Return the host that the first call of a plan goes to."""
    provider = catalogue.get(key)
    site = site_values(provider, configuration, app_site or {})
    [step, *_] = plan(provider, grant(key, site=site))
    return urlsplit(step.request.url).netloc


FOUND = [
    ("salesforce", "base.url", "https://test.salesforce.com", "test.salesforce.com"),
    (
        "salesforce",
        "site.address",
        "https://acme--uat.sandbox.my.salesforce.com",
        "acme--uat.sandbox.my.salesforce.com",
    ),
    (
        "adobe_sign",
        "base.url",
        "https://api.eu2.adobesign.com/api/rest/v6",
        "api.eu2.adobesign.com",
    ),
    (
        "zoho",
        "oauth.token.url",
        "https://accounts.zoho.com.au/oauth/v2/token",
        "accounts.zoho.com.au",
    ),
    ("zoho", HINT, "https://accounts.zohocloud.ca/x", "accounts.zohocloud.ca"),
    (
        "netsuite",
        "netsuite.accountId",
        "123456_SB1",
        "123456-sb1.suitetalk.api.netsuite.com",
    ),
    ("servicenow", "servicenow.subdomain", "acme", "acme.service-now.com"),
    (
        "servicenow",
        HINT,
        "https://acme.service-now.com/oauth_revoke_token.do",
        "acme.service-now.com",
    ),
    ("zendesk", "zendesk.subdomain", "acme", "acme.zendesk.com"),
    ("zendesk", "helpdesk.zendesk.url", "https://acme.zendesk.com", "acme.zendesk.com"),
    ("shopify", "shopify.site.address", "acme", "acme.myshopify.com"),
    ("sharefile", "sharefile.subdomain", "acme", "acme.sf-api.com"),
    ("sharefile", "base.url", "https://acme.sf-api.com/sf/v3", "acme.sf-api.com"),
    ("smartsheet", "base.url", "https://api.smartsheet.eu/2.0", "api.smartsheet.eu"),
    (
        "smartsheet",
        "base.url",
        "https://api.smartsheetgov.com",
        "api.smartsheetgov.com",
    ),
    ("smartsheet", "", "", "api.smartsheet.com"),
    ("intercom", "base.url", "https://api.eu.intercom.io", "api.eu.intercom.io"),
    ("intercom", "", "", "api.intercom.io"),
    (
        "sage_accounting",
        HINT,
        "https://oauth.na.sageone.com/revoke",
        "oauth.na.sageone.com",
    ),
    ("sage_accounting", "", "", "oauth.accounting.sage.com"),
    (
        "square",
        "base.url",
        "https://connect.squareupsandbox.com",
        "connect.squareupsandbox.com",
    ),
    (
        "paypal",
        "base.url",
        "https://api-m.sandbox.paypal.com",
        "api-m.sandbox.paypal.com",
    ),
    ("plaid", "base.url", "https://sandbox.plaid.com", "sandbox.plaid.com"),
    ("gitlab", "oauth.token.url", "https://gitlab.com/oauth/token", "gitlab.com"),
]


@pytest.mark.parametrize(("key", "entry", "text", "expected"), FOUND)
def test_a_host_is_read_from_the_instance_s_configuration(key, entry, text, expected):
    assert host(key, {entry: text}) == expected


OKTA_URL = "https://acme.okta.com/oauth2/{}v1/token"


@pytest.mark.parametrize(
    ("server", "path"),
    [
        ("default/", "/oauth2/default/v1/revoke"),
        ("aus1/", "/oauth2/aus1/v1/revoke"),
        ("", "/oauth2/v1/revoke"),
    ],
)
def test_an_okta_server_is_read_from_its_token_address(server, path):
    provider = catalogue.get("okta")
    site = site_values(provider, {"oauth.token.url": OKTA_URL.format(server)}, {})

    url = urlsplit(plan(provider, grant("okta", site=site))[0].request.url)

    assert (url.netloc, url.path) == ("acme.okta.com", path)


@pytest.mark.parametrize("base", ["realms", "auth/realms"])
def test_a_keycloak_realm_is_read_from_its_token_address(base):
    provider = catalogue.get("keycloak")
    token = f"https://id.example.com/{base}/staff/protocol/openid-connect/token"
    site = site_values(provider, {"oauth.token.url": token}, {"host": "id.example.com"})

    url = plan(provider, grant("keycloak", site=site))[0].request.url

    assert url == f"https://id.example.com/{base}/staff/protocol/openid-connect/revoke"


@pytest.mark.parametrize("step", ["realms/..", "../realms", "realms//x", "realms/x?y"])
def test_steps_of_a_path_lead_nowhere_else(step):
    assert not sites.fits(catalogue.get("keycloak").placeholders["base"], step)


OWN_DOMAINS = [
    ("okta", {"server": "oauth2/default"}, "domain"),
    ("auth0", {}, "domain"),
    ("gitlab", {}, "host"),
    ("keycloak", {"realm": "staff"}, "host"),
    ("servicenow", {}, "host"),
    ("sap_cloud_identity", {}, "host"),
]


@pytest.mark.parametrize(("key", "site", "name"), OWN_DOMAINS)
def test_a_domain_of_their_own_is_vouched_for_by_the_owner_alone(key, site, name):
    address = "https://id.acme.example/oauth/token"
    entries = {"oauth.token.url": address, "base.url": address, HINT: address}

    assert host(key, {}, {**site, name: "id.acme.example"}) == "id.acme.example"
    with pytest.raises(NotRevocable) as caught:
        host(key, entries, site)
    assert caught.value.code in ("bad_host", "missing_site_value")


HINTED = [
    record.key
    for record in catalogue.all()
    if record.revocable
    and any(
        source.key == HINT
        for place in record.placeholders.values()
        for source in place.sources
    )
]
ELSEWHERE = [
    "https://evil.example.com/oauth/revoke",
    "https://other.zendesk.com.evil.example/oauth/revoke",
    "http://other.zendesk.com/oauth/revoke",
    "https://other.zendesk.com.evil.example/",
    "https://{servicenow.subdomain}.service-now.com/x",
    "https://10.0.0.1/revoke",
]


@pytest.mark.parametrize("key", HINTED)
@pytest.mark.parametrize("address", ELSEWHERE)
def test_the_platform_s_revoke_address_is_a_hint_whose_host_has_to_fit(key, address):
    try:
        found = host(key, {HINT: address}, OWN_SITES.get(key))
    except NotRevocable as problem:
        assert problem.code == "bad_host"
    else:
        assert "evil" not in found
        assert found not in ("10.0.0.1", urlsplit(address).netloc)


def test_what_each_account_has_of_its_own_never_comes_from_the_app():
    stripe, account = catalogue.get("stripe"), {"stripe_user_id": "acct_1"}

    with pytest.raises(NotRevocable) as caught:
        site_values(stripe, {}, account)

    assert caught.value.code == "missing_site_value"
    assert caught.value.steps == stripe.manual_steps
    assert sites.problems(stripe, {}) == []
    assert sites.problems(stripe, account) == [
        "stripe_user_id: Each instance has its own, so it cannot be set for all of them."
    ]
