"""The control endpoint under `/_control/`: seeding, switches, faults, the log, and the true state of things."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import consent, grants, seeding
from .element_calls import refresh_now
from .messages import Answer, Request, as_json
from .records import Instance
from .switches import SWITCHES

if TYPE_CHECKING:
    from .application import Application

Payload = Any


def answer(application: Application, request: Request) -> Answer:
    """Answer one control request."""
    try:
        payload = request.json() if request.body else None
        return as_json(
            act(application, request.method, request.path, dict(request.query), payload)
        )
    except LookupError as error:
        return as_json({"error": f"there is no {error.args[0]}"}, 404)
    except (ValueError, TypeError, AttributeError) as error:
        return as_json({"error": str(error)}, 400)


def act(
    application: Application,
    method: str,
    path: str,
    query: dict[str, str],
    payload: Payload = None,
) -> Any:
    """Do what a control path says and return its JSON; raises LookupError, ValueError or TypeError."""
    noun, _, rest = path.strip("/").partition("/")
    handler = ROUTES.get((method, noun))
    if handler is None:
        raise LookupError(f"{method} {noun}")
    return handler(application, rest, query, payload)


# -- seeding -------------------------------------------------------------------------------------


def _add_organization(
    application: Application, _rest: str, _query: dict[str, str], payload: Payload
) -> Any:
    return seeding.organization(application.world, payload or {})


def _add_client(
    application: Application, _rest: str, _query: dict[str, str], payload: Payload
) -> Any:
    return seeding.client(application.world, payload or {})


def _add_element(
    application: Application, _rest: str, _query: dict[str, str], payload: Payload
) -> Any:
    return seeding.element(application.world, payload or {})


def _add_server(
    application: Application, _rest: str, _query: dict[str, str], payload: Payload
) -> Any:
    return seeding.server(application.world, payload or {})


def _add_recordings(
    application: Application, _rest: str, _query: dict[str, str], payload: Payload
) -> Any:
    """Play these recordings as well: their text in TOML, by the provider's key."""
    shelf = application.world.recordings
    return {"added": [shelf.add(key, text).key for key, text in payload.items()]}


def _add_instances(
    application: Application, _rest: str, _query: dict[str, str], payload: Payload
) -> Any:
    rows = payload if isinstance(payload, list) else [payload or {}]
    return {"instances": seeding.instances(application.world, rows)}


# -- looking at and changing instances -----------------------------------------------------------


def _instance(application: Application, rest: str) -> Instance:
    number = int(rest) if rest.isdigit() else 0
    if number not in application.world.instances:
        raise LookupError(f"instance {rest}")
    return application.world.instances[number]


def _show_instances(
    application: Application, rest: str, query: dict[str, str], _payload: Payload
) -> Any:
    if rest:
        return _truth(application, _instance(application, rest))
    wanted = query.get("organization")
    rows = application.world.instances.values()
    return {
        "instances": [
            _truth(application, row)
            for row in rows
            if wanted in (None, str(row.organization))
        ]
    }


def _truth(application: Application, instance: Instance) -> dict[str, Any]:
    """Return how an instance really stands, without secrets; asking does not count as a check."""
    grant = application.world.grants[instance.grant]
    tokens = [
        {
            name: token.get(name)
            for name in ("kind", "state", "expires", "dies", "checks")
        }
        for token in grant.tokens.values()
    ]
    calls = application.journal.calls.get(
        instance.id, {"platform": 0, "element": 0, "provider": 0}
    )
    return {
        "id": instance.id, "organization": instance.organization, "element": instance.element,
        "name": instance.name, "tags": instance.tags, "disabled": instance.disabled,
        "refresh_failures": instance.refresh_failures, "account": grant.account, "client_id": grant.client_id,
        "callback_url": instance.configuration.get("oauth.callback.url"), "grant": grant.id,
        "grant_ended": bool(grant.ended), "tokens": tokens, "calls": calls,
        "access_alive": _living(grant, instance.configuration.get("oauth.user.token")),
        "refresh_alive": _living(grant, instance.configuration.get("oauth.user.refresh_token")),
    }  # fmt: skip


def _living(grant: Any, value: str | None) -> bool:
    return value in grant.tokens and grant.tokens[value]["state"] == "live"


def _change_instance(
    application: Application, rest: str, _query: dict[str, str], payload: Payload
) -> Any:
    instance, world = _instance(application, rest), application.world
    world.remove(instance)  # its token may change
    for name in ("name", "tags", "token", "disabled", "quirks", "refresh_failures"):
        if name in payload:
            setattr(instance, name, payload[name])
    instance.configuration |= payload.get("configuration", {})
    world.save(instance)
    if "state" in payload:
        seeding.set_state(world, instance, payload["state"])
    return _truth(application, instance)


