"""The values that differ from account to account, and whether a secret may go there.

A value comes from the instance's configuration, else from the provider app, else from
the record's default. Each one is matched whole, in ASCII, against the record's pattern
before it becomes part of an address; configuration is remote text and may be hostile.
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from django.utils.translation import gettext, gettext_noop

from providers import quirks, rules
from providers.choices import PlaceholderKind, SourcePart
from providers.errors import NotRevocable
from providers.spec import Call, Placeholder, Provider, Source
from providers.told import Told, coded, quoted, told

MAX_LENGTH = 2000
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PUBLIC_HOST = re.compile(
    rf"(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])", re.ASCII
)
#: Names that no public resolver answers for, or that mean this machine or its network.
_PRIVATE_ENDS = (
    "localhost",
    "local",
    "internal",
    "intranet",
    "lan",
    "corp",
    "home",
    "arpa",
)


def site_values(
    provider: Provider,
    configuration: Mapping[str, str | None],
    app_site: Mapping[str, str],
) -> dict[str, str]:
    """Return the record's placeholder values for one instance.

    What only a verification needs is left out when it cannot be had. Raises
    `NotRevocable` with code `bad_host` when a value is there and does not fit the
    record, and `missing_site_value` when the revoke call needs one that is nowhere.
    """
    values: dict[str, str] = {}
    needed = rules.names_of(provider.revoke.call) if provider.revoke.call else set()
    for name, place in provider.placeholders.items():
        value, misfit = _find(name, place, configuration, app_site)
        if value:
            values[name] = value
        elif name in needed and place.kind != PlaceholderKind.AUTH:
            raise _absent(provider, name, misfit)
    return values


def _find(
    name: str,
    place: Placeholder,
    configuration: Mapping[str, str | None],
    app_site: Mapping[str, str],
) -> tuple[str, str]:
    """Return the value, or the configuration key whose value does not fit."""
    misfit = ""
    for source, text in _candidates(place, configuration):
        taken = quirks.read(place.quirk, _take(source, text))
        if taken and fits(place, taken):
            return taken, ""
        misfit = misfit or source.key
    own = "" if place.per_account else str(app_site.get(name) or "")
    if own:
        return (own, "") if fits(place, own) else ("", f"site.{name}")
    return ("", misfit) if misfit else (place.default, "")


def _candidates(
    place: Placeholder, configuration: Mapping[str, str | None]
) -> Iterator[tuple[Source, str]]:
    for source in place.sources:
        text = configuration.get(source.key)
        if isinstance(text, str) and text:
            yield source, text


def _take(source: Source, text: str) -> str:
    if source.part == SourcePart.HOST:
        text = host_of(text)
    match = source.pattern.fullmatch(text[:MAX_LENGTH])
    return (match[1] or "") if match else ""


def host_of(address: str) -> str:
    """Return the host of an https address or bare host name, "" if there is any doubt."""
    if not _plain(address):
        return ""
    try:
        parts = urlsplit(address if "://" in address else f"https://{address}")
        port = parts.port
    except ValueError:
        return ""
    doubtful = parts.scheme != "https" or "@" in parts.netloc or port not in (None, 443)
    return "" if doubtful else (parts.hostname or "")


def _plain(text: str) -> bool:
    # A backslash is a slash to browsers and not to urllib; spaces and controls hide hosts.
    printable = text.isascii() and text.isprintable()
    return printable and not re.search(r"[\s\\]", text) and len(text) <= MAX_LENGTH


def fits(place: Placeholder, value: str) -> bool:
    """Say whether a value may stand where the placeholder stands."""
    if not _plain(value) or not place.pattern.fullmatch(value):
        return False
    if place.kind == PlaceholderKind.PATH:
        return not {"", ".", ".."} & set(value.split("/"))
    return place.kind != PlaceholderKind.URL or is_public_address(value)


def is_public_address(url: str) -> bool:
    """Say whether an address is https and its host looks like a public name.

    Addresses are judged again, as numbers, when the outbound seam connects.
    """
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or 0 < parts.port < 65536
    except ValueError:
        return False
    host = parts.hostname or ""
    clean = "@" not in parts.netloc and not parts.fragment and port_is_fine
    return parts.scheme == "https" and clean and _is_public_host(host)


def _is_public_host(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        named = _PUBLIC_HOST.fullmatch(host) is not None and len(host) <= 253
        return named and host.rpartition(".")[2] not in _PRIVATE_ENDS
    return False


def checked(provider: Provider, call: Call, site: Mapping[str, str]) -> dict[str, str]:
    """Return the values a call needs, each matched again before a secret goes there.

    Raises `NotRevocable` with code `missing_site_value` or `bad_host`.
    """
    values: dict[str, str] = {}
    for name in rules.names_of(call) & provider.placeholders.keys():
        place = provider.placeholders[name]
        value = str(site.get(name) or "")
        if value and fits(place, value):
            values[name] = value
        elif value or place.kind != PlaceholderKind.AUTH:
            raise _absent(provider, name, f"site.{name}" if value else "")
    return values


def problems(provider: Provider, app_site: object) -> list[str]:
    """Say what is wrong with the site values of a provider app."""
    if not isinstance(app_site, Mapping):
        return [gettext("Site values are a table of names and values.")]
    judged = ((name, _judged(provider, name, app_site[name])) for name in app_site)
    found: list[str] = [
        told("%(name)s: %(words)s", name=coded(str(name)), words=words)
        for name, words in judged
        if words
    ]
    needed = rules.names_of(provider.revoke.call) if provider.revoke.call else set()
    for name in sorted(needed & provider.placeholders.keys() - app_site.keys()):
        place = provider.placeholders[name]
        known = place.sources or place.default or place.kind == PlaceholderKind.AUTH
        if not (known or place.per_account):
            words = gettext("%(name)s is needed: %(meaning)s.")
            found.append(
                told(words, name=coded(name), meaning=_meaning(provider, name))
            )
    return found


def _judged(provider: Provider, name: str, value: object) -> str:
    place = provider.placeholders.get(name)
    if place is None:
        words = gettext("%(provider)s knows no such value.")
        return words % {"provider": provider.name}
    if place.per_account:
        return gettext(
            "Each instance has its own, so it cannot be set for all of them."
        )
    if isinstance(value, str) and fits(place, value):
        return ""
    return told(gettext("This is not %(meaning)s."), meaning=_meaning(provider, name))


def _meaning(provider: Provider, name: str) -> Told:
    return quoted(provider.placeholders[name].meaning, provider.language)


def off_limits(provider: Provider, host: str) -> NotRevocable:
    """Return the refusal of a call whose whole host is no public name."""
    words = gettext_noop(
        "%(host)s is no public host, so nothing was sent there. Correct the site values "
        "of the provider app for %(provider)s."
    )
    parts = {"host": repr(host), "provider": provider.name}
    return NotRevocable("bad_host", words % parts)


def _absent(provider: Provider, name: str, misfit: str) -> NotRevocable:
    place = provider.placeholders[name]
    parts = {
        "misfit": misfit,
        "name": repr(name),
        "meaning": place.meaning,
        "provider": provider.name,
    }
    if misfit:
        return NotRevocable("bad_host", _MISFIT % parts)
    if place.per_account:
        steps = provider.manual_steps
        return NotRevocable("missing_site_value", _NOT_TOLD % parts, steps)
    return NotRevocable("missing_site_value", _NOT_SET % parts)


_MISFIT = gettext_noop(
    "%(misfit)s is no address that the record of %(provider)s vouches for, so nothing "
    "was sent there. Correct it, or set %(name)s (%(meaning)s) among the site values of "
    "the provider app."
)
_NOT_TOLD = gettext_noop(
    "The instance's configuration does not tell %(name)s (%(meaning)s), which "
    "%(provider)s needs."
)
_NOT_SET = gettext_noop(
    "The instance's configuration does not tell %(name)s (%(meaning)s), which "
    "%(provider)s needs. Set it among the site values of the provider app."
)
