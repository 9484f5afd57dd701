"""Probes over real HTTP."""

import pytest

from instances.cloud_elements import Credentials
from tests.instances.acme import Acme

FAULTS = [
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 502},
    {"kind": "status", "status": 429},
    {"kind": "status", "status": 429, "retry_after": 2},
    {"kind": "status", "status": 429, "retry_after": "date:3"},
    {"kind": "html"},
    {"kind": "html", "status": 401},
    {"kind": "empty"},
    {"kind": "truncated"},
    {"kind": "invalid_utf8"},
    {"kind": "nul", "raw": True},
    {"kind": "cut"},
    {"kind": "cut", "midway": True},
]


@pytest.fixture
def acme(emulator):
    return Acme(emulator)


@pytest.mark.parametrize(
    "element", ["box", "sfdc", "adobe-esign", "quickbooks", "generic"]
)
def test_a_living_instance_is_connected(acme, element):
    assert acme.probe(acme.one(element=element)).outcome == "connected"


@pytest.mark.parametrize(
    "element", ["box", "sfdc", "adobe-esign", "quickbooks", "generic"]
)
@pytest.mark.parametrize("words", ["article", "provider"])
def test_a_dead_grant_is_dead_in_whatever_words(acme, element, words):
    acme.switch(dead_message=words)

    assert acme.probe(acme.one(element=element, state="dead")).outcome == "dead"


def test_a_probe_of_a_dead_instance_fails_one_refresh_only(acme):
    instance = acme.one(state="dead")
    before = acme.truth(instance)["refresh_failures"]

    acme.probe(instance)

    truth = acme.truth(instance)
    assert truth["refresh_failures"] == before + 1
    assert truth["disabled"] is False


def test_a_disabled_instance_is_disabled(acme):
    assert acme.probe(acme.one(state="disabled")).outcome == "disabled"


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        ({"element": "github"}, "connected"),
        ({"element": "hubspotcrm", "hub": "crm"}, "connected"),
        ({"element": "googlesheets"}, "connected"),
        ({"element": "github", "state": "dead"}, "dead"),
        ({"element": "paypalv2", "hub": "payment"}, "not_supported"),
    ],
)
def test_elements_without_ping_are_probed_by_another_call(acme, row, outcome):
    hub = row.pop("hub", "general")

    assert acme.probe(acme.one(**row), hub=hub).outcome == outcome


def test_a_deleted_instance_is_gone(acme):
    instance = acme.one()
    acme.emulator.control(f"instances/{instance['id']}", method="DELETE")

    result = acme.probe(instance)

    assert (result.cause, result.status) == ("gone", "missing")


def test_an_instance_deleted_between_the_two_calls_is_gone(acme):
    instance = acme.one(state="dead")
    acme.fault("delete_instance", "/instances/*")

    assert acme.probe(instance).cause == "gone"


def test_wrong_organization_secret_is_told_apart_from_a_dead_grant(acme):
    stranger = Credentials(
        "https://api.cloud-elements.com", acme.credentials.user_secret, "0" * 32
    )

    assert (
        acme.probe(acme.one(state="dead"), credentials=stranger).cause
        == "organization_secrets"
    )


def test_a_changed_element_token_is_found_by_reading_the_instance(acme):
    result = acme.probe(acme.one(), element_token="outdated=")

    assert result.outcome == "connected"
    assert set(result.changes) == {"element_token"}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_ping_are_transient_and_never_dead(acme, fault):
    instance = acme.one()
    acme.fault(path="/ping", times=0, **fault)

    assert acme.probe(instance).outcome == "transient"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_single_fault_of_ping_is_healed_by_asking_once_more(acme, fault):
    instance = acme.one()
    acme.fault(path="/ping", times=1, **fault)

    assert acme.probe(instance).outcome == "connected"


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_the_look_at_a_dead_instance_are_transient_too(acme, fault):
    instance = acme.one(state="dead")
    acme.fault(path="/instances/*", times=0, **fault)

    assert acme.probe(instance).outcome == "transient"
