"""Reauthenticating: four forms, and codes that are bound, single-use and short-lived."""

import pytest

from tests.test_emulator.tenant import CALLBACK, Tenant, send

MASK = "********"


@pytest.fixture
def dead(acme):
    return acme.instance(state="dead")


def refusal(answer):
    """Return how a refused exchange answered."""
    return answer.status, answer.json()["providerMessage"].partition(":")[0]


def whole(acme, **changed):
    """Return the full body that a PUT wants."""
    configuration = {
        "oauth.api.key": "box-app",
        "oauth.api.secret": acme.secrets["box"],
        "oauth.callback.url": CALLBACK,
    }
    return {"element": {"key": "box"}, "configuration": configuration} | changed


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("by_id", [False, True])
@pytest.mark.parametrize("query", ["", "?reAuthenticate=true"])
def test_all_four_forms_keep_id_and_token(acme, dead, method, by_id, query):
    path = f"/instances/{dead['id']}" if by_id else "/instances"
    body = {"providerData": acme.code(dead)}
    if method == "PUT":
        body = whole(acme, **body)

    answer = acme.platform(method, path + query, body, None if by_id else dead)

    assert answer.status == 200
    assert "providerData" not in answer.json()
    assert (answer.json()["id"], answer.json()["token"]) == (dead["id"], dead["token"])
    assert acme.ping(dead).status == 200


@pytest.mark.parametrize(
    ("form", "method", "by_id"),
    [
        ("patch_instances", "PATCH", False),
        ("patch_instance_by_id", "PATCH", True),
        ("put_instances", "PUT", False),
        ("put_instance", "PUT", True),
    ],
)
def test_a_tenant_can_refuse_a_form(acme, dead, form, method, by_id):
    refused = {"id": acme.organization["id"], "refused_forms": [form]}
    acme.emulator.control("organizations", refused)
    body = whole(acme, providerData=acme.code(dead))
    path = f"/instances/{dead['id']}" if by_id else "/instances"

    assert acme.platform(method, path, body, dead).status == 405
    acme.switch(refused_form_status=403)
    assert acme.platform(method, path, body, dead).status == 403
    other = "/instances" if by_id else f"/instances/{dead['id']}"
    assert acme.platform(method, other, body, dead).status == 200


def test_a_refused_form_still_renames(acme, dead):
    refused = {"id": acme.organization["id"], "refused_forms": ["patch_instances"]}
    acme.emulator.control("organizations", refused)

    assert acme.platform("PATCH", "/instances", {"name": "New"}, dead).status == 200


def test_a_code_works_once(acme, dead):
    sides = acme.code(dead)
    assert acme.reconnect(dead, sides).status == 200

    assert refusal(acme.reconnect(dead, sides)) == (400, "invalid_grant")
    assert acme.ping(dead).status == 200


def test_using_a_code_twice_can_kill_what_it_gave(acme, dead):
    acme.switch(code_reuse_revokes=True)
    sides = acme.code(dead)
    acme.reconnect(dead, sides)
    acme.reconnect(dead, sides)

    assert acme.ping(dead).status == 401


def test_a_code_lives_sixty_seconds(acme, dead):
    sides = acme.code(dead)
    acme.emulator.control("clock", {"advance": 61})

    assert refusal(acme.reconnect(dead, sides)) == (400, "invalid_grant")


def test_a_codes_life_can_be_set(acme, dead):
    acme.switch(code_life=600)
    sides = acme.code(dead)
    acme.emulator.control("clock", {"advance": 599})

    assert acme.reconnect(dead, sides).status == 200


@pytest.mark.parametrize("code", ["made-up", "x" * 5000, "\x00", {"a": 1}, 5])
def test_a_made_up_code_is_refused(acme, dead, code):
    assert refusal(acme.reconnect(dead, {"code": code})) == (400, "invalid_grant")


def test_without_a_code_nothing_is_redeemed(acme, dead):
    answer = acme.reconnect(dead, {"state": "x"})

    assert (answer.status, answer.json()["message"]) == (
        400,
        "providerData.code is required",
    )


def test_a_code_of_another_callback_is_refused(acme, dead):
    ours = "https://ceadmin.test/elsewhere/"
    acme.emulator.control(
        "clients",
        {"provider": "box", "client_id": "box-app", "redirect_uris": [CALLBACK, ours]},
    )
    url = acme.oauth_url(callbackUrl=ours).json()["oauthUrl"]
    sides = acme.consent(url).location()[1]

    answer = acme.reconnect(dead, sides)

    assert refusal(answer) == (400, "invalid_grant")
    assert "redirect_uri mismatch" in answer.json()["providerMessage"]
    moved = {"oauth.callback.url": ours}
    assert acme.reconnect(dead, sides, configuration=moved).status == 200
    assert acme.configuration(dead)["oauth.callback.url"] == ours


def test_a_code_of_another_client_is_refused_until_it_is_configured(acme, dead):
    row = {"provider": "box", "client_id": "second", "redirect_uris": [CALLBACK]}
    second = acme.emulator.control("clients", row)
    sides = acme.emulator.control("consents", row | {"instance": dead["id"]})
    assert refusal(acme.reconnect(dead, sides)) == (400, "invalid_grant")

    secrets = {"oauth.api.key": "second", "oauth.api.secret": second["client_secret"]}

    assert acme.reconnect(dead, sides, configuration=secrets).status == 200
    assert acme.truth(dead)["client_id"] == "second"


def test_a_wrong_client_secret_shows_only_at_the_exchange(acme):
    dead = acme.instance(state="dead", client_secret="old")
    url = acme.oauth_url(apiSecret="wrong")
    assert url.status == 200
    sides = acme.code(dead)

    assert refusal(acme.reconnect(dead, sides)) == (400, "invalid_client")
    right = {"oauth.api.secret": acme.secrets["box"]}
    assert acme.reconnect(dead, sides, configuration=right).status == 200


