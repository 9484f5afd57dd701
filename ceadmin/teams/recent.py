"""Dangerous acts ask that the person confirmed not long ago that it is them.

    require_recent(request)  # anywhere in a view, before anything is done

raises `NotRecent`, which `ceadmin.confirming` answers with the page "Confirm it is you".
What was posted is kept sealed in that page and done as soon as the person has confirmed,
so nothing that was typed is lost. A confirmation lasts CONFIRM_MINUTES for that session;
signing in is one.
"""

import time
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

View = Callable[..., HttpResponse]

# The session's keys
CONFIRMED_AT = "confirmed_at"
BEGAN_AT = "began_at"
#: Clocks of several web machines differ by so much.
_SKEW_SECONDS = 60


class NotRecent(PermissionDenied):
    """Somebody has to confirm that it is them before this is done."""

    def __init__(self) -> None:
        super().__init__(gettext("Confirm first that it is you."))


def require_recent(request: HttpRequest) -> None:
    """Raise `NotRecent` unless the person confirmed not long ago that it is them."""
    if not is_recent(request):
        raise NotRecent


def is_recent(request: HttpRequest) -> bool:
    """Say whether the person confirmed not long ago that it is them."""
    return is_within(request, CONFIRMED_AT, settings.CONFIRM_MINUTES * 60)


def is_within(request: HttpRequest, key: str, seconds: int) -> bool:
    """Say whether the moment that a session keeps was not longer ago than this."""
    at = request.session.get(key)
    if not isinstance(at, int):
        return False
    return -_SKEW_SECONDS <= time.time() - at < seconds


def remember_confirmed(request: HttpRequest) -> None:
    """Note that the person just proved who they are."""
    request.session[CONFIRMED_AT] = int(time.time())


def begin_session(request: HttpRequest, now: datetime) -> None:
    """Note when a session began: it ends a while after that, however much it is used."""
    request.session[BEGAN_AT] = int(now.timestamp())


def is_too_old(request: HttpRequest) -> bool:
    """Say whether the session of somebody who is signed in has lasted long enough."""
    return not is_within(request, BEGAN_AT, settings.SESSION_HOURS * 60 * 60)


def recent(view: View) -> View:
    """Decorate a view that only a person who confirmed not long ago may use."""

    @wraps(view)
    def asking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        require_recent(request)
        return view(request, *args, **kwargs)

    return asking
