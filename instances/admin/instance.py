"""Instances: the list people triage, bulk actions, and the page of one instance."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from ceadmin import ui
from ceadmin.audit.choices import Action
from ceadmin.audit.record import Subject, record
from ceadmin.frame import FramedAdmin
from ceadmin.lib.client import client_address
from ceadmin.teams.choices import Act
from ceadmin.teams.models import Organization, User
from ceadmin.teams.permissions import NotAllowed
from ceadmin.teams.scoping import ScopedAdmin
from instances import selection
from instances.admin.choosers import (
    ONE_BUTTON,
    OwnNamed,
    provider_of,
    without_shortcuts,
)
from instances.admin.drafted import DraftedFilter, SelectsDrafted
from instances.admin.filters import (
    AppFilter,
    ProviderFilter,
    StatusFilter,
    TagFilter,
    searched_for,
    selection_of,
)
from instances.admin.kin_filters import DoubtfulFilter, SiblingFilter
from instances.admin.once import create_once
from instances.admin.saying import GrantFilter
from instances.admin.story import story_of
from instances.admin.when import SinceFilter, WasFilter
from instances.choices import InstanceStatus, RunKind
from instances.models import Instance, Run


@admin.register(Instance)
class InstanceAdmin(SelectsDrafted, FramedAdmin, ScopedAdmin):
    """Instances are mirrored from the platform; what can be changed here is the provider app."""

    act_add = act_delete = None
    act_change = Act.OPERATE

    list_display = (
        "name",
        "provider",
        "state",
        "since",
        "tag_names",
        "probed",
        "revoked",
    )
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
    search_fields = ("name", "remote_id")
    search_help_text = "Name, id, account or tag"
    list_select_related = ("provider_app",)
    list_per_page = 50
    list_max_show_all = 200
    show_full_result_count = False
    ordering = ("name", "pk")
    fieldsets = (
        (
            "Provider app",
            {
                "fields": ("provider_app",),
                "description": "Its client id and secret revoke this instance's tokens and reconnect it. "
                "Choose the app that the customer once consented to; another one cannot revoke.",
            },
        ),
    )
    actions = ("probe", "reauthenticate", "drill", "revoke")
    danger_actions = ("revoke", "drill")
    change_form_template = "instances/instance/page.html"

    empty_icon = "instances"
    empty_title = "No instances here"
    empty_text = "Instances are mirrored from Cloud Elements. Sync an organization to see its instances."

    def get_empty_action(self, request: HttpRequest) -> tuple[str, str] | None:
        """Lead to the organizations, where a sync starts."""
        return "Go to organizations", reverse("admin:teams_organization_changelist")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Fetch tags with the rows."""
        return super().get_queryset(request).prefetch_related("tags")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[OwnNamed]:
        """Name own providers, too."""
        return OwnNamed

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search as selections do, so that "all N matching" means what the list shows."""
        term = searched_for(search_term)
        return (queryset.searched(term) if term else queryset), False  # type: ignore[attr-defined]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out deletion: the platform decides which instances exist."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    # Columns

    @admin.display(ordering="provider_key")
    def provider(self, instance: Instance) -> str:
        """Name the provider, or the element the catalogue does not know."""
        return provider_of(instance) or instance.element_key

    @admin.display(description="status", ordering="status")
    def state(self, instance: Instance) -> SafeString:
        """Draw the status."""
        return ui.pill(instance.status)

    @admin.display(ordering="status_since")
    def since(self, instance: Instance) -> SafeString:
        """Say since when."""
        return ui.when(instance.status_since, timezone.now(), bare=True)

    @admin.display(description="tags")
    def tag_names(self, instance: Instance) -> str:
        """List the tags."""
        return ", ".join(sorted(tag.name for tag in instance.tags.all())) or "–"

    @admin.display(description="last probe", ordering="probed_at")
    def probed(self, instance: Instance) -> SafeString:
        """Say when it was last probed."""
        return ui.when(instance.probed_at, timezone.now())

    @admin.display(description="last revocation", ordering="revoked_at")
    def revoked(self, instance: Instance) -> SafeString:
        """Say when it was last revoked here."""
        return ui.when(instance.revoked_at, timezone.now())

    # Bulk actions

    @admin.action(description="Probe", permissions=["operate"])
    def probe(
        self, request: HttpRequest, queryset: QuerySet[Instance]
    ) -> HttpResponse | None:
        """Probe the selected instances."""
        return self._begin(request, RunKind.PROBE, queryset)

    @admin.action(description="Reauthenticate…", permissions=["operate"])
    def reauthenticate(
        self, request: HttpRequest, queryset: QuerySet[Instance]
    ) -> HttpResponse | None:
        """Make a reconnect link for each of the selected instances."""
        return self._begin(request, RunKind.RECONNECT, queryset)

    @admin.action(description="Drill…", permissions=["drill"])
    def drill(
        self, request: HttpRequest, queryset: QuerySet[Instance]
    ) -> HttpResponse | None:
        """Draft a drill of the selected instances."""
        return self._begin(request, RunKind.DRILL, queryset)

    @admin.action(description="Revoke tokens…", permissions=["revoke"])
    def revoke(
        self, request: HttpRequest, queryset: QuerySet[Instance]
    ) -> HttpResponse | None:
        """Draft a revocation of the selected instances."""
        return self._begin(request, RunKind.REVOKE, queryset)

    def _begin(
        self, request: HttpRequest, kind: RunKind, queryset: QuerySet[Instance]
    ) -> HttpResponse | None:
        """Make a run for each organization among the rows; go to it, or to the list when there are several."""
        rows = self.rows(request, _LEAST[kind], queryset)
        rows = rows.order_by().prefetch_related(None)
        # One row of each organization is enough to know, however many there are. EXISTS would
        # be joined by PostgreSQL, which reads all of them; the first of an index is looked up.
        some = rows.filter(organization=OuterRef("pk")).order_by("remote_id")
        owners = Organization.objects.alias(one=Subquery(some.values("pk")[:1])).filter(
            one__gt=0
        )
        made: list[Run] = []
        for organization in owners.order_by("name"):
            chosen = selection_of(request, rows.filter(organization=organization))
            try:
                made.append(self._create(request, kind, organization, chosen))
            except NotAllowed:
                messages.error(request, _NOT_THESE.format(name=organization))
        if len(made) == 1:
            return HttpResponseRedirect(
                reverse("admin:instances_run_change", args=[made[0].pk])
            )
        if made:
            messages.info(
                request, f"{len(made)} runs were made, one for each organization."
            )
            return HttpResponseRedirect(reverse("admin:instances_run_changelist"))
        if not owners.exists():
            messages.warning(request, _NOTHING_STARTED)
        return None

    def _create(
        self,
        request: HttpRequest,
        kind: RunKind,
        organization: Organization,
        chosen: dict[str, Any],
    ) -> Run:
        user = request.user
        if not isinstance(user, User):
            raise NotAllowed(_LEAST[kind], organization)
        return create_once(
            kind,
            organization,
            chosen,
            user=user,
            now=timezone.now(),
            address=client_address(request),
        )

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
        run = self._create(request, RunKind(kind), instance.organization, chosen)
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
            field.empty_label = "No provider app"
            field.label = "App"
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

    def headline(self, request: HttpRequest) -> SafeString:
        """Say how many there are and how many need somebody, each number a link to its rows."""
        mine = self.get_queryset(request).order_by().prefetch_related(None)
        rows = mine.values("status").annotate(count=Count("pk"))
        counts = {row["status"]: row["count"] for row in rows}
        total = sum(counts.values())
        told = [("?", ui.things(total, "instance", "instances"))] if total else []
        told += [
            (f"?status={status}", f"{ui.number(counts[status])} {words}")
            for status, words in _NEEDY.items()
            if counts.get(status)
        ]
        if total and len(told) == 1:
            return format_html(
                '<a href="?">{}</a> · None needs reauthentication', told[0][1]
            )
        return format_html_join(" · ", '<a href="{}">{}</a>', told)


#: What a person must be allowed to do at least for a run of some of the rows; `runs.create`
#: asks again for just these rows.
_LEAST: dict[str, Act] = {
    RunKind.PROBE: Act.OPERATE,
    RunKind.RECONNECT: Act.OPERATE,
    RunKind.DRILL: Act.DRILL_TEST,
    RunKind.REVOKE: Act.REVOKE,
}
_NOTHING_STARTED = (
    "Nothing was started: you may not do this with the selected instances."
)
_NOT_THESE = (
    "Nothing was started in {name}: without the role revoker only instances that are "
    "tagged as test can be drilled, together with all that share their grant."
)

#: What the list's first line counts beside the whole.
_NEEDY = {
    InstanceStatus.NEEDS_REAUTH: "need reauthentication",
    InstanceStatus.DISABLED: "disabled",
    InstanceStatus.DEGRADED: "degraded",
}


def instance_link(instance: Instance | None, name: str) -> SafeString | str:
    """Draw the name of an instance as a link to its page; a name alone when it is gone."""
    if instance is None:
        return name
    return format_html(
        '<a href="{}">{}</a>',
        reverse("admin:instances_instance_change", args=[instance.pk]),
        name,
    )
