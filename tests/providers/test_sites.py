"""Values from remote configuration become part of an address only if they fit."""

import pytest

from providers import catalogue, sites
from providers.errors import NotRevocable
from providers.revocation import plan
from tests.providers.support import grant, record

SALESFORCE, ADOBE = catalogue.get("salesforce"), catalogue.get("adobe_sign")
QUICKBOOKS, GENERIC = catalogue.get("quickbooks"), catalogue.get("generic_rfc7009")


def values(provider, configuration, site=None):
    return sites.site_values(provider, configuration, site or {})


@pytest.mark.parametrize(
    ("address", "instance"),
    [
        ("https://na54.salesforce.com", "na54"),
        ("https://eu5.salesforce.com/services/data", "eu5"),
        ("https://acme.my.salesforce.com", "acme.my"),
        ("https://acme--uat.sandbox.my.salesforce.com/", "acme--uat.sandbox.my"),
        ("https://ACME.my.salesforce.com", "acme.my"),
        ("acme.my.salesforce.com", "acme.my"),
        ("https://na54.salesforce.com:443/x", "na54"),
        ("https://test.salesforce.com", "test"),
        ("https://login.salesforce.com/id/00D/005", "login"),
    ],
)
@pytest.mark.parametrize("key", ["base.url", "site.address", "oauth.resource.url"])
def test_a_salesforce_host_is_read_from_the_configuration(key, address, instance):
    assert values(SALESFORCE, {key: address}) == {"instance": instance}


def test_the_instance_s_own_host_is_preferred_to_the_login_host():
    configuration = {
        "sfdc.user.id.url": "https://login.salesforce.com/id/00D/005",
        "oauth.token.url": "https://test.salesforce.com/services/oauth2/token",
        "base.url": "https://na54.salesforce.com",
    }

    assert values(SALESFORCE, configuration) == {"instance": "na54"}


def test_a_sandbox_is_known_by_its_token_address():
    configuration = {
        "base.url": None,
        "oauth.token.url": "https://test.salesforce.com/t",
    }

    assert values(SALESFORCE, configuration) == {"instance": "test"}


def test_salesforce_without_any_host_goes_to_the_login_host():
    assert values(SALESFORCE, {"base.url": "", "other": "x"}) == {"instance": "login"}


HOSTILE = [
    "https://evil.com/.salesforce.com",
    "https://evil.com#.salesforce.com",
    "https://evil.com?.salesforce.com",
    "https://evil.com\\.salesforce.com",
    "https://na54.salesforce.com@evil.com",
    "https://user:pass@na54.salesforce.com",
    "https://na54.salesforce.com.evil.com",
    "https://evilsalesforce.com",
    "https://salesforce.com",
    "https://.salesforce.com",
    "https://na54..salesforce.com",
    "https://-na54.salesforce.com",
    "https://na54-.salesforce.com",
    "https://na54。salesforce.com",
    "https://na54．salesforce.com",
    "https://nа54.salesforce.com",  # a Cyrillic a
    "https://na54.salesforce.com\n.evil.com",
    "https://na54.salesforce.com\r\nHost: evil.com",
    "https://na54 .salesforce.com",
    "https://na54%2eevil.salesforce.com",
    "https://na54\x00.salesforce.com",
    "https://a.b.c.d.salesforce.com",
    "https://na54.salesforce.com:8443",
    "https://na54.salesforce.com:port",
    "http://na54.salesforce.com",
    "ftp://na54.salesforce.com",
    "//na54.salesforce.com",
    "https://[na54.salesforce.com",
    "https://" + "a" * 64 + ".salesforce.com",
    "https://na54.salesforce.com/" + "a" * 3000,
]


@pytest.mark.parametrize("address", HOSTILE)
def test_a_host_that_does_not_fit_gets_no_secret(address):
    with pytest.raises(NotRevocable) as caught:
        values(SALESFORCE, {"base.url": address})

    assert caught.value.code == "bad_host"
    assert "base.url" in caught.value.sentence
    assert "evil" not in caught.value.sentence


@pytest.mark.parametrize(
    "value",
    ["evil.com/", "na54.salesforce.com@evil", "na54/..", "na54\n", "NA54", "na54."],
)
def test_a_value_is_matched_again_when_the_request_is_made(value):
    with pytest.raises(NotRevocable) as caught:
        plan(SALESFORCE, grant("salesforce", site={"instance": value}))

    assert caught.value.code == "bad_host"


@pytest.mark.parametrize(
    ("key", "address", "shard"),
    [
        ("oauth.token.url", "https://secure.na1.echosign.com/oauth/refresh", "na1"),
        ("base.url", "https://api.eu2.adobesign.com/api/rest/v6", "eu2"),
        ("api_access_point", "https://api.jp1.adobesign.com/", "jp1"),
        ("oauth.authorization.url", "https://secure.sg1.adobesign.com/public", "sg1"),
    ],
)
def test_adobe_s_shard_is_read_from_the_configuration(key, address, shard):
    assert values(ADOBE, {key: address}) == {"shard": shard}


