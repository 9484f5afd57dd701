"""A list that shows all that its address asks: what other pages link to has a chip like any filter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext


class Asked:
    """One question of an address that no filter of the list offers, drawn as a filter is."""

    template = "admin/filter.html"

    def __init__(self, name: str, title: str, words: str) -> None:
        """`name` is the address's parameter; `words` are what people read of its value."""
        self.name, self.title, self.words = name, title, words

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        """Offer to ask no longer, and say what is asked."""
        without = changelist.get_query_string(remove=[self.name])
        yield {"selected": False, "query_string": without, "display": gettext("All")}
        same = changelist.get_query_string()
        yield {"selected": True, "query_string": same, "display": self.words}


class AskedList(ChangeList):
    """The ordinary list: nothing narrows it unseen, and clearing clears all."""

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: Any = None
    ) -> QuerySet[Any]:
        """Narrow as always, and name what no filter names."""
        rows = super().get_queryset(request, exclude_parameters)
        offered = {
            name for spec in self.filter_specs for name in spec.expected_parameters()
        }
        asked = {
            name: values[-1]
            for name, values in self.get_filters_params().items()
            if name not in offered
        }
        say = self.model_admin.lookup_words  # type: ignore[attr-defined]
        chips = [
            Asked(name, *say(request, name, str(value)))
            for name, value in asked.items()
        ]
        self.filter_specs = [*self.filter_specs, *chips]  # type: ignore[list-item]
        self.has_filters = bool(self.filter_specs)
        self.has_active_filters = self.has_active_filters or bool(chips)
        everything = list(self.get_filters_params())
        self.clear_all_filters_qs = self.get_query_string(remove=everything)
        return rows
