"""What the platform shows of an instance, and the small writes."""

import pytest

MASK = "********"


def test_key_secret_and_password_are_masked_and_tokens_are_not(acme):
    instance = acme.instance(configuration={"password": "pw", "username": "ann"})

    held = acme.configuration(instance)

    assert held["oauth.api.key"] == held["oauth.api.secret"] == MASK
    assert (held["password"], held["username"]) == (MASK, "ann")
    assert held["oauth.user.token"] == instance["access_token"]
    assert held["oauth.user.refresh_token"] == instance["refresh_token"]


def test_masking_can_be_wider_or_narrower(acme):
    instance = acme.instance()
    acme.switch(mask_api_key=False, mask_user_tokens=True)

    held = acme.configuration(instance)

    assert held["oauth.api.key"] == "box-app"
    assert held["oauth.user.token"] == held["oauth.user.refresh_token"] == MASK


@pytest.mark.parametrize(
    "provider", ["box", "salesforce", "adobe_sign", "quickbooks", "generic"]
)
def test_every_configuration_value_is_text_or_null(acme, provider):
    held = acme.configuration(acme.instance(provider))

    assert all(value is None or isinstance(value, str) for value in held.values())
    assert len(held["oauth.user.refresh_time"]) == 13


def test_site_values_stand_in_the_configuration(acme):
    host = {"instance_host": "acme.my.salesforce.com"}
    salesforce = acme.configuration(acme.instance("salesforce", **host))
    adobe = acme.configuration(acme.instance("adobe_sign", shard="eu1"))
    quickbooks = acme.configuration(acme.instance("quickbooks", realm="123"))

    assert salesforce["base.url"] == "https://acme.my.salesforce.com"
    assert adobe["base.url"].startswith("https://api.eu1.adobesign.com")
    assert quickbooks["quickbooks.realm.id"] == "123"


def test_single_instances_can_be_odd(acme):
    hidden = acme.configuration(acme.instance(quirks=["masked_tokens"]))
    empty = acme.configuration(acme.instance(quirks=["empty_configuration"]))
    odd = acme.instance(quirks=["id_as_string"])
    body = acme.platform("GET", "/instances", instance=odd).json()

    assert hidden["oauth.user.token"] == MASK
    assert empty == {}
    assert body["id"] == str(odd["id"])


def test_the_body_has_what_the_vendors_schema_asks_for(acme):
    body = acme.platform("GET", "/instances", instance=acme.instance()).json()

    for name in ("id", "name", "token", "valid", "tags", "user", "configuration"):
        assert name in body
    assert (body["element"]["key"], body["element"]["hub"]) == ("box", "documents")
    assert body["createdDate"].endswith("Z")
    assert "providerData" not in body


def test_valid_says_nothing_unless_switched(acme):
    dead = acme.instance(state="dead")

    def valid():
        return acme.platform("GET", f"/instances/{dead['id']}").json()["valid"]

    assert valid() is True
    acme.switch(valid_reflects_health=True)
    assert valid() is False


def test_a_wrong_clock_shows_in_the_platforms_dates(acme):
    instance = acme.instance()

    def created():
        body = acme.platform("GET", f"/instances/{instance['id']}").json()
        return body["createdDate"]

    before = created()
    acme.switch(clock_skew=-86400)
    assert created() < before


def test_an_instance_is_disabled_and_enabled_in_both_forms(acme):
    instance = acme.instance()
    by_id = f"/instances/{instance['id']}/enabled"

    for path, element in ((by_id, None), ("/instances/enabled", instance)):
        assert acme.platform("DELETE", path, instance=element).status == 200
        assert acme.ping(instance).status == 403
        assert acme.platform("GET", "/objects", instance=instance).status == 200
        assert acme.platform("PUT", path, instance=element).status == 200
        assert acme.ping(instance).status == 200


def test_enabling_answers_nothing_or_the_instance(acme):
    instance = acme.instance()
    path = f"/instances/{instance['id']}/enabled"

    assert acme.platform("PUT", path).body == b""
    acme.switch(enabled_body="instance")
    assert acme.platform("PUT", path).json()["id"] == instance["id"]


def test_the_configuration_can_be_read_and_changed_entry_by_entry(acme):
    instance = acme.instance()
    path = f"/instances/{instance['id']}/configuration"
    entries = {row["key"]: row for row in acme.platform("GET", path).json()}
    entry = entries["pagination.type"]
    assert entries["oauth.api.secret"]["propertyValue"] == MASK

    changed = acme.platform("PATCH", f"{path}/{entry['id']}", {"propertyValue": "page"})

    assert changed.json()["propertyValue"] == "page"
    assert acme.configuration(instance)["pagination.type"] == "page"
    assert acme.platform("GET", f"{path}/99").status == 404
    own = acme.platform("GET", "/instances/configuration", instance=instance)
    assert len(own.json()) == len(entries)


def test_unknown_paths_and_ids_are_404(acme):
    assert acme.platform("GET", "/instances/1").status == 404
    assert acme.platform("GET", "/nothing/here").status == 404
    assert acme.platform("GET", "/elements/nothing").status == 404


def test_elements_are_known_by_key_and_by_number(acme):
    keys = {row["key"] for row in acme.platform("GET", "/elements").json()}

    assert {"box", "sfdc", "adobe-esign", "quickbooks", "generic"} <= keys
    assert acme.platform("GET", "/elements/22").json()["key"] == "box"
