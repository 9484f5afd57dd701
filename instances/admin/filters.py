"""List filters of instances. Their names are those of `selection`, so that a list is a selection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from ceadmin.frame import is_bulk_action, organizations_in_view
from ceadmin.teams.lookups import is_row_number
from instances import selection
from instances.admin.choosers import own_choices
from instances.choices import InstanceStatus
from instances.models import Instance, InstanceTag, ReconnectLink
from providers import catalogue
from providers.models import ProviderApp

#: More tags than this make no drop-down; they are searched for.
_TAGS_SHOWN = 50
_APPS_SHOWN = 50

#: What a list's address may hold beside a selection's parts: it shows no other rows, or,
#: as the organization, is what each run is made for anyway.
_HARMLESS = frozenset(
    {"q", "o", "p", "all", "_changelist_filters", "organization__id__exact"}
)


class StatusFilter(admin.SimpleListFilter):
    """Instances of one status."""

    title = "status"
    parameter_name = "status"

    def lookups(
        self, request: HttpRequest, model_admin: Any
    ) -> Iterable[tuple[str, str]]:
        """Offer every status; no query."""
        return list(InstanceStatus.choices)

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Instance]
    ) -> QuerySet[Instance]:
        """Narrow to the chosen one."""
        return queryset.filter(status=self.value()) if self.value() else queryset


class ProviderFilter(admin.SimpleListFilter):
    """Instances of one provider."""

    title = "provider"
    parameter_name = "provider"

    def lookups(
        self, request: HttpRequest, model_admin: Any
    ) -> Iterable[tuple[str, str]]:
        """Offer the catalogue, and before it the own records that the person may see."""
        known = [(provider.key, provider.name) for provider in catalogue.all()]
        if is_bulk_action(request):
            return known
        return [*own_choices(organizations_in_view(request)), *known]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Instance]
    ) -> QuerySet[Instance]:
        """Narrow to the chosen one."""
        return queryset.filter(provider_key=self.value()) if self.value() else queryset


class TagFilter(admin.SimpleListFilter):
    """Instances that carry one tag."""

    title = "tag"
    parameter_name = "tag"

    def lookups(
        self, request: HttpRequest, model_admin: Any
    ) -> Iterable[tuple[str, str]]:
        """Offer tags of the organizations that the person may see."""
        if is_bulk_action(request):
            return [(self.value() or "", "")]  # nobody sees the offer; it costs a look
        visible = InstanceTag.objects.filter(
            instance__in=model_admin.get_queryset(request)
        )
        names = (
            visible.order_by("name")
            .values_list("name", flat=True)
            .distinct()[:_TAGS_SHOWN]
        )
        return [(name, name) for name in names]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Instance]
    ) -> QuerySet[Instance]:
        """Narrow to the chosen one."""
        return (
            queryset.filter(tags__name=self.value()).distinct()
            if self.value()
            else queryset
        )


class AppFilter(admin.SimpleListFilter):
    """Instances made with one provider app."""

    title = "provider app"
    parameter_name = "app"

    def lookups(
        self, request: HttpRequest, model_admin: Any
    ) -> Iterable[tuple[str, str]]:
        """Offer the apps of the organizations in view."""
        apps = ProviderApp.objects.filter(
            organization__in=organizations_in_view(request)
        )
        return [(str(app.pk), app.name) for app in apps.order_by("name")[:_APPS_SHOWN]]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Instance]
    ) -> QuerySet[Instance]:
        """Narrow to the chosen one."""
        value = self.value()
        if not value:
            return queryset
        number = int(value) if is_row_number(value) else 0
        return queryset.filter(provider_app_id=number)


class OpenLinkFilter(admin.SimpleListFilter):
    """Reconnect links that a person may still use."""

    title = "use"
    parameter_name = "use"

    def lookups(
        self, request: HttpRequest, model_admin: Any
    ) -> Iterable[tuple[str, str]]:
        """Offer those that wait for a person."""
        return [("waiting", "Waiting for a person")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[ReconnectLink]
    ) -> QuerySet[ReconnectLink]:
        """Narrow to those that work now."""
        if self.value() != "waiting":
            return queryset
        usable = ReconnectLink.objects.usable(timezone.now())
        return queryset.filter(pk__in=usable.values("pk"))


def searched_for(typed: str) -> str:
    """Return what a search looks for: no database holds NUL, and PostgreSQL refuses it."""
    return typed.replace("\x00", "").strip()


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
    search = searched_for(request.GET.get("q", ""))
    if search:
        parts["search"] = search
    return selection.of_filter(parts)
