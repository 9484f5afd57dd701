"""Filters that a draft's page links to: who dies with its list, and who may."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ceadmin.frame import organizations_in_view
from ceadmin.teams.lookups import is_row_number
from instances import runs
from instances.models import Instance, Run
from instances.querysets import InstanceQuerySet

_FOUND_BY: dict[str, Callable[[Run], InstanceQuerySet]] = {
    "dies_with": runs.siblings_of,
    "may_die_with": runs.doubtful_of,
}


class _BesideRun(admin.SimpleListFilter):
    """Instances beside the list of one run; it is offered by that run's page alone."""

    parameter_name: str

    def lookups(
        self, request: HttpRequest, model_admin: Any
    ) -> Iterable[tuple[str, str]]:
        """Name the one that is on, whether or not there is such a run; no query."""
        value = self.value()
        return [(value, gettext("the list of a run"))] if value else []

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Instance]
    ) -> QuerySet[Instance]:
        """Narrow to them; a run that the person may not see is one that does not exist."""
        value = self.value()
        if not value:
            return queryset
        visible = Run.objects.filter(organization__in=organizations_in_view(request))
        run = visible.filter(pk=value).first() if is_row_number(value) else None
        if run is None:
            return queryset.none()
        return queryset.filter(pk__in=_FOUND_BY[self.parameter_name](run).values("pk"))


class SiblingFilter(_BesideRun):
    """Instances that die with a run's list."""

    title = _("dies with")
    parameter_name = "dies_with"


class DoubtfulFilter(_BesideRun):
    """Instances of which nobody can tell whether they die with a run's list."""

    title = _("may die with")
    parameter_name = "may_die_with"
