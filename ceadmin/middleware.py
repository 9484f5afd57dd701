"""What every request goes through: an id, security headers, the person's time zone and language."""

import logging
import time
import uuid
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from ceadmin.lib import logs, trace
from ceadmin.teams import browsers
from ceadmin.teams.recent import is_too_old

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "camera",
        "display-capture",
        "geolocation",
        "microphone",
        "payment",
        "usb",
    )
)


def request_id(get_response: GetResponse) -> GetResponse:
    """Give the request an id of ours, shown in its answer and in every log line."""

    def middleware(request: HttpRequest) -> HttpResponse:
        started = time.monotonic()
        token = trace.request_id.set(uuid.uuid4().hex)
        try:
            response = get_response(request)
            response["X-Request-Id"] = trace.request_id.get()
            _log(request, response, time.monotonic() - started)
        finally:
            trace.request_id.reset(token)
        return response

    return middleware


def _log(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    """Log the route, not the address: an address can be a reconnect link or a code."""
    route = logs.route(request)
    level = logging.DEBUG if route in logs.QUIET_ROUTES else logging.INFO
    milliseconds = round(seconds * 1000)
    logger.log(
        level,
        "%s /%s %s in %d ms",
        request.method,
        route,
        response.status_code,
        milliseconds,
    )


def security_headers(get_response: GetResponse) -> GetResponse:
    """Say what a browser may do with the page; addresses of pages leak nowhere."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if not request.path.startswith(f"/{settings.STATIC_URL.strip('/')}/"):
            response.setdefault("Cache-Control", "no-store")
        if not request.path.startswith("/admin/"):
            # A public page's address is the key to it.
            response.setdefault("Referrer-Policy", "no-referrer")
        return response

    return middleware


#: The session's key for when its end was last moved, and how often that happens.
USED_AT, USED_EVERY_SECONDS = "used_at", 5 * 60


def session_life(get_response: GetResponse) -> GetResponse:
    """End a session that is too old; move the end of one that is used.

    It is moved at most every five minutes: writing at every request would let pages that
    refresh themselves wait for a run's writes on SQLite, which has one writer at a time.
    And never with an answer that caches may keep: it would carry the session's cookie.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if SESSION_KEY in request.session and is_too_old(request):
            browsers.forget(request.session.session_key)
            request.session.flush()
            request.user = AnonymousUser()
        response = get_response(request)
        if "public" not in response.get("Cache-Control", ""):
            _move_end(request)
        return response

    return middleware


def _move_end(request: HttpRequest) -> None:
    session, now = request.session, timezone.now()  # noqa: TID251 (where a request enters)
    if session.is_empty() or SESSION_KEY not in session:
        return
    if now.timestamp() - session.get(USED_AT, 0) >= USED_EVERY_SECONDS:
        session[USED_AT] = int(now.timestamp())
        browsers.used(session.session_key or "", now)


def time_zone(get_response: GetResponse) -> GetResponse:
    """Show times in the signed-in person's time zone."""

    def middleware(request: HttpRequest) -> HttpResponse:
        zone = getattr(request.user, "time_zone", "")
        with timezone.override(zone or settings.TIME_ZONE):
            return get_response(request)

    return middleware


def language(get_response: GetResponse) -> GetResponse:
    """Speak the signed-in person's language; a stranger's browser says which one it wants."""

    def middleware(request: HttpRequest) -> HttpResponse:
        chosen = getattr(request.user, "language", "")
        request.LANGUAGE_CODE = chosen or translation.get_language_from_request(request)
        with translation.override(request.LANGUAGE_CODE):
            response = get_response(request)
        if not chosen:
            patch_vary_headers(response, ["Accept-Language"])
        return response

    return middleware
