"""Record what people tried and may not do: it changed nothing, and that it was tried stays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import ModelChoiceField
from django.http import HttpRequest
from django.utils import timezone

from ceadmin.audit.choices import Action
from ceadmin.audit.record import SYSTEM_CHAIN, record
from ceadmin.lib import logs
from ceadmin.lib.client import client_address
from ceadmin.teams.choices import Act
from ceadmin.teams.members import LastOwner
from ceadmin.teams.models import Organization, User
from ceadmin.teams.permissions import NotAllowed, actor_of, may
from ceadmin.teams.users import subject_of

#: So many keys of rows that somebody has no business with are kept of one request.
_MOST_ROWS = 20


def refused_post(request: HttpRequest, refusal: PermissionDenied) -> None:
    """Record that a signed-in person posted what is not theirs to post, once."""
    if request.method != "POST" or not isinstance(request.user, User):
        return
    if getattr(refusal, "recorded", False):
        return
    denied_request(request, "not_allowed", organization_of(request.user, refusal))


def denied_request(
    request: HttpRequest,
    code: str,
    organization: Organization | None = None,
    **facts: Any,
) -> None:
    """Record what a request tried: its route, and the row that its address names."""
    assert isinstance(request.user, User)
    match = request.resolver_match
    facts |= {"route": logs.route(request), "method": str(request.method)}
    if match and "object_id" in match.kwargs:
        facts["row"] = str(match.kwargs["object_id"])[:40]
    now = timezone.now()  # noqa: TID251 (where a request enters)
    denied(request.user, code, organization, client_address(request), now, facts)


def denied(
    user: User,
    code: str,
    organization: Organization | None,
    address: str,
    now: datetime,
    facts: Mapping[str, Any],
) -> None:
    """Record that somebody tried what they may not do, where they tried it.

    What belongs to no organization of theirs is told to the system's chain: others learn
    nothing from it.
    """
    with transaction.atomic():
        record(
            Action.ACCESS_DENIED,
            chain=organization.chain if organization else SYSTEM_CHAIN,
            actor=actor_of(user, organization, address),
            at=now,
            subject=subject_of(user),
            outcome=code,
            facts=facts,
        )


def few(rows: set[str]) -> list[str]:
    """Return some of the keys that a forged request named, for the audit."""
    return sorted(rows)[:_MOST_ROWS]


def not_offered(form: Any) -> list[str]:
    """Return the fields in which a row was chosen that the form does not offer."""
    return sorted(
        name
        for name, errors in form.errors.as_data().items()
        if isinstance(form.fields.get(name), ModelChoiceField)
        and any(error.code == "invalid_choice" for error in errors)
    )


def organization_of(user: User, refusal: PermissionDenied) -> Organization | None:
    """Return the organization that a refusal is about, if the person may see it."""
    known = isinstance(refusal, NotAllowed | LastOwner)
    organization = refusal.organization if known else None  # type: ignore[attr-defined]
    if isinstance(organization, Organization) and may(user, Act.VIEW, organization):
        return organization
    return None
