"""What a record must hold beyond types: each rule raises `SpecError` with the key."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from providers.choices import (
    REACH_OF,
    Accepts,
    BodyKind,
    ClientAuth,
    Confidence,
    Method,
    PlaceholderKind,
    Placement,
    Supported,
    TokenKind,
    Verdict,
)
from providers.errors import SpecError
from providers.quirks import QUIRKS
from providers.spec import (
    GRANT_PLACEHOLDERS,
    Call,
    LifeAnswer,
    Match,
    Provider,
    RevokeAnswer,
)

_KEY = re.compile(r"[a-z][a-z0-9_]{1,49}")
_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")
_NAME = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_HEADER = re.compile(r"[A-Za-z0-9-]+")
_NAMED_PLACES = frozenset(
    {Placement.FORM, Placement.JSON, Placement.QUERY, Placement.HEADER}
)
_BODY_OF = {Placement.FORM: BodyKind.FORM, Placement.JSON: BodyKind.JSON}
#: Ways to authenticate that sign the call with the token's own secret.
SIGNING = frozenset({ClientAuth.HMAC_SHA1, ClientAuth.HMAC_SHA256})
_AUTHORIZING = SIGNING | {ClientAuth.BASIC, ClientAuth.BEARER}
_SECRETS = GRANT_PLACEHOLDERS - {"client_id"}
#: RFC 6749 §5.2: these speak of the client, so they never mean that a token is gone.
CLIENT_ERRORS = frozenset({"invalid_client", "unauthorized_client"})
#: The highest limit, of calls a second and of calls at once.
MOST = 100_000


def names_in(template: str) -> list[str]:
    """Return the placeholders of a template in order."""
    return _NAME.findall(template)


def fill(template: str, value: Callable[[str], str]) -> str:
    """Replace each placeholder once; a value that looks like one stays as it is."""
    if "{" not in template:
        return template
    return _NAME.sub(lambda match: value(match[1]), template)


@lru_cache(maxsize=512)
def named_in(call: Call) -> frozenset[str]:
    """Return the placeholders in a call's templates."""
    parts = [call.url, call.realm, *_texts(call)]
    return frozenset(name for part in parts for name in names_in(part))


@lru_cache(maxsize=512)
def names_of(call: Call) -> frozenset[str]:
    """Return the placeholders that a call needs, wherever they stand."""
    source = call.client_auth_from
    return named_in(call) | {source} if source else named_in(call)


@lru_cache(maxsize=512)
def has_open_host(call: Call) -> bool:
    """Tell whether the host of a call is known only once its placeholders are filled."""
    return bool(names_in(call.url.partition("://")[2].partition("/")[0]))


def body_kind(call: Call) -> BodyKind:
    """Return what the body is: the token's place decides, else the record says it."""
    return _BODY_OF.get(call.token.place, call.body)


def _texts(call: Call) -> list[str]:
    tables = (call.fields, call.query, call.headers)
    return [text for table in tables for text in table.values()]


def check(provider: Provider) -> None:
    """Raise `SpecError` if the record contradicts itself."""
    for rule in _RULES:
        rule(provider)
    for key, call in provider.calls().items():
        for call_rule in _CALL_RULES:
            call_rule(provider, call, key)


def _require(holds: object, key: str, message: str | Promise, **values: Any) -> None:
    if not holds:
        raise SpecError(key, message, **values)


# The record


def _identity_of_record(provider: Provider) -> None:
    _require(_KEY.fullmatch(provider.key), "key", _("is not a lower-case word"))
    _require(provider.name.strip(), "name", _("is empty"))
    _require(
        _MONTH.fullmatch(provider.checked), "checked", _("is not a month like 2026-11")
    )
    _require(provider.sources, "sources", _("is empty: say where the facts come from"))


def _caution(provider: Provider) -> None:
    unsure = provider.confidence == Confidence.LOW
    clash = unsure and provider.enabled_by_default
    _require(not clash, "enabled_by_default", _("must be false at low confidence"))


def _limits(provider: Provider) -> None:
    # A record is data, and so is `rate = inf` or `nan`.
    for name in ("rate", "concurrency"):
        value = getattr(provider.limits, name)
        fits = value is None or 0 < value <= MOST
        words = _(
            "is not above 0 and at most %(most)s: leave it out where nothing is known"
        )
        _require(fits, f"limits.{name}", words, most=MOST)


_NO_STEPS = _("is empty: what does a person do?")


