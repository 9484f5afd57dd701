"""A record of the catalogue and a recording of the provider, compared field by field.

Both were written from the same sources by different readings, so that a slip in either
shows. What is compared of a call is the request that would really leave.
"""

import json
import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from ceadmin.lib import http
from providers import calls, rules
from providers.choices import Accepts, ClientAuth, Effect, TokenKind
from providers.errors import NotRevocable
from providers.grants import Grant
from providers.revocation import read_identity
from providers.spec import Call, Provider
from tests.emulator.recording import SIGNED, Ask, Recording
from tests.emulator.templates import fill, fill_all
from tests.providers.readings import (
    CLIENT,
    HOLDER,
    TOKEN,
    Fields,
    answer_of,
    life_answers,
    revoke_answers,
)

TOKENS = {"access": TOKEN, "refresh": "refresh-1"}
BASIC = "Basic Y2xpZW50LTE6c2VjcmV0LTE="  # client-1:secret-1
FORM_TYPE = "application/x-www-form-urlencoded"
_SIGNATURE = re.compile(r'(\w+)="([^"]*)"')
_CLIENTS = {
    ClientAuth.BODY: "fields",
    ClientAuth.PUBLIC: "id",
    ClientAuth.BASIC: "basic",
    ClientAuth.HEADER: "header",
    ClientAuth.HMAC_SHA1: "hmac-sha1",
    ClientAuth.HMAC_SHA256: "hmac-sha256",
}


@dataclass(frozen=True)
class Difference:
    """One field in which the two disagree."""

    key: str
    field: str
    record: Any
    recording: Any

    def __str__(self) -> str:
        ours, theirs = f"{self.record!r}", f"{self.recording!r}"
        return (
            f"{self.key}: {self.field}: the record says {ours}, the recording {theirs}"
        )


def compare(provider: Provider, recording: Recording) -> list[Difference]:
    """Return every field in which a record and a recording disagree."""
    found = [*_facts(provider, recording), *_what_dies(provider, recording)]
    found += _revoke_call(provider, recording)
    found += revoke_answers(provider.revoke.answers, recording)
    found += _elsewhere(provider, recording)
    for name in ("check", "introspection"):
        found += _check(provider, recording, name)
    found += _identity(provider, recording)
    return [
        Difference(recording.key, field, ours, theirs)
        for field, ours, theirs in found
        if ours != theirs
    ]


# -- what is said of the provider ----------------------------------------------------------------


def _facts(provider: Provider, recording: Recording) -> Fields:
    yield "key", provider.key, recording.key
    for name, template in (
        ("authorize", provider.authorization_url),
        ("token", provider.token_url),
    ):
        ours = rules.fill(template, lambda name: recording.site.get(name, "?"))
        yield name, ours, fill(getattr(recording, name), recording.site)
    yield "oauth1", provider.flow.value == "oauth1", recording.oauth1
    yield "refresh_token", provider.refresh_rotation.value, recording.refresh_token
    known = {source.ref: source.read for source in provider.sources}
    for source in recording.sources:
        ours = [read for ref, read in known.items() if ref.startswith(source.address)]
        yield f"sources {source.address}", ours[:1], [source.read]


def _what_dies(provider: Provider, recording: Recording) -> Fields:
    ours, theirs = provider.revoke, recording.revoke
    yield "revoke.takes", _takes(ours.accepts), set(theirs.takes)
    yield "revoke.effect", ours.effect.value, theirs.effect
    seconds = ours.propagation_seconds
    yield "revoke.propagation_seconds", seconds, theirs.propagation_seconds
    seconds = ours.access_lives_seconds or 0
    yield "revoke.access_lives_seconds", seconds, theirs.access_lives_seconds
    for kind in _takes(ours.accepts):
        yield f"revoke.by_{kind}", _dies(provider, kind), set(theirs.dies(kind))


def _takes(accepts: Accepts) -> set[str]:
    return {"access", "refresh"} if accepts == Accepts.EITHER else {accepts.value}


def _dies(provider: Provider, kind: str) -> set[str]:
    """Return the kinds of token that the record sees die when one of this kind is sent."""
    revoke = provider.revoke
    lives_on = kind == "account" or revoke.effect == Effect.USER_SESSIONS
    dead = set() if lives_on else {kind}
    if kind in ("refresh", "account") and revoke.refresh_kills_access:
        dead.add("access")
    if kind in ("access", "account") and revoke.access_kills_refresh:
        dead.add("refresh")
    return dead


# -- what is sent --------------------------------------------------------------------------------


def _revoke_call(provider: Provider, recording: Recording) -> Fields:
    call = provider.revoke.call
    yield "revoke", call is not None, True
    for kind in recording.revoke.takes if call else ():
        yield from _request(provider, call, recording, "revoke", kind)


