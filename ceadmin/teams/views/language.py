"""The language in which a person reads the admin."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from ceadmin.teams.validators import validate_language
from ceadmin.teams.views.choosing import keep


def languages() -> list[tuple[str, str]]:
    """Return code and own name of every language that the product speaks."""
    return [(code, str(name)) for code, name in settings.LANGUAGES]


def set_language(request: HttpRequest) -> HttpResponse:
    """Take the language that somebody chose for themselves; refuse what is not spoken."""
    if wanted := keep(request, "language", validate_language):
        with translation.override(wanted):
            messages.success(request, gettext("The admin speaks English now."))
    return HttpResponseRedirect(reverse("admin:account"))
