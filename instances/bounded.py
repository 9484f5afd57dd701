"""SQL whose cost does not grow with the table: counts that stop, values that are skipped to.

Nobody waits for a million rows to be counted. A count stops at a bound and says that there
are more; which values a column has is found by one look into its index for each of them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import (
    BooleanField,
    Expression,
    Func,
    IntegerField,
    Model,
    QuerySet,
    Subquery,
    TextField,
    Value,
)

#: Counts are exact up to this many.
MOST = 1_000
#: Behind every text that begins with another one, in the order of code points.
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows there are, or that there are at least `MOST`."""

    number: int
    more: bool = False

    @classmethod
    def of(cls, found: int) -> Count:
        """Return what a look at one row more than `MOST` came to."""
        return cls(min(found, MOST), found > MOST)

    def __add__(self, other: Count) -> Count:
        return Count(self.number + other.number, self.more or other.more)

    def __bool__(self) -> bool:
        return self.number > 0


class SortKey(Func):
    """A name as lists are sorted and searched by it: capital letters, by code points.

    An index on it has the order that keyset pages need, and every name that begins with a
    text stands between two of its entries. SQLite knows capitals of the Latin alphabet only.
    """

    template = '(UPPER(%(expressions)s) COLLATE "C")'
    arity = 1
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Leave the collation out: texts are compared by their bytes there."""
        template = "UPPER(%(expressions)s)"
        return self.as_sql(compiler, connection, template=template, **context)


def prefix_range(text: str) -> tuple[SortKey, SortKey]:
    """Return from which sort key and up to which, without it, names begin with `text`."""
    return SortKey(Value(text)), SortKey(Value(text + _LAST))


class Past(Func):
    """Whether columns stand behind values in their order, all of them compared as one.

    `Past(SortKey("name"), F("id"), values=("BOX", 7))` is (name, id) > ('BOX', 7), for
    which both databases go straight to the place in an index.
    """

    output_field = BooleanField()
    conditional = True

    def __init__(
        self, *columns: Any, values: Sequence[Any], sign: str = ">", **extra: Any
    ) -> None:
        self.sign, self._many = sign, len(columns)
        super().__init__(*columns, *(_value(one) for one in values), **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Write the comparison of two rows."""
        parts = [compiler.compile(one) for one in self.source_expressions]
        sql = [text for text, _ in parts]
        left, right = sql[: self._many], sql[self._many :]
        parameters = [value for _, values in parts for value in values]
        return f"({', '.join(left)}) {self.sign} ({', '.join(right)})", parameters

    as_sqlite = as_postgresql


def _value(one: Any) -> Expression:
    if isinstance(one, datetime) and one.tzinfo is None:
        one = one.replace(tzinfo=UTC)  # as SQLite gives it back without the ORM
    return one if isinstance(one, Expression) else Value(one)


class BoundedCount(Subquery):
    """How many rows a correlated, sliced queryset has."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()

    def __init__(self, rows: QuerySet[Any], most: int = MOST) -> None:
        super().__init__(rows.order_by().values("pk")[: most + 1])


_VALUES = """
WITH RECURSIVE owners(id) AS ({owners}),
seen(owner, value, n) AS (
  SELECT id, (SELECT MIN({column}) FROM {table} WHERE organization_id = owners.id), 1
  FROM owners
  UNION ALL
  SELECT owner, (SELECT MIN({column}) FROM {table}
                 WHERE organization_id = seen.owner AND {column} > seen.value), n + 1
  FROM seen WHERE value IS NOT NULL AND n < %s
)
SELECT DISTINCT value FROM seen WHERE value IS NOT NULL AND value <> '' ORDER BY value
"""


def values_of(
    model: type[Model], column: str, organizations: Collection[int], most: int
) -> list[str]:
    """Return the values that a column has in some organizations, at most `most` of each.

    `model` has an index that begins with the organization and this column of text.
    """
    if not organizations:
        return []
    owners = " UNION ALL ".join(["SELECT CAST(%s AS bigint)"] * len(organizations))
    table = model._meta.db_table
    sql = _VALUES.format(owners=owners, column=column, table=table)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*organizations, most + 1])
        return [value for (value,) in cursor.fetchall()][:most]


class KeyAmong(Func):
    """Whether a name is one of many, capitals or not: one parameter, however many they are."""

    output_field = BooleanField()
    conditional = True

    def __init__(self, column: str, values: Collection[str], **extra: Any) -> None:
        self.values = tuple(values)
        super().__init__(SortKey(column), **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Compare with an array, which PostgreSQL looks up value by value in an index."""
        key, parameters = compiler.compile(self.source_expressions[0])
        each = 'SELECT UPPER(one) COLLATE "C" FROM unnest(%s::text[]) one'
        return f"{key} = ANY(ARRAY({each}))", [*parameters, list(self.values)]

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Compare with what stands in one JSON text."""
        key, parameters = compiler.compile(self.source_expressions[0])
        each = "SELECT UPPER(value) FROM json_each(%s)"
        return f"{key} IN ({each})", [*parameters, json.dumps(self.values)]