def _check(provider: Provider, recording: Recording, name: str) -> Fields:
    check = "verification" if name == "check" else name
    ours, theirs = getattr(provider, check), getattr(recording, name)
    yield name, ours is not None, theirs is not None
    if ours is None or theirs is None:
        return
    yield f"{name}.takes", _takes(ours.accepts), set(theirs.takes)
    for kind in theirs.takes:
        yield from _request(provider, ours.call, recording, name, kind)
    yield from life_answers(ours.answers, recording, name)


def _elsewhere(provider: Provider, recording: Recording) -> Fields:
    """Compare where the calls go for the other examples of an account."""
    kind = recording.revoke.takes[0]
    for at, example in enumerate(recording.also):
        other = replace(recording, site={**recording.site, **example})
        for name, call in (
            ("revoke", provider.revoke.call),
            ("check", provider.verification and provider.verification.call),
        ):
            asked = kind if name == "revoke" else "access"
            ours = _ours(provider, call, other, asked) if call else {}
            theirs = _theirs(other, other.asks()[name], asked)
            place = f"also.{at} {name}.address"
            yield place, ours.get("address", ours), theirs["address"]


def _identity(provider: Provider, recording: Recording) -> Fields:
    ours, theirs = provider.identity, recording.identity
    yield "identity", ours is not None, theirs is not None
    if ours is None or theirs is None:
        return
    yield from _request(provider, ours.call, recording, "identity", "access")
    account = read_identity(provider, answer_of(recording, theirs.answer))
    yield "identity.account", account, fill(theirs.account, {"holder": HOLDER})


def _request(
    provider: Provider, call: Call, recording: Recording, name: str, kind: str
) -> Fields:
    """Compare the requests for one kind of token, part by part."""
    ask = recording.asks()[name]
    ours, theirs = _ours(provider, call, recording, kind), _theirs(recording, ask, kind)
    for part in sorted(ours.keys() | theirs.keys()):
        yield f"{name}.{part} ({kind})", ours.get(part), theirs.get(part)
    yield f"{name}.client", _client(call), ask.client


def _client(call: Call) -> str:
    named = rules.named_in(call)
    if call.client_auth in _CLIENTS:
        return _CLIENTS[call.client_auth]
    if "client_secret" in named:
        return "query"
    return "id" if "client_id" in named else "none"


def _ours(
    provider: Provider, call: Call, recording: Recording, kind: str
) -> dict[str, Any]:
    grant = Grant(
        access_token=TOKENS["access"],
        refresh_token=TOKENS["refresh"],
        site=dict(recording.site),
        token_secret="token-secret-1",
        **CLIENT,
    )
    sent = TokenKind.ACCESS if kind == "account" else TokenKind(kind)
    try:
        return shape(calls.build(provider, call, grant, sent))
    except NotRevocable as refusal:
        return {"refusal": refusal.code}


def shape(request: http.Request) -> dict[str, Any]:
    """Return a request's parts by name, without what differs from call to call."""
    url, headers = urlsplit(request.url), dict(request.headers)
    found: dict[str, Any] = {"method": request.method}
    found["address"] = url._replace(query="").geturl()
    found["query"] = dict(parse_qsl(url.query, keep_blank_values=True))
    scheme, _, rest = headers.get("Authorization", "").partition(" ")
    if scheme == "OAuth" and "oauth_signature" in rest:
        given = {name: unquote(text) for name, text in _SIGNATURE.findall(rest)}
        headers["Authorization"] = given["oauth_signature_method"].lower()
        found["realm"] = given.get("realm", "")
    if request.body is not None:
        found |= _body(request.body.decode(), headers.get("Content-Type", ""))
    return {**found, "headers": headers}


def _body(text: str, content_type: str) -> dict[str, Any]:
    if content_type == FORM_TYPE:
        return {"form": dict(parse_qsl(text))}
    return {"json": json.loads(text)}


def _theirs(recording: Recording, ask: Ask, kind: str) -> dict[str, Any]:
    """Return the published request with the same values in it."""
    values = {**recording.site, **CLIENT, "kind": kind}
    values |= {"token": TOKENS.get(kind, ""), "access_token": TOKENS["access"]}
    found: dict[str, Any] = {"method": ask.method, "query": fill_all(ask.query, values)}
    found["address"] = fill(ask.address, _in_path(values))
    headers = fill_all(ask.headers, values)
    if ask.client in SIGNED:
        headers["Authorization"] = ask.client
        found["realm"] = fill(ask.realm, values)
    if ask.client == "basic":
        headers["Authorization"] = BASIC
    for name, content_type in (("form", FORM_TYPE), ("json", "application/json")):
        body = getattr(ask, name)
        if body is not None:
            headers["Content-Type"] = content_type
            found[name] = fill_all(body, values)
    return {**found, "headers": headers}


def _in_path(values: dict[str, str]) -> dict[str, str]:
    return {
        name: text if text.startswith("https://") else quote(text, safe="/")
        for name, text in values.items()
    }
