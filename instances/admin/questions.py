"""What the address of the list of instances asks, for the list, its chips, its files and its views."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from ceadmin.frame import organizations_in_view
from ceadmin.teams.lookups import is_row_number
from ceadmin.teams.scoping import LONGEST_SEARCH
from instances.choices import NEEDS_PERSON, NOT_WORKING
from instances.finding import COLUMNS, SEVERAL, SORTS, Question
from instances.querysets import InstanceQuerySet

#: The address's words for where a page begins, for the order, and for which view is meant.
AFTER, SORT, VIEW = "after", "sort", "view"
ORGANIZATION = "organization__id__exact"
#: Filters that other pages lead to; no index of the list has them (`instances.admin.asides`).
ASIDES = ("since", "was", "grant_of", "dies_with", "may_die_with", "drafted")
#: What a saved view keeps of an address.
KEPT = ("status", "provider", "tag", "app", ORGANIZATION, "q", SORT)


def searched_for(typed: str) -> str:
    """Return what a search looks for: no database holds NUL, and PostgreSQL refuses it."""
    return typed.replace("\x00", "").strip()


def question_of(request: HttpRequest) -> Question:
    """Return what a list's address asks, within the organizations in view."""
    kept = vars(request)  # asked by the list, its chips and its first line
    if "question" not in kept:
        kept["question"] = _question(request)
    question: Question = kept["question"]
    return question


def _question(request: HttpRequest) -> Question:
    asked = {name: request.GET.get(name, "").replace("\x00", "") for name in KEPT}
    names = ("status", "provider", "app")
    pairs = ((COLUMNS[name], asked[name]) for name in names if asked[name])
    search = searched_for(asked["q"])[:LONGEST_SEARCH].strip()
    return Question(
        _organizations(request, asked[ORGANIZATION]),
        equal=tuple(_fit(column, value) for column, value in pairs),
        tag=asked["tag"][:128],
        search=search,
        sort=asked[SORT] if asked[SORT] in SORTS else "name",
        aside=any(request.GET.get(name) for name in ASIDES),
    )


def _organizations(request: HttpRequest, asked: str) -> tuple[int, ...]:
    mine = organizations_in_view(request).order_by("pk")
    pks = tuple(mine.values_list("pk", flat=True).distinct())
    if not asked:
        return pks
    wanted = int(asked) if is_row_number(asked) else 0
    return tuple(pk for pk in pks if pk == wanted)


def _fit(column: str, value: str) -> tuple[str, Any]:
    """Return what is asked of a column."""
    if (column, value) == (COLUMNS["status"], NOT_WORKING):
        return SEVERAL, tuple(sorted(one.value for one in NEEDS_PERSON))
    if column != COLUMNS["app"]:
        return column, value[:64]
    return column, int(value) if is_row_number(value) else 0


def canonical(asked: QueryDict) -> str:
    """Return an address's question in one spelling, whatever page it is."""
    kept = {name: searched_for(asked.get(name) or "") for name in KEPT}
    kept = {name: value for name, value in kept.items() if value}
    if kept.get(SORT) == "name":
        del kept[SORT]
    return urlencode(sorted(kept.items()))


def narrowed(rows: QuerySet[Any], question: Question) -> QuerySet[Any]:
    """Return the rows that fit a question, as one queryset."""
    assert isinstance(rows, InstanceQuerySet)
    found = rows.filter(organization__in=question.organizations, **dict(question.equal))
    if question.tag:
        found = found.filter(tags__name=question.tag)
    return found.searched(question.search) if question.search else found
