"""Which addresses may be called: public ones, judged when the connection is made.

A name that was judged earlier can point elsewhere by then (DNS rebinding), so names are
not judged at all: libcurl asks for the very address that it is about to connect to.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings

from ceadmin.lib.http_types import Blocked, Request

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Refused beside what Python calls not global (IANA special-purpose registries, RFC 6890).
_REFUSED = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "240.0.0.0/4",
        "2001:db8::/32",
        "3fff::/20",
    )
)
#: All IPv6 addresses that IANA has given out for the public internet.
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
#: IPv6 prefixes that carry an IPv4 address in their last four bytes: mapped, compatible,
#: translated (RFC 2765), NAT64 (RFC 6052), and NAT64 of a private network (RFC 8215).
_CARRIERS = tuple(
    ipaddress.ip_network(text)
    for text in ("::ffff:0:0/96", "::/96", "::ffff:0:0:0/96", "64:ff9b::/96")
)

#: What names the place; the rest of a URL says nothing of where it leads.
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
# Host and port; a percent sign would be decoded by libcurl, after the guard has looked.
_PLACE = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_VALUE = re.compile(r"[\t\x20-\x7e]*")
#: They frame the request or speak to a proxy: libcurl alone writes them.
_LIBCURLS = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "proxy-authorization",
        "proxy-connection",
        "transfer-encoding",
        "upgrade",
    }
)

_door = threading.local()


def carried_ipv4(address: IPAddress) -> list[IPAddress]:
    """Return the IPv4 addresses that an IPv6 address carries; a packet may end there."""
    if not isinstance(address, ipaddress.IPv6Address):
        return []
    if address.teredo:
        return list(address.teredo)
    if address.sixtofour:
        return [address.sixtofour]
    if any(address in network for network in _CARRIERS):
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    return []


@lru_cache(maxsize=4096)
def is_public(text: str) -> bool:
    """Tell whether an IP address, as the resolver writes it, may be called."""
    address = ipaddress.ip_address(text.partition("%")[0])
    return all(_is_public(one) for one in carried_ipv4(address) or [address])


def _is_public(address: IPAddress) -> bool:
    if address.version == 6 and address not in _GLOBAL_UNICAST:
        return False
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(
        address in network for network in _REFUSED if network.version == address.version
    )


@lru_cache(maxsize=64)
def is_loopback(text: str) -> bool:
    """Tell whether an IP address stays on this machine."""
    return ipaddress.ip_address(text.partition("%")[0]).is_loopback


@contextmanager
def allow_loopback() -> Iterator[None]:
    """Let this thread call loopback, by plain http too: for tests against hostile servers.

    No setting opens this.
    """
    _door.open = getattr(_door, "open", 0) + 1
    try:
        yield
    finally:
        _door.open -= 1


def emulated() -> bool:
    """Tell whether every call goes to the emulator: a demo with an emulator on loopback."""
    return bool(settings.DEMO) and _stays_here(settings.EMULATOR_URL)


@lru_cache(maxsize=64)
def _stays_here(url: str) -> bool:
    host = urlsplit(url or "").hostname or ""
    literal = _literal(host)
    return literal.is_loopback if literal else _is_localhost(host)


def _is_localhost(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost")


@lru_cache(maxsize=4096)
def _literal(host: str) -> IPAddress | None:
    """Return the address that a host is, in any spelling that resolvers take (0177.1, 2130706433)."""
    bare = host.rstrip(".").partition("%")[0]
    try:
        return ipaddress.ip_address(bare)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(bare))
    except OSError:
        return None


def browser_url(url: str) -> str:
    """Return the address a browser is sent to: the emulator's stand-in in the demo, else `url`."""
    parts = urlsplit(url)
    if not emulated() or parts.scheme != "https":
        return url
    return _stand_in(parts.netloc, f"{parts.path}?{parts.query}")


@dataclass(frozen=True, slots=True)
class _Place:
    """What the scheme, the host and the port of a URL say, whatever the settings are."""

    scheme: str
    netloc: str
    named: bool  # host and port can be read in one way only
    here: bool  # on this machine
    inside: bool  # on this machine or in its network


@lru_cache(maxsize=1024)
def _place(origin: str) -> _Place:
    """Read the beginning of a URL; raises ValueError on nonsense."""
    parts = urlsplit(origin)
    host = parts.hostname or ""
    _ = parts.port  # raises ValueError on nonsense
    literal = _literal(host)
    return _Place(
        scheme=parts.scheme,
        netloc=parts.netloc,
        named=bool(host) and bool(_PLACE.fullmatch(parts.netloc)),
        here=literal.is_loopback if literal else _is_localhost(host),
        inside=_is_localhost(host.rstrip("."))
        or (literal is not None and not is_public(str(literal))),
    )


def destination(request: Request) -> tuple[str, bool]:
    """Return where `request` really goes and whether loopback is right there; raise Blocked."""
    url = request.url
    found = _ORIGIN.match(url)
    origin = found[0] if found else url
    place = _checked(request, origin)
    if place.here and getattr(_door, "open", 0) > 0:
        return url, True
    if place.scheme != "https":
        raise Blocked(request, "blocked_scheme")
    if emulated():
        return _stand_in(place.netloc, url[len(origin) :]), True
    # Judged again when the connection is made, but not where a proxy makes it.
    if place.inside:
        raise Blocked(request, "blocked_address")
    return url, False


def _stand_in(netloc: str, rest: str) -> str:
    path, _, query = rest.partition("#")[0].partition("?")
    rest = f"{path}?{query}" if query else path
    return f"{settings.EMULATOR_URL.rstrip('/')}/{netloc}{rest}"


def _checked(request: Request, origin: str) -> _Place:
    """Refuse what could be read in two ways: spaces, controls, user info, line breaks."""
    url = request.url
    # A backslash is a slash to some, and only visible ASCII has a place in a URL.
    plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    try:
        # What may hold a password, or is no URL at all, is read and not remembered.
        known = "://" in origin and "@" not in origin
        place = _place(origin) if known else _place.__wrapped__(origin)
    except ValueError as error:
        raise Blocked(request, "blocked_url") from error
    if not plain or not place.named:
        raise Blocked(request, "blocked_url")
    good = all(_is_field(name, value) for name, value in request.headers)
    if not good or not _is_word(request.method):
        raise Blocked(request, "blocked_request")
    return place


def _is_field(name: str, value: str) -> bool:
    plain = value.isascii() and value.isprintable()
    return (plain or bool(_VALUE.fullmatch(value))) and _is_name(name)


@lru_cache(maxsize=256)
def _is_name(name: str) -> bool:
    return name.lower() not in _LIBCURLS and bool(_TOKEN.fullmatch(name))


@lru_cache(maxsize=64)
def _is_word(method: str) -> bool:
    return bool(_TOKEN.fullmatch(method))
