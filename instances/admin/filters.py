"""List filters of instances. Their names are those of `selection`, so that a list is a selection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ceadmin.frame import is_bulk_action, organizations_in_view
from instances import selection
from instances.admin import chip_counts
from instances.admin.choosers import own_choices
from instances.admin.questions import (
    AFTER,
    ORGANIZATION,
    SORT,
    VIEW,
    question_of,
)
from instances.bounded import Count, values_of
from instances.choices import NEEDS_PERSON, NOT_WORKING, InstanceStatus
from instances.models import Instance, InstanceTag, ReconnectLink
from providers import catalogue
from providers.models import ProviderApp

#: More tags than this make no drop-down; they are searched for.
_TAGS_SHOWN = 50
_APPS_SHOWN = 50

#: What a list's address may hold beside a selection's parts: it shows no other rows, or,
#: as the organization, is what each run is made for anyway.
_HARMLESS = frozenset(
    {"q", "o", "p", "all", "_changelist_filters", ORGANIZATION, AFTER, SORT, VIEW}
)


class Chip(admin.SimpleListFilter):
    """One way to narrow the list; `question_of` reads it, the rows stay as they are."""

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Instance]
    ) -> QuerySet[Instance]:
        """Leave the rows as they are."""
        return queryset

    def has_output(self) -> bool:
        """Show it where there is something to choose, or chosen."""
        return bool(self.lookup_choices) or self.value() is not None


class StatusFilter(Chip):
    """Instances of one status, or all that a person has to reconnect."""

    title = _("status")
    parameter_name = "status"

    def lookups(
        self, request: HttpRequest, model_admin: Any
    ) -> Iterable[tuple[str, str]]:
        """Offer every status, with how many there are where an index tells."""
        if is_bulk_action(request):  # nobody sees it
            return [(one, one) for one in (*InstanceStatus.values, NOT_WORKING)]
        counts = chip_counts.by_status(request, question_of(request))
        dead = sum((counts[one] for one in NEEDS_PERSON), Count(0)) if counts else None
        return [
            *(
                (status, chip_counts.counted(str(label), counts.get(status)))
                for status, label in InstanceStatus.choices
            ),
            (NOT_WORKING, chip_counts.counted(gettext("Does not work"), dead)),
        ]


class ProviderFilter(Chip):
    """Instances of one provider."""

    title = _("provider")
    parameter_name = "provider"

    def lookups(
        self, request: HttpRequest, model_admin: Any
    ) -> Iterable[tuple[str, str]]:
        """Offer those that there are instances of, the chosen one, and all where that is not known."""
        if is_bulk_action(request):
            return [(self.value() or "", "")]
        question = question_of(request)
        there = chip_counts.providers_of(question)
        counts = chip_counts.by_provider(question, there)
        chosen = request.GET.get("provider", "")
        own = own_choices(organizations_in_view(request))
        names = dict([*own, *((one.key, one.name) for one in catalogue.all())])
        keys = [*there, *([chosen] if chosen in names and chosen not in there else [])]
        offered = [(names.get(key, key), key) for key in keys or names]
        return [
            (key, chip_counts.counted(name, counts.get(key)))
            for name, key in sorted(offered)
        ]


class TagFilter(Chip):
    """Instances that carry one tag."""

    title = _("tag")
    parameter_name = "tag"

    def lookups(
        self, request: HttpRequest, model_admin: Any
    ) -> Iterable[tuple[str, str]]:
        """Offer the first tags of the organizations in view, and the chosen one."""
        if is_bulk_action(request):
            return [(self.value() or "", "")]  # nobody sees the offer; it costs a look
        own = question_of(request).organizations
        names = values_of(InstanceTag, "name", own, _TAGS_SHOWN)
        chosen = request.GET.get("tag", "")
        more = [chosen] if chosen and chosen not in names else []
        return [(name, name) for name in [*more, *names]]


class AppFilter(Chip):
    """Instances made with one provider app."""

    title = _("provider app")
    parameter_name = "app"

    def lookups(
        self, request: HttpRequest, model_admin: Any
    ) -> Iterable[tuple[str, str]]:
        """Offer the apps of the organizations in view."""
        apps = ProviderApp.objects.filter(
            organization__in=organizations_in_view(request)
        )
        return [(str(app.pk), app.name) for app in apps.order_by("name")[:_APPS_SHOWN]]


class OpenLinkFilter(admin.SimpleListFilter):
    """Reconnect links that a person may still use."""

    title = _("use")
    parameter_name = "use"

    def lookups(
        self, request: HttpRequest, model_admin: Any
    ) -> Iterable[tuple[str, str]]:
        """Offer those that wait for a person."""
        return [("waiting", gettext("Waiting for a person"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[ReconnectLink]
    ) -> QuerySet[ReconnectLink]:
        """Narrow to those that work now."""
        if self.value() != "waiting":
            return queryset
        usable = ReconnectLink.objects.usable(timezone.now())
        return queryset.filter(pk__in=usable.values("pk"))


def selection_of(request: HttpRequest, queryset: QuerySet[Instance]) -> dict[str, Any]:
    """Return what a bulk action means: the filter of the list for "all N matching", else the rows.

    A list narrowed by anything that no selection can say is handed over row by row, so
    that a run never covers more than the list showed.
    """
    foreign = set(request.GET) - set(selection.LOOKUPS) - _HARMLESS
    if request.POST.get("select_across") != "1" or foreign:
        return selection.of_instances(queryset.values_list("pk", flat=True))
    parts: dict[str, Any] = {
        name: [request.GET[name]] for name in selection.LOOKUPS if request.GET.get(name)
    }
    search = question_of(request).search
    if search:
        parts["search"] = search
    return selection.of_filter(parts)