def _delete_instance(
    application: Application, rest: str, _query: dict[str, str], _payload: Payload
) -> Any:
    application.world.remove(_instance(application, rest))
    return {}


def _consent(
    application: Application, _rest: str, _query: dict[str, str], payload: Payload
) -> Any:
    """Let a person consent without a browser: returns the code and what comes beside it."""
    client = application.world.clients.get(
        f"{payload.get('provider')}:{payload.get('client_id')}"
    )
    if client is None:
        raise LookupError("such client")
    redirect = payload.get("redirect_uri") or client.redirect_uris[0]
    fields = {
        name: str(payload[name]) for name in ("account", "instance") if name in payload
    }
    return consent.issue(application.world, client, redirect, fields)


def _refresh(
    application: Application, rest: str, _query: dict[str, str], _payload: Payload
) -> Any:
    """Let the platform refresh an instance now, as it does every night."""
    instance = _instance(application, rest)
    _alive, effect = refresh_now(application.world, instance)
    return _truth(application, instance) | {"effect": effect}


def _token_alive(
    application: Application, _rest: str, _query: dict[str, str], payload: Payload
) -> Any:
    """Say whether a token works at its provider at this moment (this counts as a check)."""
    return {
        kind: grants.is_live(application.world, payload["token"], kind)
        for kind in ("access", "refresh")
    }


# -- switches, faults, clock, log ----------------------------------------------------------------


def _show_switches(
    application: Application, _rest: str, _query: dict[str, str], _payload: Payload
) -> Any:
    return {name: application.world.switch(name) for name in SWITCHES}


def _set_switches(
    application: Application, rest: str, query: dict[str, str], payload: Payload
) -> Any:
    for name, value in (payload or {}).items():
        application.world.set_switch(name, value)
    return _show_switches(application, rest, query, payload)


def _show_faults(
    application: Application, _rest: str, _query: dict[str, str], _payload: Payload
) -> Any:
    return {"faults": application.faults.all()}


def _add_fault(
    application: Application, _rest: str, _query: dict[str, str], payload: Payload
) -> Any:
    rules = payload if isinstance(payload, list) else [payload]
    added = [application.faults.add(dict(rule)).shown() for rule in rules]
    return {"faults": added}


def _clear_faults(
    application: Application, rest: str, _query: dict[str, str], _payload: Payload
) -> Any:
    application.faults.clear(int(rest) if rest.isdigit() else None)
    return {}


def _show_log(
    application: Application, _rest: str, query: dict[str, str], _payload: Payload
) -> Any:
    instance = query.get("instance")
    entries = application.journal.since(
        int(query.get("since", 0)), int(instance) if instance else None
    )
    return {"entries": entries, "last": application.journal.last}


def _clear_log(
    application: Application, _rest: str, _query: dict[str, str], _payload: Payload
) -> Any:
    application.journal.clear()
    return {"last": application.journal.last}


def _counts(
    application: Application, _rest: str, query: dict[str, str], _payload: Payload
) -> Any:
    return {"instances": application.journal.counts(int(query.get("since", 0)))}


def _advance(
    application: Application, _rest: str, _query: dict[str, str], payload: Payload
) -> Any:
    application.world.advance(float(payload["advance"]))
    return {"now": application.world.now()}


def _reset(
    application: Application, _rest: str, _query: dict[str, str], _payload: Payload
) -> Any:
    application.world.reset()
    application.journal.clear()
    application.faults.clear()
    return {}


def _health(
    application: Application, _rest: str, _query: dict[str, str], _payload: Payload
) -> Any:
    world = application.world
    return {
        "ok": True,
        "organizations": len(world.organizations),
        "instances": len(world.instances),
    }


ROUTES: dict[
    tuple[str, str], Callable[[Application, str, dict[str, str], Payload], Any]
] = {
    ("POST", "organizations"): _add_organization,
    ("POST", "clients"): _add_client,
    ("POST", "elements"): _add_element,
    ("POST", "servers"): _add_server,
    ("POST", "recordings"): _add_recordings,
    ("POST", "instances"): _add_instances,
    ("GET", "instances"): _show_instances,
    ("PATCH", "instances"): _change_instance,
    ("DELETE", "instances"): _delete_instance,
    ("POST", "consents"): _consent,
    ("POST", "refresh"): _refresh,
    ("POST", "tokens"): _token_alive,
    ("GET", "switches"): _show_switches,
    ("POST", "switches"): _set_switches,
    ("GET", "faults"): _show_faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "log"): _show_log,
    ("DELETE", "log"): _clear_log,
    ("GET", "counts"): _counts,
    ("POST", "clock"): _advance,
    ("POST", "reset"): _reset,
    ("GET", "health"): _health,
}
