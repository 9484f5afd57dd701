"""The audit, to read: auditors see their organizations' events, superusers all."""

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from ceadmin import ui
from ceadmin.audit.models import Event, Origin
from ceadmin.audit.record import SYSTEM_CHAIN
from ceadmin.frame import FramedAdmin, chosen_organization
from ceadmin.teams.choices import Act
from ceadmin.teams.models import Organization
from ceadmin.teams.naming import Names, names_of
from ceadmin.teams.permissions import organizations
from ceadmin.teams.scoping import ScopedAdmin, user_of


class ChainFilter(admin.SimpleListFilter):
    """Events of one organization."""

    title = "organization"
    parameter_name = "chain"

    def lookups(
        self, request: HttpRequest, model_admin: Any
    ) -> Iterable[tuple[str, str]]:
        """Offer the organizations whose audit the person may read."""
        readable = organizations(user_of(request), Act.AUDIT).order_by("name")
        choices = [(row.chain, row.name) for row in readable]
        user = user_of(request)
        return [*choices, ("system", "System")] if user.is_superuser else choices

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Event]
    ) -> QuerySet[Event]:
        """Narrow to the one chosen here, else to the one chosen for every page."""
        if self.value() is None:
            chosen = chosen_organization(request)
            return queryset.filter(chain=chosen.chain) if chosen else queryset
        chain = SYSTEM_CHAIN if self.value() == "system" else self.value()
        return queryset.filter(chain=chain)


class OutcomeFilter(admin.AllValuesFieldListFilter):
    """Events of one outcome, by the words that its pill has everywhere."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Name the outcomes in words."""
        first, *others = super().choices(changelist)
        yield first
        for choice in others:
            word = str(choice["display"])
            label = ui.look(word).label if word != self.empty_value_display else "None"
            yield {**choice, "display": label}


@admin.register(Event)
class EventAdmin(FramedAdmin, ScopedAdmin):
    """Who did what to what, why, and what came of it. Nothing here can be changed."""

    organization_path = ""  # events have no foreign keys: see `rows`
    act_view = Act.AUDIT
    act_add = act_change = act_delete = None

    list_display = (
        "time",
        "action",
        "who",
        "subject",
        "result",
        "organization_name",
        "reason",
        "ticket",
    )
    list_filter = (ChainFilter, "action", ("outcome", OutcomeFilter), "at")
    lookups = ("subject_uid", "run_uid", "instance_uid")
    search_fields = ("reason", "ticket", "subject_name")
    search_help_text = "Reason, ticket, name or id"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "exact_time",
                    "organization_name",
                    "action",
                    "who",
                    "role",
                    "address",
                    "subject",
                )
            },
        ),
        (
            "Why, and what came of it",
            {"fields": ("reason", "ticket", "result", "facts")},
        ),
        (
            "Where it belongs",
            {"fields": ("provider_key", "instance_uid", "run_uid", "item_id")},
        ),
        ("Proof", {"fields": ("sequence", "hash", "previous_hash", "text")}),
    )
    ordering = ("-id",)
    show_full_result_count = False
    list_per_page = 50
    actions = None

    empty_icon = "audit"
    empty_title = "No events here"
    empty_text = "Everything done to instances, secrets and members is recorded here."

    def rows(
        self, request: HttpRequest, act: Act | None, queryset: QuerySet[Event]
    ) -> QuerySet[Event]:
        """Return the events of the organizations whose audit the person may read."""
        user = user_of(request)
        if act is None:
            return queryset.none()
        if user.is_active and user.is_superuser:
            return queryset
        readable = organizations(user, act)
        return queryset.filter(chain__in=[row.chain for row in readable])

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find an id where ids stand, by index; look for words everywhere else."""
        try:
            uid = str(uuid.UUID(search_term.strip()))
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        about = Q(subject_uid=uid) | Q(run_uid=uid) | Q(instance_uid=uid)
        return queryset.filter(about), False

    def get_list_display(self, request: HttpRequest) -> Any:
        """Leave the organization out where every row would name the same."""
        if organizations(user_of(request), Act.AUDIT).count() > 1:
            return self.list_display
        return [name for name in self.list_display if name != "organization_name"]

    def organization_of(self, obj: Any) -> Organization | None:
        """Return the organization whose chain an event stands in."""
        if not isinstance(obj, Event) or not obj.chain:
            return None
        return Organization.objects.filter(uid=obj.chain).order_by("pk").first()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let superusers see the system's events and those of lost organizations too."""
        user = user_of(request)
        everything = user.is_active and user.is_superuser
        return everything or super().has_view_permission(request, obj)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Fetch the names of a whole page at once."""
        changelist = super().get_changelist_instance(request)
        changelist.result_list = list(changelist.result_list)
        _attach_names(changelist.result_list)
        return changelist

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Event | None:
        """Return an event with the names that belong to it."""
        event = super().get_object(request, object_id, from_field)
        if not isinstance(event, Event):
            return None
        _attach_names([event])
        return event

    def audit_uid(self, obj: Event) -> str:
        """Give what an event is about."""
        return obj.subject_uid

    @admin.display(description="time", ordering="id")
    def time(self, event: Event) -> str:
        """Say how long ago it was."""
        return ui.when(event.at, timezone.now())

    @admin.display(description="time")
    def exact_time(self, event: Event) -> str:
        """Say when it was, to the second."""
        return ui.absolute(event.at)

    @admin.display(description="outcome", ordering="outcome")
    def result(self, event: Event) -> str:
        """Show what came of it as every page shows it."""
        return ui.pill(event.outcome)

    @admin.display(description="organization")
    def organization_name(self, event: Event) -> str:
        """Name the organization, or the id that is left of it."""
        return _names(event).organization

    @admin.display(description="who")
    def who(self, event: Event) -> str:
        """Name the actor, as long as they are not erased."""
        return _names(event).actor

    @admin.display(description="about")
    def subject(self, event: Event) -> str:
        """Name what was acted on."""
        return _names(event).subject

    @admin.display(description="network address")
    def address(self, event: Event) -> str:
        """Name the network address the actor came from."""
        if event.origin_uid is None:
            return ""
        origin = Origin.objects.filter(uid=event.origin_uid).order_by("pk").first()
        return origin.address if origin else "Erased"

    @admin.display(description="facts")
    def facts(self, event: Event) -> str:
        """Show the facts in lines."""
        try:
            facts = json.loads(event.text)["facts"]
        except (ValueError, KeyError, TypeError):
            return "The text of this event was altered."
        return json.dumps(facts, indent=2, ensure_ascii=False)


def _attach_names(events: Sequence[Event]) -> None:
    names = names_of(events)
    for event in events:
        event.__dict__["names"] = names[event.pk]


def _names(event: Event) -> Names:
    names: Names = event.__dict__["names"]
    return names
