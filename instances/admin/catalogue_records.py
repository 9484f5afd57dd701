"""The records that the catalogue's pages show, and how they stand with the reader's organizations.

What a page costs in queries depends neither on how many records there are nor on how many
organizations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from ceadmin import ui
from ceadmin.frame import organizations_in_view
from ceadmin.teams.choices import Act
from ceadmin.teams.models import Organization
from ceadmin.teams.permissions import organizations
from instances.models import Instance
from providers import catalogue
from providers.book import book_of
from providers.models import EnabledProvider
from providers.spec import Provider


def records(request: HttpRequest) -> tuple[Provider, ...]:
    """Return the records that a reader may see, by name."""
    return catalogue.all()


def record(request: HttpRequest, key: str) -> Provider | None:
    """Return the record with this key if a reader may see it."""
    return catalogue.find(key)


def link(key: str, organization: Organization | None = None) -> SafeString | str:
    """Draw a provider's name as a link to its page; "" where there is no such record.

    An own record of `organization` is named alone: the catalogue's pages do not show it.
    """
    known = catalogue.find(key)
    if known is None:
        own = book_of(organization).find(key) if organization else None
        return own.name if own else ""
    return format_html(
        '<a href="{}">{}</a>', reverse("admin:provider", args=[key]), known.name
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a record's call is made: everywhere, nowhere, or in some organizations."""

    word: str  # on, off, by hand
    pill: str
    label: str
    switch_url: str = ""  # where an owner switches it on


@dataclass(frozen=True, slots=True)
class Here:
    """The reader's organizations as far as the catalogue's pages speak of them."""

    total: int
    owned: tuple[int, ...]  # those of them that the reader owns
    switched: Mapping[str, frozenset[int]]  # record → where it was switched on
    counts: Mapping[str, int]  # record → instances

    def standing(self, provider: Provider) -> Standing:
        """Return whether a record's call is made here."""
        if not provider.revocable:
            return Standing("by hand", "by_hand", gettext("By hand"))
        on_in = self.switched.get(provider.key, frozenset())
        everywhere = self.total > 0 and len(on_in) == self.total
        if not provider.needs_switch or everywhere:
            return Standing("on", "provider_on", gettext("On"))
        url = self._switch_url(provider, on_in)
        if on_in:
            words = gettext("On in %(some)s of %(all)s")
            label = words % {"some": len(on_in), "all": ui.number(self.total)}
            return Standing("on", "provider_on", label, url)
        return Standing("off", "provider_off", gettext("Off"), url)

    def _switch_url(self, provider: Provider, on_in: frozenset[int]) -> str:
        left = [pk for pk in self.owned if pk not in on_in]
        if not left:
            return ""
        where = f"&organization={left[0]}" if len(left) == 1 else ""
        add = reverse("admin:providers_enabledprovider_add")
        return f"{add}?provider_key={provider.key}{where}"


def here(request: HttpRequest, *keys: str) -> Here:
    """Return how the organizations in view stand with these records, or with all."""
    mine = organizations_in_view(request)
    rows = Instance.objects.filter(organization__in=mine)
    switches = EnabledProvider.objects.filter(organization__in=mine)
    if keys:
        rows = rows.filter(provider_key__in=keys)
        switches = switches.filter(provider_key__in=keys)
    switched: dict[str, set[int]] = {}
    for key, organization in switches.values_list("provider_key", "organization_id"):
        switched.setdefault(key, set()).add(organization)
    counted = rows.order_by().values("provider_key").annotate(count=Count("pk"))
    owned = organizations(request.user, Act.OWN).filter(pk__in=mine.values("pk"))
    return Here(
        total=mine.count(),
        owned=tuple(owned.values_list("pk", flat=True)),
        switched={key: frozenset(value) for key, value in switched.items()},
        counts={row["provider_key"]: row["count"] for row in counted},
    )


def switches(request: HttpRequest, provider: Provider) -> list[EnabledProvider]:
    """Return where a record was switched on, by organization; the first twenty."""
    mine = organizations_in_view(request)
    rows = EnabledProvider.objects.filter(
        organization__in=mine, provider_key=provider.key
    )
    return list(
        rows.select_related("organization").order_by("organization__name", "pk")[:20]
    )
