"""The way from a run to the list of its instances, with their rows selected; back to where a draft was made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.contrib.admin import helpers
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ceadmin.teams.lookups import is_row_number
from instances.choices import NEEDS_PERSON, NOT_WORKING
from instances.models import Instance, Item, Run

_PARAMETER = "drafted"
#: Between a run, an outcome and a cause.
_BETWEEN = ":"
#: Parts of a selection that the list has a filter for, and what it calls them.
_FILTERS = {
    "status": "status",
    "provider": "provider",
    "tag": "tag",
    "app": "app",
    "search": "q",
}


def way_back(run: Run) -> str:
    """Return the list of instances as it was when `run` was made of it.

    A filter stands in the address again; single rows are shown alone, each selected.
    """
    listing = reverse("admin:instances_instance_changelist")
    parts = run.selection.get("filter")
    query = _query(parts) if isinstance(parts, dict) else None
    if query is None:
        query = {_PARAMETER: str(run.pk)}
    return f"{listing}?{urlencode(query)}" if query else listing


def instances_url(run: Run, outcome: str, cause: str) -> str:
    """Return the list of those instances of `run` that ended alike, each selected."""
    listing = reverse("admin:instances_instance_changelist")
    value = _BETWEEN.join((str(run.pk), outcome, cause))
    return f"{listing}?{urlencode({_PARAMETER: value})}"


def _items_of(value: str) -> QuerySet[Item]:
    """Return the items that the address names: of a run, or those of it that ended alike."""
    pk, *ended = value.split(_BETWEEN, 2)
    items = Item.objects.filter(run=int(pk) if is_row_number(pk) else 0)
    alike = dict(zip(("outcome", "cause"), ended, strict=False))
    return items.filter(instance__isnull=False, **alike)


def _query(parts: dict[str, Any]) -> dict[str, str] | None:
    """Return a filter as the list's address has it, None where the list has no such filter."""
    query: dict[str, str] = {}
    for name, value in parts.items():
        values = [value] if isinstance(value, str) else value
        if name == "status" and set(values) == NEEDS_PERSON:
            values = [NOT_WORKING]
        if name not in _FILTERS or len(values) != 1:
            return None
        query[_FILTERS[name]] = str(values[0])
    return query


class DraftedFilter(admin.SimpleListFilter):
    """The instances of one draft, for whoever comes back from its page; of a run those that ended alike."""

    title = _("draft")
    parameter_name = _PARAMETER

    def lookups(
        self, request: HttpRequest, model_admin: Any
    ) -> Iterable[tuple[str, str]]:
        """Offer what was chosen already: nobody looks for this filter."""
        value = self.value()
        if not value:
            return []
        if _BETWEEN not in value:
            return [(value, gettext("The draft's instances"))]
        self.title = _("run")
        return [(value, gettext("Those that ended alike"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Instance]
    ) -> QuerySet[Instance]:
        """Narrow to the draft's rows; the list ticks each of them."""
        value = self.value()
        if not value:
            return queryset
        return queryset.filter(pk__in=_items_of(value).values("instance"))


class SelectsDrafted:
    """For the list's admin: the rows of a draft are ticked already."""

    def action_checkbox(self, obj: Any) -> SafeString:
        """Draw the box with which a row is selected."""
        attributes = {
            "class": "action-select",
            "aria-label": gettext("Select %(name)s") % {"name": obj},
        }
        ticked = getattr(obj, "in_draft", False)
        box = forms.CheckboxInput(attributes, lambda value: ticked)
        return box.render(helpers.ACTION_CHECKBOX_NAME, str(obj.pk))
