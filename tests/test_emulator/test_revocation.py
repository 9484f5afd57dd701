"""Revoking at the providers, each in its own dialect."""

import json

import pytest

from tests.test_emulator.tenant import ELEMENTS, encoded, form

ALL = list(ELEMENTS)


def effect(acme):
    return acme.emulator.log()[-1]["effect"]


@pytest.mark.parametrize("provider", ALL)
def test_a_refresh_token_takes_the_access_token_along(acme, provider):
    instance = acme.instance(provider)

    assert acme.revoke(provider, instance["refresh_token"]).status == 200

    assert acme.alive(provider, instance["access_token"]).status == 401
    truth = acme.truth(instance)
    assert (truth["access_alive"], truth["refresh_alive"]) == (False, False)


@pytest.mark.parametrize(
    ("provider", "refresh_lives"),
    [
        ("box", False),
        ("salesforce", True),
        ("adobe_sign", False),
        ("quickbooks", False),
        ("generic", True),
    ],
)
def test_what_an_access_token_takes_along(acme, provider, refresh_lives):
    instance = acme.instance(provider)

    assert acme.revoke(provider, instance["access_token"]).status == 200

    assert acme.alive(provider, instance["access_token"]).status == 401
    assert acme.truth(instance)["refresh_alive"] is refresh_lives


@pytest.mark.parametrize(
    ("provider", "status"),
    [
        ("box", 400),
        ("salesforce", 400),
        ("adobe_sign", 400),
        ("quickbooks", 400),
        ("generic", 200),
    ],
)
def test_the_second_call(acme, provider, status):
    instance = acme.instance(provider)
    acme.revoke(provider, instance["refresh_token"])

    again = acme.revoke(provider, instance["refresh_token"])
    unknown = acme.revoke(provider, "never-given")

    assert again.status == unknown.status == status
    if provider in ("quickbooks", "generic"):
        assert again.body == b""


@pytest.mark.parametrize(
    ("provider", "status"), [("box", 400), ("quickbooks", 401), ("generic", 401)]
)
def test_wrong_client_credentials_are_refused_and_the_token_lives(
    acme, provider, status
):
    instance = acme.instance(provider)

    answer = acme.revoke(provider, instance["refresh_token"], secret="wrong")

    assert (answer.status, answer.json()["error"]) == (status, "invalid_client")
    assert acme.truth(instance)["refresh_alive"]
    assert effect(acme) == "invalid_client"


@pytest.mark.parametrize("provider", ["box", "quickbooks", "generic"])
def test_another_apps_credentials_do_not_kill(acme, provider):
    row = {"provider": provider, "client_id": "other-app"}
    acme.emulator.control("clients", row)
    instance = acme.instance(provider, client_id="other-app")

    acme.revoke(provider, instance["refresh_token"])

    assert acme.truth(instance)["refresh_alive"]


@pytest.mark.parametrize("provider", ALL)
def test_the_log_names_the_instances_that_shared_the_grant(acme, provider):
    first = acme.instance(provider)
    second = acme.instance(provider, share_grant_with=first["id"])

    acme.revoke(provider, first["refresh_token"])

    entry = acme.emulator.log()[-1]
    assert entry["instances"] == [first["id"], second["id"]]
    assert (entry["provider"], entry["effect"]) == (provider, "revoked")
    assert acme.ping(second).status == 401


def test_box_answers_at_its_old_host_too(acme):
    instance = acme.instance()
    app = {"client_id": "box-app", "client_secret": acme.secrets["box"]}
    fields = form(token=instance["refresh_token"], **app)

    assert (
        acme.provider("POST", "https://www.box.com/api/oauth2/revoke", *fields).status
        == 200
    )
    assert not acme.truth(instance)["refresh_alive"]


def test_box_can_answer_200_for_unknown_tokens(acme):
    acme.switch(box_unknown_token=200)

    assert acme.revoke("box", "never-given").status == 200


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("host", ["na54", "login", "test"])
def test_salesforce_takes_the_token_in_the_query(acme, method, host):
    instance = acme.instance("salesforce")
    url = f"https://{host}.salesforce.com/services/oauth2/revoke"

    answer = acme.provider(method, f"{url}?token={encoded(instance['refresh_token'])}")

    assert answer.status == 200
    assert not acme.truth(instance)["refresh_alive"]
    assert acme.emulator.log()[-1]["query"] == ["token"]


