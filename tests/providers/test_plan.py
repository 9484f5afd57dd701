"""Which calls are made for a grant, in which order, and when none is."""

import pytest

from providers import catalogue
from providers.choices import Effect, TokenKind
from providers.revocation import NotRevocable, plan
from tests.providers.support import grant, record

MASK = "********"
BOX, SALESFORCE = catalogue.get("box"), catalogue.get("salesforce")
GENERIC = catalogue.get("generic_rfc7009")


def sent(provider, **changes):
    only = changes.pop("only", None)
    steps = plan(provider, grant(provider.key, **changes), only=only)
    return [(step.purpose, step.kills) for step in steps]


def refusal(provider, **changes):
    options = {name: changes.pop(name) for name in ("form", "only") if name in changes}
    with pytest.raises(NotRevocable) as caught:
        plan(provider, grant(provider.key, **changes), **options)
    return caught.value


@pytest.mark.parametrize("key", ["box", "salesforce", "adobe_sign", "quickbooks"])
def test_the_refresh_token_alone_is_sent_where_it_takes_the_access_token_along(key):
    provider = catalogue.get(key)

    [step] = plan(provider, grant(key))

    assert step.purpose == "revoke_refresh"
    assert step.token_kind == "refresh"


def test_both_are_sent_where_nobody_promises_that_one_takes_the_other():
    assert sent(GENERIC) == [
        ("revoke_refresh", Effect.TOKEN),
        ("revoke_access", Effect.TOKEN),
    ]


def test_an_access_token_alone_ends_only_its_own_session():
    assert sent(SALESFORCE, only="access") == [("revoke_access", Effect.TOKEN)]
    assert sent(SALESFORCE) == [("revoke_refresh", Effect.TOKEN_PAIR)]


def test_the_access_token_is_sent_where_there_is_no_refresh_token():
    assert sent(BOX, refresh_token="") == [("revoke_access", Effect.TOKEN_PAIR)]


def test_a_token_that_serves_as_both_is_sent_once():
    assert sent(GENERIC, access_token="same", refresh_token="same") == [
        ("revoke_refresh", Effect.TOKEN)
    ]


def test_a_record_may_want_the_access_token_first():
    provider = record(
        revoke__order=["access", "refresh"], revoke__access_kills_refresh=True
    )

    assert sent(provider) == [("revoke_access", Effect.TOKEN)]


def test_nothing_is_sent_without_a_token():
    problem = refusal(BOX, access_token="", refresh_token="")

    assert problem.code == "nothing_to_revoke"


TAKE_REFRESH = [
    provider.key
    for provider in catalogue.all()
    if provider.revocable and TokenKind.REFRESH in provider.revoke.order
]


@pytest.mark.parametrize("key", TAKE_REFRESH)
def test_a_masked_refresh_token_stops_it_with_the_steps_for_a_person(key):
    provider = catalogue.get(key)

    problem = refusal(provider, refresh_token=MASK)

    assert problem.code == "masked_token"
    assert "hides the refresh token" in problem.sentence
    assert problem.steps == provider.manual_steps
    assert provider.manual_steps[0] in problem.sentence


def test_a_masked_access_token_does_not_matter_where_it_is_not_sent():
    assert sent(BOX, access_token=MASK) == [("revoke_refresh", Effect.TOKEN_PAIR)]
    assert refusal(GENERIC, access_token=MASK).code == "masked_token"


def test_a_provider_that_cannot_be_called_gives_the_steps_instead():
    provider = record(revoke__supported="no", revoke__call=None)

    problem = refusal(provider)

    assert problem.code == "unsupported"
    assert problem.sentence == (
        "Spoilt offers no revocation that can be called. "
        "By hand: the user removes the app."
    )


def test_a_provider_that_takes_refresh_tokens_only_wants_one():
    provider = record(revoke__accepts="refresh", revoke__order=["refresh"])

    assert refusal(provider, only="access").sentence.startswith(
        "Spoilt revokes refresh tokens only."
    )
    assert refusal(provider, refresh_token="").sentence.startswith(
        "Spoilt wants the refresh token, and the instance holds none."
    )


@pytest.mark.parametrize("key", ["box", "quickbooks", "generic_rfc7009"])
@pytest.mark.parametrize("missing", ["client_id", "client_secret"])
def test_a_call_that_needs_credentials_is_not_made_without(key, missing):
    problem = refusal(catalogue.get(key), **{missing: ""})

    assert problem.code == "no_client_secret"
    assert "Set them in the provider app" in problem.sentence


@pytest.mark.parametrize("key", ["salesforce", "adobe_sign"])
def test_a_call_that_needs_no_credentials_is_made_without(key):
    assert sent(catalogue.get(key), client_id="", client_secret="")


def test_a_form_that_the_record_does_not_have_is_refused():
    assert refusal(GENERIC, form="article").code == "unknown_form"


def test_a_kind_of_token_that_does_not_exist_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="'both' is not a valid TokenKind"):
        plan(BOX, grant("box"), only="both")


@pytest.mark.parametrize("token", ["a\x00b", "a\ud800b"])
@pytest.mark.parametrize("key", ["box", "salesforce", "adobe_sign", "quickbooks"])
def test_a_token_that_no_request_can_carry_is_refused(key, token):
    assert refusal(catalogue.get(key), refresh_token=token).code == "bad_token"


def test_neither_grant_nor_step_shows_a_secret():
    held = grant("box", access_token="A-CANARY", refresh_token="R-CANARY")
    [step] = plan(BOX, held)

    assert "CANARY" not in repr(held)
    assert "secret-1" not in repr(held)
    assert "CANARY" not in repr(step)
    assert step.secrets == ("A-CANARY", "R-CANARY", "secret-1")
