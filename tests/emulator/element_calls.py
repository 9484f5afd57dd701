"""Calls that go through an instance to its provider: ping and resources, with refresh and disabling."""

from __future__ import annotations

from datetime import UTC, datetime

from . import grants
from .authorization import authenticate, problem
from .elements import RESOURCES
from .messages import Answer, Request, as_json
from .records import Element, Instance
from .signatures import secret_of
from .world import World


def answer(world: World, request: Request) -> Answer:
    """Answer `/ping`, `/hubs/{any hub}/ping` or a resource of the instance's element."""
    instance = authenticate(world, request, "user", "element").instance
    assert instance is not None
    request.trace.instances = [instance.id]
    if instance.disabled:
        request.note("disabled", instance.id)
        return _through(instance, problem(403, "Element instance is disabled"))
    element = world.elements[instance.element]
    resource = _resource(request.path)
    if not _has(element, resource):
        request.note("not_supported", instance.id)
        return _through(
            instance, problem(404, f"{resource} is not supported for this element")
        )
    alive, effect = reach_provider(world, instance)
    request.note(effect, instance.id)
    request.trace.provider = element.provider
    if not alive:
        return _through(instance, dead(world, element))
    payload = _pong(element) if resource == "ping" else [{"id": "1", "name": "Example"}]
    return _through(instance, as_json(payload))


def _resource(path: str) -> str:
    """Return the resource of a path; the hub's name is ignored, as the platform does."""
    pieces = path.strip("/").split("/")
    return "/".join(pieces[2:] if pieces[0] == "hubs" else pieces)


def _has(element: Element, resource: str) -> bool:
    if resource == "ping":
        return element.ping
    return resource in RESOURCES.get(element.hub, ()) or (
        resource == "me" and element.key in ("box", "github")
    )


def _pong(element: Element) -> dict[str, object]:
    when = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    # The vendor's own test of Adobe Sign wants the text "true" here.
    return {
        "endpoint": element.key,
        "dateTime": when,
        "valid": "true" if element.key == "adobe-esign" else True,
    }


def _through(instance: Instance, result: Answer) -> Answer:
    result.headers = (
        *result.headers,
        ("Elements-Element-Instance-Id", str(instance.id)),
    )
    return result


def dead(world: World, element: Element) -> Answer:
    """Return the answer for a dead token: the article's words and the provider's own code."""
    own = world.profile(element.provider).dead
    if world.switch("dead_message") == "provider":
        return problem(401, "Unauthorized", own)
    words = (
        own
        if own.startswith("INVALID_ACCESS_TOKEN")
        else f"INVALID_ACCESS_TOKEN: {own}"
    )
    return problem(401, "Request failed", words)


def reach_provider(world: World, instance: Instance) -> tuple[bool, str]:
    """Try the instance's token at its provider; refresh on demand. Return whether it works and what happened."""
    access = instance.configuration.get("oauth.user.token") or ""
    expired = _interval_elapsed(world, instance)
    if not expired and grants.is_live(world, access):
        return True, "alive"
    if not (expired or world.switch("refresh_on_401")):
        return False, "dead"
    if not instance.configuration.get("oauth.user.refresh_token"):
        return grants.is_live(world, access), "dead"
    return refresh_now(world, instance)


def _interval_elapsed(world: World, instance: Instance) -> bool:
    interval = instance.configuration.get("oauth.user.refresh_interval") or ""
    since = instance.configuration.get("oauth.user.refresh_time") or ""
    if not (interval.isdigit() and since.isdigit()):
        return False
    return world.now() >= int(since) / 1000 + int(interval)


def refresh_now(world: World, instance: Instance) -> tuple[bool, str]:
    """Refresh with the tokens held; the fifth failure in a row disables the instance."""
    pair = grants.refresh(
        world, instance.configuration["oauth.user.refresh_token"] or ""
    )
    if pair is None:
        instance.refresh_failures += 1
        locked = instance.refresh_failures >= world.switch(
            "refresh_failures_to_disable"
        )
        instance.disabled = instance.disabled or locked
        world.save(instance)
        return False, "refresh_failed_disabled" if locked else "refresh_failed"
    store_tokens(world, instance, *pair)
    return True, "healed"


def store_tokens(world: World, instance: Instance, access: str, refresh: str) -> None:
    """Let the instance hold these tokens from now on, with a clean record."""
    instance.configuration["oauth.user.token"] = access
    if "oauth.user.token.secret" in instance.configuration:
        instance.configuration["oauth.user.token.secret"] = secret_of(access)
    instance.configuration["oauth.user.refresh_token"] = refresh or None
    instance.configuration["oauth.user.refresh_time"] = str(int(world.now() * 1000))
    instance.refresh_failures = 0
    instance.updated = world.now()
    world.save(instance)
