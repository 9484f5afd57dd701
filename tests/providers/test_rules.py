"""A record that contradicts itself is refused with the key at fault."""

import pytest

from providers.errors import SpecError
from tests.providers.support import record

HOST = {"meaning": "m", "kind": "host", "pattern": "[a-z]+"}
FORM = {"place": "form", "name": "token"}
OK = {"status": [200], "means": "revoked"}
FAULTS = [
    ({"key": "Spoilt"}, "key"),
    ({"name": "  "}, "name"),
    ({"checked": "2026-13"}, "checked"),
    ({"checked": "November"}, "checked"),
    ({"sources": []}, "sources"),
    ({"limits": {"rate": 0}}, "limits.rate"),
    ({"limits": {"rate": -1.5}}, "limits.rate"),
    ({"limits": {"rate": float("nan")}}, "limits.rate"),
    ({"limits": {"rate": float("inf")}}, "limits.rate"),
    ({"limits": {"concurrency": 0}}, "limits.concurrency"),
    ({"confidence": "low"}, "enabled_by_default"),
    ({"revoke__supported": "no"}, "revoke.call"),
    (
        {"revoke__supported": "no", "revoke__call": None, "manual_steps": []},
        "manual_steps",
    ),
    ({"revoke__call": None}, "revoke.call"),
    ({"revoke__order": []}, "revoke.order"),
    ({"revoke__accepts": "access"}, "revoke.order"),
    ({"revoke__order": ["refresh", "refresh"]}, "revoke.order"),
    ({"revoke__answers": [{"status": [400], "means": "already"}]}, "revoke.answers"),
    ({"revoke__answers": [OK, OK]}, "revoke.answers.1"),
    (
        {"revoke__answers": [OK, {"status": [200], "means": "already"}]},
        "revoke.answers.1",
    ),
    (
        {"revoke__answers": [{"status": [], "means": "revoked"}]},
        "revoke.answers.0.status",
    ),
    ({"revoke__answers": [{**OK, "status": [503]}]}, "revoke.answers.0.status"),
    ({"revoke__answers": [{**OK, "status": [429]}]}, "revoke.answers.0.status"),
    ({"revoke__answers": [{**OK, "match": [{}]}]}, "revoke.answers.0.match"),
    (
        {
            "revoke__answers": [
                OK,
                {
                    "status": [401],
                    "means": "already",
                    "match": [{"path": "error", "equals": ["invalid_client"]}],
                },
            ]
        },
        "revoke.answers.1",
    ),
    (
        {
            "revoke__answers": [
                {**OK, "match": [{"path": "status", "equals": ["success"]}]},
                OK,
            ]
        },
        "revoke.answers.0",
    ),
    ({"revoke__call__realm": "acme"}, "revoke.call.realm"),
    (
        {
            "revoke__call__url": "https://{shop}.example.com",
            "placeholders__shop": {**HOST, "quirk": "guess"},
        },
        "placeholders.shop.quirk",
    ),
    (
        {
            "revoke__call__url": "https://{shop}.example.com",
            "placeholders__shop": {**HOST, "default": "a", "per_account": True},
        },
        "placeholders.shop.default",
    ),
    (
        {
            "revoke__call__url": "https://{shop}.example.com",
            "placeholders__shop": {**HOST, "kind": "path"},
        },
        "revoke.call.url",
    ),
    (
        {"revoke__supported": "partial", "revoke__call": None, "manual_steps": []},
        "manual_steps",
    ),
    ({"placeholders__shop": HOST}, "placeholders.shop"),
    ({"account_placeholder": "shop"}, "account_placeholder"),
    ({"authorization_url": "https://{shop}.example.com"}, "authorization_url"),
    (
        {
            "revoke__call__url": "https://{token}.example.com",
            "placeholders__token": HOST,
        },
        "placeholders.token",
    ),
    (
        {
            "revoke__call__url": "https://{shop}.example.com",
            "placeholders__shop": {**HOST, "default": "No!"},
        },
        "placeholders.shop.default",
    ),
    (
        {
            "revoke__call__url": "https://{shop}.example.com",
            "placeholders__shop": {**HOST, "sources": [{"key": "k", "pattern": "x"}]},
        },
        "placeholders.shop.sources.0.pattern",
    ),
    ({"revoke__call__url": "http://api.example.com"}, "revoke.call.url"),
    ({"revoke__call__url": "https://u:p@api.example.com"}, "revoke.call.url"),
    ({"revoke__call__url": "https://api.example.com#x"}, "revoke.call.url"),
    ({"revoke__call__url": "{shop}"}, "revoke.call.url"),
    (
        {"revoke__call__url": "{shop}/x", "placeholders__shop": HOST},
        "revoke.call.url",
    ),
    (
        {
            "revoke__call__url": "https://{shop}.example.com",
            "placeholders__shop": {**HOST, "kind": "value"},
        },
        "revoke.call.url",
    ),
    ({"revoke__call__url": "https://{client_id}.example.com"}, "revoke.call.url"),
    ({"revoke__call__headers": {"X-Shop": "{shop}"}}, "revoke.call"),
    ({"revoke__call__url": "https://a.example.com/{token}"}, "revoke.call.url"),
    ({"revoke__call__url": "https://a.example.com/{client_secret}"}, "revoke.call.url"),
    ({"revoke__call__token": {"place": "path"}}, "revoke.call.url"),
    ({"revoke__call__token": {"place": "form"}}, "revoke.call.token.name"),
    (
        {"revoke__call__token": {"place": "bearer", "name": "x"}},
        "revoke.call.token.name",
    ),
    ({"revoke__call__body": "json"}, "revoke.call.body"),
    ({"revoke__call__fields": {"token": "x"}}, "revoke.call.token.name"),
    (
        {"revoke__call__rfc7009": True, "revoke__call__method": "GET"},
        "revoke.call.rfc7009",
    ),
    ({"revoke__call__hint": True}, "revoke.call.hint"),
    (
        {
            "revoke__call__token": {"place": "bearer"},
            "revoke__call__client_auth": "body",
        },
        "revoke.call.body",
    ),
    (
        {
            "revoke__call__token": {"place": "bearer"},
            "revoke__call__fields": {"a": "b"},
        },
        "revoke.call.body",
    ),
    ({"revoke__call__client_auth": "header"}, "revoke.call.client_auth"),
    ({"revoke__call__client_auth": "oauth1_hmac_sha1"}, "revoke.call.client_auth"),
    ({"revoke__call__token": {"place": "signed"}}, "revoke.call.client_auth"),
    (
        {
            "revoke__call__token": {"place": "bearer"},
            "revoke__call__client_auth": "basic",
        },
        "revoke.call",
    ),
    (
        {
            "revoke__call__client_auth": "basic",
            "revoke__call__headers": {"authorization": "Client {client_id}"},
        },
        "revoke.call",
    ),
    (
        {
            "revoke__call__client_auth_from": "how",
            "placeholders__how": {**HOST, "kind": "value"},
        },
        "revoke.call.client_auth_from",
    ),
    ({"revoke__call__headers": {"X Y": "1"}}, "revoke.call.headers"),
    ({"revoke__call__headers": {"X": "1\r\nY: 2"}}, "revoke.call"),
    (
        {"revoke__alternates__old": {"url": "http://x.example.com", "token": FORM}},
        "revoke.alternates.old.url",
    ),
    (
        {
            "verification": {
                "call": {"url": "https://x.example.com", "token": {"place": "bearer"}},
                "answers": [
                    {"status": [401], "means": "dead"},
                    {"status": [401], "means": "alive"},
                ],
            }
        },
        "verification.answers.1",
    ),
]


@pytest.mark.parametrize(("changes", "key"), FAULTS)
def test_a_contradiction_is_refused_with_its_key(changes, key):
    with pytest.raises(SpecError) as caught:
        record(**changes)

    assert caught.value.key == key


def test_the_record_that_is_spoilt_here_is_valid_itself():
    assert record().revocable


def test_a_record_without_a_call_says_what_a_person_does():
    provider = record(revoke__supported="no", revoke__call=None)

    assert not provider.revocable
    assert provider.manual_steps
