"""What the public pages load of an organization's brand: its colour and its logo.

Their addresses hold the organization's uid and the brand's version: nothing is listed, and a
changed brand has another address.
"""

import uuid

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from ceadmin.teams import brands
from ceadmin.teams.models import Brand

#: A version never changes what it means.
_FOR_A_YEAR = "public, max-age=31536000, immutable"


@login_not_required
@require_safe
def stylesheet(request: HttpRequest, uid: uuid.UUID, version: str) -> HttpResponse:
    """Serve the colour of a brand as CSS variables."""
    brand = _brand(uid, version)
    return _kept(brands.stylesheet(brand.colour).encode(), "text/css; charset=utf-8")


@login_not_required
@require_safe
def logo(request: HttpRequest, uid: uuid.UUID, version: str) -> HttpResponse:
    """Serve the logo of a brand, a PNG that was written here."""
    brand = _brand(uid, version)
    if not brand.logo:
        raise Http404
    return _kept(bytes(brand.logo), "image/png")


def _brand(uid: uuid.UUID, version: str) -> Brand:
    brand = Brand.objects.filter(organization__uid=uid, version=version).first()
    if brand is None:
        raise Http404
    return brand


def _kept(body: bytes, kind: str) -> HttpResponse:
    response = HttpResponse(body, content_type=kind)
    response["Cache-Control"] = _FOR_A_YEAR
    return response