def test_salesforce_does_not_know_the_tokens_of_another_host(acme):
    instance = acme.instance("salesforce", instance_host="eu5.salesforce.com")
    token = instance["access_token"]

    assert acme.revoke("salesforce", token).status == 400
    assert acme.alive("salesforce", token).status == 401
    assert acme.truth(instance)["access_alive"]
    home = "https://eu5.salesforce.com/services/oauth2/revoke"
    assert acme.revoke("salesforce", token, url=home).status == 200


def test_salesforce_words_its_refusal_as_a_form_or_as_json(acme):
    url = "https://na54.salesforce.com/services/oauth2/revoke"
    body, headers = form(token="never-given")

    plain = acme.provider("POST", url, body, headers)
    asked = acme.provider("POST", url, body, headers | {"Accept": "application/json"})

    assert plain.body.startswith(b"error=invalid_token")
    assert asked.json()["error"] == "invalid_token"


def test_adobe_takes_the_articles_form(acme):
    instance = acme.instance("adobe_sign")
    url = "https://secure.na1.echosign.com/oauth/revoke"
    url += f"?token={encoded(instance['access_token'])}"

    assert acme.provider("POST", url).status == 400
    typed = {"Content-Type": "application/x-www-form-urlencoded"}
    assert acme.provider("POST", url, None, typed).status == 200
    assert not acme.truth(instance)["refresh_alive"]


def test_adobe_can_do_without_the_form_type(acme):
    acme.switch(adobe_needs_form_type=False, adobe_unknown_token=401)
    instance = acme.instance("adobe_sign")
    url = "https://secure.na1.echosign.com/oauth/revoke?token="

    assert acme.provider("POST", url + encoded(instance["access_token"])).status == 200
    assert acme.provider("POST", url + "never-given").status == 401


def test_adobe_does_not_know_the_tokens_of_another_shard(acme):
    instance = acme.instance("adobe_sign", shard="eu1")

    assert acme.revoke("adobe_sign", instance["access_token"]).status == 400
    assert acme.alive("adobe_sign", instance["access_token"]).status == 401
    assert acme.truth(instance)["access_alive"]


def test_quickbooks_wants_json(acme):
    instance = acme.instance("quickbooks")
    url = "https://developer.api.intuit.com/v2/oauth2/tokens/revoke"
    body, headers = form(token=instance["access_token"])

    assert (
        acme.provider("POST", url, body, headers | acme.basic("quickbooks")).status
        == 400
    )
    assert acme.truth(instance)["access_alive"]


def test_quickbooks_guards_the_other_companies(acme):
    instance = acme.instance("quickbooks", realm="4242")

    assert acme.alive("quickbooks", instance["access_token"]).status == 403


def test_the_generic_server_takes_credentials_in_the_body(acme):
    instance = acme.instance("generic")
    app = {"client_id": "generic-app", "client_secret": acme.secrets["generic"]}
    fields = form(token=instance["refresh_token"], token_type_hint="nonsense", **app)

    answer = acme.provider("POST", "https://auth.example.com/oauth/revoke", *fields)

    assert answer.status == 200
    assert not acme.truth(instance)["refresh_alive"]


def test_the_generic_server_needs_a_token(acme):
    answer = acme.revoke("generic", "")

    assert (answer.status, answer.json()["error"]) == (400, "invalid_request")


def test_the_generic_server_can_have_other_policies(acme):
    instance = acme.instance("generic")
    acme.switch(generic_revokes_access=False)
    refused = acme.revoke("generic", instance["access_token"])
    acme.switch(generic_revokes_access=True, generic_access_kills_grant=True)
    acme.revoke("generic", instance["access_token"])

    assert refused.json()["error"] == "unsupported_token_type"
    assert not acme.truth(instance)["refresh_alive"]


