"""Whether a token lives is asked at the source and believed only with reason."""

import json

import pytest

from providers import catalogue
from providers.choices import Life
from providers.revocation import (
    account,
    identity,
    read_identity,
    read_verification,
    verification,
)
from tests.providers.support import ALL_KEYS, answer, grant, record

SALESFORCE, ADOBE = catalogue.get("salesforce"), catalogue.get("adobe_sign")
GENERIC = catalogue.get("generic_rfc7009")
SESSION_GONE = '[{"message": "Session expired", "errorCode": "INVALID_SESSION_ID"}]'


@pytest.mark.parametrize(
    ("key", "url"),
    [
        ("box", "https://api.box.com/2.0/users/me"),
        ("salesforce", "https://na54.salesforce.com/services/data/v60.0/limits"),
        ("adobe_sign", "https://api.na1.adobesign.com/api/rest/v6/users/me"),
        (
            "quickbooks",
            "https://quickbooks.api.intuit.com/v3/company/4620816365"
            "/companyinfo/4620816365",
        ),
    ],
)
def test_the_access_token_is_tried_at_the_provider(key, url):
    request = verification(catalogue.get(key), grant(key))

    assert (request.method, request.url, request.body) == ("GET", url, None)
    assert ("Authorization", "Bearer access-1") in request.headers


def test_a_standard_server_is_asked_about_the_token_itself():
    request = verification(GENERIC, grant("generic_rfc7009"))

    assert request.url == "https://id.example.com/oauth/introspect"
    assert request.body == b"token=access-1"


def test_without_introspection_a_standard_server_s_userinfo_is_tried():
    site = {"userinfo_endpoint": "https://id.example.com/me"}

    request = verification(GENERIC, grant(site=site))

    assert (request.method, request.url) == ("GET", "https://id.example.com/me")


def test_a_refresh_token_can_only_be_asked_about():
    asked = verification(GENERIC, grant("generic_rfc7009"), kind="refresh")

    assert asked.body == b"token=refresh-1"
    assert verification(catalogue.get("box"), grant("box"), kind="refresh") is None


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("quickbooks", {"site": {"api": "quickbooks"}}),
        ("generic_rfc7009", {"site": {}}),
        ("box", {"access_token": ""}),
        ("box", {"access_token": "********"}),
        ("box", {"access_token": "a\r\nb"}),
        ("salesforce", {"site": {"instance": "evil.com/"}}),
    ],
)
def test_what_cannot_be_asked_is_not_asked(key, changes):
    assert verification(catalogue.get(key), grant(key, **changes)) is None


DEAD = [
    ("box", 401, ""),
    ("salesforce", 401, SESSION_GONE),
    ("adobe_sign", 401, '{"code": "INVALID_ACCESS_TOKEN", "message": "no"}'),
    ("quickbooks", 401, '{"fault": {}}'),
    ("generic_rfc7009", 200, '{"active": false}'),
    ("generic_rfc7009", 401, '{"error": "invalid_token"}'),
]


@pytest.mark.parametrize(("key", "status", "body"), DEAD)
def test_a_dead_token_is_known_by_its_answer(key, status, body):
    assert (
        read_verification(catalogue.get(key), answer(status, body), None) == Life.DEAD
    )


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("box", '{"id": "1"}'),
        ("salesforce", "{}"),
        ("generic_rfc7009", '{"active": true}'),
    ],
)
def test_a_token_that_works_is_alive(key, body):
    assert read_verification(catalogue.get(key), answer(200, body), None) == Life.ALIVE


@pytest.mark.parametrize("key", ALL_KEYS)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, ""),
        (500, ""),
        (503, '{"active": false}'),
        (302, ""),
        (403, '{"error": "insufficient_scope"}'),
        (200, "<html>Please sign in</html>"),
        (200, ""),
        (200, "OK"),
        (200, '{"id": "1'),
        (401, "<!doctype html><html>blocked</html>"),
        (401, '{"error": "invalid_client"}'),
        (404, ""),
    ],
)
def test_what_is_no_clear_answer_is_unknown(key, status, body):
    provider = catalogue.get(key)

    assert read_verification(provider, answer(status, body), None) == Life.UNKNOWN


