"""ceadmin's admin site: navigation, overview, search, and the switch of organizations.

What the overview shows, who is needed where and what the search finds is registered
by the apps above: `from ceadmin.site import site`, then `site.register_…`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from ceadmin.frame import (
    CHOSEN,
    PLACES,
    TABS,
    Entry,
    Listing,
    Place,
    banner,
    find_organization,
)
from ceadmin.switcher import menu_of, page_of
from ceadmin.teams.permissions import closed_without_factor
from ceadmin.teams.views.account import account_urls
from ceadmin.teams.views.password import PasswordChange
from ceadmin.teams.views.sign_in import SignIn, code_page


@dataclass(frozen=True, slots=True)
class Need:
    """A line of the overview: somebody has to do something about `count` things."""

    sentence: str | Promise
    url: str
    count: int = 1
    tone: str = "bad"  # bad, warn, active


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the overview: a template and what it shows."""

    title: str | Promise
    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    url: str = ""  # where all of it is
    link: str | Promise = ""  # what the way there is called
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that the search found."""

    kind: str | Promise
    title: str
    url: str
    detail: str = ""
    status: str = ""


View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Pages:
    """Pages of a place that show no rows of a model: (address, view, name), the list first."""

    label: str | Promise  # of the tab that leads to the list
    routes: tuple[tuple[str, View, str], ...]


BadgeSource = Callable[[HttpRequest], int]
NeedSource = Callable[[HttpRequest], Iterable[Need]]
PanelSource = Callable[[HttpRequest], Panel | None]
HitSource = Callable[[HttpRequest, str], Iterable[Hit]]


class CeAdminSite(admin.AdminSite):
    """The home of the team."""

    site_header = "ceadmin"
    site_title = "ceadmin"
    index_title = _("Overview")
    site_url = None
    enable_nav_sidebar = False
    empty_value_display = "–"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self._badges: dict[str, list[BadgeSource]] = {}
        self._needs: list[NeedSource] = []
        self._panels: list[tuple[int, PanelSource]] = []
        self._searches: list[HitSource] = []
        self._pages: dict[str, list[Pages]] = {}

    # What the apps above register

    def register_badge(self, place: str, source: BadgeSource) -> None:
        """Count, in the navigation, what waits for somebody at `place` (a Place's key)."""
        self._badges.setdefault(place, []).append(source)

    def register_need(self, source: NeedSource) -> None:
        """Put lines at the top of the overview: what needs the reader now."""
        self._needs.append(source)

    def register_overview(self, source: PanelSource, order: int = 100) -> None:
        """Add a panel to the overview; None leaves it out."""
        self._panels.append((order, source))

    def register_search(self, source: HitSource) -> None:
        """Let the search find something."""
        self._searches.append(source)

    def register_pages(self, place: str, pages: Pages) -> None:
        """Put pages before the lists of `place`; who sees one of those sees them too."""
        self._pages.setdefault(place, []).append(pages)

    # What every page gets

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return what the frame shows around every page."""
        context = super().each_context(request) | {"banner": banner()}
        if not context["has_permission"]:
            return context
        entries = self.navigation(request)
        return context | {
            "navigation": entries,
            "tabs": entries[:TABS],
            "current_entry": next((entry for entry in entries if entry.current), None),
            **menu_of(request),
            "closed": list(closed_without_factor(request.user).order_by("name")[:10]),
        }

    def navigation(self, request: HttpRequest) -> list[Entry]:
        """Return the places that this person may see."""
        entries = [self._entry(request, place) for place in PLACES]
        return [entry for entry in entries if entry is not None]

    def _entry(self, request: HttpRequest, place: Place) -> Entry | None:
        count = sum(source(request) for source in self._badges.get(place.key, ()))
        if not place.models:
            home = reverse("admin:index", current_app=self.name)
            return Entry(place, home, request.path == home, count)
        found = [self._listing(request, model) for model in place.models]
        rows = tuple(one for one in found if one is not None)
        if not rows:
            return None
        lists = (*self._tabs(request, place), *rows)
        current = any(one.current for one in lists)
        return Entry(place, lists[0].url, current, count, lists)

    def _tabs(self, request: HttpRequest, place: Place) -> Iterator[Listing]:
        for pages in self._pages.get(place.key, ()):
            name = pages.routes[0][2]
            url = reverse(f"admin:{name}", current_app=self.name)
            yield Listing(str(pages.label), url, request.path.startswith(url))

    def _listing(self, request: HttpRequest, model_label: str) -> Listing | None:
        try:
            model = apps.get_model(model_label)
        except LookupError:
            return None
        model_admin = self._registry.get(model)
        if model_admin is None:
            return None
        if not any(model_admin.get_model_perms(request).values()):
            return None
        name = model_label.replace(".", "_")
        url = reverse(f"admin:{name}_changelist", current_app=self.name)
        label = str(model._meta.verbose_name_plural)
        return Listing(label, url, request.path.startswith(url))

    # Pages of its own

    @method_decorator(never_cache)
    @login_not_required
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the sign-in page, and take its answer."""
        home = reverse("admin:index", current_app=self.name)
        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(home)
        context = {
            **self.each_context(request),
            "title": _("Sign in"),
            "app_path": request.get_full_path(),
            **(extra_context or {}),
        }
        if REDIRECT_FIELD_NAME not in {*request.GET, *request.POST}:
            context[REDIRECT_FIELD_NAME] = home
        request.current_app = self.name
        return cast(HttpResponse, SignIn.as_view(extra_context=context)(request))

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Let people change their password."""
        context = {**self.each_context(request), **(extra_context or {})}
        request.current_app = self.name
        view = PasswordChange.as_view(extra_context=context)
        return cast(TemplateResponse, view(request))

    def password_change_done(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Say that it was changed, in the product's words."""
        words = {"title": _("Your password was changed"), **(extra_context or {})}
        return super().password_change_done(request, words)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Add the switch of organizations, the search, and the pages about oneself."""
        own: list[URLPattern | URLResolver] = [
            path("switch/", self.admin_view(require_POST(self.switch)), name="switch"),
            path(
                "switch/choose/",
                self.admin_view(require_GET(self.choose)),
                name="choose_organization",
            ),
            path("search/", self.admin_view(self.search), name="search"),
            path("login/code/", code_page, name="sign_in_code"),
            *account_urls(self.admin_view),
            *(
                path(address, self.admin_view(view), name=name)
                for place in self._pages.values()
                for pages in place
                for address, view, name in pages.routes
            ),
        ]
        return own + super().get_urls()

    def index(
        self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None
    ) -> TemplateResponse:
        """Show what needs the reader now, then the state of things."""
        needs = [need for source in self._needs for need in source(request)]
        sources = [
            source for _order, source in sorted(self._panels, key=lambda one: one[0])
        ]
        panels = [panel for source in sources if (panel := source(request))]
        return self.page(
            request,
            "admin/index.html",
            {
                "title": self.index_title,
                "needs": needs,
                "need_count": sum(need.count for need in needs),
                "panels": panels,
                **(extra_context or {}),
            },
        )

    def app_index(
        self,
        request: HttpRequest,
        app_label: str,
        extra_context: Mapping[str, Any] | None = None,
    ) -> TemplateResponse:
        """Show the overview: people think in places, not in applications."""
        return self.index(request, extra_context)

    def search(self, request: HttpRequest) -> HttpResponse:
        """Show what was found, by kind."""
        query = request.GET.get("q", "").replace("\x00", "").strip()[:200]
        hits: Sequence[Hit] = (
            [hit for source in self._searches for hit in source(request, query)]
            if query
            else []
        )
        return self.page(
            request,
            "ceadmin/search.html",
            {"title": _("Search"), "query": query, "hits": hits},
        )

    def choose(self, request: HttpRequest) -> HttpResponse:
        """Show all organizations of the person, to be searched and chosen."""
        return self.page(request, "ceadmin/choose.html", page_of(request))

    def switch(self, request: HttpRequest) -> HttpResponse:
        """Remember the organization to work in; one that is not theirs changes nothing."""
        uid = request.POST.get("organization", "")
        found = find_organization(request, uid) if uid else None
        if found is not None:
            request.session[CHOSEN] = str(found.uid)
        elif not uid:
            request.session.pop(CHOSEN, None)
        target = request.POST.get("next", "")
        hosts = {request.get_host()}
        if not url_has_allowed_host_and_scheme(target, hosts, settings.HTTPS):
            target = reverse("admin:index", current_app=self.name)
        return HttpResponseRedirect(target)

    def page(
        self, request: HttpRequest, template: str, context: Mapping[str, Any]
    ) -> TemplateResponse:
        """Show a page of its own inside the frame."""
        request.current_app = self.name
        return TemplateResponse(
            request, template, {**self.each_context(request), **context}
        )


#: The site that the apps register with.
site = cast(CeAdminSite, admin.site)
