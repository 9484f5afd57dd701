"""Lists that leave the product as files leave a trace: who took how many rows of what.

It is written before the first byte leaves, so that a file that is cut off is told, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from ceadmin.audit.choices import Action
from ceadmin.audit.record import Subject, record
from ceadmin.lib.client import client_address
from ceadmin.lib.sayings import english
from ceadmin.teams.models import Organization, User
from ceadmin.teams.permissions import actor_of
from instances.admin.questions import ASIDES, KEPT, ORGANIZATION, SORT
from instances.models import Instance, Run

#: These say what stands in rows, or what was typed: only that they were asked is told.
_UNTOLD = frozenset({"tag", "q"})
#: These leave no row out, or the chain tells them.
_NO_FILTERS = frozenset({ORGANIZATION, SORT})


def note_instances(
    request: HttpRequest, rows: QuerySet[Instance], now: datetime
) -> None:
    """Record, in the chain of each organization that has some of them, that rows are taken out."""
    plain = rows.order_by().prefetch_related(None).values_list("organization")
    counts = dict(plain.annotate(count=Count("pk")))
    narrowed_by = narrowed_by_words(request)
    found = Organization.objects.filter(pk__in=counts).order_by("uid")
    for organization in found:
        facts = {"rows": counts[organization.pk], "narrowed_by": narrowed_by}
        subject = Subject("organization", organization.uid, organization.name)
        _note(request, organization, now, "instances", subject, facts)


def note_of_run(
    request: HttpRequest, run: Run, rows: QuerySet[Any], what: str, now: datetime
) -> None:
    """Record that a run's items, or the addresses of its links, are taken out."""
    if count := rows.order_by().count():
        subject = Subject("run", run.uid, english(run))
        _note(request, run.organization, now, what, subject, {"rows": count})


def narrowed_by_words(request: HttpRequest) -> list[str]:
    """Name the filters of a list's address, with what they ask where that is a word of the product."""
    names = [name for name in (*KEPT, *ASIDES) if name not in _NO_FILTERS]
    asked = {name: request.GET.get(name, "") for name in names}
    return [
        name if name in _UNTOLD else f"{name}={value[:64]}"
        for name, value in asked.items()
        if value
    ]


def _note(
    request: HttpRequest,
    organization: Organization,
    now: datetime,
    what: str,
    subject: Subject,
    facts: Mapping[str, Any],
) -> None:
    user = request.user
    assert isinstance(user, User)  # the admin lets nobody else in
    with transaction.atomic():
        record(
            Action.LIST_EXPORTED,
            chain=organization.chain,
            actor=actor_of(user, organization, client_address(request)),
            at=now,
            subject=subject,
            run_uid=subject.uid if subject.type == "run" else "",
            facts={"what": what, "format": "csv", **facts},
        )
