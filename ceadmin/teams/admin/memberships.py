"""Members of the organizations: seen by all of them, looked after by the owners.

Owners invite. Only superusers, who see every account anyway, add somebody without asking:
to an owner the new row would tell whether a mail address has an account, and whose it is.
"""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ceadmin import ui
from ceadmin.frame import FramedAdmin, chosen_organization
from ceadmin.teams.choices import Act, Role
from ceadmin.teams.forms import (
    ROLE_FLAGS,
    MembershipForm,
    NewMembershipForm,
    chosen_roles,
)
from ceadmin.teams.members import (
    add_member,
    change_roles,
    is_last_owner,
    remove_member,
)
from ceadmin.teams.models import Membership
from ceadmin.teams.permissions import organizations
from ceadmin.teams.recent import require_recent
from ceadmin.teams.scoping import ScopedAdmin, user_of


@admin.register(Membership)
class MembershipAdmin(FramedAdmin, ScopedAdmin):
    """Who belongs to an organization, and in which roles."""

    act_add = act_change = act_delete = Act.OWN

    list_display = ("user", "role_names", "organization", "since")
    list_filter = ("organization", *ROLE_FLAGS)
    search_fields = ("user__email", "user__name")
    list_select_related = ("user", "organization")
    ordering = ("organization__name", "user__email", "pk")

    empty_icon = "team"
    empty_title = _("No members here")
    empty_text = _("Members share an organization's secrets without seeing them.")

    def changelist_view(
        self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None
    ) -> HttpResponse:
        """Offer to invite somebody, to those who may."""
        may_invite = self._allowed(request, Act.OWN)
        words = {"may_invite": may_invite, **(extra_context or {})}
        return super().changelist_view(request, words)

    def get_empty_action(self, request: HttpRequest) -> tuple[str, str] | None:
        """Offer to invite somebody."""
        if not self._allowed(request, Act.OWN):
            return None
        return gettext("Invite somebody"), reverse("admin:teams_invitation_add")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask for a mail address when adding; show the user afterwards."""
        return ("organization", "user" if obj else "email", *ROLE_FLAGS)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Freeze who it is."""
        return [*super().get_readonly_fields(request, obj), *(["user"] if obj else [])]

    def get_form(
        self,
        request: HttpRequest,
        obj: Any = None,
        change: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Use a form of its own for adding."""
        kwargs["form"] = MembershipForm if obj else NewMembershipForm
        return super().get_form(request, obj, change, **kwargs)

    @admin.display(description=_("roles"))
    def role_names(self, membership: Membership) -> str:
        """Name the roles in the order of the table."""
        held = membership.roles
        return ", ".join(str(role.label) for role in Role if role in held)

    @admin.display(description=_("since"), ordering="created_at")
    def since(self, membership: Membership) -> str:
        """Say since when."""
        return ui.when(membership.created_at, timezone.now())

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with the organization the person works in, or owns alone."""
        chosen = chosen_organization(request)
        owned = list(organizations(request.user, Act.OWN)[:2])
        only = owned[0] if len(owned) == 1 else chosen
        given: dict[str, Any] = super().get_changeform_initial_data(request)
        return ({"organization": only.pk} if only else {}) | given

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let owners invite instead."""
        user = user_of(request)
        return user.is_superuser and super().has_add_permission(request, obj)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Lead owners to where they invite."""
        leads = request.method == "GET" and self._allowed(request, Act.OWN)
        if leads and not self.has_add_permission(request):
            return HttpResponseRedirect(reverse("admin:teams_invitation_add"))
        return super().add_view(request, form_url, extra_context)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep the last owner of an organization."""
        if isinstance(obj, Membership) and is_last_owner(obj):
            return False
        return super().has_delete_permission(request, obj)

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        """Add the member or replace the roles, and record it."""
        require_recent(request)
        hand = self.hand(request, obj.organization)
        roles = chosen_roles(form)
        if change:
            change_roles(obj, roles=roles, hand=hand)
        else:
            email = form.cleaned_data["email"]
            made = add_member(obj.organization, email=email, roles=roles, hand=hand)
            obj.__dict__.update(made.__dict__)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Remove the member and record it."""
        require_recent(request)
        remove_member(obj, self.hand(request, obj.organization))

    def delete_queryset(
        self, request: HttpRequest, queryset: QuerySet[Membership]
    ) -> None:
        """Remove several members, all or none."""
        with transaction.atomic():
            for membership in queryset.select_related("user", "organization"):
                self.delete_model(request, membership)

    def audit_uid(self, obj: Membership) -> str:
        """Name the person: that is what a member's events are about."""
        return str(obj.user.uid)