def test_the_generic_server_introspects(acme):
    instance = acme.instance("generic")
    url = "https://auth.example.com/oauth/introspect"

    def active(token):
        body, headers = form(token=token)
        headers |= acme.basic("generic")
        return acme.provider("POST", url, body, headers).json()["active"]

    assert active(instance["access_token"]) is active(instance["refresh_token"]) is True
    acme.revoke("generic", instance["refresh_token"])
    assert active(instance["access_token"]) is active("never-given") is False
    body, headers = form(token="x")
    assert acme.provider("POST", url, body, headers).status == 401


def test_any_host_can_be_a_generic_server(acme):
    acme.emulator.control("servers", {"host": "id.acme.test", "introspection": False})
    url = "https://id.acme.test/.well-known/oauth-authorization-server"

    metadata = acme.provider("GET", url).json()

    assert metadata["revocation_endpoint"] == "https://id.acme.test/oauth/revoke"
    assert "introspection_endpoint" not in metadata
    inspect = acme.provider("POST", "https://id.acme.test/oauth/introspect")
    assert inspect.status == 404


def test_an_element_can_stand_on_another_generic_server(acme):
    acme.emulator.control("elements", {"key": "acme-crm", "host": "id.acme.test"})
    instance = acme.instance("acme-crm", client_id="generic-app")
    url = "https://id.acme.test/oauth/revoke"

    held = acme.configuration(instance)
    answer = acme.revoke("generic", instance["refresh_token"], url=url)

    assert held["oauth.token.revoke_url"] == url
    assert answer.status == 200
    assert acme.ping(instance).status == 401


def test_a_generic_server_does_not_know_the_tokens_of_another(acme):
    acme.emulator.control("servers", {"host": "id.acme.test"})
    instance = acme.instance("generic")
    url = "https://id.acme.test/oauth/revoke"

    assert acme.revoke("generic", instance["refresh_token"], url=url).status == 200
    assert acme.truth(instance)["refresh_alive"]
    userinfo = "https://id.acme.test/oauth/userinfo"
    bearer = {"Authorization": f"Bearer {instance['access_token']}"}
    assert acme.provider("GET", userinfo, None, bearer).status == 401


def test_one_generic_server_can_have_its_own_policy(acme):
    row = {"host": "auth.example.com", "access_kills_grant": True}
    acme.emulator.control("servers", row)
    instance = acme.instance("generic")

    acme.revoke("generic", instance["access_token"])

    assert not acme.truth(instance)["refresh_alive"]


def test_identity_calls_name_the_account(acme):
    token = acme.instance(account="229876543")["access_token"]
    sub = acme.instance("generic", account="u-1")["access_token"]
    salesforce = acme.instance("salesforce", account="005xx")["access_token"]
    url = "https://na54.salesforce.com/services/oauth2/userinfo"
    bearer = {"Authorization": f"Bearer {salesforce}"}

    assert acme.alive("box", token).json()["id"] == "229876543"
    assert acme.alive("generic", sub).json()["sub"] == "u-1"
    assert acme.provider("GET", url, None, bearer).json()["user_id"] == "005xx"
    assert acme.provider("GET", url).status == 403


def test_dead_tokens_are_refused_in_the_providers_own_words(acme):
    salesforce = acme.alive("salesforce", "x").json()
    adobe = acme.alive("adobe_sign", "x").json()
    quickbooks = acme.alive("quickbooks", "x").json()

    assert salesforce[0]["errorCode"] == "INVALID_SESSION_ID"
    assert adobe["code"] == "INVALID_ACCESS_TOKEN"
    assert "003200" in json.dumps(quickbooks)
    assert "invalid_token" in acme.alive("box", "x").headers["www-authenticate"]


def test_salesforces_list_of_versions_is_public(acme):
    answer = acme.provider("GET", "https://na54.salesforce.com/services/data/")

    assert answer.status == 200


@pytest.mark.parametrize(
    "url", ["https://evil.example/x", "https://api.box.com/nothing"]
)
def test_unknown_addresses_are_404(acme, url):
    assert acme.provider("GET", url).status == 404


def test_a_token_of_one_provider_is_nothing_to_another(acme):
    instance = acme.instance("salesforce")

    assert acme.revoke("adobe_sign", instance["refresh_token"]).status == 400
    assert acme.truth(instance)["refresh_alive"]
