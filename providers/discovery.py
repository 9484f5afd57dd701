"""Ask a server what it can do: its metadata at a well-known address.

RFC 8414 (OAuth 2.0 Authorization Server Metadata) and OpenID Connect Discovery 1.0. The
answer is remote text of somebody who wants tokens sent to them: it is believed only where
it names the very issuer that was asked, and nothing of it is used before an owner has
read it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ceadmin.lib import http
from providers import sites
from providers.writing import AUTH

#: Metadata of a real server has three to ten thousand bytes.
MOST_BYTES = 256_000
_DEADLINE = 10.0
_OAUTH, _OPENID = "oauth-authorization-server", "openid-configuration"
_LONGEST = 500

Send = Callable[[http.Request], http.Answer]


class NotFound(ValueError):
    """A server told nothing that a record can be made of; `sentence` says why."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a server says of itself, as far as a record asks for it."""

    issuer: str
    address: str  # where it said so
    revocation_url: str
    client_auth: str  # of `writing.AUTH`
    introspection_url: str = ""
    check_url: str = ""
    authorization_url: str = ""
    token_url: str = ""


def discover(issuer: str, send: Send = http.send) -> Metadata:
    """Return what the server of an issuer says of itself; raise `NotFound`.

    Both well-known addresses are asked, one after the other, until one answers.
    """
    issuer = issuer.strip()
    _check_issuer(issuer)
    missing = ""
    for address in addresses(issuer):
        answer = _ask(address, send)
        if answer.status == 200:
            return _read(issuer, address, answer)
        missing = _status(address, answer.status)
        if answer.status not in (404, 410):
            break
    raise NotFound(missing)


def addresses(issuer: str) -> tuple[str, ...]:
    """Return where the metadata of an issuer stands.

    RFC 8414 §3.1 puts the well-known part before the issuer's path, OpenID behind it;
    §5 lets old servers do as OpenID does.
    """
    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    origin = f"https://{parts.netloc}"
    return (
        f"{origin}/.well-known/{_OAUTH}{path}",
        f"{origin}{path}/.well-known/{_OPENID}",
    )


def _check_issuer(issuer: str) -> None:
    try:
        parts = urlsplit(issuer)
    except ValueError:
        raise NotFound("This is no address.") from None
    if parts.scheme != "https":
        raise NotFound(
            "Begin the issuer with https://. Over http anybody on the way could answer in "
            "its place."
        )
    if parts.query or parts.fragment or "?" in issuer or "#" in issuer:
        raise NotFound("An issuer has neither a query nor a fragment (RFC 8414 §2).")
    if not _fits(issuer):
        raise NotFound(
            "This is no address of a public host. Write the issuer in ASCII, as in "
            "https://login.example.com; names of private networks are not called."
        )


def _fits(url: str) -> bool:
    plain = url.isascii() and url.isprintable() and not {" ", "\\", "{", "}"} & set(url)
    return plain and len(url) <= _LONGEST and sites.is_public_address(url)


# The answer


def _ask(address: str, send: Send) -> http.Answer:
    accept = (("Accept", "application/json"),)
    try:
        return send(http.Request("GET", address, accept, deadline=_DEADLINE))
    except http.Blocked:
        raise NotFound(
            f"{_place(address)} leads into a private network, so it was not called."
        ) from None
    except http.HttpError as error:
        words = _NO_ANSWER.format(place=_place(address), code=error.code)
        raise NotFound(words) from None


_NO_ANSWER = (
    "{place} gave no answer that could be read ({code}). Check the address, or write the "
    "record by hand."
)


def _place(address: str) -> str:
    return urlsplit(address).netloc


def _status(address: str, status: int) -> str:
    if 300 <= status < 400:
        return (
            f"{address} answers with a redirect ({status}), which is not followed: the "
            "issuer itself has to answer. Ask for the address it leads to, if you trust it."
        )
    if status in (404, 410):
        return (
            f"{_place(address)} has no metadata at the addresses that RFC 8414 and OpenID "
            "name. Write the record by hand."
        )
    return f"{address} answered {status}. Try again later, or write the record by hand."


def _read(issuer: str, address: str, answer: http.Answer) -> Metadata:
    told = _document(address, answer)
    named = told.get("issuer")
    if named != issuer:
        raise NotFound(_another(issuer, named))
    revocation = _url(told, "revocation_endpoint")
    if not revocation:
        raise NotFound(
            "The metadata names no revocation_endpoint, so this server offers no "
            "revocation by RFC 7009. If its documentation says otherwise, write the "
            "record by hand."
        )
    return Metadata(
        issuer=issuer,
        address=address,
        revocation_url=revocation,
        client_auth=_client_auth(told),
        introspection_url=_url(told, "introspection_endpoint"),
        check_url=_url(told, "userinfo_endpoint"),
        authorization_url=_url(told, "authorization_endpoint"),
        token_url=_url(told, "token_endpoint"),
    )


def _document(address: str, answer: http.Answer) -> Mapping[str, Any]:
    if len(answer.body) > MOST_BYTES:
        raise NotFound(
            f"The answer of {_place(address)} is larger than {MOST_BYTES} bytes: that is "
            "no metadata."
        )
    try:
        told = answer.json()
    except http.BadBody as problem:
        raise NotFound(
            f"{_place(address)} did not answer with JSON ({problem.code})."
        ) from None
    if not isinstance(told, dict):
        raise NotFound(f"{_place(address)} did not answer with a JSON object.")
    return told


def _another(issuer: str, named: object) -> str:
    if not isinstance(named, str) or not named:
        return "The metadata names no issuer, so nobody knows whose it is."
    shown = named[:200] if named.isprintable() else "another one"
    return (
        f"The metadata is another issuer's: asked for {issuer}, it says {shown}. They have "
        "to be equal, letter by letter (RFC 8414 §3.3). Ask for that one, if you trust it."
    )


def _url(told: Mapping[str, Any], name: str) -> str:
    """Return an endpoint, "" where there is none; raise `NotFound` for a bad one."""
    value = told.get(name)
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not _fits(value):
        raise NotFound(
            f"The metadata's {name} is no https address of a public host, so it is not "
            "used."
        )
    return value


def _client_auth(told: Mapping[str, Any]) -> str:
    """Return how to authenticate: basic is what a server means that says nothing (RFC 8414 §2)."""
    name = "revocation_endpoint_auth_methods_supported"
    offered = told.get(name)
    if offered is None:
        return AUTH["client_secret_basic"]
    listed = offered if isinstance(offered, list) else []
    for method, word in AUTH.items():
        if method in listed:
            return word
    names = ", ".join(str(one)[:40] for one in listed[:5] if str(one).isprintable())
    raise NotFound(
        f"The server wants clients to authenticate by {names or 'nothing known'}, and only "
        f"{', '.join(AUTH)} can be done here."
    )
