"""Invitations: made, renewed and withdrawn by owners; the address is shown once."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from ceadmin import ui
from ceadmin.frame import FramedAdmin, chosen_organization
from ceadmin.teams import invitations
from ceadmin.teams.choices import Act, Role
from ceadmin.teams.forms import ROLE_FLAGS, InvitationForm, chosen_roles
from ceadmin.teams.models import Invitation, User
from ceadmin.teams.permissions import organizations
from ceadmin.teams.recent import require_recent
from ceadmin.teams.scoping import ScopedAdmin


@admin.register(Invitation)
class InvitationAdmin(FramedAdmin, ScopedAdmin):
    """Who is invited to an organization; its owners only see it."""

    form = InvitationForm
    act_view = act_add = Act.OWN
    act_change = act_delete = None

    list_display = ("email", "state", "role_names", "organization", "maker", "expires")
    list_filter = ("organization", "status")
    search_fields = ("email", "made_by_name")
    list_select_related = ("organization", "made_by")
    list_per_page = 50
    ordering = ("-made_at", "-pk")
    actions = ("withdraw",)

    empty_icon = "team"
    empty_title = _("Nobody is invited")
    empty_text = _(
        "An invitation is an address that works once. Whoever you send it to becomes a "
        "member of the organization."
    )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask for what an invitation is made of."""
        return ("organization", "email", *ROLE_FLAGS)

    def get_empty_action(self, request: HttpRequest) -> tuple[str, str] | None:
        """Offer to invite somebody."""
        return gettext("Invite somebody"), reverse("admin:teams_invitation_add")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Ask for a whole page at once who may still vouch for what."""
        changelist = super().get_changelist_instance(request)
        changelist.result_list = list(changelist.result_list)
        words = invitations.words_of(changelist.result_list, timezone.now())
        for one in changelist.result_list:
            vars(one)["word"] = words[one.pk]
        return changelist

    @admin.display(description=_("status"), ordering="status")
    def state(self, invitation: Invitation) -> SafeString:
        """Draw what can still come of it."""
        return ui.pill(f"invitation_{vars(invitation)['word']}")

    @admin.display(description=_("roles"))
    def role_names(self, invitation: Invitation) -> str:
        """Name the roles in the order of the table."""
        return _role_names(invitation)

    @admin.display(description=_("vouched for by"), ordering="made_by_name")
    def maker(self, invitation: Invitation) -> str:
        """Name who vouches for it."""
        return invitation.made_by_name

    @admin.display(description=_("expires"), ordering="expires_at")
    def expires(self, invitation: Invitation) -> SafeString:
        """Say until when it can be accepted."""
        return ui.when(invitation.expires_at, timezone.now())

    @admin.action(description=_("Withdraw"), permissions=["own"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        """Withdraw the selected invitations that are still open."""
        rows = self.rows(request, Act.OWN, queryset).select_related("organization")
        count = sum(self._withdraw(request, one) for one in rows)
        text = ngettext(
            "%(count)s invitation withdrawn.", "%(count)s invitations withdrawn.", count
        )
        messages.info(request, text % {"count": ui.number(count)})

    def _withdraw(self, request: HttpRequest, invitation: Invitation) -> bool:
        hand = self.hand(request, invitation.organization)
        try:
            invitations.withdraw(invitation, hand)
        except invitations.InvitationError as problem:
            messages.warning(request, f"{invitation.email}: {problem.sentence}")
            return False
        return True

    # Inviting

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with the organization the person works in, or owns alone."""
        chosen = chosen_organization(request)
        owned = list(organizations(request.user, Act.OWN)[:2])
        only = owned[0] if len(owned) == 1 else chosen
        given: dict[str, Any] = super().get_changeform_initial_data(request)
        return ({"organization": only.pk} if only else {}) | given

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Invite somebody; where another owner was faster, say so."""
        words = {"title": gettext("Invite somebody"), **(extra_context or {})}
        try:
            return super().add_view(request, form_url, words)
        except invitations.InvitationError as problem:
            messages.error(request, problem.sentence)
            return HttpResponseRedirect(reverse("admin:teams_invitation_changelist"))

    @sensitive_variables()
    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        """Invite, and record it."""
        require_recent(request)
        made, address = invitations.invite(
            obj.organization,
            email=form.cleaned_data["email"],
            roles=chosen_roles(form),
            user=_member(request),
            hand=self.hand(request, obj.organization),
        )
        obj.__dict__.update(made.__dict__)
        obj.address = address

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the address, this once."""
        return self._page(request, obj, obj.address)

    # One invitation

    def get_urls(self) -> list[URLPattern]:
        """Add the buttons of an invitation's page."""
        do = self.admin_site.admin_view(require_POST(self.do))
        own = path("<path:object_id>/do/<slug:act>/", do, name="teams_invitation_do")
        return [own, *super().get_urls()]

    @sensitive_variables()
    def do(self, request: HttpRequest, object_id: str, act: str) -> HttpResponse:
        """Withdraw an invitation, or renew it and show its new address, this once."""
        invitation: Invitation = self.fetch(request, object_id, Act.OWN)
        if act == "withdraw" and self._withdraw(request, invitation):
            text = gettext("%(email)s is invited no more.")
            messages.info(request, text % {"email": invitation.email})
        elif act == "renew":
            require_recent(request)
            if address := self._renew(request, invitation):
                return self._page(request, invitation, address)
        page = reverse("admin:teams_invitation_change", args=[invitation.pk])
        return HttpResponseRedirect(page)

    def _renew(self, request: HttpRequest, invitation: Invitation) -> str:
        hand = self.hand(request, invitation.organization)
        try:
            return invitations.renew(invitation, user=_member(request), hand=hand)
        except invitations.InvitationError as problem:
            messages.warning(request, problem.sentence)
            return ""

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show how it stands, with the buttons."""
        return self._page(request, self.fetch(request, object_id, Act.OWN), "")

    def _page(
        self, request: HttpRequest, invitation: Invitation, address: str
    ) -> HttpResponse:
        request.current_app = self.admin_site.name
        word = invitations.word_of(invitation, timezone.now())
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": invitation.email,
            "invitation": invitation,
            "state": f"invitation_{word}",
            "word": word,
            "is_open": word not in ("used", "withdrawn"),
            "address": address,
            "facts": _facts(invitation),
        }
        return TemplateResponse(request, "ceadmin/invitation/page.html", context)


def _member(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the admin lets nobody else in
    return request.user


def _role_names(invitation: Invitation) -> str:
    return ", ".join(str(role.label) for role in Role if role.value in invitation.roles)


def _facts(invitation: Invitation) -> list[tuple[str, str]]:
    ended = invitation.ended_at
    last = [(gettext("Ended"), ui.absolute(ended))] if ended else []
    return [
        (gettext("Organization"), str(invitation.organization)),
        (gettext("Roles"), _role_names(invitation)),
        (gettext("Vouched for by"), invitation.made_by_name),
        (gettext("Invited"), ui.absolute(invitation.made_at)),
        (gettext("Expires"), ui.absolute(invitation.expires_at)),
        *last,
    ]