def _support(provider: Provider) -> None:
    revoke = provider.revoke
    if revoke.supported == Supported.NO:
        _require(
            not revoke.call, "revoke.call", _("cannot be there: supported says no")
        )
        _require(provider.manual_steps, "manual_steps", _NO_STEPS)
        return
    if revoke.supported == Supported.PARTIAL and not revoke.call:
        _require(provider.manual_steps, "manual_steps", _NO_STEPS)
        return
    _require(revoke.call, "revoke.call", _("is missing"))
    _require(
        revoke.order or revoke.accepts == Accepts.ACCOUNT, "revoke.order", _("is empty")
    )
    said_yes = any(answer.means == Verdict.REVOKED for answer in revoke.answers)
    _require(said_yes, "revoke.answers", _("names no answer that means revoked"))


def _order(provider: Provider) -> None:
    revoke = provider.revoke
    taken = {
        Accepts.ACCESS: {TokenKind.ACCESS},
        Accepts.REFRESH: {TokenKind.REFRESH},
        Accepts.ACCOUNT: set(),  # no token is sent
    }.get(revoke.accepts, set(TokenKind))
    fits = set(revoke.order) <= taken and len(set(revoke.order)) == len(revoke.order)
    words = _("does not fit accepts = %(word)s")
    _require(fits, "revoke.order", words, word=revoke.accepts.value)


def _reach(provider: Provider) -> None:
    own = REACH_OF[provider.revoke.effect]
    _require(
        provider.revoke.reach != own,
        "revoke.reach",
        _("is what effect = %(word)s means anyway: leave it out"),
        word=provider.revoke.effect.value,
    )


def _answers(provider: Provider) -> None:
    revoke = provider.revoke
    _distinct("revoke.answers", revoke.answers)
    for at, answer in enumerate(revoke.answers):
        key = f"revoke.answers.{at}"
        words = {word for match in answer.match for word in match.equals}
        about_client = words & CLIENT_ERRORS and answer.means != Verdict.REFUSED
        _require(not about_client, key, _("a client's error never means a dead token"))
    _one_success(revoke.answers)
    for name in ("verification", "introspection"):
        part = getattr(provider, name)
        if part:
            _distinct(f"{name}.answers", part.answers)


def _one_success(answers: tuple[RevokeAnswer, ...]) -> None:
    """Refuse a status that is a yes with a certain body and with any body."""
    yes = [answer for answer in answers if answer.means == Verdict.REVOKED]
    bare = {status for answer in yes if not answer.match for status in answer.status}
    for at, answer in enumerate(answers):
        twice = answer in yes and answer.match and bare & set(answer.status)
        words = _("claims a second shape of success for its status")
        _require(not twice, f"revoke.answers.{at}", words)


def _distinct(key: str, answers: tuple[RevokeAnswer | LifeAnswer, ...]) -> None:
    seen: set[tuple[int, tuple[Match, ...], str]] = set()
    for at, answer in enumerate(answers):
        _require(answer.status, f"{key}.{at}.status", _("is empty"))
        for status in answer.status:
            sane = 200 <= status <= 499 and status != 429
            words = _("%(status)s is not the record's to judge")
            _require(sane, f"{key}.{at}.status", words, status=status)
            claim = (status, answer.match, getattr(answer, "challenge", ""))
            words = _("%(status)s is claimed twice")
            _require(claim not in seen, f"{key}.{at}", words, status=status)
            seen.add(claim)
        for match in answer.match:
            asked = match.equals or match.starts_with or match.text
            _require(
                asked or match.empty is not None, f"{key}.{at}.match", _("asks nothing")
            )


def _placeholders(provider: Provider) -> None:
    shown = {*names_in(provider.authorization_url), *names_in(provider.token_url)}
    unknown = sorted(shown - provider.placeholders.keys())
    words = _("%(names)s is not declared")
    _require(not unknown, "authorization_url", words, names=", ".join(unknown))
    used = {name for call in provider.calls().values() for name in names_of(call)}
    used |= shown | {provider.account_placeholder}
    for name, place in provider.placeholders.items():
        key = f"placeholders.{name}"
        _require(
            name not in GRANT_PLACEHOLDERS, key, _("is a name that stands for a secret")
        )
        _require(name in used, key, _("is used nowhere"))
        fits = not place.default or place.pattern.fullmatch(place.default)
        _require(fits, f"{key}.default", _("does not match the pattern"))
        known = not place.quirk or place.quirk in QUIRKS
        _require(known, f"{key}.quirk", _("is no function of providers/quirks.py"))
        clash = place.per_account and place.default
        _require(not clash, f"{key}.default", _("cannot be there: accounts differ"))
        for at, source in enumerate(place.sources):
            one = source.pattern.groups == 1
            _require(one, f"{key}.sources.{at}.pattern", _("needs exactly one group"))
    account = provider.account_placeholder
    known = not account or account in provider.placeholders
    _require(known, "account_placeholder", _("is not declared under placeholders"))


# Its calls

_NO_HOST = _("%(name)s in the host is no placeholder of kind host")


