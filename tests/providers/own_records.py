"""Texts of own records for tests: a server that keeps to RFC 7009, and what differs."""

from typing import Any

from django.utils import timezone

from ceadmin.teams.models import Organization
from providers.models import OwnProvider, OwnProviderVersion
from providers.writing import Plan

HOST = "auth.example.com"
HOSTS = [HOST]


def plan(**changes: Any) -> Plan:
    """Return the answers for the emulator's generic server."""
    base = f"https://{HOST}/oauth"
    given: dict[str, Any] = {
        "key": "own_acme_login",
        "name": "Acme Login",
        "element_keys": ("generic",),
        "checked": "2026-11",
        "revocation_url": f"{base}/revoke",
        "check_url": f"{base}/userinfo",
        "source": "https://auth.example.com/docs",
    }
    return Plan(**{**given, **changes})


def text(*replaced: tuple[str, str], **changes: Any) -> str:
    """Return the record's text, with pieces of it replaced."""
    whole = plan(**changes).text()
    for old, new in replaced:
        assert old in whole, old
        whole = whole.replace(old, new)
    return whole


def own(organization: Organization, **changes: Any) -> OwnProvider:
    """Return an own record with one version, as the database has it."""
    whole = changes.pop("text", "") or text(**changes)
    given = plan(**changes)
    now = timezone.now()
    made = OwnProvider.objects.create(
        organization=organization,
        key=given.key,
        name=given.name,
        made_at=now,
        changed_at=now,
    )
    OwnProviderVersion(
        own=made,
        number=1,
        text=whole,
        hosts=HOSTS,
        why="a test",
        made_at=now,
        made_by_name="Otto",
    ).save()
    return made
