"""The time zone in which a person sees times and days."""

from __future__ import annotations

import zoneinfo

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from ceadmin.lib.client import client_address
from ceadmin.teams.models import User
from ceadmin.teams.permissions import actor_of
from ceadmin.teams.users import Hand, user_changed
from ceadmin.teams.validators import validate_time_zone

#: Pages that offer the browser's zone: where the answer leads back to.
_PAGES = {"overview": "admin:index", "account": "admin:account"}


def zones() -> list[str]:
    """Return the names of the time zone database, in order."""
    return sorted(zoneinfo.available_timezones())


def set_zone(request: HttpRequest) -> HttpResponse:
    """Take the zone that somebody chose for themselves; refuse what is none."""
    user, wanted = request.user, request.POST.get("time_zone", "")
    assert isinstance(user, User)  # the admin lets nobody else in
    try:
        validate_time_zone(wanted)
    except ValidationError as problem:
        messages.error(request, problem.messages[0])
    else:
        _save(request, user, wanted)
        text = gettext("Times and days are now those of %(zone)s.")
        messages.success(request, text % {"zone": wanted})
    page = _PAGES.get(request.POST.get("page", ""), "admin:account")
    return HttpResponseRedirect(reverse(page))


def _save(request: HttpRequest, user: User, wanted: str) -> None:
    hand = Hand(actor_of(user, None, client_address(request)), timezone.now())
    with transaction.atomic():
        other = User.objects.filter(pk=user.pk).exclude(time_zone=wanted)
        if other.update(time_zone=wanted):
            user.time_zone = wanted
            user_changed(user, ["time_zone"], hand)
