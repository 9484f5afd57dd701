"""What stands around every page of the admin: where one is, for whom, and who is needed.

The organization that a person has chosen narrows the lists; it is remembered in the
session and checked against the memberships each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ceadmin.teams.models import Organization
from ceadmin.teams.permissions import organizations

if TYPE_CHECKING:
    _Admin = ModelAdmin[Any]
    _Paginator = Paginator[Any]
else:
    _Admin, _Paginator = object, Paginator

CHOSEN = "organization"  # the session's key


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation: a word of the product, and the models behind it."""

    key: str
    label: str | Promise
    icon: str
    models: tuple[
        str, ...
    ] = ()  # app_label.model_name; the first one's list is the target
    apart: bool = False  # set off from what stands above
    short: str | Promise = ""  # for the phone's bar


PLACES = (
    Place("overview", _("Overview"), "overview"),
    Place(
        "instances",
        _("Instances"),
        "instances",
        ("instances.instance", "instances.savedview"),
    ),
    Place("runs", _("Runs"), "runs", ("instances.run", "instances.item")),
    Place(
        "links",
        _("Reconnect links"),
        "link",
        ("instances.reconnectlink",),
        short=_("Links"),
    ),
    Place(
        "providers",
        _("Providers"),
        "providers",
        (
            "providers.providerapp",
            "providers.limit",
            "providers.enabledprovider",
            "providers.ownprovider",
        ),
    ),
    Place("audit", _("Audit"), "audit", ("audit.event",), apart=True),
    Place("organization", _("Organization"), "organization", ("teams.organization",)),
    Place(
        "team",
        _("Team"),
        "team",
        ("teams.membership", "teams.invitation", "teams.user"),
    ),
)

#: How many places the phone's bar shows beside "More".
TABS = 4


@dataclass(frozen=True, slots=True)
class Listing:
    """One list of a place; a place with several shows them as tabs."""

    label: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A place as this person sees it on this page."""

    place: Place
    url: str
    current: bool
    count: int  # how many things wait for somebody there
    lists: tuple[Listing, ...] = ()


@dataclass(frozen=True, slots=True)
class Banner:
    """The strip that names the environment."""

    tone: str
    text: str | Promise


def banner() -> Banner | None:
    """Return the strip of this environment; production has none."""
    name = settings.ENVIRONMENT_NAME
    if settings.DEMO:
        return Banner("active", _("Demo on an emulator: nothing real is touched."))
    if name == "production":
        return None
    return Banner("warn", _("This is %(name)s, not production.") % {"name": name})


def chosen_organization(request: HttpRequest) -> Organization | None:
    """Return the organization that this person works in, None for all of theirs."""
    kept = vars(request)  # asked several times while a page is made
    if "chosen_organization" not in kept:
        uid = request.session.get(CHOSEN, "")
        found = find_organization(request, uid) if uid else None
        kept["chosen_organization"] = found
    chosen: Organization | None = kept["chosen_organization"]
    return chosen


def find_organization(request: HttpRequest, uid: str) -> Organization | None:
    """Return the organization with this uid if the person is a member of it."""
    try:
        return organizations(request.user).filter(uid=uid).first()
    except (ValidationError, ValueError):  # not a uid at all
        return None


def organizations_in_view(request: HttpRequest) -> QuerySet[Organization]:
    """Return the organizations that lists and counts cover: the chosen one, or all."""
    chosen = chosen_organization(request)
    mine = organizations(request.user)
    return mine.filter(pk=chosen.pk) if chosen else mine


class Uncounted(_Paginator):
    """The rows of a list on which a bulk action is pressed: nobody looks at their number."""

    count = 2**31 - 1  # any page that the address names exists


def is_bulk_action(request: HttpRequest) -> bool:
    """Tell whether a bulk action of a list was pressed: its answer shows no list."""
    return request.method == "POST" and "action" in request.POST


class FramedAdmin(_Admin):
    """A ModelAdmin whose list speaks: headline, empty state, chosen organization.

    Mix it in first: `class RunAdmin(FramedAdmin, ScopedAdmin, admin.ModelAdmin)`.
    """

    #: The path from the model to its organization; "" or "pk" does not narrow.
    organization_path = "organization"
    #: What adding a row is called; "" says Add and the model's name.
    add_title: str | Promise = ""
    #: What an empty list says: what this place is for, and the first step.
    empty_icon = ""
    empty_title: str | Promise = ""
    empty_text: str | Promise = ""
    #: (label, address) of the first step.
    empty_action: tuple[str | Promise, str] | None = None
    #: Bulk actions whose button is marked as dangerous.
    danger_actions: tuple[str, ...] = ("delete_selected",)

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Call the form of a new row by its own name, if it has one."""
        words = {"title": self.add_title} if self.add_title else {}
        return super().add_view(request, form_url, {**words, **(extra_context or {})})

    def headline(self, request: HttpRequest) -> str | Promise:
        """Return the sentence that a reader of this list came for; "" counts the rows."""
        return ""

    def get_empty_action(
        self, request: HttpRequest
    ) -> tuple[str | Promise, str] | None:
        """Return label and address of the first step for an empty list."""
        return self.empty_action

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        """Narrow lists, not single pages, to the chosen organization."""
        rows = super().get_queryset(request)
        match = request.resolver_match
        listing = match is not None and (match.url_name or "").endswith("_changelist")
        chosen = chosen_organization(request) if listing else None
        if chosen is None or self.organization_path in ("", "pk"):
            return rows
        return rows.filter(**{self.organization_path: chosen})

    def get_paginator(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        per_page: int,
        *args: Any,
        **kwargs: Any,
    ) -> _Paginator:
        """Count no rows for a bulk action: "all matching" may be a million."""
        if is_bulk_action(request):
            return Uncounted(queryset, per_page)
        return super().get_paginator(request, queryset, per_page, *args, **kwargs)

    def changelist_view(
        self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None
    ) -> HttpResponse:
        """Give the list its sentence and its empty state."""
        if is_bulk_action(request):
            if not request.POST.getlist(ACTION_CHECKBOX_NAME):
                messages.warning(request, gettext("Nothing was done: tick rows first."))
                return HttpResponseRedirect(request.get_full_path())
            return super().changelist_view(request, {**(extra_context or {})})
        words = {
            "headline": self.headline(request),
            "empty_icon": self.empty_icon,
            "empty_title": self.empty_title,
            "empty_text": self.empty_text,
            "empty_action": self.get_empty_action(request),
        }
        return super().changelist_view(request, {**words, **(extra_context or {})})
