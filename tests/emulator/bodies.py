"""What the platform shows of an instance: strings only, secrets masked."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from . import grants
from .records import Element, Instance
from .world import World

MASK = "********"
_ALWAYS_MASKED = ("oauth.api.secret", "password")
_USER_TOKENS = (
    "oauth.user.token",
    "oauth.user.refresh_token",
    "oauth.user.token.secret",
)


def moment(world: World, when: float) -> str:
    """Return a time as the platform writes it, by its own clock."""
    skewed = when + world.switch("clock_skew")
    return datetime.fromtimestamp(skewed, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def instance_body(
    world: World, instance: Instance, hydrated: bool = True
) -> dict[str, Any]:
    """Return one instance as the API shows it."""
    element = world.elements[instance.element]
    body: dict[str, Any] = {
        "id": str(instance.id) if "id_as_string" in instance.quirks else instance.id,
        "name": instance.name,
        "createdDate": moment(world, instance.created),
        "updatedDate": moment(world, instance.updated),
        "token": instance.token,
        "element": element_body(
            element.key, element.id, element.name, element.hub, element.oauth
        ),
        "elementId": element.id,
        "tags": instance.tags,
        "provisionInteractions": [],
        "valid": _valid(world, instance),
        "disabled": instance.disabled,
        "maxCacheSize": 0,
        "cacheTimeToLive": 0,
        "eventsEnabled": False,
        "traceLoggingEnabled": False,
        "cachingEnabled": False,
        "externalAuthentication": "none",
        "user": _user(world, instance),
    }
    if hydrated:
        body["configuration"] = configuration(world, instance)
    return body


def _valid(world: World, instance: Instance) -> bool:
    if not world.switch("valid_reflects_health"):
        return True
    return grants.is_live(world, instance.configuration.get("oauth.user.token") or "")


def _user(world: World, instance: Instance) -> dict[str, Any]:
    organization = world.organizations[instance.organization]
    return {
        "id": organization.user_id,
        "emailAddress": organization.username,
        "firstName": "Ada",
        "lastName": "Example",
    }


def configuration(world: World, instance: Instance) -> dict[str, str | None]:
    """Return the configuration with key and secret masked, and the tokens where a switch or quirk says so."""
    if "empty_configuration" in instance.quirks:
        return {}
    masked = set(_ALWAYS_MASKED)
    if world.switch("mask_api_key"):
        masked.add("oauth.api.key")
    if world.switch("mask_user_tokens") or "masked_tokens" in instance.quirks:
        masked.update(_USER_TOKENS)
    if "masked_token_secret" in instance.quirks:
        masked.add("oauth.user.token.secret")
    return {
        key: MASK if key in masked and value else value
        for key, value in instance.configuration.items()
    }


def configuration_entries(world: World, instance: Instance) -> list[dict[str, Any]]:
    """Return the configuration as the list that /configuration answers."""
    return [
        {
            "id": 10000 + place, "key": key, "name": key.replace(".", " ").title(), "propertyValue": value,
            "type": "TEXTFIELD_32", "required": False, "active": True, "hideFromConsole": False,
        }
        for place, (key, value) in enumerate(configuration(world, instance).items())
    ]  # fmt: skip


@lru_cache(maxsize=256)
def element_body(
    key: str, number: int, name: str, hub: str, oauth: str
) -> dict[str, Any]:
    """Return one element as the API shows it."""
    return {
        "id": number, "name": name, "hookName": name, "key": key, "description": f"Add a {name} instance",
        "image": f"elements/provider_{key}.png", "active": True, "deleted": False, "typeOauth": True,
        "trialAccount": False, "elementProvisionType": "OAUTH_TEMPLATE", "resources": [],
        "transformationsEnabled": True, "bulkDownloadEnabled": False, "bulkUploadEnabled": False,
        "cloneable": True, "extendable": True, "beta": False, "authentication": {"type": oauth},
        "extended": False, "hub": hub, "protocolType": "http", "parameters": [], "private": False,
    }  # fmt: skip


def body_of(element: Element) -> dict[str, Any]:
    """Return an element's body."""
    return element_body(
        element.key, element.id, element.name, element.hub, element.oauth
    )
