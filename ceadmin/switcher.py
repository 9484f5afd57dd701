"""The organization to work in: what the frame's menu offers, and the page on which all are searched.

Most people have a few. The menu holds so many that it can be read; who has more finds the
others on a page of their own, a hundred at a time.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils.translation import gettext

from ceadmin.frame import chosen_organization
from ceadmin.teams.permissions import organizations

IN_MENU = 50
ON_PAGE = 100


def menu_of(request: HttpRequest) -> dict[str, Any]:
    """Return what the menu shows: the first by name, the chosen one, and whether there are more."""
    mine = organizations(request.user).order_by("name", "pk")
    found = list(mine[: IN_MENU + 1])
    shown, chosen = found[:IN_MENU], chosen_organization(request)
    if chosen is not None and chosen not in shown:
        shown.append(chosen)
    return {
        "organization": chosen,
        "organizations": shown,
        "most_organizations": IN_MENU if len(found) > IN_MENU else None,
    }


def page_of(request: HttpRequest) -> dict[str, Any]:
    """Return what the page shows on which an organization is searched and chosen."""
    query = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    rows = organizations(request.user).order_by("name", "pk")
    rows = rows.filter(name__icontains=query) if query else rows
    found = Paginator(rows, ON_PAGE).get_page(request.GET.get("page"))
    asked = {"next": request.GET.get("next", ""), "q": query}
    kept = {name: value for name, value in asked.items() if value}
    return {
        "title": gettext("Choose an organization"),
        "query": query,
        "next": asked["next"],
        "found": found,
        "kept": f"{urlencode(kept)}&" if kept else "",
    }
