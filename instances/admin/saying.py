"""List filters that other pages lead to: they name what they do not offer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ceadmin.teams.lookups import is_row_number
from instances.models import Instance

if TYPE_CHECKING:
    from django.contrib.admin.filters import _ListFilterChoices


class SayingFilter(admin.SimpleListFilter):
    """A filter that also takes, and names, what it does not offer: other pages link so."""

    def has_output(self) -> bool:
        """Show it where there is something to choose, or chosen."""
        return bool(self.lookup_choices) or self.value() is not None

    def named(self, value: str) -> str:
        """Return what the chip says of a value that is not offered."""
        return value

    def choices(self, changelist: Any) -> Iterator[_ListFilterChoices]:
        """Name what the address chose."""
        found = list(super().choices(changelist))
        if not any(one["selected"] for one in found):
            display = self.named(str(self.value()))
            same = changelist.get_query_string()
            found.append({"selected": True, "query_string": same, "display": display})
        yield from found


class GrantFilter(SayingFilter):
    """One instance and those that die with it; its page leads here."""

    title = _("grant")
    parameter_name = "grant_of"

    def lookups(
        self, request: HttpRequest, model_admin: Any
    ) -> Iterable[tuple[str, str]]:
        """Offer nothing: the page of an instance does."""
        return []

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Instance]
    ) -> QuerySet[Instance]:
        """Narrow to them; of an instance that the reader may not see, to none."""
        value = self.value()
        if value is None:
            return queryset
        own = queryset.filter(pk=int(value) if is_row_number(value) else 0)
        one = own.select_related("organization").first()
        if one is None:
            return queryset.none()
        kin = Instance.objects.filter(pk=one.pk).siblings(one.organization)
        return queryset.filter(Q(pk=one.pk) | Q(pk__in=kin.values("pk")))

    def named(self, value: str) -> str:
        """Say what they have in common: a fingerprint tells people nothing."""
        return gettext("what dies with one")
