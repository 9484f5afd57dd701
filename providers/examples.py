"""A record's calls with names of variables where the secrets stood, for people who repeat them by hand.

The request is made by the same code that makes the real one, so it cannot drift from it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from ceadmin.lib import http
from providers import calls, rules
from providers.choices import ClientAuth, Placement, TokenKind
from providers.errors import NotRevocable
from providers.grants import Grant
from providers.spec import GRANT_PLACEHOLDERS, Call, Provider

#: What stands for a secret: a shell puts the value of the variable there.
_GRANT = Grant("$ACCESS_TOKEN", "$REFRESH_TOKEN", {}, "$CLIENT_ID", "$CLIENT_SECRET")
_SIGNATURE = "$OAUTH1_SIGNATURE"
_SIGNED = ("Authorization", "OAuth " + _SIGNATURE)
#: Where the calls of a purpose stand in a record.
_PARTS = {
    "before": ("verification", "introspection"),
    "verify_source": ("verification", "introspection"),
    "identity": ("identity",),
}
_ANYWHERE = "https://provider.invalid/"


def variable_of(purpose: str) -> str:
    """Return the name of the variable that stands for the token of a call."""
    return "REFRESH_TOKEN" if purpose == "revoke_refresh" else "ACCESS_TOKEN"


def example(
    provider: Provider, purpose: str, method: str, url: str, *, form: str = "default"
) -> http.Request | None:
    """Return the request that was sent to `url` for `purpose`, its secrets replaced by variables' names.

    `url` is kept as it is. None where the record knows no such call, as when it was
    changed since.
    """
    kind = TokenKind.REFRESH if purpose == "revoke_refresh" else TokenKind.ACCESS
    for call in _candidates(provider, purpose, form):
        if call.method.value == method and _is_at(call, url):
            try:
                return _filled(provider, call, kind, url)
            except NotRevocable:
                return None
    return None


def _candidates(provider: Provider, purpose: str, form: str) -> Iterator[Call]:
    if purpose.startswith("revoke"):
        own = provider.revoke.alternates.get(form, provider.revoke.call)
        if own:
            yield own
    for part in _PARTS.get(purpose, ()):
        call = provider.calls().get(f"{part}.call")
        if call:
            yield call


def _is_at(call: Call, url: str) -> bool:
    """Tell whether an address is one of those that the call's template makes."""
    parts = re.split(r"\{[a-z][a-z0-9_]*\}", call.url)
    pattern = ".+".join(map(re.escape, parts))
    return re.fullmatch(rf"{pattern}(?:[?&].*)?", url) is not None


def _filled(provider: Provider, call: Call, kind: TokenKind, url: str) -> http.Request:
    signed = call.client_auth in rules.SIGNING
    in_url = call.token.place in (Placement.QUERY, Placement.PATH)
    sent = replace(
        call,
        url=_ANYWHERE,
        query={},
        realm="",
        client_auth=ClientAuth.NONE if signed else call.client_auth,
        client_auth_from="",
        token=replace(call.token, place=Placement.NONE)
        if in_url or signed
        else call.token,
        body=rules.body_kind(call),
        fields=_named(provider, call.fields),
        headers=_named(provider, call.headers),
    )
    made = calls.build(provider, sent, _GRANT, kind)
    return replace(
        made, url=url, headers=(*made.headers, _SIGNED) if signed else made.headers
    )


def _named(provider: Provider, templates: Mapping[str, str]) -> dict[str, str]:
    """Return templates in which what differs from account to account is named, or as the record has it."""

    def value(name: str) -> str:
        if name in GRANT_PLACEHOLDERS:
            return f"{{{name}}}"
        place = provider.placeholders.get(name)
        return (place.default if place else "") or f"${name.upper()}"

    return {name: rules.fill(text, value) for name, text in templates.items()}
