"""The list of instances: what its address asks, answered page by page and never counted to the end."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import OuterRef, QuerySet
from django.http import HttpRequest

from ceadmin.frame import is_bulk_action
from instances.admin import asides
from instances.admin.chip_counts import providers_of, words
from instances.admin.choosers import name_own
from instances.admin.columns import MOST_SIBLINGS
from instances.admin.questions import AFTER, SORT, VIEW, narrowed, question_of
from instances.bounded import BoundedCount, Count
from instances.choices import InstanceStatus
from instances.finding import SORTS, Page, Question, count, find
from instances.models import Instance
from providers import catalogue


class InstanceList(ChangeList):
    """What an address asks for, answered by `instances.finding`."""

    page: Page
    question: Question
    sort = "name"

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: Any = None
    ) -> QuerySet[Any]:
        """Read the filters; return all that fits, for bulk actions: `get_results` finds the page."""
        self.after = self.params.pop(AFTER, "")
        for name in (AFTER, VIEW, SORT):
            self.filter_params.pop(name, None)
        self.params.pop(VIEW, None)
        self.question = question_of(request)
        self.sort = self.question.sort
        found = self.get_filters(request)
        self.filter_specs, self.has_filters, unread, _, self.has_active_filters = found
        status = dict(self.question.equal).get("status")
        if unread or (status and status not in InstanceStatus.values):
            raise IncorrectLookupParameters
        self.clear_all_filters_qs = self.get_query_string(
            remove=list(self.get_filters_params())
        )
        rows = narrowed(self.root_queryset, self.question)
        return asides.narrowed_by(request, rows) if self.question.aside else rows

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """Keep the order."""
        sort = {SORT: self.sort} if self.sort != "name" else {}
        return super().get_query_string({**sort, **(new_params or {})}, remove)

    def get_results(self, request: HttpRequest) -> None:
        """Find one page, and nothing where a bulk action was pressed: its answer shows no list."""
        size = self.list_per_page
        acting = is_bulk_action(request)
        self.page = Page([]) if acting else self._found(size)
        self.result_list: Any = self._rows(self.page.pks)
        self.matching = self._matching() if not acting else None
        self.result_count = len(self.result_list)
        if self.matching:
            self.result_count = self.matching.number
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = self.multi_page = False
        self.paginator = Paginator(self.result_list, size)

    def _found(self, size: int) -> Page:
        if self.question.aside:
            return asides.page_of(self.queryset, self.after, size)
        return find(self.question, self.after, size)

    def _rows(self, pks: list[int]) -> list[Instance]:
        found = Instance.objects.filter(pk__in=pks).prefetch_related("tags")
        rows: QuerySet[Instance] = found.select_related("provider_app", "organization")
        if "dependents" in self.list_display:
            rows = with_siblings(rows)
        known = {row.pk: row for row in rows} if pks else {}
        name_own(known.values())
        for row in known.values():
            vars(row)["in_draft"] = "drafted" in self.params  # ticked already
        return [known[pk] for pk in pks if pk in known]

    def _matching(self) -> Count | None:
        """Return how many fit, as far as that is cheap to know."""
        if not self.after and not self.page.after:
            return Count(len(self.result_list))
        if self.question.aside:
            return asides.count_of(self.queryset)
        return count(self.question)

    @property
    def matching_words(self) -> str:
        """Write how many fit, "" where that is not cheap to know."""
        return words(self.matching) if self.matching else ""

    @property
    def everything_here(self) -> bool:
        """Whether this one page shows all that fits."""
        return not self.after and not self.page.after

    @property
    def next_query(self) -> str:
        """Return the address of the next page, "" where there is none."""
        after = self.page.after
        return self.get_query_string({AFTER: after}) if after else ""

    @property
    def first_query(self) -> str:
        """Return the address of the first page, "" on it."""
        return self.get_query_string() if self.after else ""

    @property
    def shown_query(self) -> str:
        """Return what the address asks, whatever page it is: for files, views and scripts."""
        return self.get_query_string()

    @property
    def providers_meant(self) -> list[tuple[str, str]]:
        """Return name and address of the providers there that a search in vain may have meant."""
        typed = self.question.search.lower()
        there = providers_of(self.question)
        known = ((key, catalogue.find(key)) for key in there)
        named = [(key, record.name if record else key) for key, record in known]
        return [
            (name, super(InstanceList, self).get_query_string({"provider": key}, ["q"]))
            for key, name in named
            if typed in name.lower() or typed == key
        ]

    @property
    def sorts(self) -> list[tuple[str, str, bool]]:
        """Return address, words and whether it is the one, of each order there is."""
        if self.question.tag or self.question.aside:
            return []  # those of a tag stand as they came, the others by name
        known = [name for name in SORTS if not self._by_time_only(name)]
        return [
            (
                super(InstanceList, self).get_query_string({SORT: name}),
                str(SORTS[name]),
                name == self.sort,
            )
            for name in known
        ]

    def _by_time_only(self, name: str) -> bool:
        """Whether an order makes no sense here: what is searched is shown by name."""
        return bool(self.question.search) and name.endswith("since")


def with_siblings(rows: QuerySet[Instance]) -> QuerySet[Instance]:
    """Return rows, each with the number of others that share its grant, as far as it is counted."""
    same = {name: OuterRef(name) for name in ("organization", "grant_fingerprint")}
    others = Instance.objects.filter(**same).exclude(grant_fingerprint="")
    others = others.exclude(pk=OuterRef("pk"))
    return rows.annotate(siblings_found=BoundedCount(others, MOST_SIBLINGS))
