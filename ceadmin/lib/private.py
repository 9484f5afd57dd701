"""Pages whose address is the key to them: stored nowhere, indexed nowhere, told to nobody."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

View = Callable[..., HttpResponse]


def private(*, form: bool = False) -> Callable[[View], View]:
    """Keep a page out of caches, and its address out of every Referer.

    A page with a form says "same-origin": with "no-referrer" a browser would send
    `Origin: null` with the POST, which the CSRF check has to refuse.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            response = view(request, *args, **kwargs)
            response["Cache-Control"] = "no-store"
            response["Referrer-Policy"] = "same-origin" if form else "no-referrer"
            response["X-Robots-Tag"] = "noindex, nofollow"
            return response

        return wrapped

    return decorate
