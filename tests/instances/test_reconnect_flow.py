"""The flows of a reconnect alone, driven one call at a time against the emulator."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from ceadmin.lib import http
from instances.actions.calls import drive
from instances.actions.case import App
from instances.actions.consent_flow import address
from instances.actions.reconnect_flow import Before, finish, look
from instances.choices import Outcome
from instances.cloud_elements import PlatformError, Refused
from providers import catalogue
from providers.choices import Flow
from tests.instances.acme import CALLBACK, Acme


@pytest.fixture
def acme(emulator):
    return Acme(emulator)


def app_of(client, **site):
    return App(client.client_id, client.client_secret, "ours", site=site)


def dead_case(acme, element="box", provider="box", **changed):
    if "provider_" in changed:
        changed["provider"] = changed.pop("provider_")
    client = acme.register(provider)
    instance = acme.one(element=element, client_id=client.client_id, state="dead")
    known = {"provider": catalogue.get("box"), "app": app_of(client)}
    known |= {"our_callback_url": CALLBACK, "status": "needs_reauth"}
    return acme.case(instance, **known | changed)


def allow(url, case):
    form = {"decision": "allow", "instance": case.remote_id}
    answer = http.send(http.Request.form("POST", url, list(form.items())))
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def quietly(flow):
    return drive(flow, sleep=lambda seconds: None)


def test_oauth1_takes_the_request_token_for_the_state(acme):
    oauth1 = replace(catalogue.get("box"), flow=Flow.OAUTH1, identity=None)
    case = dead_case(acme, element="twitter", provider="twitter", provider_=oauth1)

    consent = quietly(address(case, "our-state", CALLBACK))
    back = allow(consent.url, case)
    data = back | {"secret": consent.request_token.secret}
    result = quietly(finish(case, data, Before(dead=True)))

    assert back["oauth_token"] == consent.request_token.token
    assert result.outcome == Outcome.RECONNECTED


def test_an_element_without_a_record_is_reconnected_too(acme):
    case = dead_case(acme, provider_=None)

    consent = quietly(address(case, "our-state", CALLBACK))
    result = quietly(finish(case, allow(consent.url, case), Before(dead=True)))

    assert result.outcome == Outcome.RECONNECTED


def test_the_address_carries_what_the_record_adds(acme):
    wanted = replace(catalogue.get("box").consent, extras={"prompt": "consent"})
    case = dead_case(acme, provider_=replace(catalogue.get("box"), consent=wanted))

    url = quietly(address(case, "our-state", CALLBACK)).url

    query = dict(parse_qsl(urlsplit(url).query))
    assert (query["prompt"], query["state"]) == ("consent", "our-state")


def test_the_site_address_names_the_customers_host(acme):
    client = acme.register("salesforce")
    app = app_of(client, site_address="https://acme.my.salesforce.com")
    case = dead_case(acme, element="sfdc", provider="salesforce", app=app)

    url = quietly(address(case, "our-state", CALLBACK)).url

    assert urlsplit(url).hostname == "acme.my.salesforce.com"


@pytest.mark.parametrize(
    "app", [None, App("id", "", "ours"), App("", "secret", "ours")]
)
def test_without_a_whole_app_there_is_no_address(acme, app):
    case = dead_case(acme, app=app)

    with pytest.raises(Refused):
        quietly(address(case, "our-state", CALLBACK))


@pytest.mark.parametrize("kind", ["html", "truncated", "invalid_utf8", "empty", "cut"])
def test_no_address_ends_in_a_named_error(acme, kind):
    case = dead_case(acme)
    acme.fault(kind, "/elements/box/oauth/url", times=0)

    with pytest.raises(PlatformError) as caught:
        quietly(address(case, "our-state", CALLBACK))

    assert caught.value.code


@pytest.mark.parametrize("kind", ["html", "truncated", "invalid_utf8", "empty", "cut"])
def test_an_unreadable_answer_to_the_patch_is_looked_into(acme, kind):
    case = dead_case(acme)
    consent = quietly(address(case, "our-state", CALLBACK))
    proof = allow(consent.url, case)
    acme.fault(kind, "/instances", when="after")

    result = quietly(finish(case, proof, Before(dead=True)))

    assert result.outcome == Outcome.RECONNECTED
    assert result.facts["lost"]


def test_a_platform_that_fails_afterwards_leaves_it_unclear(acme):
    case = dead_case(acme)
    acme.fault("status", "/ping", times=0, status=502)

    result = quietly(look(case, Before(dead=True), lost="timeout"))

    assert result.outcome == Outcome.UNCLEAR


def test_wrong_organization_secrets_are_a_matter_of_set_up(acme):
    case = dead_case(acme)
    consent = quietly(address(case, "our-state", CALLBACK))
    proof = allow(consent.url, case)
    wrong = replace(case, credentials=replace(case.credentials, user_secret="wrong"))

    result = quietly(finish(wrong, proof, Before(dead=True)))

    assert result.outcome == Outcome.MISCONFIGURED


def test_masked_tokens_leave_the_account_unknown(acme):
    case = dead_case(acme)
    consent = quietly(address(case, "our-state", CALLBACK))
    proof = allow(consent.url, case)
    acme.switch(mask_user_tokens=True)

    result = quietly(finish(case, proof, Before(account="somebody", dead=True)))

    assert result.outcome == Outcome.RECONNECTED
    assert "account" not in result.facts
