"""Own providers: records that owners of an organization write, with their versions."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ceadmin import ui
from ceadmin.teams.choices import Act
from ceadmin.teams.lookups import is_row_number
from ceadmin.teams.permissions import may
from ceadmin.teams.recent import require_recent
from instances.actions import own_records
from instances.actions.load import callback_address
from instances.actions.own_records import Draft, OwnError, hosts_in
from instances.admin.choosers import OwnersAdmin
from instances.admin.own_pages import WritingPages
from instances.admin.own_preview import compared, in_words, preview_of
from instances.models import Instance
from providers.errors import SpecError
from providers.models import OwnProvider, OwnProviderVersion, ProviderApp

_NAME = "admin:providers_ownprovider"


@admin.register(OwnProvider)
class OwnProviderAdmin(WritingPages, OwnersAdmin):
    """Owners write, restore and remove; members read."""

    act_change = None  # there is no form of fields: a new version is a new text
    list_display = (
        "name",
        "key",
        "organization",
        "current_version",
        "instance_count",
        "changed",
    )
    list_filter = ("organization",)
    search_fields = ("name", "key")
    list_select_related = ("organization",)
    list_per_page = 50
    ordering = ("organization__name", "name", "pk")
    actions = None
    delete_confirmation_template = "instances/own_provider/remove.html"

    empty_icon = "providers"
    empty_title = _("No providers of your own")
    empty_text = _(
        "For servers that the catalogue does not know: your own login server, or a product "
        "with standard OAuth. An owner adds its record here, from the server's metadata or "
        "by hand, and vouches for the hosts it names."
    )

    def get_empty_action(self, request: HttpRequest) -> tuple[str, str] | None:
        """Lead owners to the first way in."""
        if not self.has_add_permission(request):
            return None
        return gettext("Add an own provider"), reverse(f"{_NAME}_discover")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave out what was removed; count the instances of each."""
        same = Instance.objects.filter(
            organization=OuterRef("organization"), provider_key=OuterRef("key")
        )
        count = same.order_by().values("provider_key").annotate(n=Count("pk"))
        rows: QuerySet[Any] = super().get_queryset(request).filter(removed_at=None)
        found = Coalesce(Subquery(count.values("n")), 0)
        counted: QuerySet[Any] = rows.annotate(instances=found)
        return counted

    def get_urls(self) -> list[URLPattern]:
        """Add a version's page and the file."""
        wrap, pk = self.admin_site.admin_view, "<path:object_id>"
        own = [
            path(
                f"{pk}/version/",
                wrap(self.version_view),
                name="providers_ownprovider_version",
            ),
            path(
                f"{pk}/file/", wrap(self.file_view), name="providers_ownprovider_file"
            ),
        ]
        return [*own, *super().get_urls()]

    @admin.display(description=_("version"), ordering="version")
    def current_version(self, own: OwnProvider) -> int:
        """Show the current version's number."""
        return own.version

    @admin.display(description=_("instances"), ordering="instances")
    def instance_count(self, own: Any) -> SafeString | str:
        """Count its instances, as a link to them."""
        return linked_instances(own, own.instances) if own.instances else "0"

    @admin.display(description=_("changed"), ordering="changed_at")
    def changed(self, own: OwnProvider) -> SafeString:
        """Say when it got its current version."""
        return ui.when(own.changed_at, timezone.now())

    # Pages

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show what the record does, who uses it, and its versions."""
        own: OwnProvider = self.fetch(request, object_id, Act.VIEW)
        if request.method == "POST":
            self.fetch(request, object_id, Act.OWN)
        used = own_records.uses(own)
        apps = ProviderApp.objects.filter(
            organization=own.organization_id, provider_key=own.key
        )
        context = {
            "title": own.name,
            "original": own,
            "preview": preview_of(own.current.text),
            "versions": own.versions.order_by("-number"),
            "used": used,
            "without_secret": [app for app in apps if not app.client_secret],
            "instances": linked_instances(own, used.instances),
            "callback": callback_address(own.key, own.organization),
            "may_own": may(request.user, Act.OWN, own.organization),
        }
        return self._page(request, "page", context)

    def version_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show a version beside the current one, and give it back its place."""
        own: OwnProvider = self.fetch(request, object_id, Act.VIEW)
        version = _version(own, request)
        problem = ""
        if request.method == "POST":
            self.fetch(request, object_id, Act.OWN)
            require_recent(request)
            try:
                self._restore(request, own, version)
            except (SpecError, OwnError) as error:
                problem = (
                    in_words(error) if isinstance(error, SpecError) else str(error)
                )
            else:
                words = gettext("Version %(new)s says what version %(old)s said.")
                told = {"new": own.version, "old": version.number}
                messages.success(request, words % told)
                return _to_page(own)
        return self._version_page(request, own, version, problem)

    def _version_page(
        self,
        request: HttpRequest,
        own: OwnProvider,
        version: OwnProviderVersion,
        problem: str,
    ) -> HttpResponse:
        context = {
            "title": gettext("%(name)s, version %(number)s")
            % {"name": own.name, "number": version.number},
            "original": own,
            "version": version,
            "preview": preview_of(version.text),
            "lines": compared(own.current.text, version.text),
            "may_own": may(request.user, Act.OWN, own.organization),
            "problem": problem,
            "why": request.POST.get("why", ""),
            "vouched": request.POST.getlist("vouched"),
        }
        return self._page(request, "version", context, 422 if problem else 200)

    def _restore(
        self, request: HttpRequest, own: OwnProvider, version: OwnProviderVersion
    ) -> None:
        post = request.POST
        draft = Draft(
            text=version.text,
            hosts=hosts_in(post.getlist("vouched")),
            why=post.get("why", ""),
            by_name=str(request.user),
        )
        seen = post.get("seen", "")
        own_records.restore(
            own,
            version.number,
            draft,
            seen=int(seen) if is_row_number(seen) else 0,
            hand=self.hand(request, own.organization),
        )

    def file_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give a version as the TOML file that other organizations can read."""
        own: OwnProvider = self.fetch(request, object_id, Act.VIEW)
        version = _version(own, request)
        answer = HttpResponse(version.text, content_type="application/toml")
        name = f"{own.key}-{version.number}.toml"
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer

    # Removing

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Say what goes, and what stands in the way."""
        [own] = objs
        used = own_records.uses(own)
        ways = []
        if used.instances:
            ways.append(linked_instances(own, used.instances))
        if used.apps:
            address = reverse("admin:providers_providerapp_changelist")
            words = ui.things(used.apps, "provider app", "provider apps")
            ways.append(format_html('<a href="{}">{}</a>', address, words))
        return [str(own)], {self.opts.verbose_name: 1}, set(), ways

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Ask, then remove; say so where something began to use it meanwhile."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except OwnError as problem:
            messages.error(request, problem.sentence)
            return HttpResponseRedirect(reverse(f"{_NAME}_change", args=[object_id]))

    def delete_model(self, request: HttpRequest, obj: OwnProvider) -> None:
        """Remove it, with an audit event; its versions are kept."""
        require_recent(request)
        own_records.remove(obj, hand=self.hand(request, obj.organization))


def linked_instances(own: OwnProvider, count: int) -> SafeString:
    """Return how many instances use a record, as a link to them."""
    listing = reverse("admin:instances_instance_changelist")
    address = (
        f"{listing}?provider={own.key}&organization__id__exact={own.organization_id}"
    )
    words = ui.things(count, "instance", "instances")
    return format_html('<a href="{}">{}</a>', address, words)


def _version(own: OwnProvider, request: HttpRequest) -> OwnProviderVersion:
    """Return the version that an address names, the current one without a number."""
    number = request.GET.get("number", str(own.version))
    known = number.isascii() and number.isdigit() and len(number) < 9
    found = own.versions.filter(number=int(number)).first() if known else None
    if found is None:
        raise Http404
    return found


def _to_page(own: OwnProvider) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse(f"{_NAME}_change", args=[own.pk]))
