"""The members' page of a link: start in their own session, paste what came back, accept, cancel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin import site
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.debug import (
    sensitive_post_parameters,
    sensitive_variables,
)
from django.views.decorators.http import require_http_methods

from ceadmin.lib.client import client_address
from ceadmin.lib.private import private
from ceadmin.teams.choices import Act
from ceadmin.teams.models import User
from ceadmin.teams.permissions import NotAllowed, may, organizations
from instances import reconnect
from instances.choices import LinkStatus
from instances.models import ReconnectLink
from instances.reconnect import CallbackRefused, LinkError, Visitor
from instances.spoken import drawn, spoken
from instances.views.pages import about, finish_run, going


@require_http_methods(["GET", "HEAD", "POST"])
@private(form=True)
@sensitive_post_parameters("pasted")
@sensitive_variables()
def paste_page(request: HttpRequest, uid: str) -> HttpResponse:
    """Let a member start a consent in their own session and paste what came back."""
    link = _members_link(request, uid)
    act = request.POST.get("act", "") if request.method == "POST" else ""
    if act == "start":
        return _member_starts(request, link)
    if act in _MEMBER_ACTS:
        _member_acts(request, link, act)
        return redirect("instances:paste", uid=link.uid)
    return _page(request, about(link))


def _page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    frame = site.each_context(request)
    frame["problem"] = drawn(context["link"].problem_text)
    return render(request, "instances/member/paste.html", {**frame, **context})


def _members_link(request: HttpRequest, uid: str) -> ReconnectLink:
    """Return a link of the member's organizations; raise Http404 for others and PermissionDenied without the role."""
    user = _member(request)
    mine = ReconnectLink.objects.detailed().filter(
        instance__organization__in=organizations(user, Act.VIEW)
    )
    link = get_object_or_404(mine, uid=uid)
    if not may(user, Act.OPERATE, link.instance.organization):
        raise NotAllowed(Act.OPERATE, link.instance.organization)
    return link


def _member(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def _member_visitor(request: HttpRequest) -> Visitor:
    browser = reconnect.member_browser(request.session)
    return Visitor((browser,), _member(request), client_address(request))


@sensitive_variables()
def _member_starts(request: HttpRequest, link: ReconnectLink) -> HttpResponse:
    visitor = _member_visitor(request)
    try:
        url = reconnect.start(
            link, browser=visitor.browsers[0], visitor=visitor, now=timezone.now()
        )
    except LinkError as problem:
        messages.error(request, problem.sentence)
        return redirect("instances:paste", uid=link.uid)
    return _page(request, going(link, url))


def _member_acts(request: HttpRequest, link: ReconnectLink, act: str) -> None:
    try:
        _MEMBER_ACTS[act](request, link)
    except LinkError as problem:
        messages.error(request, problem.sentence)
    except CallbackRefused as refused:
        words = gettext("What you pasted was not accepted (%(code)s). Start again.")
        messages.error(request, words % {"code": refused.code})


@sensitive_variables()
def _paste(request: HttpRequest, link: ReconnectLink) -> None:
    ended = reconnect.paste(
        link,
        request.POST.get("pasted", ""),
        visitor=_member_visitor(request),
        now=timezone.now(),
    )
    finish_run(ended)
    problem = spoken(ended.problem_text)
    words = f"{ended.instance.name}: {ended.get_status_display()}. {problem}"
    good = ended.status == LinkStatus.FINISHED
    messages.add_message(
        request, messages.SUCCESS if good else messages.WARNING, words.strip()
    )


def _hand(request: HttpRequest) -> dict[str, Any]:
    address = client_address(request)
    return {"user": _member(request), "now": timezone.now(), "address": address}


def _accept(request: HttpRequest, link: ReconnectLink) -> None:
    reconnect.accept_account(link, **_hand(request))
    names = {"name": link.instance.name, "account": link.found_account}
    messages.success(request, gettext("%(name)s now belongs to %(account)s.") % names)


def _cancel(request: HttpRequest, link: ReconnectLink) -> None:
    reconnect.cancel(link, **_hand(request))
    finish_run(link)
    words = gettext("The link of %(name)s is cancelled.")
    messages.success(request, words % {"name": link.instance.name})


_MEMBER_ACTS: dict[str, Callable[[HttpRequest, ReconnectLink], None]] = {
    "paste": _paste,
    "accept": _accept,
    "cancel": _cancel,
}
