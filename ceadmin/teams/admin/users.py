"""Users: superusers look after them, members see those they share a team with."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import AnonymousUser, Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from ceadmin.frame import FramedAdmin
from ceadmin.teams import browsers
from ceadmin.teams.choices import Act
from ceadmin.teams.factors import FactorError, codes_left, factor_of, reset
from ceadmin.teams.forms import NewUserForm, OthersPasswordForm, UserForm
from ceadmin.teams.members import keep_owners
from ceadmin.teams.models import Membership, Organization, User
from ceadmin.teams.permissions import organizations
from ceadmin.teams.recent import require_recent
from ceadmin.teams.scoping import ScopedAdmin, user_of
from ceadmin.teams.users import user_added, user_changed
from ceadmin.teams.views.ending import end_others

if TYPE_CHECKING:
    _UserAdmin = auth_admin.UserAdmin[User]
else:
    _UserAdmin = auth_admin.UserAdmin

# What people say about themselves; the rest belongs to superusers.
OWN_FIELDS = ("name", "time_zone", "language")
MANAGED_FIELDS = ("is_active", "is_staff", "is_superuser")

# Roles decide here, Django's groups decide nothing: their page would only mislead.
if admin.site.is_registered(Group):
    admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(FramedAdmin, ScopedAdmin, _UserAdmin):
    """People who sign in. Everybody may change what their own entry says of them."""

    organization_path = ""  # in none, in one or in many
    form: Any = UserForm
    add_form = NewUserForm
    change_password_form = OthersPasswordForm

    list_display = ("email", "name", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser")
    search_fields = ("email", "name")
    readonly_fields = ("last_login", "created_at")
    fieldsets = (
        (None, {"fields": ("email", *OWN_FIELDS)}),
        (_("Access"), {"fields": (*MANAGED_FIELDS, "last_login", "created_at")}),
    )
    add_fieldsets = (
        (
            None,
            {"fields": ("email", "name", "usable_password", "password1", "password2")},
        ),
    )
    ordering = ("email",)
    filter_horizontal = ()
    change_form_template = "ceadmin/user.html"

    def rows(
        self, request: HttpRequest, act: Act | None, queryset: QuerySet[User]
    ) -> QuerySet[User]:
        """Return the users who share an organization with the person, and the person."""
        user = user_of(request)
        if isinstance(user, AnonymousUser) or not user.is_active:
            return queryset.none()
        if user.is_superuser:
            return queryset
        shared = Membership.objects.filter(organization__in=organizations(user))
        return queryset.filter(Q(pk=user.pk) | Q(pk__in=shared.values("user")))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave people what they may change about themselves."""
        fields = super().get_readonly_fields(request, obj)
        if _is_superuser(request):
            return fields
        return [*fields, "email", *MANAGED_FIELDS]

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show it to everybody: everybody is in it."""
        return user_of(request).is_active

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let people see whom `rows` gives them."""
        return obj is None or self.get_queryset(request).filter(pk=obj.pk).exists()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let superusers add users; owners add members."""
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let people change themselves."""
        return _is_superuser(request) or (
            obj is not None and obj.pk == user_of(request).pk
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Remove nobody: an account is switched off, what it did stays told."""
        return False

    def organization_of(self, obj: Any) -> Organization | None:
        """Return none: a user belongs to no single organization."""
        return None

    def check_scope(self, request: HttpRequest, obj: Any, act: Act | None) -> None:
        """Raise `PermissionDenied` unless the person may save this user."""
        allowed = self.has_change_permission(request, obj if obj.pk else None)
        if not allowed:
            raise PermissionDenied

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        """Save the user and record it; powers are given by who proved who they are."""
        if not change or set(form.changed_data) & {"email", *MANAGED_FIELDS}:
            require_recent(request)
        if change and not (obj.is_active and obj.is_staff):
            keep_owners(User.objects.get(pk=obj.pk))
        hand = self.hand(request, None)
        if not change:
            super().save_model(request, obj, form, change)
            user_added(obj, hand)
            return
        # Nothing else: a password or a round of sessions may have changed meanwhile.
        obj.save(update_fields=form.changed_data)
        if not (obj.is_active and obj.is_staff):
            browsers.end_all(obj, hand, why="account_closed")
        user_changed(obj, form.changed_data, hand)

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Let superusers set a password; others change their own knowing the old one."""
        if not _is_superuser(request):
            raise PermissionDenied
        if request.method == "POST":
            require_recent(request)
        with transaction.atomic():
            before = self._password_of(request, id)
            response = super().user_change_password(request, id, form_url)
            user = self.get_object(request, unquote(id))
            if isinstance(user, User) and user.password != before:
                self._password_set(request, user)
        return response

    def _password_set(self, request: HttpRequest, user: User) -> None:
        """End what was signed in with the old password; one's own session stays."""
        self._end(request, user, "password_changed")
        user_changed(user, ["password"], self.hand(request, None))

    def _password_of(self, request: HttpRequest, id: str) -> str:
        user = self.get_object(request, unquote(id))
        return user.password if isinstance(user, User) else ""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Show what the audit says about somebody, to superusers."""
        if not _is_superuser(request):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    # Sessions and second factor of somebody else

    def get_urls(self) -> list[URLPattern]:
        """Add the buttons of a user's page."""
        wrap, pk = self.admin_site.admin_view, "<path:object_id>"
        end, reset = require_POST(self.end_sessions), require_POST(self.reset_factor)
        own = [
            path(f"{pk}/sessions/end/", wrap(end), name="teams_user_end_do"),
            path(f"{pk}/factor/reset/", wrap(reset), name="teams_user_factor_do"),
        ]
        return [*own, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Show where a person is signed in, and their second factor, to who may act on it."""
        user = kwargs.get("obj")
        if isinstance(user, User):
            context |= {
                "may_end": self._may_end(request, user),
                "may_reset": _is_superuser(request),
                "live_count": len(browsers.live(user, timezone.now())),
                "factor": factor_of(user),
                "codes_left": codes_left(user),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def _may_end(self, request: HttpRequest, user: User) -> bool:
        """Let superusers, and owners of an organization of theirs, end a person's sessions."""
        owned = organizations(user_of(request), Act.OWN)
        member = Membership.objects.filter(user=user, organization__in=owned)
        return _is_superuser(request) or member.exists()

    def end_sessions(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End all sessions of a person."""
        user = self.fetch(request, object_id, Act.VIEW)
        if not self._may_end(request, user):
            raise PermissionDenied
        require_recent(request)
        self._end(request, user, browsers.ASKED)
        text = gettext("%(name)s is signed out everywhere.")
        messages.success(request, text % {"name": user})
        return _page_of(user)

    def _end(self, request: HttpRequest, user: User, why: str) -> None:
        hand = self.hand(request, None)
        if user.pk == user_of(request).pk:
            end_others(request, user, hand, why=why)
        else:
            browsers.end_all(user, hand, why=why)

    def reset_factor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take away the second factor of somebody who lost it, and end their sessions."""
        user = self.fetch(request, object_id, Act.VIEW)
        if not _is_superuser(request):
            raise PermissionDenied
        require_recent(request)
        try:
            reset(user, self.hand(request, None))
        except FactorError as problem:
            messages.error(request, problem.sentence)
        else:
            text = gettext("%(name)s has no second factor any more.")
            messages.success(request, text % {"name": user})
        return _page_of(user)

    def fetch(self, request: HttpRequest, object_id: str, act: Act) -> User:
        """Return a user for a page of one's own, as `ScopedAdmin.fetch` does."""
        user = self.get_object(request, unquote(object_id))
        if not isinstance(user, User):
            raise Http404
        return user


def _is_superuser(request: HttpRequest) -> bool:
    user = user_of(request)
    return user.is_active and user.is_superuser


def _page_of(user: User) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:teams_user_change", args=[user.pk]))
