"""Saved views: kept questions of the list, one's own and the organization's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from ceadmin.frame import FramedAdmin, organizations_in_view
from ceadmin.teams.choices import Act
from ceadmin.teams.models import Organization, User
from ceadmin.teams.permissions import may
from ceadmin.teams.scoping import ScopedAdmin
from instances.models import ListChoice, SavedView

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[SavedView]
else:
    _ModelForm = forms.ModelForm

#: So many stand above the list; the others are on their own page.
_SHOWN = 12


class SavedViewForm(_ModelForm):
    """What a view is called and who sees it; its organization and owner are set before."""

    class Meta:
        model = SavedView
        fields = ("name", "shared")
        help_texts = {
            "shared": _(
                "Everybody in the organization sees it. You and its owners can change it."
            )
        }

    def clean_name(self) -> str:
        """Refuse a second view of the same name, which nobody could tell from the first."""
        name = str(self.cleaned_data["name"])
        view = self.instance
        same = SavedView.objects.filter(
            organization_id=view.organization_id, owner_id=view.owner_id, name=name
        )
        if same.exclude(pk=view.pk).exists():
            raise forms.ValidationError(
                gettext("You have a view of this name already. Choose another name.")
            )
        return name


class NewViewForm(SavedViewForm):
    """A new view, in one of the organizations that its maker looks at."""

    organization: Any = forms.ModelChoiceField(
        Organization.objects.none(), empty_label=None, label=_("Organization")
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = organizations_in_view(request).order_by("name").distinct()
        self.fields["organization"].queryset = mine  # type: ignore[attr-defined]
        if mine.count() == 1:
            self.fields["organization"].widget = forms.HiddenInput()
            self.fields["organization"].initial = mine.first()
        self.order_fields(["organization", "name", "shared"])

    def clean_organization(self) -> Organization:
        """Set it, so that the name is compared with those of the same organization."""
        organization: Organization = self.cleaned_data["organization"]
        self.instance.organization = organization
        return organization


def offered(request: HttpRequest, user: User) -> list[SavedView]:
    """Return the views that stand above a person's list, their own first."""
    mine = SavedView.objects.open_to(user).filter(
        organization__in=organizations_in_view(request)
    )
    found = list(mine.order_by("name", "pk")[: 4 * _SHOWN])
    return sorted(found, key=lambda view: view.owner_id != user.pk)[:_SHOWN]


def default_of(request: HttpRequest, user: User) -> SavedView | None:
    """Return the view with which a person's list opens, while they may see it."""
    choice = ListChoice.objects.filter(user=user, default_view__isnull=False)
    kept = choice.values("default_view")
    mine = SavedView.objects.open_to(user).filter(pk__in=kept)
    return (
        mine.filter(organization__in=organizations_in_view(request))
        .order_by("pk")
        .first()
    )


@admin.register(SavedView)
class SavedViewAdmin(FramedAdmin, ScopedAdmin):
    """Views are made above the list; here they are renamed, shared, removed, and made the first."""

    form = SavedViewForm
    act_view = act_change = act_delete = Act.VIEW
    act_add = None

    list_display = ("name", "opens", "maker", "who")
    list_display_links = ("name",)
    sortable_by = ()
    search_fields = ("name",)
    list_select_related = ("owner", "organization")
    show_full_result_count = False
    ordering = ("name", "pk")
    actions = None
    fields = ("name", "shared")
    change_form_template = "instances/saved_view/page.html"

    empty_icon = "instances"
    empty_title = _("No saved views yet")
    empty_text = _(
        "Narrow the list of instances, then press “Save view”. A view keeps search, filters and order."
    )

    def get_empty_action(self, request: HttpRequest) -> tuple[str, str] | None:
        """Lead to the list."""
        listing = reverse("admin:instances_instance_changelist")
        return gettext("Go to instances"), listing

    def headline(self, request: HttpRequest) -> str:
        """Say what they are for."""
        return gettext(
            "Searches and filters of the list of instances, kept under a name"
        )

    def rows(
        self, request: HttpRequest, act: Act | None, queryset: QuerySet[Any]
    ) -> QuerySet[Any]:
        """Narrow to one's own and the shared ones, whoever asks."""
        own = super().rows(request, act, queryset)
        return own.filter(Q(owner_id=request.user.pk) | Q(shared=True))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let its maker change it, and the owners of its organization what is shared."""
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or self._is_theirs(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let who may change it remove it."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or self._is_theirs(request, obj))

    @staticmethod
    def _is_theirs(request: HttpRequest, view: SavedView) -> bool:
        if view.owner_id == request.user.pk:
            return True
        return view.shared and may(request.user, Act.OWN, view.organization)

    def get_urls(self) -> list[URLPattern]:
        """Add the button that makes one the first."""
        do = self.admin_site.admin_view(require_POST(self.do))
        own = path("<path:object_id>/do/<slug:act>/", do, name="instances_savedview_do")
        return [own, *super().get_urls()]

    def do(self, request: HttpRequest, object_id: str, act: str) -> HttpResponse:
        """Open the list with this view from now on, or no longer."""
        view: SavedView = self.fetch(request, object_id, Act.VIEW)
        chosen = {"first": view, "not-first": None}
        if act in chosen:
            ListChoice.objects.update_or_create(
                user_id=request.user.pk or 0, defaults={"default_view": chosen[act]}
            )
            told = _FIRST % {"name": view} if chosen[act] else _PLAIN
            messages.info(request, told)
        page = reverse("admin:instances_savedview_change", args=[view.pk])
        return HttpResponseRedirect(page)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show what it asks beside the two fields that can be set."""
        view: SavedView = self.fetch(request, object_id, Act.VIEW)
        is_first = ListChoice.objects.filter(
            user_id=request.user.pk or 0, default_view=view
        ).exists()
        about = {"view": view, "address": address_of(view), "is_first": is_first}
        about["title"] = view.name
        context = {**about, "show_save_and_continue": False, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    @admin.display(description=_("opens"))
    def opens(self, view: SavedView) -> SafeString:
        """Lead to its rows."""
        label = gettext("Show its instances")
        return format_html('<a href="{}">{}</a>', address_of(view), label)

    @admin.display(description=_("made by"))
    def maker(self, view: SavedView) -> str:
        """Name who made it."""
        return str(view.owner)

    @admin.display(description=_("seen by"))
    def who(self, view: SavedView) -> str:
        """Say who sees it."""
        if not view.shared:
            return gettext("You alone")
        told = gettext("Everybody in %(organization)s")
        return told % {"organization": view.organization}


_FIRST = _("Your list opens with “%(name)s” now.")
_PLAIN = _("Your list opens with all instances again.")


def address_of(view: SavedView) -> str:
    """Return the address of a view's rows."""
    listing = reverse("admin:instances_instance_changelist")
    return f"{listing}?{view.query or 'view=all'}"
