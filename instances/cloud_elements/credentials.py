"""An organization's access to the platform: its address and two secrets, and the header made of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from instances.cloud_elements.errors import Code, Refused

API_PATH = "/elements/api-v2"

#: Values stand raw in a header whose parts a comma and a space separate.
_FIT_FOR_HEADER = re.compile(r"[\x21-\x2b\x2d-\x7e]+")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where an organization's API is and the two secrets that open it; neither shows in a repr."""

    base_url: str  # scheme and host; regions differ, so it is free text
    user_secret: str = field(repr=False)
    organization_secret: str = field(repr=False)

    def url(self, path: str) -> str:
        """Return the full address of an API path such as `/instances`."""
        base = self.base_url.strip().rstrip("/").removesuffix(API_PATH)
        return f"{base}{API_PATH}{path}"

    def header(self, element_token: str | None = None) -> tuple[str, str]:
        """Return the Authorization header of account calls, or of one instance's; raises Refused."""
        parts = [("User", self.user_secret), ("Organization", self.organization_secret)]
        if element_token is not None:
            parts.append(("Element", element_token))
        return _authorization(parts)

    def element_header(self, element_token: str) -> tuple[str, str]:
        """Return the header of calls through the element, which need no organization; raises Refused."""
        return _authorization([("User", self.user_secret), ("Element", element_token)])

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return the values to mask wherever an answer is quoted."""
        return tuple(
            value for value in (self.user_secret, self.organization_secret) if value
        )


def _authorization(parts: list[tuple[str, str]]) -> tuple[str, str]:
    if not all(_FIT_FOR_HEADER.fullmatch(value) for _, value in parts):
        raise Refused(Code.MALFORMED_SECRET)
    return "Authorization", ", ".join(f"{word} {value}" for word, value in parts)
