"""Records and recordings say the same of each provider, and a slip in either is found."""

import tomllib
from copy import deepcopy
from dataclasses import fields

import pytest

from providers import catalogue, rules, strict
from providers.spec import Provider
from tests.emulator import recording as recorded
from tests.emulator.recording import FOLDER, load
from tests.providers.comparison import compare
from tests.providers.support import REVOCABLE

#: Keys that say nothing about a request or an answer.
FOR_READERS = {"key", "name", "why", "no_client", "site", "refresh_opt_in"}


@pytest.mark.parametrize("key", REVOCABLE)
def test_a_record_and_its_recording_agree_in_every_field(key):
    differences = compare(catalogue.get(key), load(FOLDER)[key])

    assert [str(one) for one in differences] == []


# A slip in a recording: provider, key, value, and the field that tells it.

IN_A_RECORDING = [
    ("box", "authorize", "https://account.box.com/oauth2/authorize", "authorize"),
    ("box", "token", "https://box.com/oauth2/token", "token"),
    ("box", "refresh_token", "stays", "refresh_token"),
    ("salesforce", "also.0.instance", "acme.my.salesforce.com.evil", "also"),
    ("box", "oauth1", True, "oauth1"),
    ("box", "sources.0.address", "https://elsewhere.example", "sources"),
    ("box", "sources.0.read", False, "sources"),
    ("box", "revoke.request", "GET https://api.box.com/oauth2/revoke", "revoke.method"),
    ("box", "revoke.request", "POST https://box.com/oauth2/revoke", "revoke.address"),
    ("slack", "revoke.headers.Authorization", "OAuth <token>", "revoke.headers"),
    ("box", "revoke.form.token", "<access_token>", "revoke.form"),
    ("quickbooks", "revoke.json.token", "<kind>", "revoke.json"),
    (
        "zoho",
        "revoke.request",
        "POST https://<accounts>/oauth/v2/token/revoke",
        "revoke.query",
    ),
    ("canva", "revoke.client", "hmac-sha1", "revoke.client"),
    ("netsuite_tba", "revoke.realm", "<account_id>", "revoke.realm"),
    ("google", "revoke.takes", ["access"], "revoke.takes"),
    ("box", "revoke.effect", "grant", "revoke.effect"),
    ("okta", "revoke.by_refresh", ["refresh"], "revoke.by_refresh"),
    ("okta", "revoke.by_access", ["access", "refresh"], "revoke.by_access"),
    ("stripe", "revoke.by_account", ["access"], "revoke.by_account"),
    ("hubspot", "revoke.access_lives_seconds", 3600, "revoke.access_lives_seconds"),
    ("google", "revoke.propagation_seconds", 0, "revoke.propagation_seconds"),
    ("github", "revoke.done.0.status", 200, "revoke.done"),
    ("webflow", "revoke.done.0.json.did_revoke", False, "revoke.done"),
    ("facebook", "revoke.done.1.text", "false", "revoke.done"),
    ("google", "revoke.gone.0.status", 404, "revoke.gone"),
    ("google", "revoke.gone.0.json.error", "invalid_client", "revoke.gone"),
    ("google", "revoke.gone.0.assumed", False, "revoke.gone"),
    ("salesforce", "revoke.gone.0.form.error", "other", "revoke.gone"),
    ("google", "revoke.gone.0.doubtful", True, "revoke.gone"),
    ("stripe", "revoke.gone.0.ambiguous", "", "revoke.gone"),
    (
        "webflow",
        "revoke.wrong_client.0.json.error",
        "invalid_token",
        "revoke.wrong_client",
    ),
    ("webflow", "revoke.refused.0.json.error", "invalid_token", "revoke.refused"),
    ("facebook", "revoke.throttled.0.json.error.code", 190, "revoke.throttled"),
    ("slack", "revoke.unclear.0.json.revoked", True, "revoke.unclear"),
    ("box", "check.request", "GET https://api.box.com/2.0/users/you", "check.address"),
    ("box", "check.headers.Authorization", "OAuth <access_token>", "check.headers"),
    ("linear", "check.json.query", "query { user { id } }", "check.json"),
    ("slack", "check.form.test", "1", "check.form"),
    ("box", "check.takes", ["access", "refresh"], "check.takes"),
    ("trello", "check.client", "none", "check.client"),
    ("box", "check.alive.0.status", 204, "check.alive"),
    ("slack", "check.dead.0.json.error", "something_else", "check.dead"),
    ("google", "check.dead.0.doubtful", False, "check.dead"),
    ("generic_rfc7009", "check.dead.0", {"status": 401}, "check.dead"),
    ("okta", "introspection.form.token", "<access_token>", "introspection.form"),
    ("okta", "introspection.dead.0.json.active", True, "introspection.dead"),
    (
        "okta",
        "identity.request",
        "GET https://<domain>/v1/userinfo",
        "identity.address",
    ),
    ("okta", "identity.answer.json.sub", "somebody", "identity.account"),
    ("salesforce", "identity.account", "<holder>", "identity.account"),
]


