"""New authorization for an instance: PATCH and PUT, with and without an id, and POST for a new one."""

from __future__ import annotations

import re
from base64 import b64encode
from secrets import token_bytes
from typing import Any

from . import exchange
from .authorization import Caller, problem
from .bodies import MASK, instance_body
from .element_calls import store_tokens
from .instances_api import json_body
from .messages import Answer, Refused, Request, as_json
from .records import Instance
from .world import World, request_id

_TAG = re.compile(r"<[^>]*>")


def change(
    world: World, request: Request, caller: Caller, instance: Instance, by_id: bool
) -> Answer:
    """Answer PATCH and PUT of an instance; with `providerData` they reauthenticate it."""
    request.trace.instances = [instance.id]
    body = json_body(request)
    again = bool(body.get("providerData")) or request.arg("reAuthenticate") == "true"
    if again:
        _refuse_form(world, request, caller, by_id)
    if request.method == "PUT":
        _check_whole(instance, body)
    if world.switch("reauth_name_required") and again and not body.get("name"):
        raise Refused(problem(400, "name is required"), "name_required")
    held = _merged(world, request, instance, body)
    if again:
        _reauthenticate(world, request, instance, held, body.get("providerData") or {})
    else:
        instance.configuration = held
        request.note("changed", instance.id)
    _rename(instance, body)
    instance.updated = world.now()
    world.save(instance)
    return as_json(
        instance_body(world, instance), headers=(("Elements-Request-Id", request_id()),)
    )


def _refuse_form(world: World, request: Request, caller: Caller, by_id: bool) -> None:
    form = f"{request.method.lower()}_instance" + ("" if by_id else "s")
    form = {"patch_instance": "patch_instance_by_id"}.get(form, form)
    if form in caller.organization.refused_forms:
        refusal = problem(
            world.switch("refused_form_status"),
            f"Request method '{request.method}' not supported",
        )
        raise Refused(refusal, "form_refused")


def _check_whole(instance: Instance, body: dict[str, Any]) -> None:
    """Refuse a PUT that lacks what a whole instance must have."""
    element = body.get("element")
    key = element.get("key") if isinstance(element, dict) else None
    if key != instance.element or not isinstance(body.get("configuration"), dict):
        raise Refused(
            problem(400, "element.key and configuration are required"), "incomplete"
        )


def _merged(
    world: World, request: Request, instance: Instance, body: dict[str, Any]
) -> dict[str, str | None]:
    """Return the configuration as it would be after this change."""
    changes = body.get("configuration") or {}
    if not isinstance(changes, dict):
        raise Refused(problem(400, "configuration must be an object"), "bad_json")
    kept = dict(instance.configuration)
    for key, value in changes.items():
        if value == MASK and world.switch("mask_written_back") == "ignored":
            continue
        kept[key] = (
            value if value is None or isinstance(value, str) else str(value).lower()
        )
    return kept


def _reauthenticate(
    world: World,
    request: Request,
    instance: Instance,
    held: dict[str, str | None],
    data: dict[str, Any],
) -> None:
    """Redeem the code and let the instance hold what came of it; nothing changes when that fails."""
    grant, owner = exchange.redeem(world, request, instance, held, data)
    instance.configuration = held | exchange.configuration(world, owner)
    store_tokens(world, instance, *exchange.pair(grant))
    if world.switch("reauth_enables"):
        instance.disabled = False
    world.move_to_grant(instance, grant)
    request.note("reauthenticated", instance.id)


def _rename(instance: Instance, body: dict[str, Any]) -> None:
    if isinstance(body.get("name"), str):
        instance.name = _TAG.sub("", body["name"])
    if isinstance(body.get("tags"), list):
        instance.tags = [_TAG.sub("", str(tag)) for tag in body["tags"]]
    if instance.name.startswith("@") and instance.name not in instance.tags:
        instance.tags.append(instance.name)


def create(world: World, request: Request, caller: Caller, element: str = "") -> Answer:
    """Answer POST /instances: a new instance from a code."""
    body = json_body(request)
    key = element or (body.get("element") or {}).get("key", "")
    if key not in world.elements:
        raise Refused(
            problem(404, f"No element found with key {key}"), "unknown_element"
        )
    number = world.next_id("instance")
    name = body.get("name") or key
    instance = Instance(
        number, caller.organization.id, key, name, element_token(), created=world.now()
    )
    held = _merged(world, request, instance, body)
    missing = [
        name
        for name in ("oauth.api.key", "oauth.api.secret", "oauth.callback.url")
        if not held.get(name)
    ]
    if missing:
        raise Refused(
            problem(400, f"Missing configuration: {', '.join(missing)}"), "incomplete"
        )
    _reauthenticate(world, request, instance, held, body.get("providerData") or {})
    _rename(instance, body)
    world.save(instance)
    request.note("created", instance.id)
    return as_json(instance_body(world, instance))


def element_token() -> str:
    """Return a new element token: Base64 of 32 bytes."""
    return b64encode(token_bytes(32)).decode()
