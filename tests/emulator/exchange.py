"""The platform redeems an authorization code at the provider, with what the instance is configured with."""

from __future__ import annotations

from typing import Any

from . import grants
from .authorization import problem
from .messages import Refused, Request
from .records import Account, Client, Code, Grant, Instance
from .world import World

Configuration = dict[str, str | None]


def redeem(
    world: World,
    request: Request,
    instance: Instance,
    held: Configuration,
    data: dict[str, Any],
) -> tuple[Grant, Account]:
    """Return the new grant and its account; refuses as the provider and the platform would."""
    element = world.elements[instance.element]
    one_time = "oauth_token" if element.oauth == "oauth1" else "code"
    code = world.codes.get(str(data.get(one_time) or ""))
    if not data.get(one_time):
        raise Refused(problem(400, f"providerData.{one_time} is required"), "no_code")
    try:
        if code is None or code.provider != element.provider:
            raise _no(
                "invalid_grant: The authorization code is invalid or has expired",
                "unknown_code",
            )
        _check_life(world, code)
        client = _check_client(world, element.provider, held)
        _check_binding(code, client, held)
        _check_side_values(code, data)
    except Refused as refusal:
        request.trace.client = held.get("oauth.api.key") or ""
        _use_up(world, code, refusal.effect)
        raise
    owner = _owner(world, instance, code)
    _end_older(world, owner, client)
    grant = grants.give(world, owner, client.client_id)
    code.used, code.grant = True, grant.id
    world.save(code)
    request.trace.client = client.client_id
    return grant, owner


def _no(provider_message: str, effect: str) -> Refused:
    return Refused(problem(400, "Bad Request", provider_message), effect)


def _check_life(world: World, code: Code) -> None:
    if code.used:
        raise _no(
            "invalid_grant: The authorization code was already used", "code_used_before"
        )
    if world.now() >= code.expires:
        raise _no("invalid_grant: The authorization code has expired", "code_expired")


def _check_client(world: World, provider: str, held: Configuration) -> Client:
    client = world.clients.get(f"{provider}:{held.get('oauth.api.key')}")
    if client is None or client.client_secret != held.get("oauth.api.secret"):
        raise _no(
            "invalid_client: The client credentials are invalid", "invalid_client"
        )
    return client


def _check_binding(code: Code, client: Client, held: Configuration) -> None:
    if code.client_id != client.client_id:
        raise _no(
            "invalid_grant: The authorization code was issued to another client",
            "code_of_other_client",
        )
    if code.redirect_uri != held.get("oauth.callback.url"):
        raise _no(
            "invalid_grant: redirect_uri mismatch: it is not the one the code was issued for",
            "redirect_mismatch",
        )


def _check_side_values(code: Code, data: dict[str, Any]) -> None:
    """Check what has to come back beside the code: the realm, or the verifier of OAuth 1."""
    if code.realm and str(data.get("realmId") or "") != code.realm:
        raise _no(
            "invalid_request: realmId is missing or belongs to another company",
            "realm_mismatch",
        )
    if code.secret and (
        not code.verifier
        or (data.get("oauth_verifier"), data.get("secret"))
        != (code.verifier, code.secret)
    ):
        raise _no(
            "invalid_request: oauth_verifier or secret is wrong", "verifier_mismatch"
        )


def _use_up(world: World, code: Code | None, effect: str) -> None:
    """Do to a code what a refused exchange does, as the switches have it."""
    if code is None:
        return
    if effect == "code_used_before" and world.switch("code_reuse_revokes"):
        grant = world.grants.get(code.grant)
        if grant is not None:
            grants.end(world, grant)
    if world.switch("failed_reauth_uses_code") and not code.used:
        code.used = True
        world.save(code)


def _owner(world: World, instance: Instance, code: Code) -> Account:
    """Return whose account this is; "same" means the one the instance had before."""
    if code.account != "same":
        return grants.account(world, code.provider, code.account)
    before = world.grants.get(instance.grant)
    site = {"host": world.elements[instance.element].host}
    return grants.account(
        world, code.provider, before.account if before is not None else "", **site
    )


def _end_older(world: World, owner: Account, client: Client) -> None:
    """End the older connection of a QuickBooks company: only the newest one counts."""
    if owner.provider != "quickbooks" or not world.switch("quickbooks_newest_wins"):
        return
    for grant in list(world.grants.values()):
        mine = (grant.provider, grant.client_id, grant.account) == (
            "quickbooks",
            client.client_id,
            owner.id,
        )
        if mine and not grant.ended:
            grants.end(world, grant)


def configuration(world: World, owner: Account) -> Configuration:
    """Return what the platform stores about an account beside its tokens."""
    return world.profile(owner.provider).configuration(owner)


def pair(grant: Grant) -> tuple[str, str]:
    """Return a grant's newest access and refresh token."""
    return grants.newest(grant, "access"), grants.newest(grant, "refresh")
