"""What the pages of reconnecting may say of a link."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone

from ceadmin.lib import http
from ceadmin.teams.brands import brand_of
from instances import reconnect, runs
from instances.models import ReconnectLink
from providers.book import book_of


def about(link: ReconnectLink) -> dict[str, Any]:
    """Return what the pages of a link may show."""
    instance, app = link.instance, link.instance.provider_app
    key = reconnect.provider_key_of(link.instance)
    brand = brand_of(instance.organization)
    return {
        "link": link,
        "organization": instance.organization,
        "brand": brand,
        "who": (brand and brand.name) or instance.organization.name,
        "instance": instance,
        "provider": book_of(instance.organization).find(key),
        "scopes": app.scope.replace(",", " ").split() if app else [],
        "callback_host": app.consent_host if app else "",
    }


def going(link: ReconnectLink, url: str) -> dict[str, Any]:
    """Return what the page with the hop to the provider shows."""
    shown = http.browser_url(url)
    return {**about(link), "url": shown, "host": urlsplit(url).hostname}


def finish_run(link: ReconnectLink) -> None:
    """End the run of a link when this was its last open item."""
    if link.item is not None:
        runs.finish_if_done(link.item.run, timezone.now())
