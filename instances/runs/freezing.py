"""Write a selection down as items, chunks and parts: what it meant at one moment.

The moment is that of one statement which reads the instances. On PostgreSQL the same
statement writes the items, since nobody waits for it there. SQLite has one writer, and a
million items would hold it for half a minute: so the statement writes into a temporary
table, which takes no lock, and the items are copied from there piece by piece. Whatever
happens to the instances between two pieces, the list is the one that was read.

A list has a hash: of its uids in their own order, whatever the items' numbers are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection

from instances import selection
from instances.choices import RunKind
from instances.models import Instance, Run

CHUNK_SIZE = 250
#: So many items of a provider go before the others, where it has enough of them: of a
#: smaller part most would be under way before anybody could judge.
CANARY_SIZE, CANARY_FROM = 5, 50
#: Kinds whose first answers are compared with what the provider's record expects.
CANARY_KINDS = frozenset({RunKind.PROBE, RunKind.REVOKE, RunKind.DRILL})
_NEVER = 2**62
#: Rows of the list that are in memory at once.
_PORTION = 2000

# Items are numbered by instance. A chunk holds items of one provider; chunks are numbered
# by their place in their provider first, so that a slow provider does not block the others.
_PLACE = """CASE WHEN of_all < {least} THEN (k - 1) / {chunk}
            WHEN k <= {canary} THEN 0
            ELSE 1 + (k - {canary} - 1) / {chunk} END"""
_CHUNKS = """
INSERT INTO instances_chunk (run_id, number, provider_key, status, worker, claims)
SELECT DISTINCT CAST(%s AS bigint), chunk_number, provider_key, 'queued', '', 0
FROM {list}
"""
_PARTS = """
INSERT INTO instances_part
  (run_id, provider_key, total, status, canary_chunk, cause, explanation, evidence, decided_by,
   window_ended, window_failed)
SELECT CAST(%s AS bigint), provider_key, COUNT(*),
       CASE WHEN COUNT(*) < {least} THEN 'open' ELSE 'canary' END,
       CASE WHEN COUNT(*) < {least} THEN NULL ELSE MIN(chunk_number) END,
       '', '', '{{}}', '', 0, 0
FROM {list} GROUP BY provider_key
"""


@dataclass(frozen=True, slots=True)
class Selected:
    """The query for the ids of what a run selects."""

    sql: str
    parameters: tuple[Any, ...]


def selected(run: Run) -> Selected | None:
    """Return what `run` selects, None where nothing can match; raise BadSelection."""
    own = selection.narrow(Instance.objects.of(run.organization), run.selection)
    try:
        query = own.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return None  # an empty list of ids
    return Selected(query[0], tuple(query[1]))


def _least(run: Run) -> int:
    """Return how many items a part has that tries a few first."""
    return CANARY_FROM if run.kind in CANARY_KINDS else _NEVER


def _place(run: Run) -> str:
    """Return how the place of an item's chunk in its provider is reckoned."""
    return _PLACE.format(least=_least(run), chunk=CHUNK_SIZE, canary=CANARY_SIZE)


# PostgreSQL

_AT_ONCE = """
INSERT INTO instances_item
  (run_id, number, chunk_number, instance_id, instance_uid, instance_name, remote_id,
   element_key, provider_key, facts, status, outcome, cause, explanation, tries)
SELECT %s, n, DENSE_RANK() OVER (ORDER BY place, provider_key) - 1, id, uid, name, remote_id,
       element_key, provider_key, '{{}}', 'queued', '', '', '', 0
FROM (SELECT s.*, {place} AS place
      FROM (SELECT id, uid, name, remote_id, element_key, provider_key,
                   ROW_NUMBER() OVER (ORDER BY id) AS n,
                   ROW_NUMBER() OVER (PARTITION BY provider_key ORDER BY id) AS k,
                   COUNT(*) OVER (PARTITION BY provider_key) AS of_all
            FROM instances_instance WHERE id IN ({rows})) s) c
"""
_OF_RUN = "(SELECT * FROM instances_item WHERE run_id = %s) items"


def freeze_at_once(run: Run, rows: Selected) -> None:
    """Write the items, chunks and parts of `run`, one statement each."""
    least, place = _least(run), _place(run)
    freeze = _AT_ONCE.format(place=place, rows=rows.sql)
    with connection.cursor() as cursor:
        cursor.execute(freeze, [run.pk, *rows.parameters])
        cursor.execute(_CHUNKS.format(list=_OF_RUN), [run.pk] * 2)
        cursor.execute(_PARTS.format(list=_OF_RUN, least=least), [run.pk] * 2)


_LISTED = """
SELECT instance_uid FROM instances_item WHERE run_id = %s ORDER BY instance_uid
"""