@pytest.mark.parametrize(
    ("provider", "body"),
    [
        (SALESFORCE, '[{"errorCode": "OTHER"}]'),
        (SALESFORCE, ""),
        (ADOBE, '{"code": "X"}'),
    ],
)
def test_a_401_of_another_kind_proves_nothing(provider, body):
    assert read_verification(provider, answer(401, body), None) == Life.UNKNOWN


@pytest.mark.parametrize(
    ("challenge", "life"),
    [('Bearer error="invalid_token"', Life.DEAD), ('Basic realm="x"', Life.UNKNOWN)],
)
def test_a_401_counts_only_if_it_asks_for_a_token(challenge, life):
    got = answer(401, "", WWW_Authenticate=challenge)

    assert read_verification(GENERIC, got, None) == life


def figma():
    """A record whose dead answer can also mean that a scope is missing."""
    return record(
        verification={
            "call": {
                "method": "GET",
                "url": "https://api.example.com/me",
                "token": {"place": "bearer"},
            },
            "answers": [
                {"status": [200], "means": "alive"},
                {"status": [403], "means": "dead", "compare": True},
            ],
        }
    )


@pytest.mark.parametrize(
    ("before", "life"),
    [
        (answer(200, "{}"), Life.DEAD),
        (answer(403), Life.UNKNOWN),
        (answer(500), Life.UNKNOWN),
        (None, Life.UNKNOWN),
    ],
)
def test_a_doubtful_answer_counts_only_if_the_call_worked_before(before, life):
    assert read_verification(figma(), answer(403), before) == life


# Whose account it is


@pytest.mark.parametrize(
    ("key", "body", "found"),
    [
        ("box", {"id": "229876543"}, "229876543"),
        ("salesforce", {"user_id": "005A", "organization_id": "00DA"}, "00DA/005A"),
        ("adobe_sign", {"id": "CBJ"}, "CBJ"),
        ("generic_rfc7009", {"sub": 42}, "42"),
    ],
)
def test_the_account_is_read_from_the_provider_s_answer(key, body, found):
    provider = catalogue.get(key)

    assert identity(provider, grant(key)).method == "GET"
    assert read_identity(provider, answer(200, json.dumps(body))) == found


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, '{"id": "1"}'),
        (200, ""),
        (200, "<html>"),
        (200, "[]"),
        (200, '{"id": null}'),
        (200, '{"id": ""}'),
        (200, '{"id": true}'),
        (200, '{"id": {"id": 1}}'),
        (200, '{"id": "a\\u0000b"}'),
        (200, json.dumps({"id": "x" * 300})),
    ],
)
def test_an_answer_that_does_not_tell_leaves_the_account_unknown(status, body):
    assert read_identity(catalogue.get("box"), answer(status, body)) == ""


@pytest.mark.parametrize("key", ["calendly", "canva", "gitlab", "keycloak"])
def test_an_answer_about_a_refresh_token_is_read_by_the_check_that_takes_it(key):
    provider, got = catalogue.get(key), answer(200, '{"active": false}')

    assert verification(provider, grant(key), kind="refresh") is not None
    assert read_verification(provider, got, None, kind="refresh") == Life.DEAD


def test_slack_s_invalid_auth_counts_only_if_the_same_call_worked_before():
    slack, got = (
        catalogue.get("slack"),
        answer(200, '{"ok": false, "error": "invalid_auth"}'),
    )

    assert read_verification(slack, got, None) == Life.UNKNOWN
    assert read_verification(slack, got, answer(200, '{"ok": true}')) == Life.DEAD


def test_half_an_account_is_none():
    assert read_identity(SALESFORCE, answer(200, '{"user_id": "005A"}')) == ""


def test_a_provider_without_such_a_call_names_the_account_in_its_site():
    quickbooks = catalogue.get("quickbooks")

    assert identity(quickbooks, grant("quickbooks")) is None
    assert read_identity(quickbooks, answer(200, '{"id": "1"}')) == ""
    assert account(quickbooks, grant("quickbooks")) == "4620816365"
    assert account(catalogue.get("box"), grant("box")) == ""
