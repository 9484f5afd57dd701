"""The list of instances as a file: what its address asks, the columns that its person chose."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from ceadmin.audit.lines import safe
from instances.admin import asides
from instances.admin.instance_list import with_siblings
from instances.finding import Question, find
from instances.models import Instance

#: Rows that are in memory at once.
_PORTION = 1_000

#: Column of the list → what stands in the file: words for machines, times in UTC.
_CELLS: dict[str, Callable[[Instance], object]] = {
    "provider": lambda one: one.provider_key,
    "state": lambda one: one.status,
    "since": lambda one: one.status_since,
    "tag_names": lambda one: ", ".join(sorted(tag.name for tag in one.tags.all())),
    "account": lambda one: one.account,
    "probed": lambda one: one.probed_at,
    "revoked": lambda one: one.revoked_at,
    "reconnected": lambda one: one.reconnected_at,
    "dependents": lambda one: vars(one).get("siblings_found", ""),
    "app": lambda one: one.provider_app or "",
    "organization_name": lambda one: one.organization,
    "element_key": lambda one: one.element_key,
    "synced": lambda one: one.synced_at,
}
#: What the columns are called there.
_HEADS = {
    "state": "status",
    "since": "status_since",
    "tag_names": "tags",
    "probed": "probed_at",
    "revoked": "revoked_at",
    "reconnected": "reconnected_at",
    "app": "provider_app",
    "organization_name": "organization",
    "synced": "synced_at",
}


def as_file(
    question: Question,
    columns: Sequence[str],
    now: datetime,
    aside: QuerySet[Instance] | None = None,
) -> StreamingHttpResponse:
    """Stream all that fits a question as CSV, in the order of the list, or `aside` where it says more.

    Id and name come first, and the word for a status's reason beside the status.
    """
    chosen = [name for name in columns if name in _CELLS]
    return StreamingHttpResponse(
        _lines(question, chosen, aside),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="instances-{now:%Y-%m-%d-%H%M}.csv"',
            "Cache-Control": "no-store",
        },
    )


def _lines(
    question: Question, columns: Sequence[str], aside: QuerySet[Instance] | None
) -> Iterator[bytes]:
    writer = csv.writer(_Echo(), quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    heads = [_HEADS.get(name, name) for name in columns]
    yield _bytes(writer.writerow(["remote_id", "name", "status_reason", *heads]))
    after, more = "", True
    while more:
        page = (
            find(question, after, _PORTION)
            if aside is None
            else asides.page_of(aside, after, _PORTION)
        )
        rows = (_row(one, columns) for one in _fetched(page.pks, columns))
        yield b"".join(_bytes(writer.writerow(row)) for row in rows)
        after, more = page.after, bool(page.after)


def _fetched(pks: Sequence[int], columns: Sequence[str]) -> list[Instance]:
    rows: QuerySet[Instance] = Instance.objects.filter(pk__in=pks)
    rows = rows.select_related("organization", "provider_app").prefetch_related("tags")
    rows = with_siblings(rows) if "dependents" in columns else rows
    known = {row.pk: row for row in rows} if pks else {}
    return [known[pk] for pk in pks if pk in known]


def _row(instance: Instance, columns: Sequence[str]) -> list[str]:
    about: list[object] = [instance.remote_id, instance.name, instance.status_reason]
    about += [_CELLS[name](instance) for name in columns]
    return [_cell(one) for one in about]


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    return "" if value is None else safe(str(value))


def _bytes(text: Any) -> bytes:
    return str(text).encode("utf-8", "backslashreplace")


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, value: str) -> str:
        """Return `value`."""
        return value
