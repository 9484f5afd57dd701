"""Setting up a second factor, removing it, and making new recovery codes."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import segno
from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import (
    sensitive_post_parameters,
    sensitive_variables,
)
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ceadmin.lib.client import client_address
from ceadmin.teams import browsers, factors
from ceadmin.teams.factors import FactorError
from ceadmin.teams.models import SecondFactor, User
from ceadmin.teams.permissions import actor_of
from ceadmin.teams.recent import recent
from ceadmin.teams.users import Hand
from ceadmin.teams.views.ending import end_others

View = Callable[..., HttpResponse]

#: The session's key for what was offered in it: no other session may finish it.
_OFFERED = "factor_offered"


class FirstCodeForm(forms.Form):
    """The first code, which proves that the app has the secret."""

    code = forms.CharField(
        label=_("The code that the app shows now"),
        max_length=factors.LONGEST_CODE,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}
        ),
    )


def factor_urls(wrap: Callable[[View], View]) -> list[URLPattern]:
    """Return the addresses of the second factor's pages."""
    either = require_http_methods(["GET", "POST"])
    begin, end = require_POST(recent(begin_setup)), require_POST(recent(remove))
    codes = require_POST(recent(new_codes))
    return [
        path("account/factor/", wrap(either(set_up)), name="account_factor"),
        path("account/factor/code.png", wrap(require_GET(image)), name="account_qr"),
        path("account/factor/begin/", wrap(begin), name="account_factor_begin_do"),
        path("account/factor/remove/", wrap(end), name="account_factor_remove_do"),
        path("account/factor/codes/", wrap(codes), name="account_factor_codes_do"),
    ]


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the admin lets nobody else in
    return request.user


def _hand(request: HttpRequest) -> Hand:
    actor = actor_of(_person(request), None, client_address(request))
    return Hand(actor, timezone.now())


def _account() -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:account"))


def _page(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    frame = admin.site.each_context(request)
    return TemplateResponse(request, f"ceadmin/{name}.html", {**frame, **context})


def _offered(request: HttpRequest) -> SecondFactor | None:
    uid = request.session.get(_OFFERED, "")
    return factors.offered(_person(request), uid, timezone.now())


def begin_setup(request: HttpRequest) -> HttpResponse:
    """Make a secret for the person's app."""
    try:
        made = factors.offer(_person(request), timezone.now())
    except FactorError as problem:
        messages.error(request, problem.sentence)
        return _account()
    request.session[_OFFERED] = str(made.uid)
    return HttpResponseRedirect(reverse("admin:account_factor"))


@sensitive_post_parameters()
@sensitive_variables()
def set_up(request: HttpRequest) -> HttpResponse:
    """Show what the app needs and take its first code; then show the recovery codes."""
    if factors.is_set(_person(request)):
        return _account()
    factor = _offered(request)
    if factor is None:
        return _page(request, "factor_begin", {"title": _TITLE})
    form = FirstCodeForm(request.POST or None, label_suffix="")
    if form.is_valid():
        try:
            return _finish(request, factor, form.cleaned_data["code"])
        except FactorError as problem:
            form.add_error("code", problem.sentence)
    context = {"title": _TITLE, "form": form, "to_type": factors.to_type(factor)}
    return _page(request, "factor_set_up", context)


_TITLE = _("Set up a second factor")


@sensitive_variables()
def _finish(request: HttpRequest, factor: SecondFactor, code: str) -> HttpResponse:
    """Let the factor hold. Who is signed in elsewhere got in without it, so that ends."""
    user, hand = _person(request), _hand(request)
    with transaction.atomic():
        browsers.lock(user)
        codes = factors.confirm(factor, code, hand)
        end_others(request, user, hand, why="factor_set")
    request.session.pop(_OFFERED, None)
    return _codes_page(request, codes)


@sensitive_variables()
def _codes_page(request: HttpRequest, codes: list[str]) -> HttpResponse:
    context = {"title": gettext("Your recovery codes"), "codes": codes}
    return _page(request, "recovery_codes", context)


def image(request: HttpRequest) -> HttpResponse:
    """Draw the secret that was offered in this session as a QR code."""
    factor = _offered(request)
    if factor is None:
        raise Http404
    drawn = io.BytesIO()
    code = segno.make(factors.app_address(factor), micro=False, error="m")
    code.save(drawn, kind="png", scale=4, border=4)
    return HttpResponse(drawn.getvalue(), content_type="image/png")


def remove(request: HttpRequest) -> HttpResponse:
    """Remove the person's second factor."""
    try:
        factors.remove(_person(request), _hand(request))
    except FactorError as problem:
        messages.error(request, problem.sentence)
    else:
        messages.success(request, gettext("Your second factor is removed."))
    return _account()


def new_codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes and show them once."""
    try:
        codes = factors.renew_codes(_person(request), _hand(request))
    except FactorError as problem:
        messages.error(request, problem.sentence)
        return _account()
    return _codes_page(request, codes)
