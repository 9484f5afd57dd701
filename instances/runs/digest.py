"""What an approver's answer is for, as one hash."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from instances.models import Instance, Item, Run
from instances.runs.errors import Denied
from providers.book import book_of
from providers.models import OwnProviderVersion, ProviderApp


def digest_of(
    run: Run, changed: dict[str, Any] | None = None, *, siblings: str = ""
) -> str:
    """Return the hash of all that is approved of a run, with fields it is about to get.

    `siblings` is the hash of who dies too (`Kin.hash`): as they were when it was asked,
    since a run at work changes the tokens by which they are found.
    """
    told = {
        name: getattr(run, name)
        for name in ("kind", "selection_hash", "total", "options", "reason", "ticket")
    }
    told |= {name: value for name, value in (changed or {}).items() if name in told}
    told |= {"run": str(run.uid), "organization": str(run.organization.uid)}
    told["apps"] = _apps_of(run)
    if own := _own_records_of(run):
        told["own_records"] = own
    if siblings:
        told["siblings"] = siblings
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


def refuse_other_record(run: Run, moment: datetime) -> None:
    """Raise Denied, naming them, where own records of a run were changed after a moment."""
    keys = [str(key) for key, *_ in _own_records_of(run)]
    since = OwnProviderVersion.objects.filter(
        own__organization=run.organization, own__key__in=keys, made_at__gt=moment
    )
    names = sorted(set(since.values_list("own__name", flat=True)))
    if names:
        raise Denied(
            "record_changed",
            _(
                "The own record of %(names)s was changed after this was asked, so the "
                "approval is not for what would be sent now. Look at the draft again "
                "and ask again."
            ),
            names=", ".join(names),
        )
