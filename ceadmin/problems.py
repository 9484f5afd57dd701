"""The pages that say what went wrong: not found, not allowed, a form that is too old.

Who is signed in and inside the admin keeps the frame around it; everybody else sees a
bare page. All of them speak the reader's language; what broke before it was known who asks
speaks the browser's.
"""

from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.views import defaults

from ceadmin.teams.denials import organization_of, refused_post
from ceadmin.teams.models import User


def _show(request: HttpRequest, status: int, name: str, **more: str) -> HttpResponse:
    home = reverse("admin:index")
    inside = request.path.startswith(home) and hasattr(request, "session")
    if inside and admin.site.has_permission(request):
        context = admin.site.each_context(request) | more
        return render(request, f"admin/{name}.html", context, status=status)
    return render(request, f"{name}.html", {"home": home}, status=status)


def not_found(request: HttpRequest, exception: Http404) -> HttpResponse:
    """Answer 404."""
    return _show(request, 404, "404")


def not_allowed(request: HttpRequest, exception: PermissionDenied) -> HttpResponse:
    """Answer 403, and let the audit keep what was posted in vain."""
    refused_post(request, exception)
    return _show(request, 403, "403", says=_sentence(request, exception))


def _sentence(request: HttpRequest, exception: PermissionDenied) -> str:
    """Return what a refusal says, where it is about what the person may see."""
    user = getattr(request, "user", None)
    told = isinstance(user, User) and organization_of(user, exception) is not None
    return str(exception) if told else ""


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer 403 to a form whose check value is missing or old (CSRF)."""
    return render(
        request, "403_csrf.html", {"home": reverse("admin:index")}, status=403
    )


def unreadable(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400: a host that is not ours, a form that no browser sends."""
    with translation.override(_language(request)):
        return _varied(request, defaults.bad_request(request, exception))


def broken(request: HttpRequest) -> HttpResponse:
    """Answer 500: our own mistake. Nothing is asked that could fail once more."""
    with translation.override(_language(request)):
        return _varied(request, defaults.server_error(request))


def _language(request: HttpRequest) -> str:
    """Return what `ceadmin.middleware.language` chose; it may not have come to that."""
    chosen: str = getattr(request, "LANGUAGE_CODE", "")
    return chosen or translation.get_language_from_request(request)


def _varied(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    if not getattr(request, "LANGUAGE_CODE", ""):
        patch_vary_headers(response, ["Accept-Language"])
    return response
