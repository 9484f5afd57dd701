"""Between the password and the code: who has given the one and not yet the other.

It stands in the session of a browser in which nobody is signed in, on our side, so it can
be neither forged nor carried to another browser. It ends after five minutes, and with
whatever ends the person's sessions: a changed password, a lost flag.
"""

import time
from typing import NamedTuple

from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from ceadmin.teams.models import User
from ceadmin.teams.recent import is_within

# The session's keys
_STATE, _AT = "halfway", "halfway_at"
_LIVES_SECONDS = 5 * 60


class Halfway(NamedTuple):
    """Whose password was right, and where they want to go."""

    user: User
    target: str


def begin(request: HttpRequest, user: User, target: str) -> None:
    """Remember that a password was right."""
    request.session.cycle_key()  # a key that somebody planted before is worth nothing
    request.session[_STATE] = {
        "user": user.pk,
        "bound": user.get_session_auth_hash(),
        "target": target,
    }
    request.session[_AT] = int(time.time())


def person(request: HttpRequest) -> Halfway | None:
    """Return who is half-way in; None when nobody is, or no longer."""
    state = request.session.get(_STATE)
    if not state or not is_within(request, _AT, _LIVES_SECONDS):
        return None
    able = User.objects.filter(pk=state["user"], is_active=True, is_staff=True)
    user = able.order_by("pk").first()
    if user is None:
        return None
    if not constant_time_compare(state["bound"], user.get_session_auth_hash()):
        return None
    return Halfway(user, state["target"])


def end(request: HttpRequest) -> None:
    """Forget it."""
    request.session.pop(_STATE, None)
    request.session.pop(_AT, None)
