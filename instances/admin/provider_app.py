"""Provider apps: the OAuth applications whose credentials revoke and reconnect."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from ceadmin import ui
from ceadmin.lib.sealed import SealError
from ceadmin.teams.choices import Act
from ceadmin.teams.models import User
from ceadmin.teams.permissions import NotAllowed, may
from ceadmin.teams.recent import require_recent
from instances.actions import credentials, trying
from instances.actions.findings import Report
from instances.actions.load import callback_address
from instances.admin.choosers import (
    OwnersAdmin,
    OwnNamed,
    offer_providers,
    provider_of,
    without_shortcuts,
)
from instances.admin.expiring import ExpiringFilter
from instances.admin.organization import tell, tell_tried
from instances.admin.secrets import AGAIN, SecretField, set_on, used_last
from instances.admin.trying import (
    ANYWAY,
    SecretForm,
    TryingAdmin,
    anyway_field,
    failed,
    tried,
)
from instances.models import Instance
from providers.book import Book, book_of
from providers.models import ProviderApp, enabled_keys
from providers.oauth import missing_scopes


class _Decoder(json.JSONDecoder):
    """Takes what is nested too deeply, or a number without end, for what it is: no site values."""

    def decode(self, s: str, *args: Any, **kwargs: Any) -> Any:
        """Decode `s`; raise JSONDecodeError."""
        try:
            return super().decode(s, *args, **kwargs)
        except json.JSONDecodeError:
            raise
        except (RecursionError, ValueError):
            raise json.JSONDecodeError("too deep or too long", "", 0) from None


class ProviderAppForm(SecretForm):
    """A provider app; its secret is typed in, never shown, and kept when left blank."""

    secret_fields = ("client_secret_typed",)

    provider_key = forms.ChoiceField(label=_("Provider"))
    client_secret_typed = SecretField(_("Client secret"))
    save_anyway = anyway_field()

    class Meta:
        model = ProviderApp
        fields = (
            "organization",
            "name",
            "provider_key",
            "element_key",
            "client_id",
            "secret_expires_on",
            "callback_mode",
            "callback_url",
            "scope",
            "site",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "provider_key" in self.fields:
            offer_providers(self)
        if "element_key" in self.fields:
            self.fields["element_key"].required = False
            self.fields["element_key"].help_text = _ELEMENT
        if "client_secret_typed" in self.fields:
            row = self.instance
            held = bool(row.client_secret)
            self.fields["client_secret_typed"].help_text = set_on(
                held, row.secret_set_at, row.secret_set_by_name, used_last(row)
            )
        if "site" in self.fields:
            self.fields["site"].required = False
            self.fields["site"].decoder = _Decoder  # type: ignore[attr-defined]
            self.fields["site"].label = gettext("Site values")

    def clean(self) -> dict[str, Any]:
        """Take the provider's own element key where none was typed."""
        values = super().clean() or {}
        place = values.get("organization") or self.instance.organization_id
        book = Book(getattr(place, "pk", place))
        provider = book.find(values.get("provider_key", ""))
        if provider and not values.get("element_key"):
            if not provider.element_keys:
                self.add_error("element_key", _WHICH_ELEMENT)
            else:
                values["element_key"] = provider.element_keys[0]
        moved = {"provider_key", "site"} & set(self.changed_data)
        if self.instance.client_secret and moved and not self.secret():
            self.add_error("client_secret_typed", AGAIN)
        dated = values.get("secret_expires_on") and self.instance.pk
        if dated and self.secret() and "secret_expires_on" not in self.changed_data:
            self.add_error("secret_expires_on", _OLD_DATE)
        return values

    def clean_site(self) -> dict[str, Any]:
        """Take an empty field for no values."""
        return self.cleaned_data.get("site") or {}

    def secret(self) -> str:
        """Return what was typed."""
        return self.typed().get("client_secret_typed", "")


_OLD_DATE = _(
    "This is the former secret's day. Say when the new one expires, or leave it empty."
)
_LEADS = {"provider_key", "element_key", "client_id", "site"}
_ELEMENT = _(
    "The platform's name of the connector. Left blank: the provider's usual one, such as box."
)
_WHICH_ELEMENT = _(
    "This record serves any connector, so say which one: the platform's name of it, such as hubspotcrm."
)


_CALLBACK = _(
    "Ours: the customer's consent comes back to ceadmin. Theirs: it goes to the "
    "application whose address the instances carry. That must send the browser on to "
    "ceadmin, or a member sits with the customer and pastes the address here."
)
_SITE = _(
    "Only for what the provider's record asks for and the instances do not tell, as JSON: "
    '{"revocation_endpoint": "https://login.example.com/oauth/revoke"}'
)


