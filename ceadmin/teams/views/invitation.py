"""The pages of an invited person: look, sign in or make an account, accept.

An invitation's address is the key to it, so these pages are never stored and send their
address nowhere. Signing in leads back to an address without the key; the session keeps
the hash meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.debug import (
    sensitive_post_parameters,
    sensitive_variables,
)
from django.views.decorators.http import require_http_methods, require_safe

from ceadmin.lib.client import client_address
from ceadmin.lib.private import private
from ceadmin.teams import invitations
from ceadmin.teams.choices import Role
from ceadmin.teams.forms import JoinForm
from ceadmin.teams.invitations import InvitationError
from ceadmin.teams.models import Invitation, User

#: The session's key for the hash of an invitation that waits for a sign-in.
KEPT = "invitation"


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@private(form=True)
@sensitive_post_parameters("password1", "password2")
@sensitive_variables()
def by_address(request: HttpRequest, token: str) -> HttpResponse:
    """Answer whoever has the address; looking at it uses nothing up."""
    return _answer(request, invitations.find(invitations.hashed(token)))


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@private(form=True)
@sensitive_post_parameters("password1", "password2")
def kept(request: HttpRequest) -> HttpResponse:
    """Answer whoever comes back from signing in."""
    return _answer(request, invitations.find(request.session.get(KEPT, "")))


@login_not_required
@require_safe
@private()
def done(request: HttpRequest) -> HttpResponse:
    """Say that the account is made, and where to sign in."""
    home = reverse("admin:index")
    return render(request, "ceadmin/invitation/done.html", {"home": home})


def _answer(request: HttpRequest, invitation: Invitation | None) -> HttpResponse:
    if invitation is None:
        return render(request, "ceadmin/invitation/unknown.html", status=404)
    word = invitations.word_of(invitation, timezone.now())
    if word != "usable":
        return _closed(request, invitation, word)
    act = request.POST.get("act", "") if request.method == "POST" else ""
    do = _ACTS.get(act)
    return do(request, invitation) if do else _offer(request, invitation)


def _closed(request: HttpRequest, invitation: Invitation, word: str) -> HttpResponse:
    context = {"invitation": invitation, "word": word, "home": reverse("admin:index")}
    return render(request, "ceadmin/invitation/closed.html", context, status=410)


def _offer(
    request: HttpRequest,
    invitation: Invitation,
    form: JoinForm | None = None,
    **more: Any,
) -> HttpResponse:
    user = request.user if isinstance(request.user, User) else None
    context = {
        "invitation": invitation,
        "roles": [role for role in Role if role.value in invitation.roles],
        "me": user,
        "mine": user is not None and user.email == invitation.email,
        "form": form or JoinForm(invitation.email),
        **more,
    }
    return render(request, "ceadmin/invitation/offer.html", context)


def _to_sign_in(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """Send to the sign-in page, as nobody yet; the address itself stays behind."""
    logout(request)
    request.session[KEPT] = invitation.token_hash
    back = urlencode({"next": reverse("teams:kept_invitation")})
    return redirect(f"{reverse('admin:login')}?{back}")


def _accepted(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    user = request.user
    if not isinstance(user, User):  # the session ended meanwhile
        return _offer(request, invitation)
    try:
        invitations.accept(
            invitation, user=user, now=timezone.now(), address=client_address(request)
        )
    except InvitationError as problem:
        return _refused(request, invitation, problem)
    request.session.pop(KEPT, None)
    text = gettext("You are a member of %(organization)s now.")
    messages.success(request, text % {"organization": invitation.organization})
    return redirect("admin:index")


@sensitive_variables()
def _joined(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    form = JoinForm(invitation.email, request.POST)
    if not form.is_valid():
        return _offer(request, invitation, form)
    try:
        invitations.accept_as_new(
            invitation,
            name=form.cleaned_data["name"],
            password=form.cleaned_data["password1"],
            language=get_language() or "",
            now=timezone.now(),
            address=client_address(request),
        )
    except InvitationError as problem:
        return _refused(request, invitation, problem, form)
    return redirect("teams:joined")


def _refused(
    request: HttpRequest,
    invitation: Invitation,
    problem: InvitationError,
    form: JoinForm | None = None,
) -> HttpResponse:
    """Say why; an invitation that ended meanwhile has a page of its own."""
    fresh = invitations.find(invitation.token_hash)
    if fresh is None or problem.code == "closed":
        return _answer(request, fresh)
    return _offer(request, invitation, form, problem=problem.sentence)


_ACTS: dict[str, Callable[[HttpRequest, Invitation], HttpResponse]] = {
    "sign_in": _to_sign_in,
    "accept": _accepted,
    "join": _joined,
}
