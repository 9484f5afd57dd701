"""The time zone in which a person sees times and days."""

from __future__ import annotations

import zoneinfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext

from ceadmin.teams.validators import validate_time_zone
from ceadmin.teams.views.choosing import keep

#: Pages that offer the browser's zone: where the answer leads back to.
_PAGES = {"overview": "admin:index", "account": "admin:account"}


def zones() -> list[str]:
    """Return the names of the time zone database, in order."""
    return sorted(zoneinfo.available_timezones())


def set_zone(request: HttpRequest) -> HttpResponse:
    """Take the zone that somebody chose for themselves; refuse what is none."""
    if wanted := keep(request, "time_zone", validate_time_zone):
        text = gettext("Times and days are now those of %(zone)s.")
        messages.success(request, text % {"zone": wanted})
    page = _PAGES.get(request.POST.get("page", ""), "admin:account")
    return HttpResponseRedirect(reverse(page))
