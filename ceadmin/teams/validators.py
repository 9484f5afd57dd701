"""What may be typed into the fields of users and organizations."""

import re
import zoneinfo
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

_BASE_URL = re.compile(
    r"https://(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*(:[0-9]{1,5})?", re.ASCII
)


def validate_base_url(value: str) -> None:
    """Accept `https://host` or `https://host:port`, nothing behind it."""
    if not _BASE_URL.fullmatch(value):
        raise ValidationError(
            gettext(
                "Write scheme and host only, such as https://api.cloud-elements.com; "
                "/elements/api-v2 is added by itself."
            ),
            code="base_url",
        )


def validate_time_zone(value: str) -> None:
    """Accept a name of the time zone database."""
    if value not in _time_zones():
        raise ValidationError(
            gettext("Unknown time zone: write one such as Europe/Berlin or UTC."),
            code="time_zone",
        )


def validate_deliverable(value: str) -> None:
    """Accept a mail address whose domain a mail can name (RFC 5891 §4.4: as ASCII)."""
    try:
        value.rpartition("@")[2].encode("idna")
    except UnicodeError:
        raise ValidationError(
            gettext(
                "No mail can be sent to this address: look at what stands behind the @."
            ),
            code="deliverable",
        ) from None


def validate_language(value: str) -> None:
    """Accept a language that the product speaks."""
    if value not in dict(settings.LANGUAGES):
        raise ValidationError(gettext("This language is not offered."), code="language")


@lru_cache(maxsize=1)
def _time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
