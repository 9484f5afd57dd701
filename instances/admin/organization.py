"""Organizations: where they are, their two secrets (write-only), their policies; test and sync."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from ceadmin import ui
from ceadmin.frame import FramedAdmin
from ceadmin.lib.sealed import SealError
from ceadmin.teams.choices import BASE_URL_PRESETS, Act
from ceadmin.teams.models import Organization, User
from ceadmin.teams.permissions import NotAllowed, may
from ceadmin.teams.recent import require_recent
from ceadmin.teams.scoping import ITSELF, ScopedAdmin, user_of
from instances import runs, selection
from instances.actions import credentials, trying
from instances.actions.findings import Report
from instances.admin.brand import BrandPages
from instances.admin.choosers import ONE_BUTTON
from instances.admin.policy import PolicyPages
from instances.admin.secrets import AGAIN, SecretField, set_on, used_last
from instances.admin.trying import (
    ANYWAY,
    SecretForm,
    TryingAdmin,
    anyway_field,
    failed,
    tried,
)
from instances.choices import RunKind
from instances.models import Instance, Run
from providers.models import ProviderApp


class PresetInput(forms.URLInput):
    """A free address with the known ones offered."""

    template_name = "instances/widgets/preset.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Add the presets."""
        context = super().get_context(
            name, value, {**(attrs or {}), "list": f"presets-{name}"}
        )
        return {**context, "presets": BASE_URL_PRESETS, "list_id": f"presets-{name}"}


class OrganizationForm(SecretForm):
    """An organization; its secrets are typed in, never shown, and kept when left blank."""

    secret_fields = tuple(f"{one}_typed" for one in credentials.ORGANIZATION_SECRETS)

    user_secret_typed = SecretField(_("User secret"))
    organization_secret_typed = SecretField(_("Organization secret"))
    save_anyway = anyway_field()

    class Meta:
        model = Organization
        fields = ("name", "base_url", "reauthenticate_by", "link_lifetime_hours")
        widgets = {"base_url": PresetInput}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        for name in credentials.ORGANIZATION_SECRETS:
            field = self.fields.get(f"{name}_typed")
            if field is None:
                continue
            held = bool(getattr(row, name))
            field.help_text = set_on(
                held, row.secrets_set_at, row.secrets_set_by_name, used_last(row)
            )
            field.required = not held

    def clean(self) -> dict[str, Any]:
        """Give a new organization its short name."""
        values = super().clean() or {}
        if self.instance.pk is None and values.get("name"):
            self.instance.slug = _free_slug(values["name"])
        if not self.instance._state.adding and "base_url" in self.changed_data:
            self._judge_new_address(values)
        return values

    def _judge_new_address(self, values: dict[str, Any]) -> None:
        """Let no secret follow to another address that the person does not know anyway."""
        for name in credentials.ORGANIZATION_SECRETS:
            if not values.get(f"{name}_typed"):
                self.add_error(f"{name}_typed", AGAIN)
        apps = ProviderApp.objects.filter(organization=self.instance)
        held = apps.exists() or Instance.objects.of(self.instance).exists()
        if held and values.get("base_url") not in dict(BASE_URL_PRESETS):
            self.add_error("base_url", _SECRETS_FOLLOW)

    def secrets(self) -> dict[str, str]:
        """Return what was typed, by the secret's name."""
        typed = self.typed().items()
        return {name.removesuffix("_typed"): value for name, value in typed}


_SECRETS_FOLLOW = _(
    "The tokens of its instances and the secrets of its provider apps would be sent "
    "there, and this is none of the platform's known addresses. Add another organization."
)


def _free_slug(name: str) -> str:
    base = slugify(name)[:50] or "organization"
    taken = set(
        Organization.objects.filter(slug__startswith=base).values_list(
            "slug", flat=True
        )
    )
    numbered = (f"{base}-{number}" for number in range(2, len(taken) + 3))
    return next(slug for slug in [base, *numbered] if slug not in taken)


