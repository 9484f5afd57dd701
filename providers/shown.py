"""A record's calls for people: the very bytes that would be sent, with names for the values.

The requests are built by the code that builds the real ones, from values that no real one
has; each is then replaced by its placeholder's name in braces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ceadmin.lib import http
from providers import oauth, revocation, rules
from providers.choices import PlaceholderKind
from providers.errors import NotRevocable
from providers.grants import Grant
from providers.spec import Placeholder, Provider

_ANY = re.compile(".*")
_MARK = "qx{name}xq"
_MARKED = re.compile(
    r"https://qu([a-z0-9-]+?)uq\.example|qx([a-z0-9-]+?)xq(?:\.example)?"
)
_GRANT = {
    name: _MARK.format(name=name.replace("_", "-"))
    for name in (
        "access_token",
        "refresh_token",
        "client_id",
        "client_secret",
        "token_secret",
    )
}
_PURPOSES = {
    "revoke_refresh": "Revoke the refresh token",
    "revoke_access": "Revoke the access token",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One call: what it is for, and how curl would make it."""

    title: str
    curl: str


def calls_of(record: Provider) -> list[Shown]:
    """Return what would be sent for one instance, in its order."""
    sample = replace(
        record,
        placeholders={
            name: replace(place, pattern=_ANY)
            for name, place in record.placeholders.items()
        },
    )
    return list(_calls(sample, _grant(sample)))


def _grant(record: Provider) -> Grant:
    whole = _whole_hosts(record)
    site = {
        name: _value(name, place, name in whole)
        for name, place in record.placeholders.items()
        if place.kind != PlaceholderKind.AUTH
    }
    return Grant(site=site, **_GRANT)


def _whole_hosts(record: Provider) -> set[str]:
    urls = [call.url for call in record.calls().values()]
    hosts = (url.partition("://")[2].partition("/")[0] for url in urls)
    bare = [host for host in hosts if "." not in rules.fill(host, lambda name: "")]
    return {name for host in bare for name in rules.names_in(host)}


def _value(name: str, place: Placeholder, whole: bool) -> str:
    plain = name.replace("_", "-")
    if place.kind == PlaceholderKind.URL:
        return f"https://qu{plain}uq.example"
    mark = _MARK.format(name=plain)
    return f"{mark}.example" if whole else mark


def _calls(record: Provider, grant: Grant) -> Iterator[Shown]:
    try:
        for step in revocation.plan(record, grant):
            yield Shown(_PURPOSES[step.purpose], curl_of(step.request))
    except NotRevocable:
        return  # a person does it: the page shows the steps
    for kind in ("access", "refresh"):
        look = revocation.verification(record, grant, kind=kind)
        if look:
            yield Shown(f"Ask whether the {kind} token lives", curl_of(look))
    whose = revocation.identity(record, grant)
    if whose:
        yield Shown("Ask whose account it is", curl_of(whose))


def curl_of(request: http.Request) -> str:
    """Return a request as a line for curl; its values are the names of this module's marks."""
    words = ["curl" if request.method == "GET" else f"curl --request {request.method}"]
    words += [f"--header {_quoted(_header(*one))}" for one in request.headers]
    if request.body:
        words.append(f"--data {_quoted(request.body.decode('utf-8', 'replace'))}")
    words.append(_quoted(request.url))
    return _named(" \\\n  ".join(words))


def _header(name: str, value: str) -> str:
    if name == "Authorization" and value == _BASIC:
        return "Authorization: Basic {base64 of client_id:client_secret}"
    if name == "Authorization" and value.startswith("OAuth "):
        return "Authorization: OAuth {signature}"
    return f"{name}: {value}"


_BASIC = oauth.basic(_GRANT["client_id"], _GRANT["client_secret"])


def _quoted(text: str) -> str:
    return "'{}'".format(text.replace("'", "'\\''"))


def _named(text: str) -> str:
    return _MARKED.sub(_name, text)


def _name(found: re.Match[str]) -> str:
    return f"{{{(found[1] or found[2]).replace('-', '_')}}}"
