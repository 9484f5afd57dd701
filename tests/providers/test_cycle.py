"""Each record's whole cycle against the emulator, over real HTTP.

Alive, revoked, dead at the source, revoked again, wrong client, 429, 503, garbage: the
steps are in `tests.providers.cycle`, what each provider answers in its recording.
"""

from functools import partial

import pytest

from providers import catalogue, oauth
from providers.choices import Life, Verdict
from providers.revocation import identity, read_identity
from tests.emulator.recording import FOLDER, load
from tests.providers.cycle import go_through, make_case, played_case
from tests.providers.support import REVOCABLE

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
IDENTIFIED = [key for key in REVOCABLE if catalogue.get(key).identity]


@pytest.mark.parametrize("key", REVOCABLE)
def test_a_record_goes_through_the_whole_cycle(key, emulator):
    recording = load(FOLDER)[key]

    go_through(partial(played_case, catalogue.get(key), recording, emulator))


@pytest.mark.parametrize("key", CASES)
def test_the_emulator_s_own_code_goes_the_same_way(key, emulator):
    go_through(partial(own_case, key, emulator))


def own_case(key, emulator):
    """Connect an account of a provider that the emulator has code for."""
    name, element, app_site = CASES[key]
    emulator.control("servers", {"host": IDP})
    emulator.control("elements", {"key": "idp", "provider": "generic", "host": IDP})
    row = {"element": element}
    return make_case(
        catalogue.get(key),
        load(FOLDER)[key],
        emulator,
        row,
        name=name,
        app_site=app_site,
    )


@pytest.mark.parametrize("wrong", ["client_secret", "token_secret"])
def test_a_wrong_signature_leaves_the_grant_alive(wrong, emulator):
    case = own_case("x_oauth1", emulator)

    [reading] = case.revoke(**{wrong: "wrong"})

    assert (reading.verdict, reading.code) == (Verdict.REFUSED, "http_401")
    assert case.truth()["access"]


@pytest.mark.parametrize("key", ["box", "salesforce", "adobe_sign"])
def test_the_article_s_form_kills_as_well(key, emulator):
    case = own_case(key, emulator)

    [reading] = case.revoke(form="article", only="access")

    assert reading.verdict == Verdict.REVOKED
    assert case.life("access") == Life.DEAD


def test_an_access_token_alone_leaves_salesforce_s_refresh_token_alive(emulator):
    case = own_case("salesforce", emulator)

    case.revoke(only="access")

    assert case.truth() == {"access": False, "refresh": True}


@pytest.mark.parametrize("key", IDENTIFIED)
def test_the_account_behind_a_token_is_known(key, emulator):
    case = played_case(catalogue.get(key), load(FOLDER)[key], emulator)
    request = identity(case.provider, case.grant)

    found = read_identity(case.provider, oauth.call(request, grant=case.grant))

    assert found.endswith(emulator.control(f"instances/{case.instance}")["account"])


def test_the_emulator_has_code_for_the_providers_of_the_article():
    article = {r.key for r in catalogue.all() if "article" in r.revoke.alternates}

    assert article | {"quickbooks", "generic_rfc7009", "x_oauth1"} == set(CASES)
