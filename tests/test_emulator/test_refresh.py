"""The platform refreshes by itself: it heals, it fails, and after five failures it gives up."""

import pytest


def effects(acme):
    return [entry["effect"] for entry in acme.emulator.log()]


@pytest.mark.parametrize("provider", ["salesforce", "generic"])
def test_an_access_token_only_revoke_heals_itself(acme, provider):
    instance = acme.instance(provider)
    acme.revoke(provider, instance["access_token"])
    assert acme.alive(provider, instance["access_token"]).status == 401

    assert acme.ping(instance).status == 200

    assert effects(acme)[-1] == "healed"
    fresh = acme.configuration(instance)["oauth.user.token"]
    assert fresh != instance["access_token"]
    assert acme.alive(provider, fresh).status == 200


def test_a_platform_that_does_not_refresh_on_401_stays_dead(acme):
    acme.switch(refresh_on_401=False)
    instance = acme.instance("salesforce", state="access_dead")

    assert [acme.ping(instance).status for _ in range(7)] == [401] * 7

    assert acme.truth(instance)["refresh_failures"] == 0
    acme.emulator.control("clock", {"advance": 7201})
    assert acme.ping(instance).status == 200


def test_five_failed_refreshes_disable(acme):
    instance = acme.instance(state="dead")

    statuses = [acme.ping(instance).status for _ in range(7)]

    assert statuses == [401] * 5 + [403] * 2
    truth = acme.truth(instance)
    assert (truth["disabled"], truth["refresh_failures"]) == (True, 5)
    assert acme.platform("GET", "/objects", instance=instance).status == 200
    assert effects(acme)[3:6] == [
        "refresh_failed",
        "refresh_failed_disabled",
        "disabled",
    ]


def test_the_number_of_failures_can_be_set(acme):
    acme.switch(refresh_failures_to_disable=2)
    instance = acme.instance(state="dead")

    assert [acme.ping(instance).status for _ in range(3)] == [401, 401, 403]


def test_reading_an_instance_does_not_count_as_a_failure(acme):
    instance = acme.instance(state="dead")

    for _ in range(6):
        acme.configuration(instance)

    assert acme.truth(instance)["refresh_failures"] == 0


def test_reauthenticating_clears_the_failures(acme):
    instance = acme.instance(state="dead")
    for _ in range(4):
        acme.ping(instance)

    acme.reconnect(instance, acme.code(instance))

    assert acme.truth(instance)["refresh_failures"] == 0
    assert acme.ping(instance).status == 200


@pytest.mark.parametrize(
    ("provider", "rotates"),
    [
        ("box", True),
        ("quickbooks", True),
        ("salesforce", False),
        ("adobe_sign", False),
    ],
)
def test_an_elapsed_interval_refreshes_on_demand(acme, provider, rotates):
    instance = acme.instance(provider)
    acme.emulator.control("clock", {"advance": 7300})
    assert acme.alive(provider, instance["access_token"]).status == 401

    assert acme.ping(instance).status == 200

    held = acme.configuration(instance)
    assert held["oauth.user.token"] != instance["access_token"]
    changed = held["oauth.user.refresh_token"] != instance["refresh_token"]
    assert changed is rotates


@pytest.mark.parametrize(
    ("switch", "status", "lives"),
    [("ignored", 200, True), ("refused", 400, True), ("revokes", 200, False)],
)
def test_revoking_a_stale_refresh_token(acme, switch, status, lives):
    acme.switch(stale_refresh_revoke=switch)
    instance = acme.instance()
    refreshed = acme.emulator.control(f"refresh/{instance['id']}", {})
    assert refreshed["effect"] == "healed"

    answer = acme.revoke("box", instance["refresh_token"])

    assert answer.status == status
    assert acme.truth(instance)["refresh_alive"] is lives


def test_a_refreshed_non_rotating_token_still_revokes(acme):
    instance = acme.instance("salesforce")
    acme.emulator.control(f"refresh/{instance['id']}", {})

    acme.revoke("salesforce", instance["refresh_token"])

    assert acme.ping(instance).status == 401


def test_a_token_minted_while_a_revocation_spreads_dies_too(acme):
    acme.switch(propagation_seconds=30)
    instance = acme.instance("salesforce")
    acme.revoke("salesforce", instance["refresh_token"])
    acme.emulator.control(f"refresh/{instance['id']}", {})
    assert acme.ping(instance).status == 200

    acme.emulator.control("clock", {"advance": 31})

    assert acme.ping(instance).status == 401


def test_access_tokens_can_live_shorter(acme):
    acme.switch(access_life=5)
    token = acme.instance()["access_token"]
    acme.emulator.control("clock", {"advance": 6})

    assert acme.alive("box", token).status == 401


def test_an_instance_without_refresh_token_cannot_heal(acme):
    without = {"oauth.user.refresh_token": None}
    instance = acme.instance("salesforce", configuration=without)
    assert acme.ping(instance).status == 200

    acme.revoke("salesforce", instance["access_token"])

    assert [acme.ping(instance).status for _ in range(6)] == [401] * 6
