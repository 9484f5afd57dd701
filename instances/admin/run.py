"""Runs: the list, the draft that is its own confirmation, and the live page."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from itertools import chain
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from ceadmin import ui
from ceadmin.frame import FramedAdmin
from ceadmin.lib.client import client_address
from ceadmin.teams.choices import Act
from ceadmin.teams.models import User
from ceadmin.teams.permissions import NotAllowed, require
from ceadmin.teams.recent import require_recent
from ceadmin.teams.scoping import ScopedAdmin
from instances import reconnect, runs
from instances.admin.approvals import ApprovalFilter, pill_word
from instances.admin.run_acts import Hand, act_on
from instances.admin.run_page import (
    draft_context,
    draft_form,
    live_json,
    live_parts,
)
from instances.admin.run_story import deeds_of
from instances.admin.taken_out import note_of_run
from instances.choices import DESTRUCTIVE, LINK_OPEN, RunStatus
from instances.forms import safe_cell
from instances.models import Item, ReconnectLink, Run

_COLUMNS = (
    "remote_id",
    "instance_name",
    "provider_key",
    "status",
    "outcome",
    "cause",
    "explanation",
    "finished_at",
)
_LINK_COLUMNS = (
    "remote_id",
    "instance_name",
    "element_key",
    "account",
    "status",
    "expires_at",
    "address",
)


@admin.register(Run)
class RunAdmin(FramedAdmin, ScopedAdmin):
    """Nothing of a run can be edited: it is started, paused, resumed, stopped, or done again."""

    act_add = act_change = act_delete = None

    list_display = (
        "what",
        "state",
        "size",
        "organization",
        "maker",
        "reason",
        "made",
    )
    list_display_links = ("what",)
    list_filter = ("kind", "status", ApprovalFilter, "organization")
    lookups = ("requested_by",)
    search_fields = ("reason", "ticket", "requested_by_name", "=uid")
    search_help_text = _("Reason, ticket, person or run id")
    list_select_related = ("organization",)
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-created_at", "-pk")
    actions = None

    empty_icon = "runs"
    empty_title = _("No runs yet")
    empty_text = _(
        "A run is one bulk operation: select instances, then probe, revoke, "
        "reauthenticate or drill them."
    )
    empty_action = (_("Go to instances"), "/admin/instances/instance/")

    @admin.display(description=_("run"), ordering="kind")
    def what(self, run: Run) -> str:
        """Name the run."""
        return str(run)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """Say with each run how it stands with its approvers."""
        return super().get_queryset(request).with_approval()  # type: ignore[attr-defined, no-any-return]

    @admin.display(description=_("status"), ordering="status")
    def state(self, run: Any) -> SafeString:
        """Draw the status; of a draft that waits for an approver that."""
        word = pill_word(run, run.approval_status, run.glass_unreviewed)
        if word.startswith("approval_"):
            return ui.pill(word)
        marked = ui.pill(word) if word else ""
        return format_html("{} {}", ui.pill(run.word), marked)

    @admin.display(description=_("instances"), ordering="total")
    def size(self, run: Run) -> str:
        """Say how many instances it is about."""
        return ui.number(run.total)

    def lookup_words(
        self, request: HttpRequest, lookup: str, value: str
    ) -> tuple[str, str]:
        """Say whose runs, or which, another page's link asked for: one's own, those at work."""
        if lookup.startswith("requested_by"):
            mine = value == str(request.user.pk)
            return gettext("by"), gettext("me") if mine else value
        labels = dict(RunStatus.choices)
        told = [str(labels.get(one, one)) for one in value.split(",")]
        return gettext("status"), ", ".join(told)

    @admin.display(description=_("by"), ordering="requested_by_name")
    def maker(self, run: Run) -> str:
        """Name who asked for it."""
        return run.requested_by_name or gettext("the schedule")

    @admin.display(description=_("made"), ordering="created_at")
    def made(self, run: Run) -> SafeString:
        """Say when it was made."""
        return ui.when(run.created_at, timezone.now())

    # Pages

    def get_urls(self) -> list[URLPattern]:
        """Add what can be done with a run, its numbers, and its list as a file."""
        wrap, pk = self.admin_site.admin_view, "<path:object_id>"
        own = [
            path(
                f"{pk}/do/<slug:act>/",
                wrap(self.do),
                name="instances_run_do",
            ),
            path(
                f"{pk}/live.json",
                wrap(require_GET(self.live)),
                name="instances_run_live",
            ),
            path(
                f"{pk}/items.csv",
                wrap(require_GET(self.download)),
                name="instances_run_items",
            ),
            path(
                f"{pk}/links.csv",
                wrap(require_GET(self.download_links)),
                name="instances_run_links",
            ),
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show a draft as the confirmation of what it would do, any other run live."""
        run: Run = self.fetch(request, object_id, Act.VIEW)
        if run.status == RunStatus.DRAFT:
            kin = runs.kin_of(run)
            form = draft_form(run, request.user, kin=kin)
            context = draft_context(run, request.user, form, kin)
            return self._page(request, "instances/run/draft.html", run, context)
        deeds = deeds_of(run, request, timezone.now())
        context = {**live_parts(run, request)[0], "deeds": deeds}
        return self._page(request, "instances/run/live.html", run, context)

    def _page(
        self,
        request: HttpRequest,
        template: str,
        run: Run,
        context: dict[str, Any],
        status: int = 200,
    ) -> TemplateResponse:
        request.current_app = self.admin_site.name
        frame = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(run),
            "run": run,
        }
        return TemplateResponse(request, template, {**frame, **context}, status=status)

    def live(self, request: HttpRequest, object_id: str) -> JsonResponse:
        """Return what the live page shows, for its poll."""
        run: Run = self.fetch(request, object_id, Act.VIEW)
        # As UTF-8: escaped, a name in another script would weigh three times as much.
        as_it_is = {"ensure_ascii": False}
        return JsonResponse(live_json(run, request), json_dumps_params=as_it_is)

    def do(self, request: HttpRequest, object_id: str, act: str) -> HttpResponse:
        """Do what a button says; say why when it can't be done."""
        run: Run = self.fetch(request, object_id, Act.VIEW)
        user = request.user
        if request.method != "POST":
            # Whoever had to sign in again comes here, their press lost.
            page = {"run_url": self._address(run)}
            template = "instances/run/not_pressed.html"
            answer = self._page(request, template, run, page, status=405)
            answer["Allow"] = "POST"
            return answer
        if not isinstance(user, User):
            raise NotAllowed(runs.act_of(run), run.organization)
        hand: Hand = {
            "user": user,
            "now": timezone.now(),
            "address": client_address(request),
        }
        if act in _CONFIRMED and run.kind in DESTRUCTIVE:
            require_recent(request)
        if act in _OF_FORM:
            return self._submit(request, run, act, hand)
        try:
            target = act_on(run, act, request.POST.dict(), hand)
        except runs.RunError as error:
            messages.error(request, error.sentence)
            target = run
        return HttpResponseRedirect(self._address(target))

    def _submit(
        self, request: HttpRequest, run: Run, act: str, hand: Hand
    ) -> HttpResponse:
        """Start a draft or ask for its approval; errors keep what was typed."""
        kin = runs.kin_of(run)
        form = draft_form(run, hand["user"], request.POST, kin)
        if form.is_valid():
            try:
                _OF_FORM[act](run, **hand, **form.wanted())
            except runs.RunError as error:
                form.add_error(None, error.sentence)
            else:
                return HttpResponseRedirect(self._address(run))
        if self._is_over(request, run):
            return HttpResponseRedirect(self._address(run))
        require(hand["user"], runs.act_of(run), run.organization)
        return self._page(
            request,
            "instances/run/draft.html",
            run,
            draft_context(run, hand["user"], form, kin),
            status=422,
        )

    def _is_over(self, request: HttpRequest, run: Run) -> bool:
        """Tell whether a page was open for longer than its draft was one; say what became of it."""
        run.refresh_from_db()
        if run.status == RunStatus.DRAFT:
            return False
        if run.status == RunStatus.EXPIRED:
            messages.warning(request, gettext(_WAS_DROPPED))
        else:
            who = run.requested_by_name or gettext("the schedule")
            messages.info(request, gettext(_WAS_STARTED) % {"who": who})
        return True

    def _address(self, run: Run) -> str:
        return reverse("admin:instances_run_change", args=[run.pk])

    def download(self, request: HttpRequest, object_id: str) -> StreamingHttpResponse:
        """Stream the items as CSV; of an old run what is left of them, and its name says so."""
        run: Run = self.fetch(request, object_id, Act.VIEW)
        rest = "-what-is-left" if run.items_removed_at else ""
        items = Item.objects.filter(run=run).order_by("number").values_list(*_COLUMNS)
        note_of_run(request, run, items, "items", timezone.now())
        rows = items.iterator(chunk_size=2000)
        return _as_csv(f"run-{str(run.uid)[:8]}{rest}.csv", _COLUMNS, rows)

    def download_links(
        self, request: HttpRequest, object_id: str
    ) -> StreamingHttpResponse:
        """Stream the addresses of the run's open links as CSV, to operators."""
        run: Run = self.fetch(request, object_id, Act.OPERATE)
        made = ReconnectLink.objects.filter(
            item__run=run, status__in=sorted(LINK_OPEN)
        ).select_related("instance")
        note_of_run(request, run, made, "links", timezone.now())
        rows = (_link_row(link) for link in made.order_by("pk").iterator(2000))
        return _as_csv(f"links-{str(run.uid)[:8]}.csv", _LINK_COLUMNS, rows)

    def headline(self, request: HttpRequest) -> SafeString:
        """Say how many are at work, each number a link to its rows."""
        mine = self.get_queryset(request).order_by()
        working, drafts = (
            mine.filter(status__in=group).count() for group in (_WORKING, ("draft",))
        )
        at_work = gettext("%(count)s at work")
        told = [
            (
                f"?status__in={','.join(_WORKING)}",
                at_work % {"count": ui.number(working)},
            ),
            ("?status__exact=draft", ui.things(drafts, "draft", "drafts")),
        ]
        asked = mine.awaiting_approval().count()  # type: ignore[attr-defined]
        if asked:
            waiting = gettext("%(count)s waiting for approval")
            told += [("?approval=waiting", waiting % {"count": ui.number(asked)})]
        return format_html_join(" · ", '<a href="{}">{}</a>', told)


