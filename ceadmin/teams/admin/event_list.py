"""The list of events: pages without numbers, because nobody counts a million rows."""

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from ceadmin.audit.finding import Page, Question, find, place_of
from ceadmin.audit.models import Event, Head
from ceadmin.teams.admin.event_filters import question_of

#: The address's word for where a page begins.
BEFORE = "before"


class EventList(ChangeList):
    """What an address asks for, answered by `ceadmin.audit.finding`."""

    page: Page
    question: Question

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: Any = None
    ) -> QuerySet[Any]:
        """Read the filters; the rows themselves are found by `get_results`."""
        # A filter that is changed begins at the newest again.
        self.before = self.params.pop(BEFORE, "")
        self.filter_params.pop(BEFORE, None)
        found = self.get_filters(request)
        self.filter_specs, self.has_filters, unread, _, self.has_active_filters = found
        if unread:
            raise IncorrectLookupParameters
        self.clear_all_filters_qs = self.get_query_string(
            remove=list(self.get_filters_params())
        )
        self.question = question_of(request)
        return self.root_queryset

    def get_results(self, request: HttpRequest) -> None:
        """Find one page."""
        size = self.list_per_page
        self.page = find(self.question, place_of(self.before), size)
        self.result_list: Any = self.page.events
        self.result_count = len(self.page.events)
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = False
        self.can_show_all = self.multi_page = False
        self.paginator = Paginator(self.page.events, size)

    @property
    def older_query(self) -> str:
        """Return the address of the next page, "" where there is none."""
        older = self.page.older
        return self.get_query_string({BEFORE: str(older)}) if older else ""

    @property
    def newest_query(self) -> str:
        """Return the address of the first page, "" on it."""
        return self.get_query_string() if self.before else ""

    @property
    def shown_query(self) -> str:
        """Return what the address asks, whatever page it is: for the files."""
        return self.get_query_string()

    @property
    def total(self) -> int | None:
        """Return how many events there are if nothing narrows them: chains say so."""
        if self.question.narrows:
            return None
        heads = Head.objects.all()
        if self.question.chains is not None:
            heads = heads.filter(chain__in=self.question.chains)
        return sum(heads.values_list("sequence", flat=True))


def shown(events: list[Event]) -> set[str]:
    """Return the chains of which a page shows something."""
    return {event.chain for event in events}
