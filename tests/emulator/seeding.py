"""Making organizations, clients and instances in bulk, as the control endpoint asks."""

from __future__ import annotations

from base64 import b64encode
from secrets import token_bytes, token_hex
from typing import Any

from . import grants
from .element_calls import store_tokens
from .exchange import configuration, pair
from .profiles import PROFILES
from .reauthentication import element_token
from .records import Account, Client, Element, Grant, Instance, Organization, Server
from .signatures import secret_of
from .world import World

_SITE = ("instance_host", "org", "shard", "realm", "host")
STATES = ("alive", "access_dead", "dead", "disabled")


class BadSeed(ValueError):
    """Something that cannot be seeded, with the reason."""


def organization(world: World, wanted: dict[str, Any]) -> dict[str, Any]:
    """Make an organization, or change the one of this id."""
    number = wanted.get("id") or world.next_id("organization")
    held = world.organizations.get(number)
    if held is None:
        secret = b64encode(token_bytes(32)).decode()
        held = Organization(number, f"Organization {number}", secret, token_hex(16))
    _set(
        held,
        wanted,
        (
            "name",
            "user_secret",
            "organization_secret",
            "username",
            "password",
            "refused_forms",
        ),
    )
    world.save(held)
    return vars(held)


def client(world: World, wanted: dict[str, Any]) -> dict[str, Any]:
    """Register an application with a provider, or change the one of this client id."""
    provider = wanted.get("provider", "")
    if provider not in PROFILES and world.recordings.find(provider) is None:
        known = f"provider is one of {', '.join(PROFILES)}, or has a recording"
        raise BadSeed(known)
    name = wanted.get("client_id") or f"{provider}-{token_hex(8)}"
    held = world.clients.get(f"{provider}:{name}") or Client(
        provider, name, token_hex(20)
    )
    _set(held, wanted, ("client_secret", "redirect_uris", "host"))
    world.save(held)
    return vars(held)


def element(world: World, wanted: dict[str, Any]) -> dict[str, Any]:
    """Add a connector, or change one."""
    if not wanted.get("key"):
        raise BadSeed("an element needs a key")
    held = world.elements.get(wanted["key"])
    basis = (
        vars(held)
        if held is not None
        else {
            "id": 20000 + len(world.elements),
            "name": wanted["key"],
            "hub": "general",
        }
    )
    if wanted.get("provider", "generic") not in PROFILES:
        basis |= {"host": ""}  # its recording knows its hosts
    made = Element(**(basis | wanted))
    world.save(made)
    if made.provider == "generic" and made.host not in world.servers:
        world.save(Server(made.host))
    return vars(made)


def server(world: World, wanted: dict[str, Any]) -> dict[str, Any]:
    """Let a host speak plain OAuth 2."""
    made = Server(**wanted)
    world.save(made)
    return vars(made)


def instances(world: World, wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make many instances; one of a known id is left as it is, so that seeding can be repeated."""
    return [_one(world, row) for row in wanted]


def _one(world: World, row: dict[str, Any]) -> dict[str, Any]:
    held = world.instances.get(row.get("id", 0))
    if held is None:
        held = _make(world, row)
        set_state(world, held, row.get("state", "alive"))
    return _shown(held)


def _shown(instance: Instance) -> dict[str, Any]:
    config = instance.configuration
    return {
        "id": instance.id,
        "token": instance.token,
        "name": instance.name,
        "element": instance.element,
        "access_token": config.get("oauth.user.token"),
        "refresh_token": config.get("oauth.user.refresh_token"),
        "grant": instance.grant,
    }


def _make(world: World, row: dict[str, Any]) -> Instance:
    kind = world.elements.get(row.get("element", "box"))
    if kind is None or row.get("organization") not in world.organizations:
        raise BadSeed(
            "an instance needs a known organization (its id) and a known element"
        )
    number = row.get("id") or world.next_id("instance")
    site = {"host": kind.host} | {
        name: str(row[name]) for name in _SITE if row.get(name)
    }
    site |= row.get("site", {})
    owner = grants.account(world, kind.provider, str(row.get("account") or ""), **site)
    grant = _grant(world, row, owner)
    instance = Instance(
        number, row["organization"], kind.key, row.get("name") or f"{kind.name} {number}",
        row.get("token") or element_token(), list(row.get("tags", ())), world.now(), world.now(),
        configuration=_configuration(world, row, owner, grant), grant=grant.id, quirks=list(row.get("quirks", ())),
    )  # fmt: skip
    world.save(instance)
    return instance


def _grant(world: World, row: dict[str, Any], owner: Account) -> Grant:
    """Return the grant to hold: a new one, or that of the instance it is shared with."""
    if row.get("share_grant_with"):
        return world.grants[world.instances[row["share_grant_with"]].grant]
    grant = Grant(
        world.next_id("grant"),
        owner.provider,
        row.get("client_id", ""),
        owner.id,
        created=world.now(),
    )
    grants.add_tokens(
        world, grant, owner, row.get("access_token", ""), row.get("refresh_token", "")
    )
    return grant


def _configuration(
    world: World, row: dict[str, Any], owner: Account, grant: Grant
) -> dict[str, str | None]:
    registered = world.clients.get(f"{owner.provider}:{grant.client_id}")
    secret = row.get("client_secret") or (
        registered.client_secret if registered is not None else "unregistered"
    )
    callback = row.get("callback_url") or (
        registered.redirect_uris[0] if registered and registered.redirect_uris else ""
    )
    life = world.profile(owner.provider).access_life
    held: dict[str, str | None] = {
        "oauth.api.key": grant.client_id,
        "oauth.api.secret": secret,
        "oauth.callback.url": callback,
        "oauth.scope": world.profile(owner.provider).scope,
        "oauth.user.token": grants.newest(grant, "access"),
        "oauth.user.refresh_token": grants.newest(grant, "refresh") or None,
        "oauth.user.refresh_interval": str(life) if life else None,
        "oauth.user.refresh_time": str(int(world.now() * 1000)),
        "pagination.type": "offset",
        "filter.response.nulls": "true",
        "event.notification.enabled": "false",
        "event.notification.callback.url": None,
    }
    if world.profile(owner.provider).signed:
        held["oauth.user.token.secret"] = secret_of(grants.newest(grant, "access"))
    given: dict[str, str | None] = row.get("configuration", {})
    return held | configuration(world, owner) | given


def set_state(world: World, instance: Instance, state: str) -> None:
    """Bring an instance's grant into a state."""
    if state not in STATES:
        raise BadSeed(f"state is one of {', '.join(STATES)}")
    grant = world.grants[instance.grant]
    if state == "alive":
        _revive(world, instance, grant)
    elif state == "access_dead":
        access = [token for token in grant.tokens.values() if token["kind"] == "access"]
        for token in access:
            token["state"] = "revoked"
        world.save(grant)
    elif state in ("dead", "disabled"):
        grants.end(world, grant)
    if state == "disabled":
        instance.disabled = True
        instance.refresh_failures = world.switch("refresh_failures_to_disable")
    world.save(instance)


def _revive(world: World, instance: Instance, grant: Grant) -> None:
    """Give a dead or disabled instance a new grant of the same account."""
    instance.disabled = False
    access = instance.configuration.get("oauth.user.token") or ""
    if not grants.is_live(world, access):
        owner = world.accounts[f"{grant.provider}:{grant.account}"]
        fresh = grants.give(world, owner, grant.client_id)
        store_tokens(world, instance, *pair(fresh))
        world.move_to_grant(instance, fresh)


def _set(record: Any, wanted: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        if wanted.get(name) is not None:
            setattr(record, name, wanted[name])
