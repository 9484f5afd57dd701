"""Each record's whole cycle against the emulator, over real HTTP.

Alive, revoke, dead at the source, revoke again, wrong client, throttled, unavailable.
"""

from dataclasses import dataclass, replace

import pytest

from ceadmin.lib import http
from providers import catalogue, oauth
from providers.choices import Life, Verdict
from providers.revocation import (
    Grant,
    identity,
    plan,
    read,
    read_identity,
    read_verification,
    site_values,
    verification,
)
from providers.spec import Provider

IDP = "auth.example.com"
#: Record, the emulator's name of the provider, the element, and the app's site values.
CASES = {
    "box": ("box", "box", {}),
    "salesforce": ("salesforce", "sfdc", {}),
    "adobe_sign": ("adobe_sign", "adobe-esign", {}),
    "quickbooks": ("quickbooks", "quickbooks", {}),
    "generic_rfc7009": (
        "generic",
        "idp",
        {
            "revocation_endpoint": f"https://{IDP}/oauth/revoke",
            "introspection_endpoint": f"https://{IDP}/oauth/introspect",
            "userinfo_endpoint": f"https://{IDP}/oauth/userinfo",
        },
    ),
    "x_oauth1": ("twitter", "twitter", {}),
}
WITH_ACCOUNT = sorted(set(CASES) - {"x_oauth1"})


@dataclass
class Case:
    """A provider of the emulator with one living grant."""

    provider: Provider
    grant: Grant
    instance: int

    def revoke(self, **options):
        """Send the plan; return the readings."""
        grant = options.pop("grant", self.grant)
        return [
            read(self.provider, step, http.send(step.request))
            for step in plan(self.provider, grant, **options)
        ]

    def life(self, before=None):
        """Ask at the source."""
        request = verification(self.provider, self.grant)
        answer = oauth.call(request, grant=self.grant)
        return read_verification(self.provider, answer, before)


@pytest.fixture(params=CASES)
def case(request, emulator):
    return make_case(request.param, emulator)


def make_case(key, emulator):
    name, element_key, site = CASES[key]
    emulator.control("servers", {"host": IDP})
    emulator.control("elements", {"key": "idp", "provider": "generic", "host": IDP})
    organization = emulator.control("organizations", {})
    client = emulator.control("clients", {"provider": name, "host": IDP})
    rows = [
        {
            "organization": organization["id"],
            "element": element_key,
            "client_id": client["client_id"],
        }
    ]
    [seeded] = emulator.control("instances", rows)["instances"]
    configuration = emulator.application.world.instances[seeded["id"]].configuration
    provider = catalogue.get(key)
    grant = Grant(
        access_token=seeded["access_token"],
        refresh_token=seeded["refresh_token"],
        site=site_values(provider, configuration, site),
        client_id=client["client_id"],
        client_secret=client["client_secret"],
        token_secret=configuration.get("oauth.user.token.secret") or "",
    )
    return Case(provider, grant, seeded["id"])


def test_a_revocation_kills_the_grant_and_is_seen_dead(case, emulator):
    assert case.life() == Life.ALIVE

    readings = case.revoke()

    truth = emulator.control(f"instances/{case.instance}")
    assert {reading.verdict for reading in readings} == {Verdict.REVOKED}
    assert not truth["access_alive"]
    assert not truth["refresh_alive"]
    assert case.life() == Life.DEAD


def test_a_second_revocation_finds_it_gone(case):
    case.revoke()

    verdicts = {reading.verdict for reading in case.revoke()}

    assert verdicts <= {Verdict.ALREADY, Verdict.REVOKED}
    assert case.life() == Life.DEAD


@pytest.mark.parametrize("key", ["box", "quickbooks", "generic_rfc7009"])
def test_wrong_credentials_leave_the_grant_alive(key, emulator):
    case = make_case(key, emulator)

    [reading, *_] = case.revoke(grant=replace(case.grant, client_secret="wrong"))

    assert (reading.verdict, reading.code) == (Verdict.REFUSED, "invalid_client")
    assert emulator.control(f"instances/{case.instance}")["refresh_alive"]


@pytest.mark.parametrize("wrong", ["client_secret", "token_secret"])
def test_a_wrong_signature_leaves_the_grant_alive(wrong, emulator):
    case = make_case("x_oauth1", emulator)

    [reading] = case.revoke(grant=replace(case.grant, **{wrong: "wrong"}))

    assert (reading.verdict, reading.code) == (Verdict.REFUSED, "http_401")
    assert emulator.control(f"instances/{case.instance}")["access_alive"]


@pytest.mark.parametrize("key", ["box", "salesforce", "adobe_sign"])
def test_the_article_s_form_kills_as_well(key, emulator):
    case = make_case(key, emulator)

    [reading] = case.revoke(form="article", only="access")

    assert reading.verdict == Verdict.REVOKED
    assert case.life() == Life.DEAD


def test_an_access_token_alone_leaves_salesforce_s_refresh_token_alive(emulator):
    case = make_case("salesforce", emulator)

    case.revoke(only="access")

    truth = emulator.control(f"instances/{case.instance}")
    assert (truth["access_alive"], truth["refresh_alive"]) == (False, True)


FAULTS = [
    (
        {"kind": "status", "status": 429, "headers": {"Retry-After": "3"}},
        Verdict.THROTTLED,
    ),
    (
        {"kind": "status", "status": 503, "headers": {"Retry-After": "3"}},
        Verdict.UNAVAILABLE,
    ),
    ({"kind": "status", "status": 500}, Verdict.UNAVAILABLE),
    ({"kind": "html", "status": 200}, Verdict.UNCLEAR),
]


@pytest.mark.parametrize(("fault", "verdict"), FAULTS)
def test_a_provider_in_trouble_is_not_taken_for_a_yes(case, emulator, fault, verdict):
    emulator.control("faults", [{**fault, "match": {"host": "provider"}}])

    [reading, *_] = case.revoke()

    assert reading.verdict == verdict


@pytest.mark.parametrize("key", WITH_ACCOUNT)
def test_the_account_behind_a_token_is_known(key, emulator):
    case = make_case(key, emulator)
    request = identity(case.provider, case.grant)
    if request is None:
        assert case.grant.site[case.provider.account_placeholder]
        return

    found = read_identity(case.provider, oauth.call(request, grant=case.grant))

    assert found.endswith(emulator.control(f"instances/{case.instance}")["account"])


def test_the_cycle_covers_the_providers_of_the_article():
    article = {r.key for r in catalogue.all() if "article" in r.revoke.alternates}

    assert article | {"quickbooks", "generic_rfc7009", "x_oauth1"} == set(CASES)
