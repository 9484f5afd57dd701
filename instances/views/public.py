"""Pages of people without an account: the link, the callback, and how it ended.

A public page's address is the key to it, so these pages are never stored, load nothing
from elsewhere and send their address nowhere.
"""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from ceadmin.lib.client import client_address
from ceadmin.lib.languages import in_their_language
from ceadmin.lib.private import private
from ceadmin.teams.models import User
from instances import reconnect
from instances.choices import LinkStatus
from instances.models import ReconnectLink
from instances.reconnect import CallbackRefused, LinkError, Visitor
from instances.views.pages import about, finish_run, going

logger = logging.getLogger(__name__)

COOKIE_PREFIX = (
    "__Secure-ceadmin-reconnect-" if settings.HTTPS else "ceadmin-reconnect-"
)
RESULT_COOKIE = "ceadmin-reconnected"
RESULT_SALT = "instances.reconnect.result"
RESULT_AGE = 10 * 60

#: What a refused callback's page is called; any other code is told as "refused".
_PAGE_OF_REFUSAL = {
    "reused_state": "used",
    "expired": "expired",
    "expired_state": "too-late",
    "cancelled": "cancelled",
    "other_browser": "other-browser",
    "busy": "busy",
    "not_allowed": "not-allowed",
}
#: The same for a link that ended without a connection.
_PAGE_OF_STATUS = {
    LinkStatus.DENIED: "denied",
    LinkStatus.WRONG_ACCOUNT: "wrong-account",
    LinkStatus.CONSENTED: "in-progress",
}
FAILURES = frozenset(
    {*_PAGE_OF_REFUSAL.values(), *_PAGE_OF_STATUS.values(), "failed", "refused"}
)


# The link


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@private(form=True)
@in_their_language
@sensitive_variables()
def link_page(request: HttpRequest, token: str) -> HttpResponse:
    """Show who asks for what; a POST sends the person on to the provider."""
    opened = reconnect.open_link(token, now=timezone.now())
    if opened is None:
        return render(request, "instances/public/unknown.html", status=404)
    if opened.word != "usable":
        return _closed(request, opened)
    if request.method == "POST":
        return _started(request, opened.link)
    return render(request, "instances/public/start.html", about(opened.link))


def _closed(request: HttpRequest, opened: reconnect.Opened) -> HttpResponse:
    word = opened.word.replace("_", "-")
    return render(
        request, f"instances/public/{word}.html", about(opened.link), status=410
    )


@sensitive_variables()
def _started(request: HttpRequest, link: ReconnectLink) -> HttpResponse:
    browser = reconnect.new_secret()
    visitor = Visitor(browsers=(browser,), address=client_address(request))
    try:
        url = reconnect.start(
            link, browser=browser, visitor=visitor, now=timezone.now()
        )
    except LinkError as error:
        status = 429 if error.code == "too_often" else 502
        page = "instances/public/not-now.html"
        return render(request, page, about(link), status=status)
    response = render(request, "instances/public/continue.html", going(link, url))
    _bind(response, link, browser)
    return response


def _bind(response: HttpResponse, link: ReconnectLink, browser: str) -> None:
    response.set_cookie(
        f"{COOKIE_PREFIX}{link.uid.hex[:16]}",
        browser,
        max_age=int(reconnect.STATE_LIFE.total_seconds()),
        path=reverse("instances:callback", args=[reconnect.callback_of(link.instance)]),
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


# The callback


@login_not_required
@require_GET
@private()
@sensitive_variables()
def callback(request: HttpRequest, provider_key: str) -> HttpResponse:
    """Take what the provider sent back, and leave its address at once."""
    query = {name: request.GET.getlist(name) for name in request.GET}
    visitor = _visitor(request)
    try:
        link = reconnect.callback(
            provider_key, query, visitor=visitor, now=timezone.now()
        )
    except CallbackRefused as refused:
        return _refused(refused)
    except Exception:
        # The outermost border: this address holds a code, so nobody may stay on it. The
        # sweep looks what became of a code that was taken.
        logger.exception("a callback could not be finished")
        return _see_other(reverse("instances:failed", args=["failed"]))
    finish_run(link)
    return _to_result(link)


def _visitor(request: HttpRequest) -> Visitor:
    cookies = [
        value
        for name, value in request.COOKIES.items()
        if name.startswith(COOKIE_PREFIX)
    ]
    member = request.user if isinstance(request.user, User) else None
    own = request.session.get(reconnect.MEMBER_BROWSER, "") if member else ""
    address = client_address(request)
    return Visitor(tuple(cookies), member if own else None, address, own)


def _refused(refused: CallbackRefused) -> HttpResponse:
    link = refused.link
    if link is not None and refused.code == "reused_state":
        # A reload or a second tab of the person's own: say how it ended.
        return _to_result(link)
    word = _PAGE_OF_REFUSAL.get(refused.code, "refused")
    return _see_other(reverse("instances:failed", args=[word]))


def _to_result(link: ReconnectLink) -> HttpResponse:
    if link.status == LinkStatus.FINISHED:
        response = _see_other(reverse("instances:done"))
    else:
        word = _PAGE_OF_STATUS.get(LinkStatus(link.status), "failed")
        response = _see_other(reverse("instances:failed", args=[word]))
    response.set_signed_cookie(
        RESULT_COOKIE,
        str(link.uid),
        salt=RESULT_SALT,
        max_age=RESULT_AGE,
        path="/reconnect/",
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
    return response


def _see_other(address: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(address, status=303)


# How it ended


@login_not_required
@require_safe
@private()
@in_their_language
def done(request: HttpRequest) -> HttpResponse:
    """Say that the instance is connected again; names it to the browser that did it only."""
    return render(request, "instances/public/done.html", _result(request))


@login_not_required
@require_safe
@private()
@in_their_language
def failed(request: HttpRequest, word: str) -> HttpResponse:
    """Say what went wrong and what to do."""
    if word not in FAILURES:
        raise Http404
    return render(request, f"instances/public/{word}.html", _result(request))


def _result(request: HttpRequest) -> dict[str, Any]:
    uid = request.get_signed_cookie(
        RESULT_COOKIE, default="", salt=RESULT_SALT, max_age=RESULT_AGE
    )
    links = ReconnectLink.objects.detailed()
    link = links.filter(uid=uid).first() if uid else None
    if link is None:
        return {}
    again = reconnect.address_of(link) if link.is_open else ""
    return {**about(link), "again": again}
