"""What an organization's own record must hold beyond what every record must.

The catalogue's records were read by their authors' reviewers; an own one is read by its
owner alone, and its patterns meet remote text in workers that all organizations share.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from providers import catalogue, rules, sites
from providers.choices import PlaceholderKind
from providers.errors import SpecError
from providers.own import MOST_BYTES
from providers.spec import Placeholder, Provider

_KEY = re.compile(r"own_[a-z0-9][a-z0-9_]{0,45}")
_ELEMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LONGEST_TEXT = 2000
_LONGEST_NAME = 150
_MOST_ENTRIES = 100
_DAY, _YEAR = 86_400.0, 366 * 86_400.0
#: So many ways a pattern may be tried on the longest text that it meets: two open
#: repetitions, and no group that is repeated.
_MOST_WAYS = 2 * sites.MAX_LENGTH**2
_LONGEST_PATTERN = 200
#: A host that a placeholder begins ends in a domain that is spelled out.
_OWN_DOMAIN = re.compile(r"\.[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]+)?")

#: A pattern that fits a few words and no others.
_CLOSED = re.compile(r"(?:[a-z0-9-]|\\\.|\(\?:|[()|])+")


def read(text: str) -> Provider:
    """Read an own record; raise `SpecError` naming the key if it is wrong."""
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        words = _("is longer than %(most)s bytes")
        raise SpecError("toml", words, most=MOST_BYTES)
    table = catalogue.table_of(text)
    _texts(table, "", 0)
    provider = catalogue.record_of(table)
    for rule in (_identity, _elements, _seconds, _patterns, _addresses, _open_hosts):
        rule(provider)
    return provider


def hosts_of(provider: Provider) -> tuple[str, ...]:
    """Return every host that a record names, for its owner to vouch for.

    A part that differs from account to account is shown by its placeholder's name:
    `{tenant}.example.com`, and `{server}` where an owner sets the whole host.
    """
    return tuple(sorted({_host(url) for _, url in _urls(provider)}))


def places_of(provider: Provider) -> frozenset[str]:
    """Return every address that a record calls, each with what may stand in its braces.

    Where two versions differ in these, secrets that were given for one are not the other's.
    """
    return frozenset(_place(provider, url) for _, url in _urls(provider))


def _place(provider: Provider, url: str) -> str:
    names = rules.names_in(url)
    parts = (provider.placeholders.get(name) for name in names)
    told = (f"{one.kind} {one.pattern.pattern} {one.default}" for one in parts if one)
    return " ".join([url, *told])


def _urls(provider: Provider) -> Iterator[tuple[str, str]]:
    for key, call in provider.calls().items():
        yield f"{key}.url", call.url
    for key in ("authorization_url", "token_url"):
        if url := getattr(provider, key):
            yield key, url


def _host(url: str) -> str:
    if url.startswith("{"):
        return f"{url.partition('}')[0]}}}"  # an address that an owner sets as a whole
    return url.partition("://")[2].partition("/")[0].partition("?")[0]


def _require(holds: object, key: str, message: str | Promise, **values: Any) -> None:
    if not holds:
        raise SpecError(key, message, **values)


# The text itself

_TOO_MANY = _("has too many entries")
_TOO_LONG = _("is longer than %(most)s characters")


def _texts(value: object, key: str, depth: int) -> None:
    """Refuse what no page can show and no record needs."""
    if isinstance(value, Mapping):
        _require(len(value) <= _MOST_ENTRIES, key or "toml", _TOO_MANY)
        for name, one in value.items():
            _text(str(name), key or "toml")
            _texts(one, f"{key}.{name}" if key else str(name), depth + 1)
    elif isinstance(value, list):
        _require(len(value) <= _MOST_ENTRIES, key, _TOO_MANY)
        for at, one in enumerate(value):
            _texts(one, f"{key}.{at}", depth + 1)
    elif isinstance(value, str):
        _text(value, key)


def _text(value: str, key: str) -> None:
    _require(value.isprintable(), key, _("has a line break or a control character"))
    fits = len(value) <= _LONGEST_TEXT
    _require(fits, key, _TOO_LONG, most=_LONGEST_TEXT)


# The record


def _identity(provider: Provider) -> None:
    _require(
        _KEY.fullmatch(provider.key),
        "key",
        _("is not a lower-case word with own_ before it"),
    )
    _require(
        len(provider.name) <= _LONGEST_NAME,
        "name",
        _TOO_LONG,
        most=_LONGEST_NAME,
    )
    _require(
        provider.enabled_by_default or not provider.revocable,
        "enabled_by_default",
        _("must be true: an own record is on once it is saved"),
    )


def _elements(provider: Provider) -> None:
    for name in ("element_keys", "related_element_keys"):
        for one in getattr(provider, name):
            words = _("%(element)s is no element's key")
            _require(_ELEMENT.fullmatch(one), name, words, element=repr(one))
            shipped = catalogue.for_element(one)
            _require(
                shipped is None,
                name,
                _("%(element)s belongs to %(owner)s, whose record comes with ceadmin"),
                element=repr(one),
                owner=shipped.name if shipped else "",
            )


def _seconds(provider: Provider) -> None:
    # A record is data, and so is `propagation_seconds = inf`.
    revoke = provider.revoke
    _require(
        0 <= revoke.propagation_seconds <= _DAY,
        "revoke.propagation_seconds",
        _("is not between 0 and a day"),
    )
    lives = revoke.access_lives_seconds
    _require(
        lives is None or 0 <= lives <= _YEAR,
        "revoke.access_lives_seconds",
        _("is not between 0 and a year"),
    )


# Its patterns


def _patterns(provider: Provider) -> None:
    for name, place in provider.placeholders.items():
        _pattern(place.pattern.pattern, f"placeholders.{name}.pattern")
        for at, source in enumerate(place.sources):
            key = f"placeholders.{name}.sources.{at}.pattern"
            _pattern(source.pattern.pattern, key)
    for name, value in provider.consent.callback.items():
        _pattern(value.pattern.pattern, f"consent.callback.{name}.pattern")


def _pattern(text: str, key: str) -> None:
    _require(len(text) <= _LONGEST_PATTERN, key, _TOO_LONG, most=_LONGEST_PATTERN)
    ways = ways_of(text)
    words = _("repeats a group, looks around or refers back: spell it out")
    _require(ways, key, words)
    words = _("can be tried in too many ways: repeat less, or {1,9}")
    _require(ways <= _MOST_WAYS, key, words)


_TOKEN = re.compile(
    r"""\(\?:|(?P<ahead>\(\?)|(?P<back>\\[1-9])|\\.|(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])
    |(?P<group>\))?(?P<many>[*+]|\{[0-9]*,[0-9]*\}|\{[0-9]+\}|\?)|(?P<either>\|)|.""",
    re.VERBOSE | re.DOTALL,
)


def ways_of(pattern: str) -> int:
    """Return in how many ways a pattern can be tried on a long text at most; 0: who knows.

    Python's engine goes back and tries again, and nothing stops it: two repetitions,
    one in the other, can last longer than a worker lives.
    """
    ways = 1
    for found in _TOKEN.finditer(pattern):
        if found["ahead"] or found["back"]:
            return 0
        if found["many"] and found["group"] and found["many"] != "?":
            return 0
        ways *= _ways(found["many"] or "", bool(found["either"]))
    return ways


def _ways(many: str, either: bool) -> int:
    if either or many == "?":
        return 2
    if not many or "," not in many:
        return sites.MAX_LENGTH if many in ("*", "+") and many else 1
    most = many.rstrip("}").rpartition(",")[2]
    return int(most or sites.MAX_LENGTH) + 1


# Its hosts


def _addresses(provider: Provider) -> None:
    for key, url in _urls(provider):
        if not url.startswith("{"):
            plain = rules.fill(url, lambda name: "xx")
            public = sites.is_public_address(_with_a_host(plain))
            _require(public, key, _("is no https address of a public host"))
        clean = url.isascii() and not {" ", "\\"} & set(url)
        _require(clean, key, _("has a character that belongs into no address"))


def _with_a_host(url: str) -> str:
    """Put a public host where the whole host is a placeholder."""
    parts = urlsplit(url)
    bare = parts.hostname == "xx"
    return url.replace("//xx", "//xx.example.com", 1) if bare else url


def _open_hosts(provider: Provider) -> None:
    """Let a part of a host differ under a spelled-out domain.

    A whole one is an owner's to set, or one of a few that the pattern spells out.
    """
    for key, url in _urls(provider):
        host = _host(url)
        names = rules.names_in(host)
        for name in names:
            place = provider.placeholders.get(name)
            words = _("%(names)s is not declared under placeholders")
            _require(place, key, words, names=f"{{{name}}}")
            if place is not None and not _is_under_a_domain(host, names[-1]):
                _set_by_owner(place, f"placeholders.{name}")


def _is_under_a_domain(host: str, last: str) -> bool:
    rest = host.rpartition(f"{{{last}}}")[2]
    return _OWN_DOMAIN.fullmatch(rest) is not None


def _set_by_owner(place: Placeholder, key: str) -> None:
    _require(
        place.kind in (PlaceholderKind.HOST, PlaceholderKind.URL),
        f"{key}.kind",
        _("is neither host nor url, and stands for a whole host"),
    )
    words = _(
        "cannot be there: it is a whole host, which an owner sets in the provider app, "
        "unless the pattern spells out each host it may be"
    )
    closed = _CLOSED.fullmatch(place.pattern.pattern)
    _require(closed or not place.sources, f"{key}.sources", words)
