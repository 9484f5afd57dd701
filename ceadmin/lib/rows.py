"""Many rows in one statement, for the few places where the ORM's own way costs more than the work.

    sent = Rows(Attempt, "item_id", "purpose", "at")
    sent.insert([(item, "probe", now), …])
    Rows(Item, "id", "outcome").update([(item, "dead"), …])

    Lookup(Item, "id", "id", "status", lock=True).find([1, 2, 3])

Rows go to PostgreSQL as one JSON parameter, however many there are, and values to be found
as one array; SQLite binds rows one by one to a statement that it prepared once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from functools import cache, cached_property, lru_cache
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.db.models import F, Func, Model, Q
from django.db.models.expressions import RawSQL

Row = Sequence[Any]


_Adapt = Callable[[Any], Any]

#: How SQLite unpacks many values.
_EACH = "SELECT value FROM json_each(%s)"

#: Values of these columns reach the database as they are.
_PLAIN = frozenset({"CharField", "TextField", "BooleanField"})


def among(model: type[Model], name: str, values: Iterable[Any]) -> Q:
    """Return the condition that a column has one of many values: one parameter, however many they are."""
    field = _field(model, name)
    listed = _parameter(field, values)
    if connection.vendor == "sqlite":
        found = RawSQL(_EACH, [listed])  # noqa: S611 (a constant)
        return Q((f"{name}__in", found))
    array = RawSQL(f"%s::{_type(field)}[]", [listed])  # noqa: S611 (a type)
    return Q(_AnyOf(F(name), array, output_field=models.BooleanField()))


class _AnyOf(Func):
    """A column equals one of an array's values, which an index finds where there is one.

    Of a list that a subquery unpacks, PostgreSQL knows no length. Where its statistics are
    of before the run was planned it then reads the list once for every row of the table.
    """

    template = "%(expressions)s"
    arg_joiner = " = ANY "


class Rows:
    """Columns of a model that are written together.

    Values are checked by the database alone: no defaults, no validation, no signals.
    """

    def __init__(self, model: type[Model], *names: str) -> None:
        """Take the columns' names as attributes have them (`run_id`, not `run`)."""
        self._table = model._meta.db_table
        self._fields = [_field(model, name) for name in names]
        self._columns = [str(field.column) for field in self._fields]

    def insert(self, rows: Collection[Row]) -> None:
        """Insert rows."""
        if not rows:
            return
        if connection.vendor == "sqlite":
            places = ", ".join(["%s"] * len(self._columns))
            # OR FAIL: with a trigger on the table, SQLite would else copy every page that
            # a row changes, to undo that row alone. The transaction undoes them all.
            into = self._into.replace("INSERT", "INSERT OR FAIL", 1)
            self._many(f"{into} VALUES ({places})", rows)
        else:
            self._run(f"{self._into} {self._selected()}", rows)

    def insert_new(self, rows: Collection[Row], *names: str) -> list[tuple[Any, ...]]:
        """Insert rows, leaving out those that are already there by a unique constraint.

        Return these columns of each that was not, in any order.
        """
        if not rows:
            return []
        # WHERE TRUE: or SQLite takes ON for that of a join.
        sql = f"{self._into} {self._selected()}" + " WHERE TRUE ON CONFLICT DO NOTHING"
        wanted = f" RETURNING {', '.join(names)}" if names else ""
        return self._run(sql + wanted, rows, fetch=bool(names))

    def insert_returning(
        self, rows: Collection[Row], *names: str
    ) -> list[tuple[Any, ...]]:
        """Insert rows; return these columns of each, in any order."""
        if not rows:
            return []
        wanted = f" RETURNING {', '.join(names)}"
        return self._run(f"{self._into} {self._selected()}{wanted}", rows, fetch=True)

    def update(self, rows: Collection[Row]) -> None:
        """Write each row's values where its first column says so."""
        if not rows:
            return
        key, *changed = self._columns
        if connection.vendor == "sqlite":
            values = ", ".join(f"{name} = %s" for name in changed)
            sql = f"UPDATE {self._table} SET {values} WHERE {key} = %s"  # noqa: S608 (names of columns)
            self._many(sql, rows, turn=True)
            return
        values = ", ".join(f"{name} = new.{name}" for name in changed)
        sql = f"UPDATE {self._table} AS old SET {values} FROM"  # noqa: S608 (names of columns)
        self._run(
            f"{sql} ({self._selected()}) AS new WHERE old.{key} = new.{key}", rows
        )

    @property
    def _into(self) -> str:
        return f"INSERT INTO {self._table} ({', '.join(self._columns)})"

    def _selected(self) -> str:
        """Return the SELECT that reads the rows out of one JSON parameter."""
        if connection.vendor == "sqlite":
            parts = [
                f"json_extract(value, '$[{place}]')"
                for place in range(len(self._fields))
            ]
            return f"SELECT {', '.join(parts)} FROM json_each(%s)"  # noqa: S608 (places)
        parts = [
            f"(value->>{place})::{_type(field)} AS {field.column}"
            for place, field in enumerate(self._fields)
        ]
        return f"SELECT {', '.join(parts)} FROM jsonb_array_elements(%s::jsonb)"  # noqa: S608 (columns)

    def _many(self, sql: str, rows: Iterable[Row], *, turn: bool = False) -> None:
        adapted = self._adapted(rows)
        with connection.cursor() as cursor:
            if turn:
                cursor.executemany(sql, [(*row[1:], row[0]) for row in adapted])
            else:
                cursor.executemany(sql, adapted)

    def _run(
        self, sql: str, rows: Iterable[Row], *, fetch: bool = False
    ) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, [json.dumps(self._adapted(rows))])
            return cursor.fetchall() if fetch else []

    def _adapted(self, rows: Iterable[Row]) -> list[Row]:
        """Return the rows as the database takes them, column by column."""
        columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
        vendor = connection.vendor
        for place, field in enumerate(self._fields):
            adapt = _adapter(field, vendor)
            if adapt is not None:
                columns[place] = map(adapt, columns[place])
        return list(zip(*columns, strict=True))


