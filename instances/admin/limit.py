"""Limits of calls: how fast and how many at once, where an organization knows better than the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from instances.actions import limits
from instances.admin.choosers import OwnersAdmin, offer_providers, without_shortcuts
from providers.choices import LimitScope
from providers.limits import in_words, limits_of
from providers.models import Limit

if TYPE_CHECKING:
    _Form = forms.ModelForm[Limit]
else:
    _Form = forms.ModelForm


class LimitForm(_Form):
    """A limit; what is limited is chosen once."""

    provider_key = forms.ChoiceField(label=_("Provider"), required=False)

    class Meta:
        model = Limit
        fields = (
            "organization",
            "scope",
            "provider_key",
            "provider_app",
            "rate",
            "concurrency",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "provider_key" in self.fields:
            offer_providers(self)

    def clean(self) -> dict[str, Any]:
        """Leave out what does not belong to the chosen place."""
        values = super().clean() or {}
        scope = values.get("scope")
        if scope and scope != LimitScope.PROVIDER:
            values["provider_key"] = ""
        if scope and scope != LimitScope.APP:
            values["provider_app"] = None
        return values


_WHAT = _(
    "All workers together keep to it. Calls that wait hold nothing up, and a run can be "
    "paused at any time. A server that answers 429 or 503 is called less often anyway."
)


@admin.register(Limit)
class LimitAdmin(OwnersAdmin):
    """Owners set limits; members see them."""

    form: Any = LimitForm
    list_display = ("place", "organization", "rate", "concurrency", "in_force")
    list_filter = ("organization", "scope")
    list_select_related = ("organization", "provider_app")
    list_per_page = 50
    ordering = ("organization__name", "scope", "provider_key", "pk")

    empty_icon = "providers"
    empty_title = _("No limits of your own")
    empty_text = _(
        "Calls keep to what the providers' records say, and slow down where a server asks "
        "for it. Set a limit where you were told one, or want to be careful."
    )

    def get_empty_action(self, request: HttpRequest) -> tuple[str, str] | None:
        """Lead owners to the form."""
        if not self.has_add_permission(request):
            return None
        return gettext("Set a limit"), reverse("admin:providers_limit_add")

    def get_fieldsets(self, request: HttpRequest, obj: Limit | None = None) -> Any:
        """Ask where first, then how much."""
        where = ("organization", "scope", "provider_key", "provider_app")
        how_much = {"fields": ("rate", "concurrency"), "description": _WHAT}
        return [(None, {"fields": where}), (gettext("How much"), how_much)]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Choose among the rows and nothing beside them."""
        form = super().get_form(request, obj, change, **kwargs)
        return without_shortcuts(
            without_shortcuts(form, "organization"), "provider_app"
        )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out bulk deletion: each removal is recorded by itself."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.display(description=_("limits calls to"))
    def place(self, limit: Limit) -> str:
        """Name what is limited."""
        return limit.place

    @admin.display(description=_("in force"))
    def in_force(self, limit: Limit) -> str:
        """Say what counts, with what the record or the settings add."""
        known = limits_of(limit.organization)
        if limit.scope == LimitScope.PLATFORM:
            return in_words(known.platform)
        if limit.scope == LimitScope.PROVIDER:
            return in_words(known.provider(limit.provider_key))
        return in_words(known.app(limit.provider_app_id or 0))

    def save_model(
        self, request: HttpRequest, obj: Limit, form: Any, change: bool
    ) -> None:
        """Save through the one function that writes the audit too."""
        hand = self.hand(request, obj.organization)
        limits.save_limit(obj, actor=hand.actor, now=hand.now)

    def delete_model(self, request: HttpRequest, obj: Limit) -> None:
        """Take it away, with an audit event."""
        hand = self.hand(request, obj.organization)
        limits.remove_limit(obj, actor=hand.actor, now=hand.now)
