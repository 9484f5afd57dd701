"""The page "Confirm it is you", which stands before dangerous acts.

It answers in the place of the page that raised `NotRecent`, at the same address. What was
posted there is sealed into it, bound to person, session and address, and once the person
has proved who they are, the request goes on as if it had just been posted.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.contrib import admin, messages
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    QueryDict,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables

from ceadmin.lib.sealed import SealError, seal, unseal
from ceadmin.teams.models import User
from ceadmin.teams.proving import ProvingForm
from ceadmin.teams.recent import NotRecent
from ceadmin.teams.signins import confirmed
from ceadmin.teams.views.sign_in import status_of

GetResponse = Callable[[HttpRequest], HttpResponse]

#: The field that tells the form of this page, and holds what was posted.
HELD = "confirm_held"
BACK = "confirm_back"
_LABEL = "form.held"
_LIVES_SECONDS = 60 * 60
#: More than any dangerous form has; what is larger is pressed again.
_MOST_CHARACTERS = 500_000


class ConfirmFirst:
    """Show the page where it is needed, and take its answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Go on."""
        return self._get_response(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        """Ask whoever has to confirm first."""
        if not isinstance(exception, NotRecent):
            return None
        if "application/json" in request.headers.get("Accept", ""):
            problem = {"code": "confirm_first", "detail": str(exception)}
            return JsonResponse({"error": problem}, status=403)
        return _page(request, ProvingForm(request), _hold(request))

    @sensitive_variables()
    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Take an answer; once it is right let the view have what was posted before."""
        answers = request.method == "POST" and HELD in request.POST
        # Who was signed out meanwhile is LoginRequiredMiddleware's to ask.
        if not answers or not isinstance(request.user, User):
            return None
        form = ProvingForm(request, request.POST)
        if not form.is_valid():
            return _page(request, form, request.POST[HELD])
        confirmed(request, request.user)
        return _resume(request, request.POST[HELD])


def _resume(request: HttpRequest, held: str) -> HttpResponse | None:
    """Put what was posted before into the request, or lead to where it can be pressed."""
    if not held:  # it was only looked at
        return HttpResponseRedirect(request.get_full_path())
    body = _open(request, held)
    if body is None:
        messages.info(request, gettext("Thank you. Now press the button once more."))
        return HttpResponseRedirect(_back(request))
    request.POST = QueryDict(body)
    return None


def _page(request: HttpRequest, form: ProvingForm, held: str) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": gettext("Confirm it is you"),
        "form": form,
        "held": held,
        "held_name": HELD,
        "address": request.get_full_path(),
        "back": _back(request),
        "back_name": BACK,
    }
    status = 429 if status_of(form) == 429 else 403
    return render(request, "ceadmin/confirm.html", context, status=status)


def _back(request: HttpRequest) -> str:
    """Return the page that the person came from: many buttons have none of their own."""
    came = request.POST.get(BACK) or request.headers.get("Referer", "")
    hosts = {request.get_host()}
    if url_has_allowed_host_and_scheme(came, hosts, request.is_secure()):
        address = urlsplit(came)
        # Two slashes in front would make a host of what follows.
        path = f"/{address.path.lstrip('/')}"
        return urlunsplit(("", "", path, address.query, ""))
    return reverse("admin:index")


def _hold(request: HttpRequest) -> str:
    """Seal what was posted; '' where it was only looked at, or cannot be kept."""
    if request.method != "POST" or not isinstance(request.user, User):
        return ""
    posted = request.POST.copy()
    posted.pop("csrfmiddlewaretoken", None)
    body = posted.urlencode()
    keeps = len(body) <= _MOST_CHARACTERS and not request.FILES
    text = {
        "address": request.get_full_path(),
        "session": _session(request),
        "at": int(time.time()),
        "body": body if keeps else None,
    }
    return str.__str__(seal(_LABEL, request.user.uid, json.dumps(text)))


def _open(request: HttpRequest, held: str) -> str | None:
    """Return what was posted; None where it was not kept, or belongs elsewhere."""
    assert isinstance(request.user, User)
    try:
        text = json.loads(unseal(_LABEL, request.user.uid, held))
    except SealError:
        return None
    place = (text["address"], text["session"])
    mine = place == (request.get_full_path(), _session(request))
    fresh = time.time() - text["at"] < _LIVES_SECONDS
    body: str | None = text["body"]
    return body if mine and fresh else None


def _session(request: HttpRequest) -> str:
    key = request.session.session_key or ""
    return hashlib.sha256(key.encode()).hexdigest()
