"""The page "Your account": where one is signed in, and the second factor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from ceadmin.lib.client import client_address
from ceadmin.teams import browsers, factors
from ceadmin.teams.models import Browser, User
from ceadmin.teams.permissions import actor_of
from ceadmin.teams.users import Hand
from ceadmin.teams.views.ending import end_others
from ceadmin.teams.views.factor import factor_urls
from ceadmin.teams.views.language import languages, set_language
from ceadmin.teams.views.zone import set_zone, zones

View = Callable[..., HttpResponse]


def account_urls(wrap: Callable[[View], View]) -> list[URLPattern]:
    """Return the addresses of the pages about oneself."""
    end = wrap(require_POST(end_sessions))
    return [
        path("account/", wrap(require_GET(account)), name="account"),
        path("account/end/", end, name="account_end_do"),
        path("account/zone/", wrap(require_POST(set_zone)), name="account_zone_do"),
        path(
            "account/language/",
            wrap(require_POST(set_language)),
            name="account_language_do",
        ),
        *factor_urls(wrap),
    ]


def account(request: HttpRequest) -> HttpResponse:
    """Show what the person's account is made of."""
    user, now = request.user, timezone.now()
    assert isinstance(user, User)  # the admin lets nobody else in
    here = request.session.session_key
    context = {
        **admin.site.each_context(request),
        "title": gettext("Your account"),
        "rows": [_row(one, here) for one in browsers.live(user, now)],
        "factor": factors.factor_of(user),
        "codes_left": factors.codes_left(user),
        "zones": zones(),
        "languages": languages(),
    }
    return TemplateResponse(request, "ceadmin/account.html", context)


def _row(browser: Browser, here: str | None) -> dict[str, Any]:
    return {
        "browser": browser,
        "name": browsers.described(browser.agent),
        "here": browser.session_key == here,
    }


def end_sessions(request: HttpRequest) -> HttpResponse:
    """End one session of the person, or all others."""
    user = request.user
    assert isinstance(user, User)  # the admin lets nobody else in
    hand = Hand(actor_of(user, None, client_address(request)), timezone.now())
    which = request.POST.get("browser", "")
    if which.isdecimal() and len(which) < 19:
        if browsers.end_one(user, int(which), hand):
            messages.success(request, gettext("That browser is signed out."))
        else:
            messages.info(request, gettext("That browser was signed out already."))
    else:
        with transaction.atomic():
            end_others(request, user, hand, why=browsers.ASKED)
        messages.success(request, gettext("All other browsers are signed out."))
    return HttpResponseRedirect(reverse("admin:account"))
