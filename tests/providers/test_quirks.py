"""What data cannot say is said by short functions, each for one provider."""

import pytest

from providers import catalogue, quirks
from providers.revocation import NotRevocable, site_values

READINGS = [
    ("netsuite_host", "123456_SB1", "123456-sb1"),
    ("netsuite_host", "TSTDRV99", "tstdrv99"),
    ("netsuite_host", "123456-sb1", "123456-sb1"),
    ("netsuite_realm", "123456-sb1", "123456_SB1"),
    ("netsuite_realm", "TSTDRV99", "TSTDRV99"),
    ("zoho_api", "accounts.zoho.eu", "www.zohoapis.eu"),
    ("zoho_api", "accounts.zoho.com.au", "www.zohoapis.com.au"),
    ("zoho_api", "accounts.zohocloud.ca", "www.zohoapis.ca"),
    ("zoho_api", "evil.example.com", ""),
    ("service_now_host", "acme", "acme.service-now.com"),
    ("service_now_host", "https://Acme.service-now.com/", "acme.service-now.com"),
    ("service_now_host", "help.acme.example", "help.acme.example"),
]


@pytest.mark.parametrize(("quirk", "value", "reading"), READINGS)
def test_a_quirk_reads_an_entry(quirk, value, reading):
    assert quirks.read(quirk, value) == reading


def test_nothing_is_made_of_nothing_and_without_a_quirk_a_value_stays():
    assert quirks.read("service_now_host", "") == ""
    assert quirks.read("", "Acme_1") == "Acme_1"


IN_RECORDS = [
    (
        "netsuite",
        {"netsuite.accountId": "123456_SB1"},
        {"account_id": "123456-sb1"},
    ),
    (
        "netsuite_tba",
        {"netsuite.accountId": "123456_SB1"},
        {"account_id": "123456-sb1", "realm": "123456_SB1"},
    ),
    (
        "zoho",
        {"oauth.token.url": "https://accounts.zoho.in/oauth/v2/token"},
        {"accounts": "accounts.zoho.in", "api": "www.zohoapis.in"},
    ),
    (
        "servicenow",
        {"servicenow.subdomain": "acme"},
        {"host": "acme.service-now.com"},
    ),
]


@pytest.mark.parametrize(("key", "configuration", "site"), IN_RECORDS)
def test_a_record_s_values_come_through_its_quirks(key, configuration, site):
    assert site_values(catalogue.get(key), configuration, {}) == site


@pytest.mark.parametrize(
    ("key", "configuration"),
    [
        ("netsuite", {"netsuite.accountId": "evil.com/"}),
        ("netsuite", {"netsuite.accountId": "_"}),
        ("servicenow", {"servicenow.subdomain": "acme.service-now.com/x"}),
        ("servicenow", {"servicenow.subdomain": "127.0.0.1"}),
        ("zoho", {"oauth.token.url": "https://accounts.zoho.evil.com/"}),
    ],
)
def test_what_a_quirk_returns_is_matched_before_it_is_used(key, configuration):
    with pytest.raises(NotRevocable) as caught:
        site_values(catalogue.get(key), configuration, {})

    assert caught.value.code == "bad_host"
