"""What is approved of a run, as one hash: whatever of it changes makes another."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from instances.models import Instance, Item, Run
from providers.book import book_of
from providers.models import OwnProviderVersion, ProviderApp


def digest_of(run: Run, changed: dict[str, Any] | None = None) -> str:
    """Return the hash of all that is approved of a run, with fields it is about to get."""
    told = {
        name: getattr(run, name)
        for name in ("kind", "selection_hash", "total", "options", "reason", "ticket")
    }
    told |= {name: value for name, value in (changed or {}).items() if name in told}
    told |= {"run": str(run.uid), "organization": str(run.organization.uid)}
    told["apps"] = _apps_of(run)
    if own := _own_records_of(run):
        told["own_records"] = own
    text = json.dumps(told, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _apps_of(run: Run) -> list[list[Any]]:
    """Return with which credentials, and where to, the tokens of a run's instances are sent."""
    used = Instance.objects.filter(items__run=run, provider_app__isnull=False)
    pks = used.order_by().values("provider_app").distinct()
    apps = ProviderApp.objects.filter(pk__in=pks).order_by("pk")
    facts = apps.values_list("pk", "provider_key", "client_id", "site")
    return [list(one) for one in facts]


def _own_records_of(run: Run) -> list[list[str | int]]:
    """Return the versions of the own records by which a run's instances are revoked."""
    book = book_of(run.organization)
    if not book.own:
        return []
    mine = Item.objects.filter(run=run, provider_key__in=list(book.own))
    keys = set(mine.order_by().values_list("provider_key", flat=True).distinct())
    return book.versions_of(keys | {str(app[1]) for app in _apps_of(run)})


def changed_since(run: Run, moment: datetime) -> list[str]:
    """Return the names of the own records of a run that were changed after a moment."""
    keys = [str(key) for key, *_ in _own_records_of(run)]
    since = OwnProviderVersion.objects.filter(
        own__organization=run.organization, own__key__in=keys, made_at__gt=moment
    )
    return sorted(set(since.values_list("own__name", flat=True)))