@pytest.mark.parametrize(("key", "path", "value", "field"), IN_A_RECORDING)
def test_a_slip_in_a_recording_is_found(key, path, value, field):
    slipped = recorded.read(changed(FOLDER, key, path, value), f"{key}.toml")

    found = compare(catalogue.get(key), slipped)

    assert [one for one in found if one.field.startswith(field)], [*map(str, found)]


def test_no_key_of_a_recording_is_left_out_of_the_comparison():
    tried = {word for _, path, _, _ in IN_A_RECORDING for word in path.split(".")}
    tables = (recorded.Recording, recorded.Revoke, recorded.Check, recorded.Identity)
    tables += (recorded.Reply, recorded.Source)

    keys = {field.name for table in tables for field in fields(table)}

    # A changed example of a header is `check.dead` of the generic server.
    assert keys - tried - FOR_READERS == set()


# A slip in a record.

IN_A_RECORD = [
    ("box", "authorization_url", "https://box.com/authorize", "authorize"),
    ("box", "token_url", "https://box.com/token", "token"),
    ("box", "refresh_rotation", "stays", "refresh_token"),
    ("box", "sources.1.read", False, "sources"),
    ("box", "revoke.call.method", "GET", "revoke.method"),
    ("box", "revoke.call.url", "https://www.box.com/oauth2/revoke", "revoke.address"),
    ("box", "revoke.call.client_auth", "basic", "revoke.client"),
    ("tiktok", "revoke.call.client_id_field", "client_id", "revoke.form"),
    ("hubspot", "revoke.call.token", {"place": "bearer"}, "revoke"),
    (
        "square",
        "revoke.call.headers.Authorization",
        "Bearer {client_secret}",
        "revoke.headers",
    ),
    ("google", "revoke.effect", "token", "revoke.effect"),
    ("google", "revoke.refresh_kills_access", False, "revoke.by_refresh"),
    ("google", "revoke.propagation_seconds", 5, "revoke.propagation_seconds"),
    ("google", "revoke.answers.0.status", [204], "revoke.done"),
    ("google", "revoke.answers.1.status", [400, 404], "revoke.answers"),
    ("google", "revoke.answers.1.documented", True, "revoke.gone"),
    ("slack", "revoke.answers.1.match.1.equals", ["invalid_auth"], "revoke.gone"),
    ("facebook", "verification.answers.1.status", [401], "check.dead"),
    ("box", "verification.call.url", "https://api.box.com/2.0/me", "check.address"),
    ("google", "verification.answers.1.compare", False, "check.dead"),
    ("okta", "introspection.call.client_auth", "body", "introspection.client"),
    ("okta", "identity.account", ["name"], "identity.account"),
]


@pytest.mark.parametrize(("key", "path", "value", "field"), IN_A_RECORD)
def test_a_slip_in_a_record_is_found(key, path, value, field):
    slipped = strict.build(Provider, changed(catalogue.DATA, key, path, value))

    found = compare(slipped, load(FOLDER)[key])

    assert [one for one in found if one.field.startswith(field)], [*map(str, found)]


def test_a_difference_names_the_provider_the_field_and_both_values():
    table = changed(catalogue.DATA, "box", "revoke.call.method", "DELETE")

    first = compare(strict.build(Provider, table), load(FOLDER)["box"])[0]

    assert str(first) == (
        "box: revoke.method (refresh): the record says 'DELETE', the recording 'POST'"
    )


def test_a_record_that_claims_two_shapes_of_success_at_once_is_refused():
    table = changed(catalogue.DATA, "slack", "revoke.answers.1", {})
    table["revoke"]["answers"][1] = {"status": [200], "means": "revoked"}

    with pytest.raises(ValueError, match="claims a second shape of success"):
        rules.check(strict.build(Provider, table))


def changed(folder, key, path, value):
    """Return a file's table with one value changed; numbers are places in a list."""
    text = (folder / f"{key}.toml").read_text(encoding="utf-8")
    table = deepcopy(tomllib.loads(text))
    *parents, last = [int(one) if one.isdecimal() else one for one in path.split(".")]
    place = table
    for parent in parents:
        place = place[parent]
    place[last] = value
    return table
