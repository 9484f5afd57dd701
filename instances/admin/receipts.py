"""Where the receipts of revocations are, for those who may read the audit."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from ceadmin.teams.choices import Act
from ceadmin.teams.models import User
from ceadmin.teams.permissions import may
from instances.choices import RunKind
from instances.models import Item, Run


def receipts_of(run: Run, user: User | AnonymousUser) -> bool:
    """Tell whether what ended in a run has receipts that a person may read."""
    return run.kind == RunKind.REVOKE and may(user, Act.AUDIT, run.organization)


def receipt_url(item: Item, user: User | AnonymousUser) -> str:
    """Return where an item's receipt is, "" where there is none to be read."""
    if not has_receipt(item) or not may(user, Act.AUDIT, item.run.organization):
        return ""
    return address_of(item)


def has_receipt(item: Item) -> bool:
    """Tell whether an item is a revocation that ended, or a drill that came so far."""
    if item.run.kind == RunKind.REVOKE:
        return bool(item.outcome)
    return item.run.kind == RunKind.DRILL and bool(item.facts.get("said"))


def address_of(item: Item) -> str:
    """Return the address of an item's receipt."""
    return reverse("admin:audit_event_receipt", args=[item.instance_uid, item.run.uid])
