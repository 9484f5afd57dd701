"""Every record of the catalogue: what it asks for, what it sends, what it may never say.

What a call looks like at the vendor is compared in test_recordings.py.
"""

import base64
import hashlib
import hmac
import json
import re
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import pytest

from providers import catalogue, rules, sites
from providers.choices import (
    Accepts,
    ClientAuth,
    Confidence,
    Placement,
    Supported,
    Verdict,
)
from providers.revocation import NotRevocable, plan, verification
from providers.rules import CLIENT_ERRORS
from tests.providers.support import ALL_KEYS, REVOCABLE, SITES, grant

DRAWN = {"oauth_nonce", "oauth_timestamp", "oauth_signature"}


@pytest.fixture(params=ALL_KEYS)
def record(request):
    return catalogue.get(request.param)


def test_there_are_at_least_87_records_of_three_kinds_of_certainty():
    records = catalogue.all()
    sure = [record.confidence for record in records]

    assert len(records) >= 87
    assert min(sure.count(one) for one in Confidence) >= 23
    names = [record.name.casefold() for record in records]
    assert names == sorted(names)
    assert len(set(names)) == len(names)


def test_what_is_little_known_or_cannot_be_called_is_off(record):
    if record.confidence == Confidence.LOW or not record.revocable:
        assert not record.enabled_by_default
    assert record.needs_switch == (record.revocable and not record.enabled_by_default)


def test_a_record_says_what_a_person_does_instead(record):
    assert record.manual_steps
    for step in record.manual_steps:
        assert not step.endswith("."), "steps are joined into one sentence"
    assert record.revocable or record.revoke.supported != Supported.YES


def test_every_placeholder_is_declared_with_a_pattern_and_a_meaning(record):
    used = {name for call in record.calls().values() for name in rules.names_of(call)}

    assert used - rules.GRANT_PLACEHOLDERS <= record.placeholders.keys()
    for place in record.placeholders.values():
        assert place.meaning
        assert not place.pattern.fullmatch("")


EVIL = [
    "evil.com/",
    "a@evil.com",
    "a.evil.com#",
    "a b",
    "a\\b",
    "127.0.0.1",
    "[::1]",
    "ä",
]


@pytest.mark.parametrize("value", EVIL)
def test_no_part_of_a_host_takes_a_value_that_leads_elsewhere(record, value):
    for name, place in record.placeholders.items():
        if place.kind == "host":
            assert not sites.fits(place, value), name


#: Records whose whole host comes from elsewhere, and the placeholder that it is.
OPEN = [
    (key, name)
    for key in REVOCABLE
    for name in catalogue.get(key).placeholders
    if f"https://{{{name}}}/" in catalogue.get(key).revoke.call.url
]


@pytest.mark.parametrize(("key", "name"), OPEN)
@pytest.mark.parametrize(
    "host", ["localhost", "db.internal", "10.0.0.1", "printer.local", "metadata"]
)
def test_no_secret_leaves_for_a_private_host(key, name, host):
    with pytest.raises(NotRevocable) as caught:
        plan(catalogue.get(key), grant(key, site={**SITES[key], name: host}))

    assert caught.value.code == "bad_host"


def test_no_answer_about_the_client_means_a_dead_token(record):
    for answer in record.revoke.answers:
        words = {word for match in answer.match for word in match.equals}
        assert not words & CLIENT_ERRORS or answer.means == Verdict.REFUSED


def test_a_verification_can_be_made_for_what_can_be_revoked(record):
    if record.revocable:
        assert verification(record, grant(record.key)) is not None


# What is sent


def sent(key, kind):
    [step] = plan(catalogue.get(key), grant(key), only=kind)
    return step.request


def signature(header):
    scheme, _, rest = header.partition(" ")
    assert scheme == "OAuth"
    return {
        name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', rest)
    }


@pytest.mark.parametrize("key", REVOCABLE)
def test_a_plan_sends_the_tokens_in_the_record_s_order(key):
    provider = catalogue.get(key)

    kinds = [step.token_kind.value for step in plan(provider, grant(key))]

    if provider.revoke.accepts == Accepts.ACCOUNT:
        assert len(kinds) == 1
    else:
        assert kinds == [kind.value for kind in provider.revoke.order][: len(kinds)]


