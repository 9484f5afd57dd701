"""The article's eight steps, for every provider, over HTTP."""

import pytest

from tests.test_emulator.tenant import CALLBACK, ELEMENTS


@pytest.mark.parametrize("provider", ELEMENTS)
def test_an_instance_is_revoked_seen_dead_reconnected_and_seen_alive(acme, provider):
    instance = acme.instance(provider)
    assert acme.ping(instance).status == 200
    held = acme.configuration(instance)
    assert acme.alive(provider, held["oauth.user.token"]).status == 200

    revoked = acme.revoke(provider, held["oauth.user.refresh_token"])

    assert (revoked.status, revoked.body) == (200, b"")
    assert acme.alive(provider, held["oauth.user.token"]).status == 401
    dead = acme.ping(instance)
    assert (dead.status, dead.json()["message"]) == (401, "Request failed")
    assert "INVALID_ACCESS_TOKEN" in dead.json()["providerMessage"]

    url = acme.oauth_url(instance["element"]).json()["oauthUrl"]
    back = acme.consent(url, instance=instance["id"])
    assert (back.status, back.location()[0]) == (302, CALLBACK)
    sides = back.location()[1]
    assert sides.pop("state") == "s-1"

    answer = acme.reconnect(instance, sides)

    assert answer.status == 200
    assert (answer.json()["id"], answer.json()["token"]) == (
        instance["id"],
        instance["token"],
    )
    assert acme.ping(instance).status == 200
    fresh = acme.configuration(instance)["oauth.user.token"]
    assert fresh != held["oauth.user.token"]
    assert acme.alive(provider, fresh).status == 200
    assert acme.alive(provider, held["oauth.user.token"]).status == 401


@pytest.mark.parametrize("provider", ELEMENTS)
def test_the_dead_answer_names_the_providers_own_code(acme, provider):
    instance = acme.instance(provider, state="dead")

    words = acme.ping(instance).json()["providerMessage"]

    own = {
        "salesforce": "INVALID_SESSION_ID",
        "quickbooks": "003200",
        "adobe_sign": "INVALID_ACCESS_TOKEN: Access token",
    }
    assert words.startswith("INVALID_ACCESS_TOKEN")
    assert own.get(provider, "invalid_token") in words


def test_the_dead_answer_can_be_the_inferred_one_instead(acme):
    acme.switch(dead_message="provider")
    instance = acme.instance("salesforce", state="dead")

    body = acme.ping(instance).json()

    assert body["message"] == "Unauthorized"
    assert body["providerMessage"].startswith("INVALID_SESSION_ID")


def test_the_log_tells_the_eight_steps_in_order_without_secrets(acme):
    instance = acme.instance("box")
    acme.ping(instance)
    held = acme.configuration(instance)
    acme.revoke("box", held["oauth.user.refresh_token"])
    acme.ping(instance)
    sides = acme.code(instance)
    acme.reconnect(instance, sides)
    acme.ping(instance)

    log = acme.emulator.log()

    assert [entry["effect"] for entry in log] == [
        "alive", "read", "revoked", "refresh_failed",
        "url_made", "allowed", "reauthenticated", "alive",
    ]  # fmt: skip
    assert [entry["status"] for entry in log] == [
        200,
        200,
        200,
        401,
        200,
        302,
        200,
        200,
    ]
    assert {entry["instance"] for entry in log} == {instance["id"], None}
    for secret in (*sides.values(), held["oauth.user.token"], instance["token"]):
        assert secret not in str(log)
