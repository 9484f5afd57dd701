"""Which addresses may be called: public ones, judged when the connection is made, so that a name can't change its mind."""

from __future__ import annotations

import ipaddress
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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
        "5f00::/16",
        "fec0::/10",
        "64:ff9b:1::/48",
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")  # IPv4-compatible, deprecated (RFC 4291 §2.5.5.1)
_TEXT = re.compile(r"[^\x21-\x7e]")  # controls, spaces and non-ASCII: they have no place in a URL
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_VALUE = re.compile(r"[\t\x20-\x7e]*")

_door = threading.local()


def carried_ipv4(address: IPAddress) -> IPAddress:
    """Return the IPv4 address that an IPv6 address carries (mapped, compatible, 6to4, Teredo, NAT64), else itself."""
    if not isinstance(address, ipaddress.IPv6Address):
        return address
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address


def is_public(text: str) -> bool:
    """Tell whether an IP address, as the resolver writes it, may be called."""
    address = ipaddress.ip_address(text.split("%")[0])
    real = carried_ipv4(address)
    if not real.is_global or real.is_multicast or real.is_reserved or real.is_unspecified:
        return False
    return not any(one.version == net.version and one in net for net in _REFUSED for one in {address, real})


def is_loopback(text: str) -> bool:
    """Tell whether an IP address stays on this machine."""
    return ipaddress.ip_address(text.split("%")[0]).is_loopback


@contextmanager
def allow_loopback() -> Iterator[None]:
    """Let this thread call plain http on loopback: for tests against hostile servers. No setting opens this."""
    _door.open = getattr(_door, "open", 0) + 1
    try:
        yield
    finally:
        _door.open -= 1


def emulated() -> bool:
    """Tell whether every call goes to the emulator: a demo with an emulator on loopback."""
    return bool(settings.DEMO) and _is_loopback_url(settings.EMULATOR_URL)


def _is_loopback_url(url: str) -> bool:
    host = urlsplit(url or "").hostname or ""
    return host == "localhost" or (_is_ip(host) and is_loopback(host))


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def browser_url(url: str) -> str:
    """Return the address a browser is sent to: the emulator's stand-in in the demo, else `url`."""
    parts = urlsplit(url)
    if not emulated() or parts.scheme != "https":
        return url
    rest = parts.path + (f"?{parts.query}" if parts.query else "")
    return f"{settings.EMULATOR_URL.rstrip('/')}/{parts.netloc}{rest}"


def destination(request: Request) -> tuple[str, bool]:
    """Return where `request` really goes and whether loopback is right there; raise Blocked."""
    _check(request)
    parts = urlsplit(request.url)
    if getattr(_door, "open", 0) and _is_loopback_url(request.url):
        return request.url, True
    if parts.scheme != "https":
        raise Blocked(request, "blocked_scheme")
    if emulated():
        return browser_url(request.url), True
    if _is_ip(parts.hostname or "") and not is_public(parts.hostname or ""):
        raise Blocked(request, "blocked_address")
    return request.url, False


def _check(request: Request) -> None:
    """Refuse what could be read in two ways: spaces, controls, user info, line breaks in headers."""
    try:
        parts = urlsplit(request.url)
        fits = bool(parts.hostname) and parts.username is None and parts.password is None
        _ = parts.port  # raises ValueError on nonsense
    except ValueError as error:
        raise Blocked(request, "bad_url") from error
    if not fits or _TEXT.search(request.url) or "\\" in request.url:
        raise Blocked(request, "bad_url")
    good = all(_TOKEN.fullmatch(name) and _VALUE.fullmatch(value) for name, value in request.headers)
    if not good or not _TOKEN.fullmatch(request.method):
        raise Blocked(request, "bad_request")
