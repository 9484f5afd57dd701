"""The parts of OAuth that requests-oauthlib and oauthlib do for ceadmin.

They know no provider: what is special about one comes from its record. Nothing here
exchanges a code or refreshes a token, since the platform does both.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote_plus, urlencode

from oauthlib import oauth1
from requests_oauthlib import OAuth1Session, OAuth2Session

from ceadmin.lib import http
from providers.choices import ClientAuth
from providers.errors import BadCallbackValue
from providers.grants import Grant
from providers.spec import Provider

Fields = Sequence[tuple[str, str]]
Headers = tuple[tuple[str, str], ...]

_SIGNATURES = {
    ClientAuth.HMAC_SHA1: oauth1.SIGNATURE_HMAC_SHA1,
    ClientAuth.HMAC_SHA256: oauth1.SIGNATURE_HMAC_SHA256,
}

_REALM = re.compile(r'realm="([^"]*)"')
_FORM = ("Content-Type", "application/x-www-form-urlencoded")


# Parts of a request


def basic(client_id: str, client_secret: str) -> str:
    """Return an HTTP Basic value, form-encoded first as RFC 6749 §2.3.1 asks.

    requests encodes neither: a colon or a letter outside Latin-1 breaks there.
    """
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return f"Basic {base64.b64encode(pair.encode('ascii')).decode('ascii')}"


def revocation_body(
    token: str, hint: str | None, fields: Fields = ()
) -> tuple[Headers, bytes]:
    """Return headers and body of an RFC 7009 request: oauthlib's own bytes.

    oauthlib reads and writes the fields once more for that, which costs more than the
    call; it would hint "access_token" for every token and adds no client credentials.
    """
    pairs = [*fields, ("token", token)]
    if hint:
        pairs.append(("token_type_hint", hint))
    return (_FORM,), urlencode(pairs).encode("ascii")


def signed(
    request: http.Request, grant: Grant, method: ClientAuth, *, realm: str = ""
) -> http.Request:
    """Return the request with an OAuth 1 signature made with the grant's tokens."""
    client = oauth1.Client(
        grant.client_id,
        client_secret=grant.client_secret,
        resource_owner_key=grant.access_token,
        resource_owner_secret=grant.token_secret,
        signature_method=_SIGNATURES[method],
        realm=realm or None,
    )
    body = request.body.decode("utf-8") if request.body else None
    _, headers, _ = client.sign(
        request.url, request.method, body or None, dict(request.headers)
    )
    return http.Request(
        request.method, request.url, tuple(headers.items()), request.body
    )


# Consent


def consent_extras(provider: Provider) -> dict[str, str]:
    """Return what to add to the address at which a person consents."""
    return dict(provider.consent.extras)


def missing_scopes(provider: Provider, scope: str) -> tuple[str, ...]:
    """Return the scopes of which one is needed for a refresh token, () where one is asked for."""
    wanted = provider.consent.scopes
    asked = scope.replace(",", " ").split()
    return () if set(wanted) & set(asked) else wanted


def callback_values(provider: Provider, query: Mapping[str, str]) -> dict[str, str]:
    """Return what the provider's redirect carries beside code and state.

    Raises `BadCallbackValue` when a needed value is missing or one has another shape.
    """
    values: dict[str, str] = {}
    for name, expected in provider.consent.callback.items():
        value = query.get(name, "")
        if value and not expected.pattern.fullmatch(value):
            raise BadCallbackValue(name, "not of the expected shape")
        if not value and expected.required:
            raise BadCallbackValue(name, "missing")
        if value:
            values[name] = value
    return values


def provider_data(provider: Provider, query: Mapping[str, str]) -> dict[str, str]:
    """Return those callback values that the platform needs beside the code."""
    expected = provider.consent.callback
    values = callback_values(provider, query)
    return {
        name: value for name, value in values.items() if expected[name].provider_data
    }


# Single calls


def call(request: http.Request, *, grant: Grant | None = None) -> http.Answer:
    """Make one call through requests-oauthlib, on the outbound seam's adapter.

    With a grant the session itself places the access token or the signature, where the
    request carries one. Sends the bytes that `http.send` would; raises what it raises.
    """
    session, headers, extra = _session(request, grant)
    with http.mount(session):
        try:
            response = session.request(
                request.method,
                request.url,
                data=request.body,
                headers=headers,
                timeout=request.deadline,
                allow_redirects=False,
                **extra,
            )
        except OSError as error:  # what requests makes of the seam's own error
            if isinstance(error.__cause__, http.HttpError):
                raise error.__cause__ from None
            raise
    return _answer(response)


def _answer(response: Any) -> http.Answer:
    fields = http.AnswerHeaders(tuple(response.headers.items()))
    elapsed = response.elapsed.total_seconds()
    return http.Answer(response.status_code, fields, response.content, elapsed)


def _session(
    request: http.Request, grant: Grant | None
) -> tuple[Any, dict[str, str], dict[str, Any]]:
    headers = dict(request.headers)
    scheme, _, value = headers.get("Authorization", "").partition(" ")
    if grant and scheme == "OAuth" and "oauth_signature=" in value:
        del headers["Authorization"]
        return _signing(grant, value), headers, {}
    if grant and scheme == "Bearer" and value == grant.access_token:
        del headers["Authorization"]
        token = {"access_token": value, "token_type": "Bearer"}
        return OAuth2Session(token=token), headers, {}
    return OAuth2Session(), headers, {"withhold_token": True}


def _signing(grant: Grant, signature: str) -> OAuth1Session:
    method = "HMAC-SHA256" if "HMAC-SHA256" in signature else "HMAC-SHA1"
    realm = _REALM.search(signature)
    return OAuth1Session(
        grant.client_id,
        client_secret=grant.client_secret,
        resource_owner_key=grant.access_token,
        resource_owner_secret=grant.token_secret,
        signature_method=method,
        realm=realm[1] if realm else None,
    )
