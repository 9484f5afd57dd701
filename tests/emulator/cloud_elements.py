"""The platform's addresses: which function answers which."""

from __future__ import annotations

import re
from collections.abc import Callable

from . import element_calls, elements_api, instances_api, reauthentication
from .authorization import WRONG_SECRETS, authenticate, problem
from .elements import RESOURCES
from .messages import Answer, Refused, Request
from .records import Instance
from .world import World

Handler = Callable[..., Answer]

_RESOURCE_PATHS = frozenset(
    f"/{path}" for paths in RESOURCES.values() for path in paths
) | {"/me", "/ping"}


def answer(world: World, request: Request) -> Answer:
    """Answer one call of the platform's API."""
    path = request.path.rstrip("/") or "/"
    if path.startswith("/hubs/") or path in _RESOURCE_PATHS:
        request.trace.side = "element"
        return element_calls.answer(world, request)
    for method, pattern, handler in _ROUTES:
        found = pattern.fullmatch(path) if request.method in method else None
        if found is not None:
            return handler(world, request, *found.groups())
    return elements_api.not_found(request)


def _post_instance(world: World, request: Request) -> Answer:
    return reauthentication.create(
        world, request, authenticate(world, request, "user", "organization")
    )


def _post_element_instance(world: World, request: Request, name: str) -> Answer:
    caller = authenticate(world, request, "user", "organization")
    return reauthentication.create(
        world, request, caller, elements_api.find(world, name).key
    )


def _list_element_instances(world: World, request: Request, name: str) -> Answer:
    caller = authenticate(world, request, "user", "organization")
    return instances_api.listing(
        world, request, caller, elements_api.find(world, name).key
    )


def _own(world: World, request: Request) -> Instance:
    """Return the instance of the Element part, which has to be there."""
    instance = authenticate(world, request, "user", "organization", "element").instance
    if instance is None:
        raise Refused(problem(401, WRONG_SECRETS), "wrong_secrets")
    request.trace.instances = [instance.id]
    return instance


def _named(world: World, request: Request, number: str) -> Instance:
    caller = authenticate(world, request, "user", "organization")
    return instances_api.find(world, request, caller, number)


def _change_own(world: World, request: Request) -> Answer:
    caller = authenticate(world, request, "user", "organization", "element")
    return reauthentication.change(
        world, request, caller, _own(world, request), by_id=False
    )


def _change_named(world: World, request: Request, number: str) -> Answer:
    caller = authenticate(world, request, "user", "organization")
    instance = instances_api.find(world, request, caller, number)
    return reauthentication.change(world, request, caller, instance, by_id=True)


def _with_own(handler: Handler) -> Handler:
    return lambda world, request, *rest: handler(
        world, request, _own(world, request), *rest
    )


def _with_named(handler: Handler) -> Handler:
    return lambda world, request, number, *rest: handler(
        world, request, _named(world, request, number), *rest
    )


_ONE = r"/(?:elements/[^/]+/)?instances/(\d+)"
_ROUTES: list[tuple[tuple[str, ...], re.Pattern[str], Handler]] = [
    (methods, re.compile(pattern), handler)
    for methods, pattern, handler in (
        (("GET",), r"/instances", instances_api.collection),
        (("POST",), r"/instances", _post_instance),
        (("PATCH", "PUT"), r"/instances", _change_own),
        (("DELETE",), r"/instances", _with_own(instances_api.delete)),
        (("GET",), r"/instances/count", instances_api.count),
        (("PUT", "DELETE"), r"/instances/enabled", _with_own(instances_api.enabled)),
        (("GET",), r"/instances/configuration", _with_own(instances_api.configuration)),
        (
            ("GET", "PATCH"),
            r"/instances/configuration/(\d+)",
            _with_own(instances_api.configuration),
        ),
        (("GET",), _ONE, _with_named(instances_api.show)),
        (("PATCH", "PUT"), _ONE, _change_named),
        (("DELETE",), _ONE, _with_named(instances_api.delete)),
        (("PUT", "DELETE"), _ONE + "/enabled", _with_named(instances_api.enabled)),
        (("GET",), _ONE + "/configuration", _with_named(instances_api.configuration)),
        (
            ("GET", "PATCH"),
            _ONE + r"/configuration/(\d+)",
            _with_named(instances_api.configuration),
        ),
        (("GET",), r"/elements", elements_api.elements),
        (("GET",), r"/elements/([^/]+)", elements_api.element),
        (("GET", "POST"), r"/elements/([^/]+)/oauth/url", elements_api.oauth_url),
        (("GET", "POST"), r"/elements/([^/]+)/oauth/token", elements_api.oauth_token),
        (("GET",), r"/elements/([^/]+)/instances", _list_element_instances),
        (("POST",), r"/elements/([^/]+)/instances", _post_element_instance),
        (("GET",), r"/organizations/me", elements_api.me),
        (("POST",), r"/authentication", elements_api.log_in),
        (("GET",), r"/authentication/secrets", elements_api.secrets),
        (
            ("POST",),
            r"/authentication/user-secret-reset",
            elements_api.reset_user_secret,
        ),
        (("GET",), r"/objects", elements_api.objects),
    )
]