@pytest.mark.parametrize("key", ["x_oauth1", "netsuite_tba"])
def test_a_signature_is_the_one_of_rfc_5849(key):
    request = sent(key, "access")
    params = signature(dict(request.headers)["Authorization"])
    url = urlsplit(request.url)
    own = [(n, v) for n, v in params.items() if n not in ("realm", "oauth_signature")]
    pairs = sorted(
        (quote(n, "~"), quote(v, "~")) for n, v in [*own, *parse_qsl(url.query)]
    )
    base = "&".join(
        quote(part, "~")
        for part in (
            request.method,
            url._replace(query="").geturl(),
            "&".join(f"{name}={value}" for name, value in pairs),
        )
    )
    digest = (
        hashlib.sha1 if "SHA1" in params["oauth_signature_method"] else hashlib.sha256
    )

    made = hmac.new(b"secret-1&token-secret-1", base.encode(), digest).digest()

    assert params["oauth_signature"] == base64.b64encode(made).decode()
    assert params.keys() >= DRAWN


@pytest.mark.parametrize("key", ["x_oauth1", "netsuite_tba"])
@pytest.mark.parametrize("secret", ["", "********"])
def test_without_the_token_s_secret_a_signed_call_is_not_made(key, secret):
    provider = catalogue.get(key)

    with pytest.raises(NotRevocable) as caught:
        plan(provider, grant(key, token_secret=secret))

    assert caught.value.code == "unsupported"
    assert caught.value.steps == provider.manual_steps


def test_a_keyed_call_needs_no_token_secret():
    [step] = plan(catalogue.get("trello"), grant("trello", token_secret=""))

    assert "Authorization" not in dict(step.request.headers)


# Characters that need care


TOKENS = ["a+b/c=d==", "a b&token=c#d?e", "100%&%26", "{client_secret}"]


def carried(request, call):
    """Return the token where the record puts it, as a server reads it."""
    url = urlsplit(request.url)
    if call.token.place == Placement.PATH:
        return unquote(url.path.rpartition("/")[2])
    if call.token.place == Placement.QUERY:
        return dict(parse_qsl(url.query))[call.token.name]
    if call.token.place == Placement.FORM:
        return dict(parse_qsl(request.body.decode()))[call.token.name]
    if call.token.place == Placement.JSON:
        return json.loads(request.body)[call.token.name]
    name = call.token.name or "Authorization"
    return dict(request.headers)[name].removeprefix(f"{call.token.scheme or 'Bearer'} ")


PLACED = [
    key
    for key in REVOCABLE
    if catalogue.get(key).revoke.call.token.place
    not in (Placement.NONE, Placement.SIGNED)
]


@pytest.mark.parametrize("key", PLACED)
@pytest.mark.parametrize("token", TOKENS)
def test_a_token_arrives_as_it_is_at_every_provider(key, token):
    provider = catalogue.get(key)
    held = grant(key, access_token=token, refresh_token=token)

    [step] = plan(provider, held)

    assert carried(step.request, provider.revoke.call) == token
    assert step.request.url.isascii()


@pytest.mark.parametrize("key", REVOCABLE)
def test_a_secret_that_is_not_ascii_arrives_or_is_refused(key):
    provider, secret = catalogue.get(key), "ßecret:1"
    call = provider.revoke.call
    held = grant(key, client_secret=secret)
    if call.client_auth == ClientAuth.HEADER:
        with pytest.raises(NotRevocable, match="cannot be sent"):
            plan(provider, held)
        return

    request = plan(provider, held)[0].request

    if call.client_auth == ClientAuth.BODY:
        text = (request.body or b"").decode()
        sent = json.loads(text) if text.startswith("{") else dict(parse_qsl(text))
        assert sent[call.client_secret_field] == secret
    if call.client_auth == ClientAuth.BASIC:
        value = dict(request.headers)["Authorization"].removeprefix("Basic ")
        pair = base64.b64decode(value).decode("ascii")
        assert unquote(pair.partition(":")[2]) == secret