def list_hash(run: Run) -> str:
    """Return the hash of a run's list as its rows are now."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_LISTED, [run.pk])
        return selection.frozen_hash(_uids(cursor))


def _uids(cursor: Any) -> Iterator[str]:
    """Yield uids as everybody writes them; the rows are not all in memory at once."""
    native = connection.features.has_native_uuid_field  # SQLite keeps the digits only
    while rows := cursor.fetchmany(_PORTION):
        yield from (str(uid if native else UUID(uid)) for (uid,) in rows)


# SQLite

_MAKE_LIST = """
CREATE TEMPORARY TABLE planned_list
  (number INTEGER PRIMARY KEY, instance_id, uid, name, remote_id, element_key, provider_key)
"""
_MAKE_PLACES = """
CREATE TEMPORARY TABLE planned_places
  (number INTEGER PRIMARY KEY, chunk_number, provider_key)
"""
_COUNT = "SELECT COUNT(*) FROM instances_instance WHERE id IN ({rows})"
# Rows get their number as they are inserted, which here is in order. A small list stands in
# the order of its instances. A large one stands by uid: two indexes of the items begin with
# it, and a piece that is all over them has to write most of their pages.
_READ = """
INSERT INTO temp.planned_list (instance_id, uid, name, remote_id, element_key, provider_key)
SELECT id, uid, name, remote_id, element_key, provider_key
FROM instances_instance WHERE id IN ({rows}) ORDER BY {order}
"""
_PLACE_THEM = """
INSERT INTO temp.planned_places
SELECT number, DENSE_RANK() OVER (ORDER BY place, provider_key) - 1, provider_key
FROM (SELECT s.*, {place} AS place
      FROM (SELECT number, provider_key,
                   ROW_NUMBER() OVER (PARTITION BY provider_key ORDER BY number) AS k,
                   COUNT(*) OVER (PARTITION BY provider_key) AS of_all
            FROM temp.planned_list) s) c
"""
_HOW_MANY = "SELECT COALESCE(MAX(number), 0) FROM temp.planned_list"
_UIDS = "SELECT uid FROM temp.planned_list ORDER BY uid"
# An instance that went since the list was read leaves its item behind, as always.
_PIECE = """
INSERT INTO instances_item
  (run_id, number, chunk_number, instance_id, instance_uid, instance_name, remote_id,
   element_key, provider_key, facts, status, outcome, cause, explanation, tries)
SELECT %s, l.number, p.chunk_number,
       (SELECT id FROM instances_instance WHERE id = l.instance_id),
       l.uid, l.name, l.remote_id, l.element_key, l.provider_key,
       '{}', 'queued', '', '', '', 0
FROM temp.planned_list l JOIN temp.planned_places p ON p.number = l.number
WHERE l.number > %s AND l.number <= %s ORDER BY l.number
"""
_DROP = (
    "DROP TABLE IF EXISTS temp.planned_list",
    "DROP TABLE IF EXISTS temp.planned_places",
)


class FrozenList:
    """What a run selected at one moment, kept beside the database until it is written into it.

    It belongs to the connection and is gone with it. Making and reading it takes no lock.
    """

    def __init__(self, run: Run, rows: Selected | None, large: int) -> None:
        """Read the list now; one of more than `large` items stands by uid."""
        self.run = run
        with connection.cursor() as cursor:
            self._drop(cursor)
            cursor.execute(_MAKE_LIST)
            cursor.execute(_MAKE_PLACES)
            if rows is not None:
                self._read(cursor, rows, large)
                cursor.execute(_PLACE_THEM.format(place=_place(run)))
            cursor.execute(_HOW_MANY)
            self.total: int = cursor.fetchone()[0]
            cursor.execute(_UIDS)
            self.hash = selection.frozen_hash(_uids(cursor))

    @staticmethod
    def _read(cursor: Any, rows: Selected, large: int) -> None:
        cursor.execute(_COUNT.format(rows=rows.sql), rows.parameters)
        order = "uid" if cursor.fetchone()[0] > large else "id"
        cursor.execute(_READ.format(rows=rows.sql, order=order), rows.parameters)

    def write_items(self, after: int, upto: int) -> None:
        """Write the items with the numbers behind `after` and up to `upto`."""
        with connection.cursor() as cursor:
            cursor.execute(_PIECE, [self.run.pk, after, upto])

    def write_chunks(self) -> None:
        """Write the chunks and the parts, which say that the items are complete."""
        with connection.cursor() as cursor:
            places, least = "temp.planned_places", _least(self.run)
            cursor.execute(_CHUNKS.format(list=places), [self.run.pk])
            cursor.execute(_PARTS.format(list=places, least=least), [self.run.pk])

    def close(self) -> None:
        """Forget the list."""
        with connection.cursor() as cursor:
            self._drop(cursor)

    @staticmethod
    def _drop(cursor: Any) -> None:
        for statement in _DROP:
            cursor.execute(statement)


_UNDO = """
DELETE FROM instances_item WHERE id IN
  (SELECT id FROM instances_item WHERE run_id = %s ORDER BY number DESC LIMIT %s)
"""


def unfreeze(run_id: int, most: int) -> int:
    """Remove so many items of a list that was not completed; return how many went."""
    with connection.cursor() as cursor:
        cursor.execute(_UNDO, [run_id, most])
        return int(cursor.rowcount)