def _address(provider: Provider, call: Call, key: str) -> None:
    key = f"{key}.url"
    names = names_in(call.url)
    whole = [name for name in names if call.url.startswith(f"{{{name}}}")]
    if whole:
        place = provider.placeholders.get(whole[0])
        _require(
            place and place.kind == PlaceholderKind.URL, key, _("is no https address")
        )
        return
    _require(call.url.startswith("https://"), key, _("is no https address"))
    parts = urlsplit(call.url)
    plain = parts.username is None and not parts.fragment
    _require(plain, key, _("has a user or a fragment"))
    for name in names_in(parts.netloc):
        place = provider.placeholders.get(name)
        is_host = place and place.kind == PlaceholderKind.HOST
        _require(is_host, key, _NO_HOST, name=f"{{{name}}}")


def _known_names(provider: Provider, call: Call, key: str) -> None:
    known = GRANT_PLACEHOLDERS | set(provider.placeholders)
    unknown = sorted(names_of(call) - known)
    words = _("%(names)s is not declared under placeholders")
    _require(not unknown, key, words, names=", ".join(unknown))
    in_url = set(names_in(call.url)) & _SECRETS
    allowed = {"token"} if call.token.place == Placement.PATH else set()
    _require(
        in_url == allowed, f"{key}.url", _("carries the token if and only if placed so")
    )


def _token(provider: Provider, call: Call, key: str) -> None:
    named = bool(call.token.name)
    needed = call.token.place in _NAMED_PLACES
    _require(
        named == needed,
        f"{key}.token.name",
        _("is needed for form, json, query, header"),
    )
    fixed = _BODY_OF.get(call.token.place)
    clash = fixed and call.body not in (BodyKind.NONE, fixed)
    _require(not clash, f"{key}.body", _("contradicts the token's place"))
    twice = call.token.name in {**call.fields, **call.query}
    _require(
        not (named and twice), f"{key}.token.name", _("is a field of its own, too")
    )


def _standard(provider: Provider, call: Call, key: str) -> None:
    standard = call.token.place == Placement.FORM and call.token.name == "token"
    fits = standard and call.method == Method.POST
    _require(
        fits or not call.rfc7009, f"{key}.rfc7009", _("needs POST and a form's token")
    )
    _require(call.rfc7009 or not call.hint, f"{key}.hint", _("needs rfc7009"))


def _client(provider: Provider, call: Call, key: str) -> None:
    needs_body = bool(call.fields) or call.client_auth in (
        ClientAuth.BODY,
        ClientAuth.PUBLIC,
    )
    empty = body_kind(call) == BodyKind.NONE
    _require(
        not (needs_body and empty), f"{key}.body", _("is none, and fields need one")
    )
    secret_header = any(
        "client_secret" in names_in(text) for text in call.headers.values()
    )
    fits = secret_header or call.client_auth != ClientAuth.HEADER
    _require(
        fits, f"{key}.client_auth", _("is header, and no header has the client secret")
    )
    place = provider.placeholders.get(call.client_auth_from)
    fits = place is not None and place.kind == PlaceholderKind.AUTH
    _require(
        fits or not call.client_auth_from,
        f"{key}.client_auth_from",
        _("is of no auth kind"),
    )


def _one_authorization(provider: Provider, call: Call, key: str) -> None:
    claims = [
        any(name.lower() == "authorization" for name in _headers(call)),
        call.client_auth in _AUTHORIZING,
        call.token.place in (Placement.BEARER, Placement.SIGNED),
    ]
    signed = call.token.place == Placement.SIGNED
    allowed = 2 if signed else 1
    _require(sum(claims) <= allowed, key, _("has two Authorization headers"))
    _require(
        signed == (call.client_auth in SIGNING),
        f"{key}.client_auth",
        _("is not OAuth 1"),
    )
    _require(signed or not call.realm, f"{key}.realm", _("belongs to a signature"))


def _header_names(provider: Provider, call: Call, key: str) -> None:
    for name in _headers(call):
        words = _("%(name)s is no header's name")
        _require(_HEADER.fullmatch(name), f"{key}.headers", words, name=repr(name))
    clean = all(text.isprintable() for text in [*_texts(call), call.token.scheme])
    _require(clean, key, _("has a control character"))


def _headers(call: Call) -> Iterator[str]:
    yield from call.headers
    if call.token.place == Placement.HEADER:
        yield call.token.name


_RULES: tuple[Callable[[Provider], None], ...] = (
    _identity_of_record,
    _caution,
    _limits,
    _support,
    _order,
    _reach,
    _answers,
    _placeholders,
)
_CALL_RULES: tuple[Callable[[Provider, Call, str], None], ...] = (
    _address,
    _known_names,
    _token,
    _standard,
    _client,
    _one_authorization,
    _header_names,
)