_WAS_STARTED = gettext_noop(
    "This run was started already, by %(who)s. It was not started twice."
)
_WAS_DROPPED = gettext_noop(
    "This draft was discarded or has expired meanwhile, so nothing was started."
)
#: What only a person does who confirmed not long ago that it is them.
_CONFIRMED = frozenset({"start", "approve", "break-glass", "resume", "go-on"})
_OF_FORM = {"start": runs.start, "ask": runs.ask}
_WORKING = (
    RunStatus.PLANNING.value,
    RunStatus.RUNNING.value,
    RunStatus.PAUSED.value,
    RunStatus.STOPPING.value,
)


def _link_row(link: ReconnectLink) -> tuple[Any, ...]:
    instance, address = link.instance, reconnect.address_of(link)
    about = (instance.remote_id, instance.name, instance.element_key, instance.account)
    return (*about, link.status, link.expires_at.isoformat(), address)


def _as_csv(
    name: str, head: Iterable[Any], rows: Iterable[Iterable[Any]]
) -> StreamingHttpResponse:
    """Stream rows as CSV; cells that a spreadsheet would take for a formula are quoted."""
    writer = csv.writer(_Echo())
    lines = (
        writer.writerow([safe_cell(cell) for cell in row])
        for row in chain([head], rows)
    )
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, value: str) -> str:
        """Return `value`."""
        return value
