"""Where a request came from."""

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Return the network address of a request's sender, as far as it can be trusted.

    Behind a proxy that TRUSTED_PROXY vouches for it is the last entry of
    X-Forwarded-For: the proxy wrote that one, anybody may have written those before it.
    """
    forwarded = request.headers.get("X-Forwarded-For", "")
    if settings.TRUSTED_PROXY and forwarded:
        return forwarded.rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR", ""))
