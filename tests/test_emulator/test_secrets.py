"""Who may call the platform."""

import pytest

from tests.test_emulator.tenant import Tenant, send

WORDS = "Invalid Organization or User secret, or invalid Element token provided."


def get(acme, path, header):
    headers = {"Authorization": header} if header else {}
    return send(acme.emulator.port, "GET", "/elements/api-v2" + path, None, headers)


@pytest.fixture
def parts(acme):
    instance = acme.instance()
    return {
        "u": acme.organization["user_secret"],
        "o": acme.organization["organization_secret"],
        "e": instance["token"],
    }


@pytest.mark.parametrize(
    "template",
    [
        "User {u}, Organization {o}",
        "Organization {o}, User {u}",
        "Element {e}, User {u}, Organization {o}",
        "User {u},Organization {o},Element {e}",
        "User {u}, Organization {o}, Element: {e}",
    ],
)
def test_the_parts_may_come_in_any_order(acme, parts, template):
    assert get(acme, "/instances", template.format(**parts)).status == 200


@pytest.mark.parametrize(
    "template",
    [
        "",
        "User {u}",
        "Organization {o}",
        "User wrong, Organization {o}",
        "User {u}, Organization wrong",
        "User {u}, Organization {o}, Element wrong",
        "Bearer {u}",
    ],
)
def test_any_wrong_or_missing_part_gets_the_same_words(acme, parts, template):
    answer = get(acme, "/instances", template.format(**parts))

    assert (answer.status, answer.json()["message"]) == (401, WORDS)
    assert len(answer.json()["requestId"]) == 24
    assert "providerMessage" not in answer.json()


def test_an_element_call_needs_no_organization(acme, parts):
    assert get(acme, "/ping", "User {u}, Element {e}".format(**parts)).status == 200


def test_an_element_call_without_element_is_refused(acme, parts):
    answer = get(acme, "/ping", "User {u}, Organization {o}".format(**parts))

    assert (answer.status, answer.json()["message"]) == (401, WORDS)


def test_another_organizations_element_token_is_refused(acme):
    other = Tenant(acme.emulator, "Other")

    answer = acme.ping(other.instance())

    assert (answer.status, answer.json()["message"]) == (401, WORDS)


def test_a_deleted_instances_token_is_refused(acme):
    instance = acme.instance()
    assert acme.platform("DELETE", f"/instances/{instance['id']}").status == 200

    assert acme.ping(instance).status == 401
    assert acme.platform("GET", "/instances", instance=instance).status == 401
    assert acme.platform("GET", f"/instances/{instance['id']}").status == 404


def test_the_secrets_can_be_had_by_logging_in(acme):
    login = {
        "username": acme.organization["username"],
        "password": acme.organization["password"],
    }
    token = acme.platform("POST", "/authentication", login).json()["token"]

    answer = get(acme, "/authentication/secrets", f"Bearer {token}")

    assert answer.json() == {
        "userSecret": acme.organization["user_secret"],
        "organizationSecret": acme.organization["organization_secret"],
    }


def test_a_wrong_password_does_not_log_in(acme):
    login = {"username": acme.organization["username"], "password": "wrong"}

    assert acme.platform("POST", "/authentication", login).status == 401
    assert get(acme, "/authentication/secrets", "Bearer wrong").status == 401


def test_a_reset_user_secret_is_dead_at_once(acme):
    fresh = acme.platform("POST", "/authentication/user-secret-reset").json()["secret"]

    assert acme.platform("GET", "/organizations/me").status == 401
    acme.organization["user_secret"] = fresh
    assert acme.platform("GET", "/organizations/me").status == 200


def test_the_organization_is_named(acme):
    assert acme.platform("GET", "/organizations/me").json()["name"] == "Acme"
