"""A record's calls with placeholders in place of every secret and every account's own value.

They are made by the code that makes the real ones: the record is given patterns that take a
mark, a grant is filled with marks, and what `calls.build` returns is written down with a
variable's name where a mark stands.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from providers import calls, curl, prose, rules
from providers.choices import (
    Accepts,
    ClientAuth,
    PlaceholderKind,
    Placement,
    TokenKind,
)
from providers.grants import Grant
from providers.spec import Call, Placeholder, Provider
from providers.told import coded, quoted, told

_OWN: dict[str, str | Promise] = {
    "access_token": _("the access token"),
    "refresh_token": _("the refresh token"),
    "token_secret": _("the token's secret (OAuth 1)"),
    "client_id": _("the client id of the app that the grant was given to"),
    "client_secret": _("the client secret of that app"),
}


@dataclass(frozen=True, slots=True)
class Variable:
    """A value that has to be set before a call can be made."""

    name: str  # as the shell has it: ACCESS_TOKEN
    meaning: str
    default: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """One call to read and to copy."""

    key: str  # in the file: revoke.call, verification.call
    title: str
    curl: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Samples:
    """All calls of a record, and what stands in them."""

    calls: tuple[Sample, ...]
    variables: tuple[Variable, ...]


def samples(provider: Provider) -> Samples:
    """Return the calls of a record as curl writes them, in the order in which they are made."""
    book = _Book(provider)
    shown = tuple(book.shown())
    known = tuple(book.variables())
    signed = [one.meaning for one in known if one.name == curl.SIGNATURE]
    used = "\n".join([*(sample.curl for sample in shown), *signed])
    return Samples(shown, tuple(one for one in known if curl.names(one.name, used)))


class _Book:
    """The marks of one record, and its calls written with them."""

    def __init__(self, provider: Provider) -> None:
        self._given = provider
        self._marks = _marks([*_OWN, *provider.placeholders], provider.placeholders)
        self._provider = replace(provider, placeholders=self._open())
        self._grant = self._filled()

    def shown(self) -> Iterator[Sample]:
        """Yield each call; one that is made for two purposes is shown for the first."""
        seen: set[str] = set()
        for key, call in self._given.calls().items():
            text = self._text(call, self._kind(key))
            if text not in seen:
                yield Sample(
                    key, _title(self._given, key), text, _note(self._given, key)
                )
            seen.add(text)

    def _kind(self, key: str) -> TokenKind:
        """Return which token a call is shown with: the first that is sent, or the access token."""
        order = self._given.revoke.order
        return order[0] if order and key.startswith("revoke") else TokenKind.ACCESS

    def variables(self) -> Iterator[Variable]:
        """Yield what can stand in the calls."""
        for name, words in _OWN.items():
            yield Variable(name.upper(), str(words))
        for name, place in self._given.placeholders.items():
            meaning = quoted(place.meaning, self._given.language)
            yield Variable(_variable(name), meaning, place.default)
        for call in self._given.calls().values():
            if call.client_auth in rules.SIGNING:
                yield Variable(curl.SIGNATURE, _signature(call))
                return

    def _text(self, call: Call, kind: TokenKind) -> str:
        request = calls.build(self._provider, call, self._grant, kind)
        names = {mark: _variable(name) for name, mark in self._marks.items()}
        return curl.text(request, names, signs=call.client_auth in rules.SIGNING)

    def _open(self) -> dict[str, Placeholder]:
        """Return the placeholders, each with a pattern that takes its mark."""
        return {
            name: replace(place, pattern=re.compile(re.escape(self._marks[name])))
            for name, place in self._given.placeholders.items()
        }

    def _filled(self) -> Grant:
        site = {
            name: self._marks[name]
            for name, place in self._given.placeholders.items()
            # Without such a value a call authenticates as the record says.
            if place.kind != PlaceholderKind.AUTH
        }
        return Grant(site=site, **{name: self._marks[name] for name in _OWN})


def _marks(names: list[str], placeholders: Mapping[str, Placeholder]) -> dict[str, str]:
    """Return a mark for each name: letters and digits alone, which no encoding changes."""
    marks = {}
    for number, name in enumerate(names):
        mark, place = f"xqz{number}zqx", placeholders.get(name)
        if place and place.kind == PlaceholderKind.HOST:
            mark = f"{mark}.example.com"
        if place and place.kind == PlaceholderKind.URL:
            mark = f"https://{mark}.example.com/"
        marks[name] = mark
    return marks


#: Names that a shell uses itself.
_TAKEN = frozenset(
    {"path", "home", "user", "shell", "pwd", "ifs", "uid", "term", "lang"}
)


def _variable(name: str) -> str:
    return f"{name}_value".upper() if name in _TAKEN else name.upper()


def _signature(call: Call) -> str:
    realm = rules.fill(call.realm, lambda name: f"${_variable(name)}")
    words = gettext(
        "what a library for OAuth 1 makes for this very address with %(method)s (RFC 5849), "
        "of client id and secret, and the token and its secret"
    )
    made = told(words, method=coded(_METHODS[call.client_auth]))
    if not realm:
        return made
    words = gettext("%(made)s; the realm is %(realm)s")
    return told(words, made=made, realm=coded(realm))


_METHODS = {
    ClientAuth.HMAC_SHA1: "HMAC-SHA1",
    ClientAuth.HMAC_SHA256: "HMAC-SHA256",
}


_TITLES = {
    "verification.call": _("See whether the access token is dead"),
    "introspection.call": _("Ask about a token (introspection)"),
    "identity.call": _("See whose account it is"),
}


def _title(provider: Provider, key: str) -> str:
    if key.startswith("revoke.alternates."):
        words = gettext("Revoke, in another form: “%(form)s”")
        return told(words, form=coded(key.rpartition(".")[2]))
    return str(_TITLES[key]) if key in _TITLES else _revoking(provider)


def _revoking(provider: Provider) -> str:
    revoke = provider.revoke
    if revoke.accepts == Accepts.ACCOUNT or not revoke.order:
        return gettext("Revoke: the call names the account")
    if revoke.call and revoke.call.token.place == Placement.SIGNED:
        return gettext("Revoke the access token: it signs the call")
    first, *others = revoke.order
    if not others or prose.takes_along(provider, first):
        return gettext("Revoke the %(first)s") % {"first": prose.token(first)}
    words = gettext("Revoke the %(first)s, then the %(other)s in the same way")
    return words % {"first": prose.token(first), "other": prose.token(others[0])}


def _note(provider: Provider, key: str) -> str:
    part = getattr(provider, key.partition(".")[0])
    note: str = provider.calls()[key].note or getattr(part, "note", "")
    return quoted(note, provider.language)
