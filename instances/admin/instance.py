"""Instances: the list people triage, bulk actions, and the page of one instance."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from ceadmin.audit.choices import Action
from ceadmin.audit.record import Subject, record
from ceadmin.frame import FramedAdmin, is_bulk_action
from ceadmin.teams.choices import Act
from instances import selection
from instances.admin.beginning import begin, create
from instances.admin.chip_counts import headline
from instances.admin.choosers import ONE_BUTTON, without_shortcuts
from instances.admin.columns import InstanceColumns, columns_of
from instances.admin.drafted import DraftedFilter, SelectsDrafted
from instances.admin.filters import (
    AppFilter,
    ProviderFilter,
    StatusFilter,
    TagFilter,
    selection_of,
)
from instances.admin.instance_list import InstanceList
from instances.admin.kin_filters import DoubtfulFilter, SiblingFilter
from instances.admin.list_frame import (
    frame_of_list,
    owners_of_all,
    take_in_ticked,
)
from instances.admin.list_pages import ListPages
from instances.admin.questions import question_of
from instances.admin.saved_view import address_of, default_of
from instances.admin.saying import GrantFilter
from instances.admin.story import story_of
from instances.admin.when import SinceFilter, WasFilter
from instances.choices import RunKind
from instances.models import Instance


@admin.register(Instance)
class InstanceAdmin(SelectsDrafted, InstanceColumns, FramedAdmin, ListPages):
    """Instances are mirrored from the platform; what can be changed here is the provider app."""

    act_add = act_delete = None
    act_change = Act.OPERATE

    list_filter = (
        StatusFilter,
        SinceFilter,
        WasFilter,
        GrantFilter,
        ProviderFilter,
        TagFilter,
        AppFilter,
        "organization",
        SiblingFilter,
        DoubtfulFilter,
        DraftedFilter,
    )
    search_fields = ("name",)  # `finding` looks for more
    search_help_text = _("Name, id, account or tag")
    sortable_by = ()  # the orders that indexes have are in a menu
    list_per_page = 50
    show_full_result_count = False
    ordering = ("name", "pk")
    fieldsets = (
        (
            _("Provider app"),
            {
                "fields": ("provider_app",),
                "description": _(
                    "Its client id and secret revoke this instance's tokens and reconnect it. "
                    "Choose the app that the customer once consented to; another one cannot revoke."
                ),
            },
        ),
    )
    actions = ("probe", "reauthenticate", "drill", "revoke")
    danger_actions = ("revoke", "drill")
    change_form_template = "instances/instance/page.html"

    empty_icon = "instances"
    empty_title = _("No instances here")
    empty_text = _(
        "Instances are mirrored from Cloud Elements. Sync an organization to see its instances."
    )

    def get_empty_action(self, request: HttpRequest) -> tuple[str, str] | None:
        """Lead to the organizations, where a sync starts."""
        return gettext("Go to organizations"), reverse(
            "admin:teams_organization_changelist"
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Fetch tags with the rows."""
        return super().get_queryset(request).prefetch_related("tags")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[InstanceList]:
        """Find instances along their indexes."""
        return InstanceList

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Show the columns that this person chose."""
        return ("title", *columns_of(request))

    def headline(self, request: HttpRequest) -> SafeString | str:
        """Say how many there are and how many need somebody."""
        return headline(request, question_of(request))

    def changelist_view(
        self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None
    ) -> HttpResponse:
        """Open with the view that this person wants first; take what was ticked on other pages."""
        user = self._member(request)
        plain = request.method == "GET" and not request.GET
        first = default_of(request, user) if plain else None
        if first:
            return HttpResponseRedirect(address_of(first))
        if is_bulk_action(request):
            take_in_ticked(request)
            return super().changelist_view(request, extra_context)
        context = {**frame_of_list(request, user), **(extra_context or {})}
        return super().changelist_view(request, context)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out deletion: the platform decides which instances exist."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    # Bulk actions

    @admin.action(description=_("Probe"), permissions=["operate"])
    def probe(
        self, request: HttpRequest, queryset: QuerySet[Instance]
    ) -> HttpResponse | None:
        """Probe the selected instances."""
        return self._begin(request, RunKind.PROBE, queryset)

    @admin.action(description=_("Reauthenticate…"), permissions=["operate"])
    def reauthenticate(
        self, request: HttpRequest, queryset: QuerySet[Instance]
    ) -> HttpResponse | None:
        """Draft reconnect links, one for each of the selected instances."""
        return self._begin(request, RunKind.RECONNECT, queryset)

    @admin.action(description=_("Drill…"), permissions=["drill"])
    def drill(
        self, request: HttpRequest, queryset: QuerySet[Instance]
    ) -> HttpResponse | None:
        """Draft a drill of the selected instances."""
        return self._begin(request, RunKind.DRILL, queryset)

    @admin.action(description=_("Revoke tokens…"), permissions=["revoke"])
    def revoke(
        self, request: HttpRequest, queryset: QuerySet[Instance]
    ) -> HttpResponse | None:
        """Draft a revocation of the selected instances."""
        return self._begin(request, RunKind.REVOKE, queryset)

    def _begin(
        self, request: HttpRequest, kind: RunKind, queryset: QuerySet[Instance]
    ) -> HttpResponse | None:
        choose = partial(selection_of, request)
        return begin(self, request, kind, queryset, choose, owners_of_all(request))

    # The page of one instance

    def get_urls(self) -> list[URLPattern]:
        """Add the buttons of an instance's page."""
        act = self.admin_site.admin_view(require_POST(self.act))
        own = path(
            "<path:object_id>/act/<slug:kind>/", act, name="instances_instance_act"
        )
        return [own, *super().get_urls()]

    def act(self, request: HttpRequest, object_id: str, kind: str) -> HttpResponse:
        """Start, or draft, a run over this one instance."""
        if kind not in (
            RunKind.PROBE,
            RunKind.REVOKE,
            RunKind.RECONNECT,
            RunKind.DRILL,
        ):
            return HttpResponseRedirect(
                reverse("admin:instances_instance_change", args=[object_id])
            )
        instance: Instance = self.fetch(request, object_id, Act.VIEW)
        chosen = selection.of_instances([instance.pk])
        run = create(request, RunKind(kind), instance.organization, chosen)
        return HttpResponseRedirect(
            reverse("admin:instances_run_change", args=[run.pk])
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show the instance's state, story and next steps above the one field that can be set."""
        instance: Any = self.get_object(request, unquote(object_id))
        story = (
            {"story": story_of(instance, request.user, timezone.now())}
            if instance
            else {}
        )
        return super().change_view(
            request,
            object_id,
            form_url,
            {**story, **ONE_BUTTON, **(extra_context or {})},
        )

    def response_post_save_change(
        self, request: HttpRequest, obj: Any
    ) -> HttpResponseRedirect:
        """Stay with the instance."""
        return HttpResponseRedirect(
            reverse("admin:instances_instance_change", args=[obj.pk])
        )

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Offer the choice of an app and nothing beside it: apps have pages of their own."""
        form = super().get_form(request, obj, change, **kwargs)
        return without_shortcuts(form, "provider_app")

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer the provider apps of this instance's organization and element."""
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        match = request.resolver_match
        instance: Any = (
            self.get_object(request, unquote(match.kwargs.get("object_id", "")))
            if match
            else None
        )
        if instance is not None and field is not None:
            own = {
                "organization": instance.organization,
                "element_key": instance.element_key,
            }
            field.queryset = field.queryset.filter(**own)
            field.empty_label = gettext("No provider app")
            field.label = gettext("App")
        return field

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        """Save the provider app, and say in the audit who chose it."""
        hand = self.hand(request, obj.organization)
        app = obj.provider_app
        former = Instance.objects.select_related("provider_app").get(pk=obj.pk)
        if app is not None:
            obj.provider_key = app.provider_key
        obj.save(update_fields=["provider_app", "provider_key"])
        record(
            Action.INSTANCE_CHANGED,
            chain=obj.organization.chain,
            actor=hand.actor,
            at=hand.now,
            subject=Subject("instance", str(obj.uid), obj.name),
            instance_uid=str(obj.uid),
            facts={
                "before": str(former.provider_app or ""),
                "provider_app": str(app or ""),
            },
        )
