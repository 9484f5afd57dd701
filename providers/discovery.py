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

from django.utils.translation import gettext

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
        raise NotFound(gettext("This is no address.")) from None
    if parts.scheme != "https":
        raise NotFound(
            gettext(
                "Begin the issuer with https://. Over http anybody on the way could "
                "answer in its place."
            )
        )
    if parts.query or parts.fragment or "?" in issuer or "#" in issuer:
        raise NotFound(
            gettext("An issuer has neither a query nor a fragment (RFC 8414 §2).")
        )
    if not _fits(issuer):
        raise NotFound(
            gettext(
                "This is no address of a public host. Write the issuer in ASCII, as in "
                "https://login.example.com; names of private networks are not called."
            )
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
        words = gettext("%(place)s leads into a private network, so it was not called.")
        raise NotFound(words % {"place": _place(address)}) from None
    except http.HttpError as error:
        words = gettext(
            "%(place)s gave no answer that could be read (%(code)s). Check the address, or "
            "write the record by hand."
        )
        told = {"place": _place(address), "code": error.code}
        raise NotFound(words % told) from None


def _place(address: str) -> str:
    return urlsplit(address).netloc


def _status(address: str, status: int) -> str:
    told = {"address": address, "place": _place(address), "status": status}
    if 300 <= status < 400:
        words = gettext(
            "%(address)s answers with a redirect (%(status)s), which is not followed: the "
            "issuer itself has to answer. Ask for the address it leads to, if you trust it."
        )
    elif status in (404, 410):
        words = gettext(
            "%(place)s has no metadata at the addresses that RFC 8414 and OpenID name. "
            "Write the record by hand."
        )
    else:
        words = gettext(
            "%(address)s answered %(status)s. Try again later, or write the record by hand."
        )
    return words % told


def _read(issuer: str, address: str, answer: http.Answer) -> Metadata:
    told = _document(address, answer)
    named = told.get("issuer")
    if named != issuer:
        raise NotFound(_another(issuer, named))
    revocation = _url(told, "revocation_endpoint")
    if not revocation:
        raise NotFound(
            gettext(
                "The metadata names no revocation_endpoint, so this server offers no "
                "revocation by RFC 7009. If its documentation says otherwise, write the "
                "record by hand."
            )
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
    place = _place(address)
    if len(answer.body) > MOST_BYTES:
        words = gettext(
            "The answer of %(place)s is larger than %(most)s bytes: that is no metadata."
        )
        raise NotFound(words % {"place": place, "most": MOST_BYTES})
    try:
        told = answer.json()
    except http.BadBody as problem:
        words = gettext("%(place)s did not answer with JSON (%(code)s).")
        raise NotFound(words % {"place": place, "code": problem.code}) from None
    if not isinstance(told, dict):
        words = gettext("%(place)s did not answer with a JSON object.")
        raise NotFound(words % {"place": place})
    return told


def _another(issuer: str, named: object) -> str:
    if not isinstance(named, str) or not named:
        return gettext("The metadata names no issuer, so nobody knows whose it is.")
    shown = named[:200] if named.isprintable() else gettext("another one")
    words = gettext(
        "The metadata is another issuer's: asked for %(issuer)s, it says %(named)s. They "
        "have to be equal, letter by letter (RFC 8414 §3.3). Ask for that one, if you trust "
        "it."
    )
    return words % {"issuer": issuer, "named": shown}


def _url(told: Mapping[str, Any], name: str) -> str:
    """Return an endpoint, "" where there is none; raise `NotFound` for a bad one."""
    value = told.get(name)
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not _fits(value):
        words = gettext(
            "The metadata's %(name)s is no https address of a public host, so it is not "
            "used."
        )
        raise NotFound(words % {"name": name})
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
    words = gettext(
        "The server wants clients to authenticate by %(asked)s, and only %(known)s can be "
        "done here."
    )
    asked = names or gettext("nothing known")
    raise NotFound(words % {"asked": asked, "known": ", ".join(AUTH)})
