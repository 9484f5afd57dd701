"""Rotate keys: what `rotate_keys` does, with its audit and its report."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet, Value
from django.db.models.functions import Left, StrIndex

from ceadmin.audit.actors import SYSTEM
from ceadmin.audit.choices import Action
from ceadmin.audit.record import SYSTEM_CHAIN, record
from ceadmin.lib.keyring import fingerprint_keyring, keyring
from ceadmin.lib.reseal import BATCH, Tally, reseal
from ceadmin.lib.sealed_columns import SealedColumn, sealed_columns
from instances import reach
from instances.choices import RUN_TERMINAL
from instances.models import GrantClaim, Instance

Told = Callable[[SealedColumn, Tally], None]


def rotate(clock: Callable[[], datetime], told: Told | None = None) -> dict[str, Tally]:
    """Seal everything with the newest key; return what became of each column's rows."""
    columns = {column: _old(column.counts()) for column in sealed_columns()}
    todo = {column: old for column, old in columns.items() if old}
    if not todo:
        return {}
    newest = keyring().newest
    before = {column.label: dict(old) for column, old in todo.items()}
    _record(Action.KEYS_ROTATING, {"newest": newest, "before": before}, clock())
    tallies = {column.label: _column(column, told) for column in todo}
    facts = {
        "newest": newest,
        "resealed": {label: tally.resealed for label, tally in tallies.items()},
        "unreadable": sum(len(tally.unreadable) for tally in tallies.values()),
    }
    _record(Action.KEYS_ROTATED, facts, clock())
    return tallies


def _column(column: SealedColumn, told: Told | None) -> Tally:
    return reseal(column, told=(lambda tally: told(column, tally)) if told else None)


def forget(key_id: str, now: datetime) -> dict[str, int]:
    """Remove what only a lost key opens; return how many rows of each column."""
    removed = {column.label: _emptied(column, key_id) for column in sealed_columns()}
    found = {label: n for label, n in removed.items() if n}
    if found:
        _record(Action.KEY_FORGOTTEN, {"key": key_id, "removed": found}, now)
    return found


def _emptied(column: SealedColumn, key_id: str) -> int:
    """Empty a column where this key sealed it, in batches."""
    emptied = 0
    rows = column.rows.filter(key_id=key_id).order_by("pk")
    while pks := list(rows.values_list("pk", flat=True)[:BATCH]):
        # Asked again in the UPDATE: a secret that was set meanwhile stays.
        lost = column.rows.filter(key_id=key_id, pk__in=pks)
        emptied += lost.order_by().update(**{column.field.attname: ""})
    return emptied


def report(tallies: dict[str, Tally], forgotten: dict[str, int]) -> dict[str, Any]:
    """Return how things stand now, as `--json` prints it."""
    columns = {column.label: column.counts() for column in sealed_columns()}
    left = sum(sum(_old(keys).values()) for keys in columns.values())
    traces = fingerprints()
    newest = fingerprint_keyring().newest
    return {
        "newest": keyring().newest,
        "done": left == 0,
        "left": left,
        "columns": {
            label: {
                "keys": keys,
                "resealed": tallies[label].resealed if label in tallies else 0,
                "unreadable": len(tallies[label].unreadable) if label in tallies else 0,
            }
            for label, keys in columns.items()
        },
        "forgotten": forgotten,
        "newest_fingerprint_key": newest,
        "fingerprints": traces,
        "old_fingerprints": sum(
            n for keys in traces.values() for key, n in keys.items() if key != newest
        ),
    }


def fingerprints() -> dict[str, dict[str, int]]:
    """Return how many fingerprints of grants, and claims of open runs, stand under which key."""
    claims = GrantClaim.objects.exclude(run__status__in=sorted(RUN_TERMINAL))
    claims = claims.exclude(fingerprint__startswith=reach.KEY)  # made with no key
    instances = Instance.objects.exclude(grant_fingerprint="")
    return {
        "instance.grant_fingerprint": _by_key(instances, "grant_fingerprint"),
        "open_run.grant_claim": _by_key(claims, "fingerprint"),
    }


def _by_key(rows: QuerySet[Any], name: str) -> dict[str, int]:
    """Count what stands before the colon."""
    cut = Left(name, StrIndex(name, Value(":")) - 1)
    counted = rows.order_by().annotate(key_id=cut).values_list("key_id")
    return dict(sorted(counted.annotate(n=Count("pk"))))


def _old(keys: dict[str, int]) -> Counter[str]:
    newest = keyring().newest
    return Counter({key: n for key, n in keys.items() if key != newest})


def _record(action: str, facts: dict[str, Any], now: datetime) -> None:
    with transaction.atomic():
        record(action, chain=SYSTEM_CHAIN, actor=SYSTEM, at=now, facts=facts)
