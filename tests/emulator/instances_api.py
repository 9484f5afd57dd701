"""The platform's `/instances`: lists with a cursor, one instance, configuration, enabling, deleting."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_right
from collections import Counter
from typing import Any

from .authorization import Caller, authenticate, problem
from .bodies import configuration_entries, instance_body
from .messages import Answer, Refused, Request, as_json, nothing
from .records import Instance
from .world import World, request_id

MAX_PAGE = 200
_FILTERS = ("tags[]", "searchText")


def find(world: World, request: Request, caller: Caller, number: str) -> Instance:
    """Return the caller's instance of this id, else refuse with 404."""
    instance = world.instances.get(int(number)) if number.isdigit() else None
    if instance is None or instance.organization != caller.organization.id:
        raise Refused(
            problem(404, f"No element instance found with id {number}"),
            "unknown_instance",
        )
    request.trace.instances = [instance.id]
    return instance


def show(world: World, request: Request, instance: Instance) -> Answer:
    """Answer with one instance."""
    request.note(request.trace.effect or "read", instance.id)
    return as_json(
        instance_body(world, instance), headers=(("Elements-Request-Id", request_id()),)
    )


def collection(world: World, request: Request) -> Answer:
    """Answer `GET /instances`: the Element's own instance, or a page of the organization's."""
    caller = authenticate(world, request, "user", "organization")
    if caller.instance is None:
        return listing(world, request, caller)
    if world.switch("element_scoped_get") == "array" or _is_list_query(request):
        request.note("read", caller.instance.id)
        return as_json([instance_body(world, caller.instance)])
    return show(world, request, caller.instance)


def _is_list_query(request: Request) -> bool:
    return any(
        name in ("tags[]", "searchText", "hydrate", "pageSize")
        for name, _ in request.query
    )


def listing(
    world: World, request: Request, caller: Caller, element: str = ""
) -> Answer:
    """Answer one page of the organization's instances, 404 when nothing matches."""
    ids = _matching(world, request, caller, element)
    after, size = _cursor(request), _page_size(world, request)
    later = ids[bisect_right(ids, after) :]
    request.note("listed")
    if not ids and world.switch("empty_list_is_404"):
        return problem(404, "No instances found")
    hydrated = request.arg("hydrate", "true") != "false" and world.switch(
        "list_hydrated"
    )
    rows = [
        instance_body(world, world.instances[number], hydrated)
        for number in later[:size]
    ]
    headers = [
        ("Elements-Total-Count", str(len(ids))),
        ("Elements-Returned-Count", str(len(rows))),
        ("Elements-Request-Id", request_id()),
    ]
    if len(later) > size:
        headers.append(
            ("Elements-Next-Page-Token", _write_cursor(later[size - 1], size))
        )
    return as_json(rows, headers=tuple(headers))


def _matching(
    world: World, request: Request, caller: Caller, element: str
) -> list[int]:
    """Return the ids of all matching instances in order."""
    if not element and not any(name in _FILTERS for name, _ in request.query):
        return world.ids_of(caller.organization)
    return [
        instance.id
        for instance in world.instances_of_organization(caller.organization)
        if element in ("", instance.element) and _matches(world, request, instance)
    ]


def _matches(world: World, request: Request, instance: Instance) -> bool:
    wanted, name = request.arg("searchText"), instance.name
    if not world.switch("search_case_sensitive"):
        wanted, name = wanted.lower(), name.lower()
    return wanted in name and all(
        tag in instance.tags for tag in request.args("tags[]")
    )


def _write_cursor(after: int, size: int) -> str:
    return urlsafe_b64encode(
        json.dumps({"after": after, "size": size}).encode()
    ).decode()


def _read_cursor(request: Request) -> dict[str, Any]:
    token = request.arg("nextPage")
    if not token:
        return {}
    try:
        cursor = json.loads(urlsafe_b64decode(token.encode()))
        return {"after": int(cursor["after"]), "size": int(cursor["size"])}
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(problem(400, "Invalid nextPage token"), "bad_cursor") from error


def _cursor(request: Request) -> int:
    return int(_read_cursor(request).get("after", 0))


def _page_size(world: World, request: Request) -> int:
    wanted = request.arg("pageSize") or str(_read_cursor(request).get("size", MAX_PAGE))
    if not wanted.isdigit() or int(wanted) < 1:
        raise Refused(problem(400, "Invalid pageSize"), "bad_page_size")
    if int(wanted) > MAX_PAGE and world.switch("page_size_over_max") == "refuse":
        raise Refused(
            problem(400, f"pageSize must not be over {MAX_PAGE}"), "bad_page_size"
        )
    return min(int(wanted), MAX_PAGE)


def count(world: World, request: Request) -> Answer:
    """Answer `GET /instances/count`."""
    caller = authenticate(world, request, "user", "organization")
    own = [
        row
        for row in world.instances.values()
        if row.organization == caller.organization.id
    ]
    per_element = Counter(row.element for row in own)
    rows = [
        {"elementKey": key, "totalInstances": number}
        for key, number in sorted(per_element.items())
    ]
    request.note("counted")
    return as_json({"totalInstances": len(own), "elementInstances": rows})


def configuration(
    world: World, request: Request, instance: Instance, entry: str = ""
) -> Answer:
    """Answer the configuration as a list, one entry of it, or change one entry."""
    entries = configuration_entries(world, instance)
    request.note("read", instance.id)
    if not entry:
        return as_json(entries)
    found = next((row for row in entries if str(row["id"]) == entry), None)
    if found is None:
        return problem(404, f"No configuration found with id {entry}")
    if request.method == "PATCH":
        value = json_body(request).get("propertyValue")
        instance.configuration[found["key"]] = None if value is None else str(value)
        world.save(instance)
        request.note("changed", instance.id)
        found["propertyValue"] = value
    return as_json(found)


def enabled(world: World, request: Request, instance: Instance) -> Answer:
    """Enable on PUT, disable on DELETE; the configuration stays as it is."""
    instance.disabled = request.method == "DELETE"
    if not instance.disabled:
        instance.refresh_failures = 0
    world.save(instance)
    request.note("disabled" if instance.disabled else "enabled", instance.id)
    if world.switch("enabled_body") == "instance":
        return as_json(instance_body(world, instance))
    return nothing(200, (("Elements-Request-Id", request_id()),))


def delete(world: World, request: Request, instance: Instance) -> Answer:
    """Delete an instance; its grant lives on at the provider."""
    world.remove(instance)
    request.note("deleted", instance.id)
    return nothing(200, (("Elements-Request-Id", request_id()),))


def json_body(request: Request) -> dict[str, Any]:
    """Return the JSON object sent, else refuse with 415 or 400."""
    if request.content_type() != "application/json":
        raise Refused(problem(415, "Unsupported Media Type"), "bad_content_type")
    try:
        body = request.json()
    except ValueError as error:
        raise Refused(problem(400, "Could not read JSON"), "bad_json") from error
    if not isinstance(body, dict):
        raise Refused(problem(400, "Expected a JSON object"), "bad_json")
    return body
