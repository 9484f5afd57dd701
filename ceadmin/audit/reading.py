"""Read a chain in order, a page at a time: however long it is, little of it is in memory.

Each page is a statement of its own, so no transaction stands open meanwhile, and the
database is not kept from tidying up.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection

from ceadmin.audit import rebuild

Row = tuple[Any, ...]

PAGE = 2000

#: The chain is named first; sequence and id say where the page before ended.
_PAGE = """
SELECT {columns} FROM audit_event
WHERE chain = %s AND (sequence, id) > (%s, %s) ORDER BY sequence, id LIMIT %s
"""
_RANGE = """
SELECT id, {columns} FROM audit_event
WHERE chain = %s AND (sequence, id) >= (%s, %s) AND (sequence, id) <= (%s, %s)
"""


def pages(chain: str, columns: str, *, after: int = 0) -> Iterator[list[Row]]:
    """Yield the events of a chain behind `after`; `columns` begin with sequence and id."""
    place: Row = (after, _LAST_ID)
    sql = _PAGE.format(columns=columns)
    while rows := _fetch(sql, [chain, *place, PAGE]):
        yield rows
        place = rows[-1][:2]


def checked_pages(chain: str, *, after: int = 0) -> Iterator[list[Row]]:
    """Yield what verifying needs of each event: its proof, and how its text should look."""
    parts = rebuild.SQLITE if connection.vendor == "sqlite" else rebuild.POSTGRESQL
    columns = f"sequence, id, previous_hash, hash, text, {', '.join(parts)}"
    return pages(chain, columns, after=after)


def endings(chain: str, first: Row, last: Row) -> dict[int, str]:
    """Return how the texts of a page's events should end, by id, without the odd ones."""
    sql = _RANGE.format(columns=rebuild.END_COLUMNS)
    found = {}
    for pk, *values in _fetch(sql, [chain, *first[:2], *last[:2]]):
        try:
            found[pk] = rebuild.ending(tuple(values))
        except (TypeError, ValueError):
            continue  # what no event can hold differs from every text
    return found


#: No event has it: reading begins behind all rows of a sequence.
_LAST_ID = 2**63 - 1


def _fetch(sql: str, values: list[Any]) -> list[Row]:
    try:
        return _rows(sql, values)
    except OperationalError as error:
        if "decode" not in str(
            error
        ):  # SQLite holds what somebody forged, even no text
            raise
        with _any_bytes():
            return _rows(sql, values)


def _rows(sql: str, values: list[Any]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


@contextmanager
def _any_bytes() -> Iterator[None]:
    """Let SQLite's bytes that are no UTF-8 become letters that no event has."""
    handle: sqlite3.Connection = connection.connection
    before: Callable[[bytes], Any] = handle.text_factory
    handle.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        handle.text_factory = before
