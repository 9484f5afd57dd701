"""An organization's brand: saved with a trace, and the colours that pages draw with it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.db import transaction

from ceadmin.audit.choices import Action
from ceadmin.audit.record import Subject, record
from ceadmin.teams.members import lock
from ceadmin.teams.models import Brand, Organization
from ceadmin.teams.users import Hand

_WHITE, _BLACK = "#ffffff", "#000000"
#: How far a button's colour goes towards its text's opposite while a pointer is on it.
_HOVER = 0.15


@dataclass(frozen=True, slots=True)
class Look:
    """What an owner wants; `logo`: PNG as `logos.logo_of` wrote it, b"" for none."""

    name: str
    colour: str
    reply_to: str
    logo: bytes


def brand_of(organization: Organization) -> Brand | None:
    """Return the organization's brand, None where nobody made one."""
    return Brand.objects.filter(organization=organization).first()


def save(organization: Organization, look: Look, hand: Hand) -> Brand:
    """Keep a brand and record which parts of it changed."""
    fresh = Brand(
        organization=organization,
        name=look.name,
        colour=look.colour,
        reply_to=look.reply_to,
        logo=look.logo,
        version=_version(look),
        changed_at=hand.now,
    )
    with transaction.atomic():
        lock(organization)  # of two who make the first one, both come through
        before = brand_of(organization)
        changed = [one for one in _PARTS if _part(before, one) != _part(fresh, one)]
        if before is not None and not changed:
            return before
        fresh.save(force_insert=before is None, force_update=before is not None)
        subject = Subject("organization", str(organization.uid), organization.name)
        record(
            Action.ORGANIZATION_CHANGED,
            chain=organization.chain,
            actor=hand.actor,
            subject=subject,
            facts={"brand": changed},
            at=hand.now,
        )
    return fresh


_PARTS = ("name", "colour", "reply_to", "logo")


def _part(brand: Brand | None, name: str) -> str | bytes:
    if brand is None:
        return b"" if name == "logo" else ""
    # PostgreSQL's driver gives a memoryview.
    return bytes(brand.logo) if name == "logo" else str(getattr(brand, name))


def _version(look: Look) -> str:
    digest = hashlib.sha256(look.colour.encode() + look.logo)
    return digest.hexdigest()[:16]


# Colours


def stylesheet(colour: str) -> str:
    """Return the rules that give public pages a brand's colour; "" without one.

    Text on it is black or white, whichever is seen better: one of them always reaches 4.5:1
    (WCAG 2.2, success criterion 1.4.3).
    """
    if not colour:
        return ""
    text = _BLACK if contrast(colour, _BLACK) >= contrast(colour, _WHITE) else _WHITE
    away = _WHITE if text == _BLACK else _BLACK
    return (
        f":root {{ --brand: {colour}; --on-brand: {text}; "
        f"--brand-hover: {_mixed(colour, away, _HOVER)}; }}\n"
    )


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2.2, contrast ratio)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(part / 255) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _parts(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def _mixed(colour: str, other: str, share: float) -> str:
    pairs = zip(_parts(colour), _parts(other), strict=True)
    return "#" + bytes(round(a + (b - a) * share) for a, b in pairs).hex()
