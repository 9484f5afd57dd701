"""Every sealed column there is, and which keys its rows carry.

The key's id stands in the sealed text, so no row has to be opened to tell. Columns of large
tables have an index on `KeyOf`: then the ids in use are found by one look per id, however
many rows there are.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models

from ceadmin.lib.sealed import SealedField

#: Among the ids of keys: text that no key sealed, written past the field.
MALFORMED = ""


class KeyOf(models.Func):
    """The id of the key that sealed a column's value, in SQL."""

    # The same text in index and query: literals, no parameters.
    template = "split_part(%(expressions)s, '.', 2)"
    arity = 1
    output_field = models.TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Cut it out with what SQLite has."""
        rest = "substr(%(expressions)s, 4)"
        template = f"substr({rest}, 1, instr({rest}, '.') - 1)"
        return self.as_sql(compiler, connection, template=template, **context)


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """One sealed column of one model."""

    model: type[models.Model]
    field: SealedField

    @property
    def label(self) -> str:
        """Its name for people and for ever."""
        return self.field.label

    @property
    def rows(self) -> models.QuerySet[Any]:
        """The rows that hold something, with the id of its key as `key_id`."""
        every: models.QuerySet[Any] = self.model._base_manager.all()
        held = every.exclude(**{self.field.attname: ""})
        named: models.QuerySet[Any] = held.annotate(key_id=KeyOf(self.field.attname))
        return named.order_by()

    def key_ids(self) -> Iterator[str]:
        """Yield the ids in use, each found by one look at the index."""
        found: str | None = None
        ids = self.rows.order_by("key_id").values_list("key_id", flat=True)
        while True:
            after = ids if found is None else ids.filter(key_id__gt=found)
            found = after.first()
            if found is None:
                return
            yield found

    def counts(self) -> dict[str, int]:
        """Return how many rows carry each key; this reads them all."""
        counted = self.rows.values_list("key_id").annotate(n=models.Count("pk"))
        return dict(sorted(counted))


def sealed_columns() -> list[SealedColumn]:
    """Return the sealed columns of all models."""
    return [
        SealedColumn(model, field)
        for model in apps.get_models()
        for field in model._meta.local_concrete_fields
        if isinstance(field, SealedField)
    ]


def unknown_keys(loaded: set[str]) -> Counter[str]:
    """Return the ids that rows carry and that are not loaded, with how many columns do."""
    return Counter(
        key_id
        for column in sealed_columns()
        for key_id in column.key_ids()
        if key_id not in loaded and key_id != MALFORMED
    )
