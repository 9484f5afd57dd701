"""One record of the catalogue, to be read: what a revocation does, how it is made, how it is known."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ceadmin.frame import organizations_in_view
from ceadmin.site import Pages, site
from instances.admin.catalogue_list import catalogue_list, find
from instances.admin.catalogue_records import here, record, switches
from providers import ages, prose
from providers.entry import entry
from providers.models import ProviderApp
from providers.spec import Provider

_APPS = 20


def catalogue_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show one record; raise Http404 where the reader may see none of this key."""
    provider = record(request, key)
    if provider is None:
        raise Http404
    month = ages.month_of(timezone.now().date())
    context = page_context(request, provider, month)
    return site.page(request, "instances/catalogue/page.html", context)


def page_context(
    request: HttpRequest, provider: Provider, month: str
) -> dict[str, Any]:
    """Return what the page of a record shows in a month such as 2026-11."""
    stands, age = here(request, provider.key), ages.age(provider, month)
    return {
        "title": provider.name,
        "provider": provider,
        "entry": entry(provider),
        "killed": prose.killed(provider.revoke.effect),
        "standing": stands.standing(provider),
        "switches": switches(request, provider) if provider.needs_switch else [],
        "instances": stands.counts.get(provider.key, 0),
        "instances_url": _instances(provider),
        "apps": _apps(request, provider),
        "stale_for": age if age > ages.STALE_AFTER else 0,
    }


def _instances(provider: Provider) -> str:
    listing = reverse("admin:instances_instance_changelist")
    return f"{listing}?provider={provider.key}"


def _apps(request: HttpRequest, provider: Provider) -> list[Any]:
    mine = organizations_in_view(request)
    rows = ProviderApp.objects.filter(organization__in=mine, provider_key=provider.key)
    return list(rows.select_related("organization").order_by("name", "pk")[:_APPS])


site.register_pages(
    "providers",
    Pages(
        _("Catalogue"),
        (
            ("catalogue/", catalogue_list, "catalogue"),
            ("catalogue/<slug:key>/", catalogue_page, "provider"),
        ),
    ),
)
site.register_search(find)
