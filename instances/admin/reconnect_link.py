"""Reconnect links: who was asked to reconnect what, and what became of it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext, ngettext_lazy, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from ceadmin import ui
from ceadmin.frame import FramedAdmin
from ceadmin.lib.client import client_address
from ceadmin.teams.choices import Act
from ceadmin.teams.models import User
from ceadmin.teams.permissions import may
from ceadmin.teams.scoping import ScopedAdmin
from ceadmin.teams.validators import validate_deliverable
from instances import reconnect
from instances.actions.load import callback_address
from instances.admin.filters import OpenLinkFilter
from instances.admin.when import FinishedFilter, PaceFilter
from instances.admin.words import lifetime
from instances.choices import LINK_OPEN, LinkStatus
from instances.models import ReconnectLink
from instances.spoken import drawn


@admin.register(ReconnectLink)
class ReconnectLinkAdmin(FramedAdmin, ScopedAdmin):
    """Links are made by runs; here they are copied, cancelled and followed."""

    organization_path = "instance__organization"
    act_add = act_change = act_delete = None

    list_display = ("who", "state", "maker", "made", "expires")
    list_display_links = ("who",)
    list_filter = ("status", OpenLinkFilter, FinishedFilter, PaceFilter)
    search_fields = ("instance__name", "=instance__remote_id", "made_by_name")
    search_help_text = _("Instance or person")
    list_select_related = ("instance",)
    list_per_page = 50
    show_full_result_count = False
    ordering = ("-made_at", "-pk")
    actions = ("cancel",)

    empty_icon = "link"
    empty_title = _("No reconnect links")
    empty_text = _(
        "A reconnect link lets the owner of an account reconnect it. Select instances and choose Reauthenticate."
    )
    empty_action = (_("Go to instances"), "/admin/instances/instance/")

    @admin.display(
        description=ngettext_lazy("instance", "instances", 1), ordering="instance__name"
    )
    def who(self, link: ReconnectLink) -> str:
        """Name the instance."""
        return str(link.instance)

    @admin.display(description=_("status"), ordering="status")
    def state(self, link: ReconnectLink) -> SafeString:
        """Draw the status."""
        return ui.pill(link.status)

    @admin.display(description=_("made by"), ordering="made_by_name")
    def maker(self, link: ReconnectLink) -> str:
        """Name who made it."""
        return link.made_by_name or gettext("the schedule")

    @admin.display(description=_("made"), ordering="made_at")
    def made(self, link: ReconnectLink) -> SafeString:
        """Say when it was made."""
        return ui.when(link.made_at, timezone.now())

    @admin.display(description=_("expires"), ordering="expires_at")
    def expires(self, link: ReconnectLink) -> SafeString:
        """Say until when it works."""
        return ui.when(link.expires_at, timezone.now())

    @admin.action(
        description=pgettext_lazy("reconnect link", "Cancel"), permissions=["operate"]
    )
    def cancel(self, request: HttpRequest, queryset: QuerySet[ReconnectLink]) -> None:
        """Cancel the selected links that are still open."""
        rows = self.rows(request, Act.OPERATE, queryset).filter(
            status__in=sorted(LINK_OPEN)
        )
        count = sum(self._cancel(request, link) for link in rows)
        told = ngettext(
            "%(count)s link cancelled.", "%(count)s links cancelled.", count
        )
        messages.info(request, told % {"count": ui.number(count)})

    def _cancel(self, request: HttpRequest, link: ReconnectLink) -> bool:
        user = request.user
        if not isinstance(user, User):
            return False
        try:
            address = client_address(request)
            reconnect.cancel(link, user=user, now=timezone.now(), address=address)
        except reconnect.LinkError as error:
            messages.warning(request, f"{link}: {error}")
            return False
        return True

    def get_urls(self) -> list[URLPattern]:
        """Add the buttons of a link's page."""
        do = self.admin_site.admin_view(require_POST(self.do))
        own = path(
            "<path:object_id>/do/<slug:act>/", do, name="instances_reconnectlink_do"
        )
        return [own, *super().get_urls()]

    def do(self, request: HttpRequest, object_id: str, act: str) -> HttpResponse:
        """Cancel a link, send it, let it live on, or accept the other account that came."""
        link: ReconnectLink = self.fetch(request, object_id, Act.OPERATE)
        if act == "cancel":
            self._cancel(request, link)
        elif act in _SENDERS and isinstance(request.user, User):
            form = SendForm(request.POST) if act == "send" else None
            if form is not None and not form.is_valid():
                return self._page(request, link, form, status=422)
            self._send(request, link, act, form)
        elif act == "accept" and isinstance(request.user, User):
            self._accept(request, link, request.user)
        return HttpResponseRedirect(
            reverse("admin:instances_reconnectlink_change", args=[link.pk])
        )

    def _accept(self, request: HttpRequest, link: ReconnectLink, user: User) -> None:
        try:
            address = client_address(request)
            now = timezone.now()
            reconnect.accept_account(link, user=user, now=now, address=address)
        except reconnect.LinkError as error:
            messages.warning(request, str(error))

    def _send(
        self, request: HttpRequest, link: ReconnectLink, act: str, form: SendForm | None
    ) -> None:
        user = request.user
        assert isinstance(user, User)
        by = reconnect.Sender(user, timezone.now(), client_address(request))
        try:
            messages.success(request, _SENDERS[act](link, request, form, by))
        except reconnect.LinkError as error:
            messages.error(request, error.sentence)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show the link to copy and what became of it."""
        link: ReconnectLink = self.fetch(request, object_id, Act.VIEW)
        return self._page(request, link, SendForm())

    def _page(
        self,
        request: HttpRequest,
        link: ReconnectLink,
        form: SendForm,
        status: int = 200,
    ) -> HttpResponse:
        request.current_app = self.admin_site.name
        allowed = may(request.user, Act.OPERATE, link.instance.organization)
        # Whoever has the address may connect an account: operators only.
        address = reconnect.address_of(link) if allowed and link.is_open else ""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(link.instance),
            "link": link,
            "problem": drawn(link.problem_text),
            "address": address,
            "consent_host": _consent_host(link),
            "callback": _callback(link),
            "sealed_away": allowed and link.is_open and not address,
            "allowed": allowed,
            "wrong_account": link.status == LinkStatus.WRONG_ACCOUNT,
            "facts": _facts(link),
            "form": form,
            "mail_works": settings.MAIL_WORKS,
            "lives": [(hours, lifetime(hours)) for hours in reconnect.LIVES],
        }
        page = "instances/reconnect_link/page.html"
        return TemplateResponse(request, page, context, status=status)


class SendForm(forms.Form):
    """To whom a link is sent, and in which language."""

    to = forms.EmailField(
        label=_("Mail address of the account's owner"),
        max_length=ReconnectLink._meta.get_field("sent_to").max_length,
        validators=[validate_deliverable],
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)


def _sent(
    link: ReconnectLink,
    request: HttpRequest,
    form: SendForm | None,
    by: reconnect.Sender,
) -> str:
    assert form is not None
    to: str = form.cleaned_data["to"]
    reconnect.send(link, to, form.cleaned_data["language"], by)
    return gettext("The link is on its way to %(address)s.") % {"address": to}


def _lives_on(
    link: ReconnectLink,
    request: HttpRequest,
    form: SendForm | None,
    by: reconnect.Sender,
) -> str:
    offered = {str(hours): hours for hours in reconnect.LIVES}
    reconnect.live_for(link, offered.get(request.POST.get("hours", ""), 0), by)
    until = ui.absolute(link.expires_at)
    return gettext("The link works until %(until)s.") % {"until": until}


_SENDERS = {"send": _sent, "live": _lives_on}


def _consent_host(link: ReconnectLink) -> str:
    app = link.instance.provider_app
    return app.consent_host if app and link.is_open else ""


def _callback(link: ReconnectLink) -> str:
    key = reconnect.provider_key_of(link.instance)
    return callback_address(key, link.instance.organization)


def _facts(link: ReconnectLink) -> list[tuple[str, str]]:
    moments = (
        (gettext("Made"), link.made_at),
        (gettext("Sent by mail"), link.sent_at),
        (gettext("Opened by a person"), link.opened_at),
        (gettext("Consented"), link.consented_at),
        (gettext("Finished"), link.finished_at),
        (gettext("Expires"), link.expires_at),
    )
    return [
        (gettext("Made by"), link.made_by_name),
        *((name, ui.absolute(at) if at else "") for name, at in moments),
    ]