def test_adobe_s_shard_is_never_guessed():
    with pytest.raises(NotRevocable) as caught:
        values(ADOBE, {})

    assert caught.value.code == "missing_site_value"
    assert "'shard'" in caught.value.sentence
    assert "site values of the provider app" in caught.value.sentence


@pytest.mark.parametrize(
    "address",
    [
        "https://api.adobesign.com",
        "https://api.na1.adobesign.us",
        "https://api.na1.adobesign.com.evil.com",
        "https://api.evil.com.adobesign.com",
    ],
)
def test_an_adobe_host_without_a_known_shard_is_refused(address):
    with pytest.raises(NotRevocable) as caught:
        values(ADOBE, {"base.url": address})

    assert caught.value.code == "bad_host"


def test_the_app_s_own_value_serves_where_the_configuration_tells_nothing():
    assert values(ADOBE, {}, {"shard": "au1"}) == {"shard": "au1"}


def test_the_configuration_wins_over_the_app_s_value():
    found = values(
        ADOBE, {"base.url": "https://api.eu1.adobesign.com"}, {"shard": "na1"}
    )

    assert found == {"shard": "eu1"}


def test_an_app_s_value_that_does_not_fit_is_refused():
    with pytest.raises(NotRevocable, match=r"site\.shard"):
        values(ADOBE, {}, {"shard": "na1.evil"})


def test_what_only_a_verification_needs_may_be_missing():
    assert values(QUICKBOOKS, {}) == {"api": "quickbooks"}


def test_a_quickbooks_sandbox_keeps_its_own_host_and_company():
    configuration = {
        "base.url": "https://sandbox-quickbooks.api.intuit.com/v3/company/1",
        "quickbooks.realm.id": "4620816365",
    }

    found = values(QUICKBOOKS, configuration)

    assert found == {"api": "sandbox-quickbooks", "realm_id": "4620816365"}


@pytest.mark.parametrize("realm", ["1/../2", "one", "1\n", "１２", ""])
def test_a_company_that_is_no_number_is_left_out(realm):
    assert "realm_id" not in values(QUICKBOOKS, {"quickbooks.realm.id": realm})


GOOD_ADDRESSES = [
    "https://id.example.com/revoke",
    "https://id.example.com:8443/revoke?tenant=a",
    "https://a-b.c.example.co.uk",
]
BAD_ADDRESSES = [
    "http://id.example.com/revoke",
    "https://id.example.com/revoke#x",
    "https://user@id.example.com/",
    "https://localhost/revoke",
    "https://idp/revoke",
    "https://id.internal/revoke",
    "https://id.local/",
    "https://box.lan/",
    "https://1.0.0.127.in-addr.arpa/",
    "https://127.0.0.1/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://2130706433/",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://169.254.169.254/latest",
    "https://id.example.com:99999/",
    "https://id.example.com:0/",
    "https://id.example.com\\@evil.com/",
    "https://id.example.com/a b",
    "https://id.example.com/\r\nX: y",
    "https://id。example.com/",
    "https://id_x.example.com/",
    "https:///revoke",
    "https://id.example.com./",
]


@pytest.mark.parametrize("address", GOOD_ADDRESSES)
def test_a_public_https_address_is_taken_from_the_app(address):
    found = values(GENERIC, {}, {"revocation_endpoint": address})

    assert found == {"revocation_endpoint": address}


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_an_address_that_is_not_public_or_not_https_is_refused(address):
    with pytest.raises(NotRevocable) as caught:
        values(GENERIC, {}, {"revocation_endpoint": address})

    assert caught.value.code == "bad_host"


def test_the_generic_record_takes_no_address_from_an_instance():
    configuration = {"oauth.token.revoke_url": "https://id.example.com/revoke"}

    with pytest.raises(NotRevocable) as caught:
        values(GENERIC, configuration)

    assert caught.value.code == "missing_site_value"


@pytest.mark.parametrize(
    ("site", "found"),
    [
        ({"revocation_endpoint": "https://id.example.com/r"}, []),
        (
            {},
            [
                "revocation_endpoint is needed: the address to revoke tokens at (RFC 7009)."
            ],
        ),
        (
            {"revocation_endpoint": "https://id.example.com/r", "colour": "red"},
            ["colour: Any provider with standard metadata knows no such value."],
        ),
        (
            {"revocation_endpoint": "http://id.example.com/r"},
            [
                "revocation_endpoint: This is not the address to revoke tokens at (RFC 7009)."
            ],
        ),
        (
            {"revocation_endpoint": 7},
            [
                "revocation_endpoint: This is not the address to revoke tokens at (RFC 7009)."
            ],
        ),
        (["https://id.example.com"], ["Site values are a table of names and values."]),
    ],
)
def test_an_app_s_site_values_are_judged_in_words(site, found):
    assert sites.problems(GENERIC, site) == found


def test_a_record_that_cannot_be_called_needs_no_site_values():
    provider = record(revoke__supported="no", revoke__call=None)

    assert values(provider, {}) == {}
