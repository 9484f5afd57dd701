"""Calls through an instance: ping, resources, and elements that have no ping."""

import pytest


def get(acme, instance, path):
    return acme.platform("GET", path, instance=instance)


def test_a_ping_answers_the_elements_key(acme):
    answer = acme.ping(acme.instance())

    body = answer.json()
    assert (body["endpoint"], body["valid"]) == ("box", True)
    assert body["dateTime"].endswith("Z")


def test_adobes_ping_says_true_as_text(acme):
    assert acme.ping(acme.instance("adobe_sign")).json()["valid"] == "true"


@pytest.mark.parametrize("hub", ["documents", "crm", "crap"])
def test_the_hub_is_ignored(acme, hub):
    instance = acme.instance()

    assert get(acme, instance, f"/hubs/{hub}/ping").status == 200
    path = f"/hubs/{hub}/folders/contents?path=/&pageSize=1"
    assert get(acme, instance, path).status == 200


@pytest.mark.parametrize("state", ["alive", "dead", "disabled"])
def test_every_answer_names_the_instance(acme, state):
    instance = acme.instance(state=state)

    header = acme.ping(instance).headers["elements-element-instance-id"]

    assert header == str(instance["id"])


@pytest.mark.parametrize(
    ("element", "resource"),
    [
        ("hubspotcrm", "/hubs/crm/accounts"),
        ("hubspot", "/hubs/marketing/contacts"),
        ("github", "/hubs/general/me"),
        ("googlesheets", "/hubs/general/spreadsheets"),
    ],
)
def test_an_element_without_ping_has_a_fallback(acme, element, resource):
    instance = acme.instance(element, client_id="generic-app")

    ping = acme.ping(instance)
    other = get(acme, instance, f"{resource}?pageSize=1")

    assert (ping.status, other.status) == (404, 200)
    acme.revoke("generic", instance["refresh_token"])
    assert acme.ping(instance).status == 404
    assert get(acme, instance, resource).status == 401


@pytest.mark.parametrize(
    ("provider", "resource"),
    [
        ("box", "/hubs/documents/me"),
        ("salesforce", "/hubs/crm/accounts"),
        ("adobe_sign", "/hubs/esignature/agreements"),
        ("quickbooks", "/hubs/finance/customers"),
        ("salesforce", "/accounts"),
    ],
)
def test_resources_answer_too(acme, provider, resource):
    assert get(acme, acme.instance(provider), f"{resource}?pageSize=1").status == 200


def test_a_resource_of_another_hub_is_not_there(acme):
    assert get(acme, acme.instance(), "/hubs/crm/accounts").status == 404


def test_an_element_can_lose_its_ping(acme):
    acme.emulator.control("elements", {"key": "box", "ping": False})

    assert acme.ping(acme.instance()).status == 404