def test_a_refused_exchange_changes_nothing(acme, dead):
    before = acme.configuration(dead)

    acme.reconnect(dead, {"code": "x"}, configuration={"pagination.type": "page"})

    assert acme.configuration(dead) == before


def test_a_refused_exchange_can_use_the_code_up(acme):
    acme.switch(failed_reauth_uses_code=True)
    dead = acme.instance(state="dead", client_secret="old")
    sides = acme.code(dead)
    right = {"oauth.api.secret": acme.secrets["box"]}
    acme.reconnect(dead, sides)

    answer = acme.reconnect(dead, sides, configuration=right)

    assert "already used" in answer.json()["providerMessage"]


def test_a_code_of_another_provider_is_refused(acme, dead):
    salesforce = acme.instance("salesforce", state="dead")

    assert refusal(acme.reconnect(dead, acme.code(salesforce)))[0] == 400


def test_a_written_back_mask_destroys_the_secret_unless_it_is_ignored(acme, dead):
    mask = {"oauth.api.secret": MASK}

    stored = acme.reconnect(dead, acme.code(dead), configuration=mask)
    acme.switch(mask_written_back="ignored")
    ignored = acme.reconnect(dead, acme.code(dead), configuration=mask)

    assert refusal(stored) == (400, "invalid_client")
    assert ignored.status == 200


def test_quickbooks_wants_the_realm_back(acme):
    dead = acme.instance("quickbooks", state="dead")
    sides = acme.code(dead)
    assert sides["realmId"] == "777"

    assert acme.reconnect(dead, {"code": sides["code"]}).status == 400
    assert acme.reconnect(dead, sides | {"realmId": "778"}).status == 400
    assert acme.reconnect(dead, sides).status == 200


def test_the_newest_quickbooks_connection_of_a_company_wins(acme):
    first = acme.instance("quickbooks", account="company")
    second = acme.instance("quickbooks", account="company", state="dead")

    acme.reconnect(second, acme.code(second))

    assert acme.ping(second).status == 200
    assert acme.ping(first).status == 401


def test_the_same_account_stays_the_same_and_another_is_another(acme, dead):
    before = acme.truth(dead)["account"]

    acme.reconnect(dead, acme.code(dead))
    same = acme.truth(dead)["account"]
    acme.reconnect(dead, acme.code(dead, account="other"))
    other = acme.truth(dead)["account"]

    assert same == before != other
    token = acme.configuration(dead)["oauth.user.token"]
    assert acme.alive("box", token).json()["id"] == other


def test_same_is_settled_when_the_code_is_redeemed(acme):
    first, second = acme.instances(2)
    url = acme.oauth_url().json()["oauthUrl"]
    before = acme.truth(second)["account"]

    acme.reconnect(second, acme.consent(url).location()[1])

    assert acme.truth(second)["account"] == before
    assert acme.truth(first)["account"] != before


def test_reauthenticating_does_not_enable(acme):
    disabled = acme.instance(state="disabled")

    acme.reconnect(disabled, acme.code(disabled))

    assert acme.ping(disabled).status == 403
    acme.platform("PUT", f"/instances/{disabled['id']}/enabled")
    assert acme.ping(disabled).status == 200


def test_reauthenticating_can_enable(acme):
    acme.switch(reauth_enables=True)
    disabled = acme.instance(state="disabled")

    acme.reconnect(disabled, acme.code(disabled))

    assert acme.ping(disabled).status == 200


def test_a_name_can_be_needed(acme, dead):
    acme.switch(reauth_name_required=True)
    sides = acme.code(dead)

    assert acme.reconnect(dead, sides).status == 400
    assert acme.reconnect(dead, sides, name="Acme").status == 200


def test_names_and_tags_lose_their_markup(acme, dead):
    body = {"name": "<b>@acme</b>", "tags": ["<i>x</i>"]}

    changed = acme.platform("PATCH", "/instances", body, dead).json()

    assert (changed["name"], changed["tags"]) == ("@acme", ["x", "@acme"])


def test_a_put_needs_the_whole_instance(acme, dead):
    path, body = f"/instances/{dead['id']}", {"providerData": acme.code(dead)}

    assert acme.platform("PUT", path, body).status == 400
    other = whole(acme, element={"key": "sfdc"}, **body)
    assert acme.platform("PUT", path, other).status == 400


def test_bodies_that_are_no_json_are_refused(acme, dead):
    port, path = acme.emulator.port, "/elements/api-v2/instances"
    headers = acme.header(dead)
    typed = headers | {"Content-Type": "application/json"}

    assert raw(port, path, "{", typed) == raw(port, path, "[]", typed) == 400
    assert raw(port, path, b"\xff", typed) == 400
    assert raw(port, path, "{}", headers) == 415


def raw(port, path, body, headers):
    """Return the status of a PATCH with this body."""
    return send(port, "PATCH", path, body, headers).status


def test_an_instance_is_made_from_a_code(acme):
    other = Tenant(acme.emulator, "Fresh")
    row = {"provider": "box", "client_id": "box-app"}
    sides = other.emulator.control("consents", row | {"account": "229876543"})
    body = whole(other, providerData=sides, name="Made", tags=["a"])

    made = other.platform("POST", "/instances", body)

    assert (made.status, made.json()["name"]) == (200, "Made")
    assert other.ping(made.json()).status == 200
    assert other.platform("POST", "/instances", {"element": {"key": "x"}}).status == 404
    lacking = {"element": {"key": "box"}, "configuration": {}}
    assert "oauth.api.key" in str(other.platform("POST", "/instances", lacking).body)
