"""Tables become dataclasses, and nothing undeclared gets in."""

import pytest

from providers import strict
from providers.errors import SpecError
from providers.spec import Provider
from tests.providers.support import table

FAULTS = [
    ({"colour": "red"}, "colour", "is not a known key"),
    ({"revoke__colour": "red"}, "revoke.colour", "is not a known key"),
    ({"revoke__call__tokn": {}}, "revoke.call.tokn", "is not a known key"),
    ({"revoke__call__token": {"plaec": "form"}}, "revoke.call.token.plaec", "known"),
    ({"name": None}, "name", "is missing"),
    ({"revoke__call__token": {}}, "revoke.call.token.place", "is missing"),
    ({"flow": "oauth9"}, "flow", "is none of oauth2_authorization_code"),
    ({"revoke__call__method": "post"}, "revoke.call.method", "is none of GET, POST"),
    ({"revoke__order": ["access", "both"]}, "revoke.order.1", "is none of"),
    ({"name": 7}, "name", "is not of type str"),
    ({"enabled_by_default": "yes"}, "enabled_by_default", "is not of type bool"),
    ({"limits": {"concurrency": True}}, "limits.concurrency", "is not of type int"),
    ({"limits": {"rate": "20"}}, "limits.rate", "is not of type float"),
    ({"limits": {"rate_per_minute": 60}}, "limits.rate_per_minute", "known key"),
    ({"revoke__propagation_seconds": True}, "revoke.propagation_seconds", "float"),
    ({"manual_steps": "ask"}, "manual_steps", "is not a list"),
    ({"manual_steps": [1]}, "manual_steps.0", "is not of type str"),
    ({"revoke__call__fields": ["a"]}, "revoke.call.fields", "is not a table"),
    ({"revoke__call__fields": {"a": 1}}, "revoke.call.fields.a", "is not of type str"),
    ({"revoke": []}, "revoke", "is not a table"),
    (
        {"placeholders__x": {"meaning": "m", "kind": "host", "pattern": "["}},
        "placeholders.x.pattern",
        "is not a pattern",
    ),
    (
        {"revoke__answers": [{"status": [200], "means": "yes"}]},
        "revoke.answers.0.means",
        "is none of revoked",
    ),
    (
        {
            "revoke__answers": [
                {"status": [200], "means": "revoked", "match": [{"equals": [1.5]}]}
            ]
        },
        "revoke.answers.0.match.0.equals.0",
        "is none of the types",
    ),
]


@pytest.mark.parametrize(("changes", "key", "message"), FAULTS)
def test_a_fault_is_named_with_its_key(changes, key, message):
    with pytest.raises(SpecError) as caught:
        strict.build(Provider, table(**changes))

    assert caught.value.key == key
    assert message in caught.value.message


def test_a_record_is_frozen_all_the_way_down():
    provider = strict.build(Provider, table(revoke__call__fields={"a": "1"}))

    with pytest.raises(AttributeError):
        provider.name = "Other"
    with pytest.raises(TypeError):
        provider.revoke.call.fields["a"] = "2"


def test_a_whole_number_serves_where_a_fraction_may_stand():
    provider = strict.build(Provider, table(revoke__propagation_seconds=5))

    assert provider.propagation_seconds == 5.0
    assert isinstance(provider.propagation_seconds, float)
