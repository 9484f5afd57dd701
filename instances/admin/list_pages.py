"""Pages and buttons around the list of instances: columns, views, lists brought along, files."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    QueryDict,
)
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from ceadmin.teams.models import User
from ceadmin.teams.scoping import ScopedAdmin
from instances.admin import asides, brought
from instances.admin.beginning import begin
from instances.admin.columns import choose, columns_of
from instances.admin.list_file import as_file
from instances.admin.questions import canonical, narrowed, question_of
from instances.admin.saved_view import NewViewForm, address_of
from instances.admin.taken_out import note_instances
from instances.bringing import TooMuch
from instances.choices import RunKind
from instances.models import BroughtList, SavedView
from instances.selection import of_instances

_KINDS = (RunKind.PROBE, RunKind.REVOKE, RunKind.RECONNECT, RunKind.DRILL)


class ListPages(ScopedAdmin):
    """What the list of instances has beside itself; mixed into its admin."""

    def get_urls(self) -> list[URLPattern]:
        """Add them."""
        guard = self.admin_site.admin_view
        pages: tuple[tuple[str, Any, str], ...] = (
            ("export/", require_GET(self.export_view), "export"),
            ("columns/", require_POST(self.columns_view), "columns"),
            ("save-view/", self.save_view, "save_view"),
            ("bring/", self.bring_view, "bring"),
            ("brought/<uuid:uid>/", require_GET(self.brought_view), "brought"),
            ("brought/<uuid:uid>/report/", require_GET(self.report_view), "report"),
            (
                "brought/<uuid:uid>/start/<slug:kind>/",
                require_POST(self.act_on_brought),
                "brought_act",
            ),
        )
        own = [
            path(route, guard(view), name=f"instances_instance_{name}")
            for route, view, name in pages
        ]
        return [*own, *super().get_urls()]

    def _page(
        self, request: HttpRequest, name: str, title: str, **context: Any
    ) -> TemplateResponse:
        request.current_app = self.admin_site.name
        frame = {**self.admin_site.each_context(request), "opts": self.opts}
        status = context.pop("status", 200)
        template = f"instances/instance/{name}.html"
        whole = {**frame, "title": title, **context}
        return TemplateResponse(request, template, whole, status=status)

    def _member(self, request: HttpRequest) -> User:
        """Return who asks; raise PermissionDenied for who may see no instances at all."""
        user = request.user
        if not isinstance(user, User) or not self.has_view_permission(request):
            raise PermissionDenied
        return user

    # The list as a file, and its columns

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Stream what the list shows as a file, and record it."""
        self._member(request)
        question, now = question_of(request), timezone.now()
        rows = narrowed(self.get_queryset(request), question)
        aside = asides.narrowed_by(request, rows) if question.aside else None
        note_instances(request, rows if aside is None else aside, now)
        return as_file(question, columns_of(request), now, aside)

    def columns_view(self, request: HttpRequest) -> HttpResponse:
        """Keep the columns that a person wants."""
        choose(self._member(request), request.POST.getlist("column"))
        return HttpResponseRedirect(_back(request))

    # Saved views

    def save_view(self, request: HttpRequest) -> HttpResponse:
        """Keep what the list shows under a name; show the form again where the name will not do."""
        user = self._member(request)
        sent = request.POST if request.method == "POST" else None
        asked = QueryDict((sent or request.GET).get("query", "")[:2000])
        view = SavedView(owner=user, query=canonical(asked), created_at=timezone.now())
        form = NewViewForm(request, sent, instance=view)
        if sent is None or not form.is_valid():
            status = 200 if sent is None else 422
            about = {"form": form, "query": view.query, "status": status}
            title = gettext("Save this view")
            return self._page(request, "save_view", title, **about)
        saved = form.save()
        told = gettext("Saved as “%(name)s”. It stands above the list.")
        messages.info(request, told % {"name": saved})
        return HttpResponseRedirect(address_of(saved))

    # A list that somebody brings along

    def bring_view(self, request: HttpRequest) -> HttpResponse:
        """Take a list of ids or names, and lead to what it is here."""
        user = self._member(request)
        if request.method != "POST":
            return self._page(request, "bring", gettext("Act on a list"))
        typed = request.POST.get("typed", "")
        try:
            made = brought.make(request, user, timezone.now())
        except TooMuch as problem:
            told = {"problem": str(problem), "typed": typed, "status": 422}
            return self._page(request, "bring", gettext("Act on a list"), **told)
        address = reverse("admin:instances_instance_brought", args=[made.uid])
        return HttpResponseRedirect(address)

    def _brought(self, request: HttpRequest, uid: Any) -> BroughtList:
        """Return a list that this person brought; raise Http404 for anybody else's."""
        mine = BroughtList.objects.filter(user=self._member(request), uid=uid)
        found = mine.order_by("pk").first()
        if found is None:
            raise Http404
        return found

    def brought_view(self, request: HttpRequest, uid: Any) -> HttpResponse:
        """Show what became of each line, and what can be done with the instances."""
        one = self._brought(request, uid)
        rows = brought.instances_of(one, self.get_queryset(request))
        shown = list(rows.order_by("name", "pk")[: brought.SHOWN])
        gone = len(one.found) - rows.order_by().prefetch_related(None).count()
        about = {"brought": one, "instances": shown, "gone": gone}
        about |= {"problems": brought.problems(one), "buttons": self._buttons(request)}
        return self._page(request, "brought", str(one), **about)

    def report_view(self, request: HttpRequest, uid: Any) -> HttpResponseBase:
        """Stream every line that cannot be acted on as a file."""
        return brought.report(self._brought(request, uid))

    def act_on_brought(self, request: HttpRequest, uid: Any, kind: str) -> HttpResponse:
        """Make a run over the instances of a list."""
        one = self._brought(request, uid)
        page = reverse("admin:instances_instance_brought", args=[one.uid])
        if kind not in _KINDS:
            return HttpResponseRedirect(page)
        rows = brought.instances_of(one, self.get_queryset(request))
        made = begin(self, request, RunKind(kind), rows, _these)
        return made or HttpResponseRedirect(page)

    def _buttons(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        """Return kind, words and look of what this person may do somewhere."""
        offered = self.get_actions(request)
        return [
            (kind, str(words), css)
            for action, kind, words, css in _BUTTONS
            if action in offered
        ]


_BUTTONS = (
    ("probe", RunKind.PROBE.value, _("Probe"), "primary"),
    ("reauthenticate", RunKind.RECONNECT.value, _("Reauthenticate…"), ""),
    ("drill", RunKind.DRILL.value, _("Drill…"), "danger-quiet"),
    ("revoke", RunKind.REVOKE.value, _("Revoke tokens…"), "danger-quiet"),
)


def _these(rows: Any) -> dict[str, Any]:
    return of_instances(rows.values_list("pk", flat=True))


def _back(request: HttpRequest) -> str:
    """Return where a button of the list leads back to: the list as it was."""
    listing = reverse("admin:instances_instance_changelist")
    wanted = request.POST.get("next", "")
    inside = wanted.startswith(f"{listing}?") or wanted == listing
    fits = url_has_allowed_host_and_scheme(wanted, {request.get_host()})
    return wanted if inside and fits else listing
