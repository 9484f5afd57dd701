"""Items: one instance's part of a run, with the evidence of every call."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from ceadmin import ui
from ceadmin.frame import FramedAdmin
from ceadmin.teams.choices import Act
from ceadmin.teams.scoping import ScopedAdmin
from instances.actions.causes import advice
from instances.admin import words
from instances.admin.asked_of_items import asked_of_items
from instances.admin.run_page import item_context
from instances.admin.when import StartedFilter
from instances.choices import RunStatus
from instances.models import Item


@admin.register(Item)
class ItemAdmin(FramedAdmin, ScopedAdmin):
    """One instance's part of a run, with the evidence of every call."""

    organization_path = "run__organization"
    act_add = act_change = act_delete = None

    list_display = (
        "name",
        "state",
        "outcome_pill",
        "cause_word",
        "run_link",
        "finished",
    )
    list_display_links = ("name",)
    list_filter = ("status", "outcome", "run__kind", StartedFilter)
    lookups = ("run", "cause", "cleared_at", "provider_key", "instance")
    search_fields = ("instance_name", "=remote_id", "=cause")
    list_select_related = ("run",)
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-pk",)
    actions = None

    empty_icon = "runs"
    empty_title = _("No items")
    empty_text = _(
        "Items are the parts of runs, one for each instance. Start a run to see some."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Fetch what every row shows; of runs that were never started only where one is named."""
        rows = super().get_queryset(request)
        if "run__id__exact" not in request.GET and _is_list(request):
            rows = rows.exclude(run__status=RunStatus.EXPIRED)
        return rows.select_related("run__organization", "instance")

    def lookup_words(
        self, request: HttpRequest, lookup: str, value: str
    ) -> tuple[str, str]:
        """Name the run, the reason or whatever else another page's link asks."""
        return asked_of_items(request, lookup, value)

    @admin.display(description=_("instance"), ordering="instance_name")
    def name(self, item: Item) -> str:
        """Name the instance."""
        return item.instance_name

    @admin.display(description=_("status"), ordering="status")
    def state(self, item: Item) -> SafeString:
        """Draw the status."""
        return ui.pill(item.status if item.outcome else words.state(item))

    @admin.display(description=_("outcome"), ordering="outcome")
    def outcome_pill(self, item: Item) -> SafeString:
        """Draw the outcome."""
        return ui.pill(item.outcome)

    @admin.display(description=_("cause"), ordering="cause")
    def cause_word(self, item: Item) -> SafeString:
        """Draw the reason's sentence, and the word for machines in small."""
        if not item.cause:
            return ui.pill("")
        told = advice(item.cause)
        code = format_html('<code class="small muted">{}</code>', item.cause)
        return format_html("{}<br>{}", told, code) if told else code

    @admin.display(description=_("run"))
    def run_link(self, item: Item) -> SafeString:
        """Lead to the run."""
        return format_html(
            '<a href="{}">{}</a>',
            reverse("admin:instances_run_change", args=[item.run_id]),
            item.run,
        )

    @admin.display(description=_("finished"), ordering="finished_at")
    def finished(self, item: Item) -> SafeString:
        """Say when."""
        return ui.when(item.finished_at, timezone.now())

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show outcome, evidence, and for a drill the eight steps."""
        item: Item = self.fetch(request, object_id, Act.VIEW)
        request.current_app = self.admin_site.name
        frame = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": item.instance_name,
        }
        return TemplateResponse(
            request, "instances/run/item.html", {**frame, **item_context(item, request)}
        )

    def audit_uid(self, obj: Item) -> str:
        """Name the instance: an item has no uid of its own."""
        return str(obj.instance_uid)


def _is_list(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and match.url_name == "instances_item_changelist"
