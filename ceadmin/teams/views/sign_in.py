"""Signing in: the password first, then a code where a second factor is set."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import (
    sensitive_post_parameters,
    sensitive_variables,
)
from django.views.decorators.http import require_http_methods

from ceadmin.lib.client import client_address
from ceadmin.teams import factors, halfway
from ceadmin.teams.known import code_door, door_of, make_known
from ceadmin.teams.models import User
from ceadmin.teams.permissions import actor_of
from ceadmin.teams.signins import code_refused, refused
from ceadmin.teams.throttle import TooMany, forgive, take_try
from ceadmin.teams.users import Hand

WRONG_CODE = _(
    "That is not right, or was used before. Type the code that your app shows now, "
    "or one of your recovery codes."
)


class SignInForm(AdminAuthenticationForm):
    """Sign in by mail address; each try is counted before the password is looked at."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        self.fields["username"].label = _("Mail address")
        self.fields["username"].widget.attrs |= {
            "type": "email",
            "autocomplete": "username",
            "autofocus": True,
        }
        self.fields["password"].widget.attrs["autocomplete"] = "current-password"

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        """Refuse a wrong password, and any after too many."""
        mail = self.cleaned_data.get("username")
        if mail and self.cleaned_data.get("password") and self.request:
            try:
                take_try(door_of(self.request, mail), timezone.now())
            except TooMany as closed:
                refused(self.request, mail, "too_many")
                raise too_many(closed) from closed
        return super().clean()

    def confirm_login_allowed(self, user: User) -> None:
        """Refuse who may not use the admin, and record it."""
        try:
            super().confirm_login_allowed(user)
        except ValidationError:
            refused(self.request, user.get_username(), "not_staff")
            raise


def too_many(closed: TooMany) -> ValidationError:
    """Return what a form says at a closed door."""
    return ValidationError(closed.sentence, code="too_many")


def status_of(form: forms.BaseForm) -> int:
    """Return with which status a form that was refused is shown again."""
    return 429 if form.has_error(NON_FIELD_ERRORS, "too_many") else 200


class SignIn(LoginView):
    """The sign-in page."""

    authentication_form = SignInForm
    template_name = "admin/login.html"

    def form_valid(self, form: Any) -> HttpResponse:
        """Sign the person in, or ask for the code."""
        user, target = form.get_user(), self.get_success_url()
        if self.request.user.is_authenticated:
            logout(self.request)
        if factors.is_set(user):
            halfway.begin(self.request, user, target)
            return HttpResponseRedirect(reverse("admin:sign_in_code"))
        return _let_in(self.request, user, target)

    def form_invalid(self, form: Any) -> HttpResponse:
        """Show it again."""
        context = self.get_context_data(form=form)
        return self.render_to_response(context, status=status_of(form))


def _let_in(request: HttpRequest, user: User, target: str) -> HttpResponse:
    login(request, user)
    response = HttpResponseRedirect(target)
    make_known(request, response, user)
    return response


class CodeForm(forms.Form):
    """The code that follows the password."""

    code = forms.CharField(
        label=_("Code"),
        max_length=factors.LONGEST_CODE,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autofocus": True}
        ),
        help_text=_("The six digits that your app shows now, or a recovery code."),
    )

    def __init__(self, request: HttpRequest, user: User, data: Any = None) -> None:
        super().__init__(data, label_suffix="")
        self._request, self._user = request, user

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        """Refuse a wrong code, and any after too many."""
        values = super().clean() or self.cleaned_data
        if "code" in values:
            _check_code(self._request, self._user, values["code"], timezone.now())
        return values


@sensitive_variables()
def _check_code(request: HttpRequest, user: User, typed: str, now: datetime) -> None:
    try:
        take_try(code_door(request, user), now)
    except TooMany as closed:
        code_refused(request, user, "too_many")
        raise too_many(closed) from closed
    hand = Hand(actor_of(user, None, client_address(request)), now)
    if not factors.take_code(user, typed, hand):
        code_refused(request, user, "bad_code")
        raise ValidationError(WRONG_CODE, code="wrong")
    forgive(code_door(request, user))


@login_not_required
@never_cache
@csrf_protect
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def code_page(request: HttpRequest) -> HttpResponse:
    """Ask for the code, then let the person in."""
    if request.user.is_authenticated:
        return HttpResponseRedirect(reverse("admin:index"))
    found = halfway.person(request)
    if found is None:
        halfway.end(request)
        messages.info(request, _("That took too long. Sign in again."))
        return HttpResponseRedirect(reverse("admin:login"))
    form = CodeForm(request, found.user, request.POST or None)
    if not form.is_valid():
        context = {**admin.site.each_context(request), "title": _("Code"), "form": form}
        page = "ceadmin/sign_in_code.html"
        return render(request, page, context, status=status_of(form))
    halfway.end(request)
    left = factors.codes_left(found.user)
    response = _let_in(request, found.user, found.target)
    if left <= _FEW_CODES:
        words = _(
            "You have %(left)d recovery codes left. Make new ones in your account."
        )
        messages.warning(request, words % {"left": left})
    return response


#: So few recovery codes are worth a word at each sign-in.
_FEW_CODES = 3
