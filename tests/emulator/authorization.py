"""Who calls the platform: `Authorization: User …, Organization …, Element …`, in any order."""

from __future__ import annotations

from dataclasses import dataclass

from .messages import Answer, Refused, Request, as_json
from .records import Instance, Organization
from .world import World, request_id

#: The platform's own words; they never tell which of the three is wrong.
WRONG_SECRETS = (
    "Invalid Organization or User secret, or invalid Element token provided."
)


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller; the instance only where an Element token was given."""

    organization: Organization
    instance: Instance | None


def problem(status: int, message: str, provider_message: str = "") -> Answer:
    """Return an error as the platform words it."""
    request = request_id()
    body = {"requestId": request, "message": message}
    if provider_message:
        body["providerMessage"] = provider_message
    return as_json(
        body, status, (("Elements-Request-Id", request), ("Elements-Error", "true"))
    )


def parse(header: str) -> dict[str, str]:
    """Return the parts of the header by lower-case keyword; `Element: token` is understood too."""
    parts = {}
    for piece in header.split(","):
        keyword, _, value = piece.strip().partition(" ")
        parts[keyword.rstrip(":").lower()] = value.strip()
    return parts


def authenticate(world: World, request: Request, *required: str) -> Caller:
    """Return the caller; every required and every supplied part has to be right, else 401."""
    parts = parse(request.headers.get("authorization", ""))
    organization = world.organization_by_user(parts.get("user", ""))
    instance = world.instance_by_token(parts.get("element", ""))
    wrong = (
        any(not parts.get(name) for name in required)
        or organization is None
        or (
            "organization" in parts
            and parts["organization"] != organization.organization_secret
        )
        or (
            "element" in parts
            and (instance is None or instance.organization != organization.id)
        )
    )
    if wrong or organization is None:
        raise Refused(problem(401, WRONG_SECRETS), "wrong_secrets")
    request.trace.organization = organization.id
    return Caller(organization, instance)
