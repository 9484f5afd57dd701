"""The pages on which owners write records of their own: three ways in, one page that saves.

Whichever way a text came about, it is shown with the calls it would make and the hosts
they go to, and saved from that page alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from ceadmin.teams.choices import Act
from ceadmin.teams.denials import denied_request, not_offered
from ceadmin.teams.permissions import organizations
from ceadmin.teams.recent import require_recent
from instances.actions import own_records
from instances.actions.own_records import OwnError
from instances.admin.choosers import proposed_organization
from instances.admin.own_forms import (
    ByHandForm,
    IssuerForm,
    PlaceForm,
    RecordForm,
    TextForm,
    text_of,
)
from instances.admin.own_preview import Preview, in_words, preview_of
from providers import discovery
from providers.errors import SpecError
from providers.models import OwnProvider
from providers.writing import Plan, key_for

if TYPE_CHECKING:
    from ceadmin.teams.scoping import ScopedAdmin as _Base
else:
    _Base = ModelAdmin

_FOLDER = "instances/own_provider"
AnyForm = TypeVar("AnyForm", bound=PlaceForm)


class WritingPages(_Base):
    """The ways in, beside the pages of an admin of own providers."""

    add_title: str | Promise = _("Add an own provider")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages."""
        wrap, name = self.admin_site.admin_view, "providers_ownprovider"
        own = [
            path("discover/", wrap(self.discover), name=f"{name}_discover"),
            path("by-hand/", wrap(self.by_hand), name=f"{name}_by_hand"),
            path(
                "preview/", wrap(require_POST(self.preview)), name=f"{name}_preview_do"
            ),
            path(
                "<path:object_id>/write/", wrap(self.write_view), name=f"{name}_write"
            ),
        ]
        return [*own, *super().get_urls()]

    # The ways in

    def discover(self, request: HttpRequest) -> HttpResponse:
        """Ask an issuer's server, and show what it says as a record to be saved."""
        form = self._form(request, IssuerForm)
        if request.method == "POST" and self._valid(request, form):
            try:
                found = discovery.discover(form.cleaned_data["issuer"])
            except discovery.NotFound as problem:
                form.add_error("issuer", problem.sentence)
            else:
                return self._prefilled(request, form, _plan(found, form))
        return self._page(request, "discover", {"form": form})

    def by_hand(self, request: HttpRequest) -> HttpResponse:
        """Make a record of a few answers."""
        form = self._form(request, ByHandForm)
        shown: Preview | None = None
        if request.method == "POST" and self._valid(request, form):
            plan = form.plan(_month())
            if request.POST.get("act") != "preview":
                return self._prefilled(request, form, plan)
            shown = preview_of(plan.text())
        return self._page(request, "by_hand", {"form": form, "preview": shown})

    def _form(self, request: HttpRequest, kind: type[AnyForm]) -> AnyForm:
        """Return a form for one of the organizations that the person owns."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        places = organizations(request.user, Act.OWN).order_by("name")
        if request.method == "POST":
            return kind(places, request.POST, request.FILES)
        first = {"organization": proposed_organization(request)}
        return kind(places, initial=first)

    def _valid(self, request: HttpRequest, form: forms.Form) -> bool:
        """Look at what was typed; record a choice that was not offered."""
        if names := not_offered(form):
            denied_request(request, "not_offered", model=self.opts.label, fields=names)
        return form.is_valid()

    def _prefilled(
        self, request: HttpRequest, form: forms.Form, plan: Plan
    ) -> HttpResponse:
        text = plan.text()
        place = form.cleaned_data["organization"]
        first = {"organization": place, "text": text}
        places = form.fields["organization"].queryset  # type: ignore[attr-defined]
        context = {"preview": preview_of(text), "source": plan.source}
        return self._writing(request, RecordForm(places, initial=first), context)

    def preview(self, request: HttpRequest) -> HttpResponse:
        """Show what a text means while it is written."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if "text" in request.POST:
            shown: Preview | None = preview_of(request.POST["text"])
        else:
            places = organizations(request.user, Act.OWN)
            form = ByHandForm(places, request.POST)
            ready = form.is_valid()
            shown = preview_of(form.plan(_month()).text()) if ready else None
        vouched = request.POST.getlist("vouched")
        context = {
            "preview": shown,
            "vouched": vouched,
            "asks": "text" in request.POST,
        }
        return TemplateResponse(request, f"{_FOLDER}/_preview.html", context)

    # The page that saves

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Write a new record, or read it from a file."""
        form = self._form(request, RecordForm)
        if request.method != "POST":
            return self._writing(request, form, {})
        if not self._valid(request, form):
            return self._again(request, form)
        if self._goes_on(request):
            place = form.cleaned_data["organization"]
            try:
                require_recent(request)
                draft = form.draft(request.POST.getlist("vouched"), str(request.user))
                hand = self.hand(request, place)
                own = own_records.add(place, draft, hand=hand)
            except (SpecError, OwnError) as problem:
                _tell(form, problem)
            else:
                words = gettext("%(provider)s was added. It can be used now.")
                messages.success(request, words % {"provider": own})
                return _to("change", own)
        return self._again(request, form)

    def write_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give a record a new version."""
        own: OwnProvider = self.fetch(request, object_id, Act.OWN)
        if request.method != "POST":
            first = {"text": own.current.text, "seen": own.version}
            return self._writing(request, TextForm(initial=first), {"original": own})
        form = TextForm(request.POST, request.FILES)
        if form.is_valid() and self._goes_on(request):
            try:
                require_recent(request)
                draft = form.draft(request.POST.getlist("vouched"), str(request.user))
                seen = form.cleaned_data["seen"] or 0
                hand = self.hand(request, own.organization)
                own_records.change(own, draft, seen=seen, hand=hand)
            except (SpecError, OwnError) as problem:
                _tell(form, problem)
            else:
                words = gettext("Version %(number)s is used from now on.")
                messages.success(request, words % {"number": own.version})
                return _to("change", own)
        return self._again(request, form, {"original": own})

    def _goes_on(self, request: HttpRequest) -> bool:
        """Tell whether something is to be saved: a file is only looked at first."""
        return request.POST.get("act", "save") == "save" and not request.FILES

    def _again(
        self,
        request: HttpRequest,
        form: TextForm,
        context: Mapping[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a form again with what was typed, or with what a file holds."""
        data = request.POST.copy()
        file = request.FILES.get("file")
        if file is not None:
            try:
                data["text"], data["imported"] = text_of(file), "on"
                form.errors.pop("text", None)
            except forms.ValidationError as problem:
                form.add_error("file", problem)
            form.data = data
        preview = preview_of(data.get("text", "")) if data.get("text") else None
        told = {"preview": preview, "vouched": data.getlist("vouched")}
        failed = bool(form.errors)
        return self._writing(
            request, form, {**told, **(context or {})}, 422 if failed else 200
        )

    def _writing(
        self,
        request: HttpRequest,
        form: TextForm,
        context: Mapping[str, Any],
        status: int = 200,
    ) -> HttpResponse:
        if "preview" not in context and form.initial.get("text"):
            context = {**context, "preview": preview_of(form.initial["text"])}
        return self._page(request, "write", {"form": form, **context}, status)

    def _page(
        self,
        request: HttpRequest,
        name: str,
        context: Mapping[str, Any],
        status: int = 200,
    ) -> TemplateResponse:
        """Return one of the pages of own providers."""
        request.current_app = self.admin_site.name
        whole = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": self.add_title,
            **context,
        }
        return TemplateResponse(request, f"{_FOLDER}/{name}.html", whole, status=status)


def _tell(form: forms.Form, problem: SpecError | OwnError) -> None:
    """Say beside which field what is wrong."""
    if isinstance(problem, SpecError):
        form.add_error("text", in_words(problem))
        return
    field = {"reason_missing": "why"}.get(problem.code)
    form.add_error(field, problem.sentence)


def _to(page: str, own: OwnProvider) -> HttpResponseRedirect:
    return HttpResponseRedirect(
        reverse(f"admin:providers_ownprovider_{page}", args=[own.pk])
    )


def _month() -> str:
    return f"{timezone.localdate():%Y-%m}"


def _plan(found: discovery.Metadata, form: IssuerForm) -> Plan:
    host = found.issuer.partition("://")[2]
    name: str = form.cleaned_data["name"] or host.partition("/")[0]
    return Plan(
        key=key_for(host),
        name=name,
        element_keys=form.elements_typed(),
        checked=_month(),
        revocation_url=found.revocation_url,
        client_auth=found.client_auth,
        introspection_url=found.introspection_url,
        check_url=found.check_url,
        authorization_url=found.authorization_url,
        token_url=found.token_url,
        source=found.address,
    )
