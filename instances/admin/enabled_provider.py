"""Records that are off until an owner switches them on for an organization, with what is doubtful of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from ceadmin.teams.recent import require_recent
from instances.actions import switching
from instances.admin import catalogue_records
from instances.admin.choosers import OwnersAdmin, without_shortcuts
from providers import catalogue
from providers.choices import Confidence, Supported
from providers.models import EnabledProvider
from providers.spec import Provider
from providers.told import quoted

if TYPE_CHECKING:
    _Form = forms.ModelForm[EnabledProvider]
else:
    _Form = forms.ModelForm

_WARNING = _(
    "These records are little known, or kill more than one connection, and nobody has tried "
    "them for you. A call can do nothing, or more than you want. Read what the provider's "
    "record says, try it with an instance of your own, and switch it on then. Members can "
    "revoke there from the next run on; who switched it on is in the audit."
)
_UNDERSTOOD = _(
    "I know that this record was not proved, and I tried it or take the risk."
)


_CONFIDENCE = {
    Confidence.HIGH: _("high confidence"),
    Confidence.MEDIUM: _("medium confidence"),
    Confidence.LOW: _("low confidence"),
}


class EnabledProviderForm(_Form):
    """Which record is switched on; the warning has to be confirmed."""

    provider_key = forms.ChoiceField(label=_("Provider"))
    understood = forms.BooleanField(label=_UNDERSTOOD)

    class Meta:
        model = EnabledProvider
        fields = ("organization", "provider_key")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "provider_key" in self.fields:
            off = [one for one in catalogue.all() if one.needs_switch]
            choices = [
                ("", gettext("Choose a provider")),
                *((one.key, _choice(one)) for one in off),
            ]
            self.fields["provider_key"].choices = choices  # type: ignore[attr-defined]


def _choice(record: Provider) -> str:
    return f"{record.name}: {doubts(record)}"


def doubts(record: Provider) -> str:
    """Say in a few words why a record is off."""
    said = [str(_CONFIDENCE[record.confidence])]
    if record.revoke.supported == Supported.PARTIAL:
        said.append(gettext("supported in part"))
    return ", ".join(said)


@admin.register(EnabledProvider)
class EnabledProviderAdmin(OwnersAdmin):
    """Owners switch on and off; members see what is on."""

    form: Any = EnabledProviderForm
    act_change = None  # there is nothing to change: it is on or it is not
    list_display = ("provider", "organization", "why_off", "enabled_at", "by")
    list_filter = ("organization",)
    list_select_related = ("organization",)
    list_per_page = 50
    ordering = ("organization__name", "provider_key", "pk")
    readonly_fields = ("record", "why_off", "does", "by_hand", "enabled_at", "by")

    add_title = _("Switch a provider on")
    empty_icon = "providers"
    empty_title = _("Nothing is switched on")
    empty_text = _(
        "Records of providers that are little known, or that kill more than one connection, "
        "are off. An owner can switch them on here, one by one."
    )

    def get_empty_action(self, request: HttpRequest) -> tuple[str, str] | None:
        """Lead owners to the form."""
        if not self.has_add_permission(request):
            return None
        url = reverse("admin:providers_enabledprovider_add")
        return gettext("Switch a provider on"), url

    def get_fieldsets(
        self, request: HttpRequest, obj: EnabledProvider | None = None
    ) -> Any:
        """Warn before it is switched on; afterwards show what that means."""
        if obj is None:
            fields = ("organization", "provider_key", "understood")
            return [(None, {"fields": fields, "description": _WARNING})]
        shown = ("organization", *self.readonly_fields)
        return [(None, {"fields": shown})]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Choose among the organizations and nothing beside them."""
        form = super().get_form(request, obj, change, **kwargs)
        return without_shortcuts(form, "organization")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out bulk deletion: each is recorded by itself."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.display(
        description=ngettext_lazy("provider", "providers", 1), ordering="provider_key"
    )
    def provider(self, row: EnabledProvider) -> str:
        """Name the provider."""
        return str(row)

    @admin.display(description=_("record"))
    def record(self, row: EnabledProvider) -> str:
        """Lead to the page of what is known."""
        return catalogue_records.link(row.provider_key) or "–"

    @admin.display(description=_("off elsewhere because of"))
    def why_off(self, row: EnabledProvider) -> str:
        """Say what is doubtful."""
        known = catalogue.find(row.provider_key)
        if known is None:
            return gettext("The catalogue has no such record any more.")
        return doubts(known)

    @admin.display(description=_("what a revocation does there"))
    def does(self, row: EnabledProvider) -> str:
        """Say what dies."""
        known = catalogue.find(row.provider_key)
        return quoted(known.kills, known.language) if known else "–"

    @admin.display(description=_("by hand instead"))
    def by_hand(self, row: EnabledProvider) -> str:
        """Say what a person does."""
        known = catalogue.find(row.provider_key)
        if known is None:
            return "–"
        return quoted("; ".join(known.manual_steps), known.language)

    @admin.display(description=_("switched on by"))
    def by(self, row: EnabledProvider) -> str:
        """Name who did it."""
        return row.enabled_by_name

    def save_model(
        self, request: HttpRequest, obj: EnabledProvider, form: Any, change: bool
    ) -> None:
        """Switch it on through the one function that writes the audit too."""
        require_recent(request)
        hand = self.hand(request, obj.organization)
        switching.switch_on(obj, hand=hand, by_name=str(request.user))

    def delete_model(self, request: HttpRequest, obj: EnabledProvider) -> None:
        """Switch it off, with an audit event."""
        switching.switch_off(obj, hand=self.hand(request, obj.organization))
