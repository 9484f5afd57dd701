"""Revocations by OAuth 1: signed with the token's own secret, or not possible at all."""

import pytest

from ceadmin.lib import sealed
from instances.actions import verdicts
from instances.actions.case import Case
from instances.actions.trial import Steps, Trial
from instances.choices import Outcome
from instances.cloud_elements import Credentials
from instances.models import Attempt, Instance
from providers import catalogue
from providers.grants import Grant
from providers.models import ProviderApp
from tests.instances.fleet import Fleet
from tests.instances.killing import fleet, killed, quick
from tests.instances.reconnecting import CLIENT_SECRET, THEIR_CALLBACK

__all__ = ["fleet", "quick"]

pytestmark = pytest.mark.usefixtures("quick")


def app(fleet: Fleet, key: str, element: str, remote: str) -> ProviderApp:
    """Return an app of a provider, registered on both sides."""
    fleet.emulator.control(
        "clients",
        {
            "provider": remote,
            "client_id": "consumer",
            "client_secret": CLIENT_SECRET,
            "redirect_uris": [THEIR_CALLBACK],
        },
    )
    made = ProviderApp(
        name=f"Acme {key}",
        organization=fleet.organization,
        provider_key=key,
        element_key=element,
        client_id="consumer",
    )
    made.client_secret = CLIENT_SECRET
    made.save()
    return made


def tweeting(fleet: Fleet, **row) -> dict:
    """Make one instance of X and mirror it."""
    made = fleet.seed_element(
        "twitter", app(fleet, "x_oauth1", "twitter", "twitter"), **row
    )
    fleet.sync()
    return made


def test_a_signed_call_kills_the_token_that_signs_it(fleet):
    made = tweeting(fleet)

    item = killed(fleet)

    assert item.outcome == Outcome.VERIFIED_DEAD
    assert not fleet.emulator.control(f"instances/{made['id']}")["access_alive"]
    [call] = Attempt.objects.filter(purpose="revoke_access")
    assert call.url == "https://api.x.com/1.1/oauth/invalidate_token.json"


def test_a_masked_token_secret_ends_unsupported_with_the_steps(fleet):
    made = tweeting(fleet, quirks=["masked_token_secret"])

    item = killed(fleet)

    assert (item.outcome, item.cause) == (Outcome.UNSUPPORTED, "unsupported")
    assert "signed with the secret of the token" in item.explanation
    assert catalogue.get("x_oauth1").manual_steps[0] in item.explanation
    assert fleet.emulator.control(f"instances/{made['id']}")["access_alive"]
    assert not Attempt.objects.filter(purpose__startswith="revoke")


def netsuite(fleet: Fleet, **configuration: str) -> None:
    """Make one instance of NetSuite, whose tokens stand in entries of their own."""
    fleet.emulator.control("elements", {"key": "netsuiteerpv2", "provider": "generic"})
    made = app(fleet, "netsuite_tba", "netsuiteerpv2", "generic")
    own = {
        "oauth.user.token": None,
        "oauth.user.refresh_token": None,
        "netsuite.accountId": "123456_SB1",
        "token_id": "token-id-1",
        "token_secret": "token-secret-1",
    }
    fleet.seed_element("netsuiteerpv2", made, configuration=own | configuration)
    fleet.sync()


def test_tokens_in_entries_of_their_own_are_found_and_sign_for_their_account(fleet):
    netsuite(fleet)

    killed(fleet)

    [call, *_] = [row for row in fleet.emulator.log() if "revoketoken" in row["path"]]
    assert call["host"] == "123456-sb1.restlets.api.netsuite.com"
    assert call["query"] == ["consumerKey", "token"]
    assert Instance.objects.get().grant_fingerprint == sealed.fingerprint("token-id-1")


@pytest.mark.parametrize("secret", ["********", ""])
def test_a_token_secret_that_is_hidden_in_its_own_entry_is_unsupported_too(
    fleet, secret
):
    netsuite(fleet, token_secret=secret)

    item = killed(fleet)

    assert item.outcome == Outcome.UNSUPPORTED
    assert "Access Tokens" in item.explanation


def trial(key: str, taken: str) -> Trial:
    """Return a revocation that was taken while the access token goes on working."""
    case = Case(Credentials("https://a.example", "u", "o"), 1, None, "1", "n", "e")
    grant = Grant("access-1", "refresh-1", {}, "client-1", "secret-1")
    found = Trial(case, catalogue.get(key), grant, Steps(), ["1:f"], "")
    found.said, found.tokens, found.taken = ["revoked"], [taken], [taken]
    found.before = found.source = "alive"
    return found


@pytest.mark.parametrize(
    ("key", "taken", "words"),
    [
        ("hubspot", "refresh", "ends by itself, within 30 minutes."),
        ("sage_accounting", "refresh", "ends by itself, within 5 minutes."),
        ("microsoft_graph", "access", "ends by itself, within 60 minutes."),
        ("auth0", "refresh", "ends by itself."),
    ],
)
def test_an_access_token_that_outlives_its_refresh_token_is_expiring(key, taken, words):
    result = verdicts.judge(trial(key, taken))

    assert (result.outcome, result.cause) == (Outcome.EXPIRING, "access_lives")
    assert words in result.explanation


@pytest.mark.parametrize(("key", "taken"), [("slack", "access"), ("box", "refresh")])
def test_an_access_token_that_was_to_die_and_lives_is_still_alive(key, taken):
    assert verdicts.judge(trial(key, taken)).outcome == Outcome.STILL_ALIVE
