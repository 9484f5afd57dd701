"""What an approver's answer is for, as one hash."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from instances.models import Instance, Run
from providers.models import ProviderApp


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
