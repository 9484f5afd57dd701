"""What stands around the list of instances: views, columns and files, and what was ticked elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.forms import Media, Script
from django.http import HttpRequest
from django.utils.translation import gettext

from ceadmin.teams.lookups import is_row_number
from ceadmin.teams.models import Organization, User
from instances.admin.columns import COLUMNS, columns_of
from instances.admin.questions import VIEW, canonical, question_of
from instances.admin.saved_view import address_of, offered
from instances.finding import find
from instances.models import SavedView

#: What a script keeps of rows ticked on other pages, as one field of a form.
TICKED = "ticked"
_STYLE, _PICKS = "ceadmin/css/list.css", "ceadmin/js/picks.js"
#: More are carried as a filter, or brought as a list.
MOST_TICKED = 5_000


@dataclass(frozen=True, slots=True)
class Tab:
    """A view above the list."""

    label: str
    url: str
    current: bool
    shared: bool = False


def frame_of_list(request: HttpRequest, user: User) -> dict[str, Any]:
    """Return what the list's page shows beside its rows."""
    asked = canonical(request.GET)
    views = offered(request, user)
    tabs = [_tab(view, asked) for view in views]
    aside = question_of(request).aside
    whole = not (asked or aside or any(tab.current for tab in tabs))
    shown = columns_of(request)
    scripts: list[Any] = [Script(_PICKS, defer=True)]
    return {
        "view_tabs": [Tab(gettext("All"), f"?{VIEW}=all", whole), *tabs]
        if views
        else [],
        "view_query": asked,
        "may_save": bool(asked) and not (aside or any(tab.current for tab in tabs)),
        "columns": [(name, COLUMNS[name], name in shown) for name in COLUMNS],
        "most_ticked": MOST_TICKED,
        # Instead of Django's own, which knows one page's ticks.
        "media": Media(css={"all": [_STYLE]}, js=scripts),
    }


def _tab(view: SavedView, asked: str) -> Tab:
    return Tab(view.name, address_of(view), view.query == asked, view.shared)


def take_in_ticked(request: HttpRequest) -> None:
    """Add what was ticked on other pages to what was ticked on this one; raise BadRequest for nonsense."""
    kept = request.POST.get(TICKED, "")
    if request.POST.get("select_across") == "1":
        _tick_the_first(request)
        return
    if not kept:
        return
    others = kept.split(",", MOST_TICKED + 1)
    if len(others) > MOST_TICKED or not all(is_row_number(one) for one in others):
        raise BadRequest(gettext("Not rows of this list."))
    here = request.POST.getlist(ACTION_CHECKBOX_NAME)
    _tick(request, list(dict.fromkeys([*here, *others])))


def owners_of_all(request: HttpRequest) -> QuerySet[Organization] | None:
    """Return the organizations in which something fits, for "all that match"; None for single rows.

    Where a look ended early, something may: its run says so when nothing does.
    """
    if request.POST.get("select_across") != "1":
        return None
    question = question_of(request)
    if question.aside:
        return None
    alone = {
        pk: replace(question, organizations=(pk,)) for pk in question.organizations
    }
    pages = {pk: find(one, "", 1) for pk, one in alone.items()}
    owners = [pk for pk, page in pages.items() if page.pks or page.after]
    return Organization.objects.filter(pk__in=owners)


def _tick_the_first(request: HttpRequest) -> None:
    """Django acts on all that match only where one of them is ticked."""
    if not request.POST.getlist(ACTION_CHECKBOX_NAME):
        _tick(request, [str(pk) for pk in find(question_of(request), "", 1).pks])


def _tick(request: HttpRequest, pks: list[str]) -> None:
    form = request.POST.copy()
    form.setlist(ACTION_CHECKBOX_NAME, pks)
    request.POST = form  # type: ignore[assignment]
