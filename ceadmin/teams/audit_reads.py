"""Reading the audit leaves a trace in it, but not one for each page that is turned.

A *read* is recorded in every chain of which something was shown: the first time in a
session and hour for lists and events, the first time in a session and hour for each
receipt, and every export.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from ceadmin.audit.choices import Action
from ceadmin.audit.record import SYSTEM_CHAIN, Details, Subject, record
from ceadmin.lib.client import client_address
from ceadmin.teams.models import Organization, User
from ceadmin.teams.permissions import actor_of

#: The session's key: what was read → in which hour.
READ = "audit_read"
_HOUR = 60 * 60


def note_read(request: HttpRequest, chains: Iterable[str], now: datetime) -> None:
    """Record that somebody looks at events of these chains, once a session and hour."""
    fresh = _fresh(request, sorted(set(chains)), now)
    _record(request, Action.AUDIT_READ, fresh, now, facts={"what": "list"})


def note_receipt(
    request: HttpRequest, chain: str, subject: Subject, run_uid: str, now: datetime
) -> None:
    """Record that somebody opens a receipt, once a session and hour."""
    if _fresh(request, [f"{chain} {subject.uid} {run_uid}"], now):
        about: Details = {"subject": subject, "run_uid": run_uid}
        about["instance_uid"] = subject.uid
        facts = {"what": "receipt"}
        _record(request, Action.AUDIT_READ, [chain], now, facts=facts, **about)


def note_export(
    request: HttpRequest, chains: Iterable[str], facts: dict[str, Any], now: datetime
) -> None:
    """Record an export, before its first byte is written."""
    _record(request, Action.AUDIT_EXPORTED, sorted(chains), now, facts=facts)


def _fresh(request: HttpRequest, keys: Sequence[str], now: datetime) -> list[str]:
    """Return what was not read in this hour of the session, and remember it."""
    hour = int(now.timestamp()) // _HOUR
    kept = request.session.get(READ, {})
    kept = {key: at for key, at in kept.items() if at == hour}
    fresh = [key for key in keys if key not in kept]
    if fresh:
        request.session[READ] = kept | dict.fromkeys(fresh, hour)
    return fresh


def _record(
    request: HttpRequest,
    action: Action,
    chains: Sequence[str],
    now: datetime,
    **details: Any,
) -> None:
    user = request.user
    assert isinstance(user, User)  # the admin lets nobody else in
    found = Organization.objects.filter(uid__in=[one for one in chains if one])
    organizations = {row.chain: row for row in found}
    address = client_address(request)
    for chain in chains:  # '' sorts first, as the order of heads wants it
        organization = organizations.get(chain)
        subject = _subject(organization, chain)
        with transaction.atomic():
            record(
                action,
                chain=chain,
                actor=actor_of(user, organization, address),
                at=now,
                **{"subject": subject, **details},
            )


def _subject(organization: Organization | None, chain: str) -> Subject:
    if chain == SYSTEM_CHAIN:
        return Subject()
    return Subject("organization", chain, organization.name if organization else "")