@admin.register(Organization)
class OrganizationAdmin(TryingAdmin, PolicyPages, BrandPages, FramedAdmin, ScopedAdmin):
    """Owners look after their organizations; members see that they are there."""

    organization_path = ITSELF
    form: Any = OrganizationForm
    act_delete = None  # runs and audit speak of it

    list_display = ("name", "base_url", "state", "instance_count", "secrets_set")
    search_fields = ("name", "slug")
    list_per_page = 50
    ordering = ("name", "pk")
    actions = ("sync",)
    change_form_template = "instances/organization/page.html"

    empty_icon = "organization"
    empty_title = _("Connect your first organization")
    empty_text = _(
        "You need its base URL and two secrets of the platform. Then sync to see its instances."
    )

    def get_empty_action(self, request: HttpRequest) -> tuple[str, str] | None:
        """Lead whoever may to the form."""
        if not self.has_add_permission(request):
            return None
        url = reverse("admin:teams_organization_add")
        return gettext("Add an organization"), url

    def get_fieldsets(
        self, request: HttpRequest, obj: Organization | None = None
    ) -> Any:
        """Ask for what is needed first, policies below; members who own nothing see no secret fields."""
        secrets = [f"{name}_typed" for name in credentials.ORGANIZATION_SECRETS]
        sections: list[Any] = [(None, {"fields": ("name", "base_url")})]
        if obj is None or self.has_change_permission(request, obj):
            words = gettext(
                "Both stand in the platform under Organization, Security. They are sealed and never shown again."
            )
            if failed(request):
                secrets = [*secrets, ANYWAY]
            sections.append(
                (gettext("Secrets"), {"fields": secrets, "description": words})
            )
        sections.append(
            (
                gettext("Policies"),
                {"fields": ("reauthenticate_by", "link_lifetime_hours")},
            )
        )
        return sections

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let superusers add organizations: whoever adds one becomes its owner."""
        user = user_of(request)
        return bool(user.is_active and user.is_superuser)

    def check_scope(self, request: HttpRequest, obj: Any, act: Act | None) -> None:
        """A new organization belongs to nobody yet."""
        if obj.pk is not None:
            super().check_scope(request, obj, act)
        elif not self.has_add_permission(request):
            raise NotAllowed(Act.OWN, None)

    # Columns

    @admin.display(description=ngettext_lazy("connection", "connections", 1))
    def state(self, organization: Organization) -> SafeString:
        """Say whether the secrets work, as far as is known."""
        return (
            ui.pill("failed", organization.secrets_problem)
            if organization.secrets_problem
            else ui.pill("yes", gettext("Secrets set"))
        )

    @admin.display(description=_("instances"))
    def instance_count(self, organization: Organization) -> SafeString:
        """Count the instances; the number leads to them."""
        address = reverse("admin:instances_instance_changelist")
        return format_html(
            '<a href="{}?organization__id__exact={}">{}</a>',
            address,
            organization.pk,
            ui.number(Instance.objects.of(organization).count()),
        )

    @admin.display(description=_("secrets set"), ordering="secrets_set_at")
    def secrets_set(self, organization: Organization) -> SafeString:
        """Say when the secrets were set."""
        return ui.when(organization.secrets_set_at, timezone.now())

    # Saving

    def save_model(
        self, request: HttpRequest, obj: Organization, form: Any, change: bool
    ) -> None:
        """Save through the one function that writes the audit too."""
        user = request.user
        if not isinstance(user, User):
            raise NotAllowed(Act.OWN, obj)
        if form.secrets():
            require_recent(request)
        hand = self.hand(request, obj if change else None)
        credentials.save_organization(
            obj, form.secrets(), by=user, hand=hand, tried=tried(request)
        )

    def try_typed(
        self, request: HttpRequest, row: Organization, typed: Mapping[str, str]
    ) -> Report:
        """Ask the platform with what was typed, and with what is kept."""
        fresh = {name.removesuffix("_typed"): value for name, value in typed.items()}
        hand = self.hand(request, row if row.pk else None)
        anyway = bool(request.POST.get(ANYWAY))
        return trying.try_organization(row, fresh, hand=hand, anyway=anyway)

    def response_add(
        self, request: HttpRequest, obj: Organization, post_url_continue: Any = None
    ) -> HttpResponse:
        """Go to the new organization's page, which has the next steps."""
        tell_tried(request)
        return HttpResponseRedirect(self._address(obj))

    def _address(self, organization: Organization) -> str:
        return reverse("admin:teams_organization_change", args=[organization.pk])

    # Sync and test

    @admin.action(description=_("Sync"), permissions=["operate"])
    def sync(
        self, request: HttpRequest, queryset: QuerySet[Organization]
    ) -> HttpResponse | None:
        """Sync the selected organizations."""
        made = [
            self._sync(request, one)
            for one in self.rows(request, Act.OPERATE, queryset).order_by("name")
        ]
        if not made:
            messages.warning(
                request,
                gettext("Nothing was started: you are not an operator there."),
            )
            return None
        if len(made) == 1:
            return HttpResponseRedirect(
                reverse("admin:instances_run_change", args=[made[0].pk])
            )
        return HttpResponseRedirect(reverse("admin:instances_run_changelist"))

    def _sync(self, request: HttpRequest, organization: Organization) -> Run:
        user = request.user
        if not isinstance(user, User):
            raise NotAllowed(Act.OPERATE, organization)
        return runs.create(
            RunKind.SYNC,
            organization,
            selection.everything(),
            user=user,
            now=timezone.now(),
        )

    def get_urls(self) -> list[URLPattern]:
        """Add the buttons of an organization's page."""
        wrap, pk = self.admin_site.admin_view, "<path:object_id>"
        own = [
            path(
                f"{pk}/test/",
                wrap(require_POST(self.test)),
                name="teams_organization_test",
            ),
            path(
                f"{pk}/sync/",
                wrap(require_POST(self.sync_one)),
                name="teams_organization_sync",
            ),
        ]
        return [*own, *super().get_urls()]

    def sync_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Sync this organization."""
        run = self._sync(request, self.fetch(request, object_id, Act.OPERATE))
        return HttpResponseRedirect(
            reverse("admin:instances_run_change", args=[run.pk])
        )

    def test(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Test the secrets and say what was found."""
        organization: Organization = self.fetch(request, object_id, Act.OPERATE)
        self._try(request, organization)
        return HttpResponseRedirect(self._address(organization))

    def _try(self, request: HttpRequest, organization: Organization) -> None:
        hand = self.hand(request, organization)
        try:
            report = credentials.try_organization(
                organization, actor=hand.actor, now=hand.now
            )
        except SealError as error:
            messages.error(request, error.sentence)
        else:
            tell(request, report)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Offer one way to save."""
        return super().render_change_form(
            request, {**context, **ONE_BUTTON}, *args, **kwargs
        )

    def response_post_save_change(
        self, request: HttpRequest, obj: Organization
    ) -> HttpResponseRedirect:
        """Stay with the organization."""
        tell_tried(request)
        return HttpResponseRedirect(self._address(obj))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show the first steps above the form until all are done."""
        organization: Any = self.get_object(request, unquote(object_id))
        extra = _first_steps(organization, request) if organization else {}
        return super().change_view(
            request, object_id, form_url, {**extra, **(extra_context or {})}
        )


def tell_tried(request: HttpRequest) -> None:
    """Say what the platform said of the secrets that were just saved."""
    report = tried(request)
    if report:
        tell(request, report)


def tell(request: HttpRequest, report: Report) -> None:
    """Say what a connection test found."""
    say = messages.success if report.ok else messages.error
    say(request, report.sentence)
    for unknown in report.unknown:
        messages.info(request, str(unknown.label))


def _first_steps(organization: Organization, request: HttpRequest) -> dict[str, Any]:
    apps = ProviderApp.objects.filter(organization=organization).count()
    synced = Run.objects.filter(organization=organization, kind=RunKind.SYNC).exists()
    return {
        "tested": not organization.secrets_problem,
        "problem": credentials.problem_words(organization.secrets_problem),
        "apps": apps,
        "synced": synced,
        "finished": apps > 0 and synced and not organization.secrets_problem,
        "may_operate": may(request.user, Act.OPERATE, organization),
        "may_own": may(request.user, Act.OWN, organization),
        "members": organization.memberships.count(),
    }