class Lookup:
    """Rows that are found by many values of one column, in its order.

    The statement is made once, which costs the ORM more than the database takes for it.
    """

    def __init__(
        self,
        model: type[Model],
        key: str,
        *names: str,
        where: str = "",
        lock: bool = False,
    ) -> None:
        """Take names as attributes have them; `where` is SQL with `%s` for more values."""
        self._table = model._meta.db_table
        self._primary = str(model._meta.pk.column)
        self._key = _field(model, key)
        self._fields = [_field(model, name) for name in names]
        self._where = f" AND {where}" if where else ""
        self._lock = lock

    def find(self, values: Iterable[Any], *more: Any) -> list[tuple[Any, ...]]:
        """Return the columns of the rows, locked until the transaction ends if so wanted."""
        with connection.cursor() as cursor:
            cursor.execute(self._select, [self._listed(values), *more])
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return [tuple(map(_read, self._readers, row)) for row in rows] if rows else []

    def delete(self, values: Iterable[Any], *more: Any) -> None:
        """Remove the rows, and nothing that refers to them."""
        with connection.cursor() as cursor:
            cursor.execute(self._delete, [self._listed(values), *more])

    def _listed(self, values: Iterable[Any]) -> str | list[Any]:
        return _parameter(self._key, values)

    @cached_property
    def _select(self) -> str:
        columns = ", ".join(str(field.column) for field in self._fields)
        lock = " FOR UPDATE" if self._lock and connection.vendor != "sqlite" else ""
        return (
            f"SELECT {columns} FROM {self._table} WHERE {self._among}"  # noqa: S608 (names)
            f" ORDER BY {self._key.column}, {self._primary}{lock}"
        )

    @cached_property
    def _delete(self) -> str:
        return f"DELETE FROM {self._table} WHERE {self._among}"  # noqa: S608 (names)

    @property
    def _among(self) -> str:
        if connection.vendor == "sqlite":
            return f"{self._key.column} IN ({_EACH}){self._where}"
        return f"{self._key.column} = ANY(%s::{_type(self._key)}[]){self._where}"

    @cached_property
    def _readers(self) -> list[_Adapt | None]:
        bare = connection.vendor == "sqlite"  # it keeps a UUID as its digits
        return [
            UUID if bare and isinstance(field, models.UUIDField) else None
            for field in self._fields
        ]


def _read(reader: _Adapt | None, value: Any) -> Any:
    return value if reader is None else reader(value)


def _parameter(field: models.Field[Any, Any], values: Iterable[Any]) -> str | list[Any]:
    """Return many values of a column as one parameter: an array, and JSON for SQLite."""
    adapt = _adapter(field, connection.vendor)
    listed = list(values if adapt is None else map(adapt, values))
    return json.dumps(listed) if connection.vendor == "sqlite" else listed


def _field(model: type[Model], name: str) -> models.Field[Any, Any]:
    found = [
        one for one in model._meta.concrete_fields if name in (one.attname, one.name)
    ]
    return found[0]


def _type(field: models.Field[Any, Any]) -> str:
    """Return what text is cast to; `varchar(n)` would cut it without a word."""
    if field.get_internal_type() in {"CharField", "TextField"}:
        return "text"
    return str(field.cast_db_type(connection))


@cache
def _adapter(field: models.Field[Any, Any], vendor: str) -> _Adapt | None:
    """Return how a column's values are made ready, None where they are."""
    target = field.target_field if isinstance(field, models.ForeignKey) else field
    kind = target.get_internal_type()
    if isinstance(target, models.DateTimeField):
        return _moment
    if isinstance(target, models.UUIDField):
        return _digits if vendor == "sqlite" else _uid
    if isinstance(target, models.JSONField):
        return _dumped
    if (kind in _PLAIN and type(target).__module__.startswith("django.")) or (
        isinstance(target, models.IntegerField)
    ):
        return None
    # A field of our own has its own say, above all a sealed one.
    return lambda value: target.get_db_prep_save(value, connection)


@lru_cache(maxsize=64)  # most rows of a batch have one and the same
def _moment(value: datetime | None) -> str | None:
    if value is None:
        return None
    return str(connection.ops.adapt_datetimefield_value(value))


def _uid(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _digits(value: UUID | None) -> str | None:
    return None if value is None else value.hex


def _dumped(value: Any) -> str | None:
    return None if value is None else json.dumps(value)
