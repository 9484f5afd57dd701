"""Tell a browser in which somebody signed in before from a stranger's.

The cookie opens nothing. Tries with it are counted for themselves, so that a stranger who
guesses can close an account to strangers only (`ceadmin.teams.throttle`).
"""

import secrets

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from ceadmin.lib.client import client_address
from ceadmin.lib.sealed import fingerprint
from ceadmin.teams.models import User
from ceadmin.teams.throttle import (
    CODE,
    CONFIRM,
    Door,
    account_of,
    person_door,
    sign_in_door,
)

_SALT = "ceadmin.teams.known"
_DOOR = "confirm_door"  # the session's key
_LIVES_SECONDS = 180 * 24 * 60 * 60


def known_browser(request: HttpRequest, mail: str) -> str:
    """Return the id of a browser that the account knows, '' for a stranger's."""
    cookie = request.COOKIES.get(settings.KNOWN_BROWSER_COOKIE_NAME, "")
    try:
        account, name = signing.loads(cookie, salt=_SALT, max_age=_LIVES_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return ""
    return str(name) if account == account_of(mail) else ""


def make_known(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Let a browser be known to the account from now on."""
    name = known_browser(request, user.email) or secrets.token_urlsafe(16)
    response.set_cookie(
        settings.KNOWN_BROWSER_COOKIE_NAME,
        signing.dumps((account_of(user.email), name), salt=_SALT),
        max_age=_LIVES_SECONDS,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def door_of(request: HttpRequest, mail: str) -> Door:
    """Return the door at which somebody signs in by this request."""
    return sign_in_door(mail, client_address(request), known_browser(request, mail))


def code_door(request: HttpRequest, user: User) -> Door:
    """Return the door at which somebody whose password was right types a code."""
    browser = known_browser(request, user.email)
    return person_door(CODE, user.uid, client_address(request), browser)


def confirm_door(request: HttpRequest, user: User) -> Door:
    """Return the door of "Confirm it is you": each session of a person has its own."""
    # Of the session's own: its key is another one whenever it is bound anew.
    name = request.session.setdefault(_DOOR, secrets.token_urlsafe(16))
    return person_door(
        CONFIRM, user.uid, client_address(request), fingerprint(str(name))
    )
