"""Seal again, with the newest key, what older keys sealed: in batches, beside whoever writes.

A batch is read and sealed outside any transaction and written by an UPDATE that asks for the
old text too: a row that changed meanwhile is left as it is and looked at again. Rows that
somebody has locked are left to the next pass, so nobody waits for another in a circle.
Nothing is noted anywhere: the rows themselves tell what is left, also after a kill.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Q

from ceadmin.lib.keyring import SealError, keyring
from ceadmin.lib.sealed import seal, unseal
from ceadmin.lib.sealed_columns import SealedColumn

#: So many rows are written in one transaction.
BATCH = 500
#: Rows that others change or lock while they are being sealed are tried again so often.
PASSES = 20


@dataclass
class Tally:
    """What became of the rows of one column."""

    resealed: int = 0
    left: int = 0  # changed or locked by somebody else in that moment
    #: Primary keys of rows that do not open: their key is lost, or they were altered.
    unreadable: set[Any] = field(default_factory=set)


class _Old(NamedTuple):
    """One row under an older key."""

    pk: Any
    uid: Any
    text: str
    key_id: str


Told = Callable[[Tally], None]


def reseal(
    column: SealedColumn, *, size: int = BATCH, told: Told | None = None
) -> Tally:
    """Seal a column with the newest key; `told` hears of every batch.

    Returns when every row that opens carries the newest key, or when some are still held by
    others after many passes (`left`).
    """
    tally, newest = Tally(), keyring().newest
    for turn in range(PASSES):
        tally.left = 0
        for batch in _batches(column, newest, size, tally.unreadable):
            _reseal(column, batch, tally)
            if told:
                told(tally)
        if not tally.left:
            break
        time.sleep(min(0.05 * 2**turn, 2.0))
    return tally


def _batches(
    column: SealedColumn, newest: str, size: int, unreadable: set[Any]
) -> Iterator[Sequence[_Old]]:
    """Yield the rows under older keys in the order of their primary keys."""
    names = ("pk", column.field.row, column.field.attname, "key_id")
    old = column.rows.filter(~Q(key_id=newest)).order_by("pk")
    last: Any = None
    while True:
        after = old if last is None else old.filter(pk__gt=last)
        rows = [_Old._make(row) for row in after.values_list(*names)[:size]]
        if not rows:
            return
        last = rows[-1].pk
        yield [row for row in rows if row.pk not in unreadable]


def _reseal(column: SealedColumn, batch: Sequence[_Old], tally: Tally) -> None:
    fresh: list[tuple[str, Any, str]] = []
    for row in batch:
        try:
            plain = unseal(column.label, row.uid, row.text)
        except SealError:
            tally.unreadable.add(row.pk)
            continue
        sealed = seal(column.label, row.uid, plain)
        fresh.append((str.__str__(sealed), row.pk, str.__str__(row.text)))
    began = time.monotonic()
    written = _write(column, fresh)
    tally.resealed += written
    tally.left += len(fresh) - written
    # SQLite's writers have no queue: leave others as much time as was taken.
    if connection.vendor == "sqlite" and fresh:
        time.sleep(time.monotonic() - began)


def _write(column: SealedColumn, fresh: list[tuple[str, Any, str]]) -> int:
    """Write the rows that are still as they were read; return how many."""
    if not fresh:
        return 0
    table, pk = column.model._meta.db_table, column.model._meta.pk
    quote = connection.ops.quote_name
    name, key = quote(str(column.field.column)), quote(str(pk.column))
    update = f"UPDATE {quote(table)} SET {name} = %s WHERE {key} = %s AND {name} = %s"  # noqa: S608 (names of columns)
    with transaction.atomic():
        free = _locked(column, [pk for _, pk, _ in fresh])
        mine = [row for row in fresh if row[1] in free]
        if not mine:
            return 0
        with connection.cursor() as cursor:
            cursor.executemany(update, mine)
            return int(cursor.rowcount)


def _locked(column: SealedColumn, pks: list[Any]) -> set[Any]:
    """Return the rows that are ours until the transaction ends; wait for none."""
    rows = column.model._base_manager.filter(pk__in=pks)
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    return set(rows.order_by("pk").values_list("pk", flat=True))