@admin.register(ProviderApp)
class ProviderAppAdmin(TryingAdmin, OwnersAdmin):
    """Owners look after the apps; members see which there are."""

    form: Any = ProviderAppForm
    list_display = (
        "name",
        "provider",
        "organization",
        "element",
        "callback_mode",
        "state",
        "instance_count",
    )
    list_filter = ("organization", "callback_mode", ExpiringFilter)
    search_fields = ("name", "=client_id", "=element_key")
    list_select_related = ("organization",)
    list_per_page = 50
    ordering = ("organization__name", "name", "pk")
    change_form_template = "instances/provider_app/page.html"

    empty_icon = "providers"
    empty_title = _("No provider apps")
    empty_text = _(
        "A provider app is the OAuth application registered with Box, Salesforce and so on. "
        "Its client id and secret revoke and reconnect the instances made with it."
    )

    def get_empty_action(self, request: HttpRequest) -> tuple[str, str] | None:
        """Lead owners to the form."""
        if not self.has_add_permission(request):
            return None
        url = reverse("admin:providers_providerapp_add")
        return gettext("Add a provider app"), url

    def get_fieldsets(
        self, request: HttpRequest, obj: ProviderApp | None = None
    ) -> Any:
        """Order the fields by the questions a person asks."""
        mine = obj is None or self.has_change_permission(request, obj)
        again = (ANYWAY,) if failed(request) else ()
        secret = ("client_secret_typed", *again) if mine else ()
        return [
            (None, {"fields": ("organization", "name", "provider_key", "element_key")}),
            (
                gettext("Credentials"),
                {"fields": ("client_id", *secret, "secret_expires_on")},
            ),
            (
                gettext("Consent"),
                {
                    "fields": ("callback_mode", "callback_url", "scope"),
                    "description": _CALLBACK,
                },
            ),
            (
                gettext("Site values"),
                {
                    "fields": ("site",),
                    "classes": ("collapse",),
                    "description": _SITE,
                },
            ),
        ]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Choose among the organizations and nothing beside it."""
        form = super().get_form(request, obj, change, **kwargs)
        return without_shortcuts(form, "organization")

    def response_post_save_add(
        self, request: HttpRequest, obj: ProviderApp
    ) -> HttpResponseRedirect:
        """Go to the new app's page, where it is tested."""
        return self.response_post_save_change(request, obj)

    def response_post_save_change(
        self, request: HttpRequest, obj: ProviderApp
    ) -> HttpResponseRedirect:
        """Stay with the app."""
        tell_tried(request)
        return HttpResponseRedirect(
            reverse("admin:providers_providerapp_change", args=[obj.pk])
        )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[OwnNamed]:
        """Name own providers, too."""
        return OwnNamed

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Leave out bulk deletion: each removal is recorded by itself."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.display(
        description=ngettext_lazy("provider", "providers", 1), ordering="provider_key"
    )
    def provider(self, app: ProviderApp) -> str:
        """Name the provider."""
        return provider_of(app) or app.provider_key

    @admin.display(description=_("element key"), ordering="element_key")
    def element(self, app: ProviderApp) -> SafeString:
        """Write the platform's name of the connector."""
        return format_html("<code>{}</code>", app.element_key)

    @admin.display(description=_("state"))
    def state(self, app: ProviderApp) -> SafeString:
        """Say whether the last test or call found something wrong."""
        if app.last_problem:
            return ui.pill("failed", app.last_problem)
        return (
            ui.pill("yes", gettext("Secret set"))
            if app.client_secret
            else ui.pill("warning", gettext("No secret"))
        )

    @admin.display(description=_("instances"))
    def instance_count(self, app: ProviderApp) -> SafeString:
        """Count the instances made with it; the number leads to them."""
        return format_html(
            '<a href="{}?app={}">{}</a>',
            reverse("admin:instances_instance_changelist"),
            app.pk,
            ui.number(Instance.objects.filter(provider_app=app).count()),
        )

    def save_model(
        self, request: HttpRequest, obj: ProviderApp, form: Any, change: bool
    ) -> None:
        """Save through the one function that writes the audit too."""
        user = request.user
        if not isinstance(user, User):
            raise NotAllowed(Act.OWN, obj.organization)
        # Where tokens are sent, and with which credentials.
        if not change or form.secret() or set(form.changed_data) & _LEADS:
            require_recent(request)
        hand = self.hand(request, obj.organization)
        credentials.save_app(
            obj, form.secret(), by=user, hand=hand, tried=tried(request)
        )

    def try_typed(
        self, request: HttpRequest, row: ProviderApp, typed: Mapping[str, str]
    ) -> Report:
        """Let the platform make a consent address with what was typed."""
        hand, anyway = (
            self.hand(request, row.organization),
            bool(request.POST.get(ANYWAY)),
        )
        (secret,) = typed.values()
        return trying.try_app(row, secret, hand=hand, anyway=anyway)

    def delete_model(self, request: HttpRequest, obj: ProviderApp) -> None:
        """Remove it, with an audit event."""
        require_recent(request)
        hand = self.hand(request, obj.organization)
        credentials.remove_app(obj, actor=hand.actor, now=hand.now)

    def get_urls(self) -> list[URLPattern]:
        """Add the test."""
        test = self.admin_site.admin_view(require_POST(self.test))
        own = path("<path:object_id>/test/", test, name="providers_providerapp_test")
        return [own, *super().get_urls()]

    def test(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Test the app and say what was found."""
        app: ProviderApp = self.fetch(request, object_id, Act.OPERATE)
        hand = self.hand(request, app.organization)
        try:
            report = credentials.try_app(app, actor=hand.actor, now=hand.now)
        except SealError as error:
            messages.error(request, error.sentence)
        else:
            tell(request, report)
        return HttpResponseRedirect(
            reverse("admin:providers_providerapp_change", args=[app.pk])
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show what the provider's record says beside the form."""
        app: Any = self.get_object(request, unquote(object_id))
        extra: dict[str, Any] = {}
        if app is not None:
            provider = book_of(app.organization).find(app.provider_key)
            extra = {
                "provider": provider,
                "switched_off": bool(provider and provider.needs_switch)
                and app.provider_key not in enabled_keys(app.organization),
                "wanted_scopes": missing_scopes(provider, app.scope)
                if provider
                else (),
                "our_callback": callback_address(app.provider_key, app.organization),
                "may_operate": may(request.user, Act.OPERATE, app.organization),
            }
        return super().change_view(
            request, object_id, form_url, {**extra, **(extra_context or {})}
        )
