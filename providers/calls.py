"""One described call, filled with a grant's values, as the request that leaves.

Everything that stands in an address is percent-encoded unless its pattern was matched;
everything that stands in a header is checked for characters that could end the header.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from urllib.parse import quote, urlencode, urlsplit

from django.utils.translation import gettext_noop

from ceadmin.lib import http
from providers import oauth, rules, sites
from providers.choices import (
    BodyKind,
    ClientAuth,
    PlaceholderKind,
    Placement,
    TokenKind,
)
from providers.errors import NotRevocable
from providers.grants import Grant
from providers.spec import Call, Provider

#: RFC 8414's names of client authentication.
_STANDARD_AUTH = {
    "client_secret_basic": ClientAuth.BASIC,
    "client_secret_post": ClientAuth.BODY,
    "none": ClientAuth.PUBLIC,
}
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NEED_SECRET = frozenset({ClientAuth.BODY, ClientAuth.BASIC, ClientAuth.HEADER})
_WITH_SECRET = _NEED_SECRET | rules.SIGNING


@dataclass(frozen=True, slots=True)
class _Filling:
    """A call with the values for its templates."""

    provider: Provider
    call: Call
    grant: Grant
    kind: TokenKind
    token: str
    values: Mapping[str, str] = field(repr=False)

    def fill(self, template: str) -> str:
        """Replace the placeholders of a field, query value or header."""
        return rules.fill(template, self.values.__getitem__)


def build(
    provider: Provider, call: Call, grant: Grant, kind: TokenKind
) -> http.Request:
    """Return the request of a call for one of the grant's tokens.

    Raises `NotRevocable` when a value is missing or may not stand where it would.
    """
    site = sites.checked(provider, call, grant.site)
    call = _authenticated(call, site)
    token = grant.token(kind)
    _refuse_bad_text(provider, grant, token)
    values = {**site, **_own_values(grant, token)}
    filling = _Filling(provider, call, grant, kind, token, values)
    _refuse_missing_client(filling)
    return _signed(filling, _request(filling))


def _authenticated(call: Call, site: Mapping[str, str]) -> Call:
    named = site.get(call.client_auth_from, "")
    return _standard(call, named) if named else call


@lru_cache(maxsize=64)
def _standard(call: Call, named: str) -> Call:
    return replace(call, client_auth=_STANDARD_AUTH[named])


def _own_values(grant: Grant, token: str) -> dict[str, str]:
    return {
        "token": token,
        "access_token": grant.access_token,
        "refresh_token": grant.refresh_token,
        "client_id": grant.client_id,
        "client_secret": grant.client_secret,
    }


# What may not leave


def _refuse_bad_text(provider: Provider, grant: Grant, token: str) -> None:
    for text in (token, grant.client_id, grant.client_secret):
        # JSON can carry lone surrogates and NUL; neither is part of any real token.
        if "\x00" in text or (not text.isascii() and _SURROGATE.search(text)):
            raise _bad_token(provider)


def _bad_token(provider: Provider) -> NotRevocable:
    words = gettext_noop(
        "The token or the app's credentials have characters that cannot be sent in this "
        "call to %(provider)s. Read the instance again; if it stays so, revoke by hand."
    )
    sentence = words % {"provider": provider.name}
    return NotRevocable("bad_token", sentence, provider.manual_steps)


def _refuse_missing_client(filling: _Filling) -> None:
    call, grant = filling.call, filling.grant
    named = rules.named_in(call)
    needs_secret = call.client_auth in _WITH_SECRET or "client_secret" in named
    needs_id = (
        needs_secret or call.client_auth == ClientAuth.PUBLIC or "client_id" in named
    )
    if (needs_id and not grant.client_id) or (needs_secret and not grant.client_secret):
        words = gettext_noop(
            "%(provider)s asks for the client id and secret of the app that the grant was "
            "given to, and the provider app has none. Set them in the provider app."
        )
        sentence = words % {"provider": filling.provider.name}
        raise NotRevocable("no_client_secret", sentence)


# The parts of the request


def _request(filling: _Filling) -> http.Request:
    call, url, headers = filling.call, _url(filling), _headers(filling)
    kind = rules.body_kind(call)
    if call.rfc7009:
        hint = f"{filling.kind.value}_token" if call.hint else None
        made, body = oauth.revocation_body(filling.token, hint, _fields(filling))
        return http.Request(call.method.value, url, (*made, *headers), body)
    if kind == BodyKind.FORM:
        fields = [*_fields(filling), *_token_field(filling, Placement.FORM)]
        return http.Request.form(call.method.value, url, fields, headers)
    if kind == BodyKind.JSON:
        payload = dict([*_fields(filling), *_token_field(filling, Placement.JSON)])
        return http.Request.json(call.method.value, url, payload, headers)
    return http.Request(call.method.value, url, headers)


def _url(filling: _Filling) -> str:
    url = rules.fill(filling.call.url, lambda name: _address_part(filling, name))
    if rules.has_open_host(filling.call) and not sites.is_public_address(url):
        raise sites.off_limits(filling.provider, urlsplit(url).netloc)
    pairs = [(name, filling.fill(text)) for name, text in filling.call.query.items()]
    pairs += _token_field(filling, Placement.QUERY)
    if not pairs:
        return url
    joint = "&" if urlsplit(url).query else "?"
    return f"{url}{joint}{urlencode(pairs, quote_via=quote, safe='')}"


def _address_part(filling: _Filling, name: str) -> str:
    value = filling.values[name]
    place = filling.provider.placeholders.get(name)
    if place is not None and place.kind == PlaceholderKind.URL:
        return value
    if place is not None and place.kind == PlaceholderKind.PATH:
        return quote(value, safe="/")
    # A client or proxy would resolve these as steps in the path, encoded or not.
    if value in (".", ".."):
        raise _bad_token(filling.provider)
    return quote(value, safe="")


def _fields(filling: _Filling) -> list[tuple[str, str]]:
    call, grant = filling.call, filling.grant
    fields: list[tuple[str, str]] = []
    if call.client_auth in (ClientAuth.BODY, ClientAuth.PUBLIC):
        fields.append((call.client_id_field, grant.client_id))
    if call.client_auth == ClientAuth.BODY:
        fields.append((call.client_secret_field, grant.client_secret))
    return fields + [(name, filling.fill(text)) for name, text in call.fields.items()]


def _token_field(filling: _Filling, place: Placement) -> list[tuple[str, str]]:
    here = filling.call.token.place == place
    return [(filling.call.token.name, filling.token)] if here else []


def _headers(filling: _Filling) -> tuple[tuple[str, str], ...]:
    call, grant, token = filling.call, filling.grant, filling.call.token
    headers = [(name, filling.fill(text)) for name, text in call.headers.items()]
    if call.client_auth == ClientAuth.BASIC:
        headers.append(
            ("Authorization", oauth.basic(grant.client_id, grant.client_secret))
        )
    if call.client_auth == ClientAuth.BEARER:
        headers.append(("Authorization", f"Bearer {grant.access_token}"))
    if token.place == Placement.BEARER:
        headers.append(("Authorization", f"{token.scheme or 'Bearer'} {filling.token}"))
    if token.place == Placement.HEADER:
        headers.append((token.name, f"{token.scheme} {filling.token}".lstrip(" ")))
    for _, value in headers:
        if not (value.isascii() and value.isprintable()):
            raise _bad_token(filling.provider)
    return tuple(headers)


def _signed(filling: _Filling, request: http.Request) -> http.Request:
    if filling.call.client_auth not in rules.SIGNING:
        return request
    call = filling.call
    return oauth.signed(
        request, filling.grant, call.client_auth, realm=filling.fill(call.realm)
    )
