"""Rows of the list under a filter that another page leads to: a day of a chart, who dies with a draft.

No index of the list has these filters, so their rows are not found along its lanes
(`instances.finding`): they are asked for as one queryset and turned over by name.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest

from ceadmin.teams.lookups import is_row_number
from instances.admin.drafted import DraftedFilter
from instances.admin.kin_filters import DoubtfulFilter, SiblingFilter
from instances.admin.saying import GrantFilter
from instances.admin.when import SinceFilter, WasFilter
from instances.bounded import MOST, Count, Past, SortKey
from instances.finding import Page
from instances.models import Instance

FILTERS: tuple[type[admin.SimpleListFilter], ...] = (
    *(SinceFilter, WasFilter, GrantFilter),
    *(SiblingFilter, DoubtfulFilter, DraftedFilter),
)


def narrowed_by(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return the rows that fit the filters of this kind in a request's address."""
    for kind in FILTERS:
        values = request.GET.getlist(kind.parameter_name or "")
        if values and values[-1]:
            asked = {str(kind.parameter_name): values}
            one: Any = kind(request, asked, Instance, None)  # type: ignore[arg-type]
            rows = one.queryset(request, rows)
    return rows


def page_of(rows: QuerySet[Any], after: str, size: int) -> Page:
    """Return the `size` rows behind the one that `after` names, by name."""
    key = SortKey("name")
    found = rows.order_by().prefetch_related(None)
    place = _place(found, after)
    if place:
        found = found.filter(Past(key, F("pk"), values=place))
    ordered = found.annotate(place=key).order_by("place", "pk")
    pks = list(ordered.values_list("pk", flat=True)[: size + 1])
    more = len(pks) > size
    return Page(pks[:size], str(pks[size - 1]) if more else "", more=more)


def _place(rows: QuerySet[Any], after: str) -> tuple[Any, ...] | None:
    if not is_row_number(after):
        return None
    one = rows.filter(pk=int(after)).annotate(place=SortKey("name"))
    found: tuple[Any, ...] | None = (
        one.values_list("place", "pk").order_by("pk").first()
    )
    return found


def count_of(rows: QuerySet[Any]) -> Count:
    """Return how many there are, as far as lists count."""
    some = rows.order_by().prefetch_related(None).values("pk")[: MOST + 1]
    return Count.of(some.count())
