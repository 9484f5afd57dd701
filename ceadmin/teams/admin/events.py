"""The audit, to read: auditors see their organizations' events, superusers all."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from ceadmin import ui
from ceadmin.audit.models import Event, Head
from ceadmin.audit.record import Subject
from ceadmin.frame import FramedAdmin
from ceadmin.teams.admin.event_export import export
from ceadmin.teams.admin.event_filters import FILTERS, question_of
from ceadmin.teams.admin.event_gist import gist
from ceadmin.teams.admin.event_list import EventList, shown
from ceadmin.teams.admin.event_proofs import neighbours_of, proofs_of
from ceadmin.teams.admin.event_receipts import has_receipt, receipt_of
from ceadmin.teams.admin.event_words import offered, page_of, subject_in_words
from ceadmin.teams.audit_reads import note_read, note_receipt
from ceadmin.teams.choices import Act
from ceadmin.teams.models import Organization
from ceadmin.teams.naming import Names, names_of
from ceadmin.teams.permissions import (
    closed_without_factor,
    organizations,
    sees_everything,
)
from ceadmin.teams.recent import require_recent
from ceadmin.teams.scoping import ScopedAdmin, user_of


@admin.register(Event)
class EventAdmin(FramedAdmin, ScopedAdmin):
    """Who did what to what, why, and what came of it. Nothing here can be changed."""

    organization_path = ""  # events have no foreign keys: see `rows`
    act_view = Act.AUDIT
    act_add = act_change = act_delete = None

    list_display = (
        *("time", "what", "who", "subject", "result"),
        *("organization_name", "reason", "ticket"),
    )
    list_display_links = ("what",)
    list_filter = FILTERS
    search_fields = ("reason", "ticket", "subject_name")  # `finding` looks for them
    search_help_text = _("Reason, ticket, name or id")
    sortable_by = ()  # the newest first, always: that is how they are found
    show_full_result_count = False
    list_per_page = 50
    actions = None

    empty_icon = "audit"
    empty_title = _("No events here")
    empty_text = _(
        "Everything done to instances, secrets and members is recorded here."
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[EventList]:
        """Find events along their indexes."""
        return EventList

    def get_urls(self) -> list[URLPattern]:
        """Add the files and the receipts."""
        guard = self.admin_site.admin_view
        own = (
            path(
                "export/<slug:kind>/",
                guard(require_GET(self.export_view)),
                name="audit_event_export",
            ),
            path(
                "receipt/<uuid:instance>/<uuid:run>/",
                guard(require_GET(self.receipt_view)),
                name="audit_event_receipt",
            ),
        )
        return [*own, *super().get_urls()]

    def rows(
        self, request: HttpRequest, act: Act | None, queryset: QuerySet[Event]
    ) -> QuerySet[Event]:
        """Return the events of the organizations whose audit the person may read."""
        user = user_of(request)
        if act is None:
            return queryset.none()
        if sees_everything(user):
            return queryset
        if user.is_active and user.is_superuser:
            closed = closed_without_factor(user)
            return queryset.exclude(chain__in=[row.chain for row in closed])
        readable = organizations(user, act)
        return queryset.filter(chain__in=[row.chain for row in readable])

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
        _attach_names(changelist.result_list)
        return changelist

    def changelist_view(
        self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None
    ) -> HttpResponse:
        """Record that the list was read."""
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data:
            events = response.context_data["cl"].result_list
            note_read(request, shown(events), timezone.now())
        return response

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show one event whole, and whether it still is what was hashed."""
        if request.method != "GET" or not self.has_view_permission(request):
            raise PermissionDenied
        event = self.get_object(request, object_id)
        if not isinstance(event, Event):
            raise Http404
        heads = Head.objects.filter(chain=event.chain).values_list(
            "sequence", flat=True
        )
        last = heads.order_by("pk").first() or 0
        note_read(request, {event.chain}, timezone.now())
        proof = proofs_of([event])[0]
        context = {
            "original": event,
            "proof": proof,
            "has_receipt": has_receipt(proof),
            "beside": neighbours_of(event, last),
            "provider": _provider(event),
            "subject_page": page_of(event.subject_type, event.subject_uid),
            "run_page": page_of("run", event.run_uid),
            "instance_page": page_of("instance", event.instance_uid),
        }
        return self._page(request, "event", str(event), context)

    def receipt_view(
        self, request: HttpRequest, instance: uuid.UUID, run: uuid.UUID
    ) -> HttpResponse:
        """Show what was done to one instance by one run, to be printed."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.rows(request, self.act_view, Event.objects.all())
        receipt = receipt_of(rows, instance, run)
        event, now = receipt.first.event, timezone.now()
        organization = self.organization_of(event)
        subject = Subject("instance", event.instance_uid, event.subject_name)
        note_receipt(request, event.chain, subject, event.run_uid, now)
        context = {
            "receipt": receipt,
            "event": event,
            "provider": _provider(event),
            "made_at": now,
            "receipt_commands": _commands(request, organization),
            "instance_page": page_of("instance", event.instance_uid),
            "run_page": page_of("run", event.run_uid),
        }
        title = gettext("Receipt: %(name)s") % {"name": event.subject_name}
        return self._page(request, "receipt", title, context)

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """Stream what the list shows as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        require_recent(request)
        return export(request, question_of(request), kind, timezone.now())

    def _page(
        self, request: HttpRequest, name: str, title: str, context: dict[str, Any]
    ) -> TemplateResponse:
        request.current_app = self.admin_site.name
        frame = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
        }
        template = f"admin/audit/event/{name}.html"
        return TemplateResponse(request, template, {**frame, **context})

    def audit_uid(self, obj: Event) -> str:
        """Give what an event is about."""
        return obj.subject_uid

    @admin.display(description=_("time"))
    def time(self, event: Event) -> str:
        """Say how long ago it was."""
        return ui.when(event.at, timezone.now())

    @admin.display(description=_("what"))
    def what(self, event: Event) -> SafeString:
        """Say what was done, and in a phrase what it came to."""
        act, told = event.get_action_display(), gist(event)
        if not told:
            return format_html("{}", act)
        return format_html('{}<br><span class="small muted">{}</span>', act, told)

    @admin.display(description=_("outcome"))
    def result(self, event: Event) -> str:
        """Show what came of it as every page shows it."""
        return ui.pill(event.outcome)

    @admin.display(description=_("organization"))
    def organization_name(self, event: Event) -> str:
        """Name the organization, or the id that is left of it."""
        return _names(event).organization

    @admin.display(description=_("who"))
    def who(self, event: Event) -> str:
        """Name the actor, as long as they are not erased."""
        return _names(event).actor

    @admin.display(description=_("about"))
    def subject(self, event: Event) -> str:
        """Name what was acted on."""
        return subject_in_words(event.subject_type, _names(event).subject)


def _commands(request: HttpRequest, organization: Organization | None) -> str:
    """Return how to verify a receipt, as the person would type it."""
    of = f" --organization {organization.slug}" if organization else ""
    who = getattr(request.user, "email", "")
    return (
        f"manage.py export_audit audit.jsonl --as {who}{of}\n"
        "manage.py verify_audit audit.jsonl --public-keys KEYS --checkpoints CHECKPOINTS"
    )


def _provider(event: Event) -> str:
    return dict(offered("provider_key")).get(event.provider_key, event.provider_key)


def _attach_names(events: Sequence[Event]) -> None:
    names = names_of(events)
    for event in events:
        event.__dict__["names"] = names[event.pk]


def _names(event: Event) -> Names:
    names: Names = event.__dict__["names"]
    return names
