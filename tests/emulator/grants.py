"""What happens to tokens: they are given, live, are refreshed, grow stale, and die as each provider has it."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from .profiles import complete_site
from .records import Account, Grant, Token
from .world import World

_KEEP = 40  # tokens remembered per grant


def account(
    world: World, provider: str, account_id: str = "", /, **site: str
) -> Account:
    """Return the account of this id, made when there is none yet."""
    account_id = account_id or world.profile(provider).make_account()
    held = world.accounts.get(f"{provider}:{account_id}")
    if held is None:
        name = f"Account {account_id[-6:]}"
        email = f"{account_id[-6:].lower().replace('_', 'x')}@customer.example.test"
        held = Account(
            provider,
            account_id,
            name,
            email,
            complete_site(world.profile(provider), site),
        )
        world.save(held)
    return held


def account_of(world: World, grant: Grant) -> Account:
    """Return whose grant this is."""
    return world.accounts[f"{grant.provider}:{grant.account}"]


def lives_at(world: World, grant: Grant, host: str) -> bool:
    """Tell whether this generic server gave the grant; of other providers this is true."""
    return grant.provider != "generic" or account_of(world, grant).site["host"] == host


def give(world: World, owner: Account, client_id: str) -> Grant:
    """Make a new grant with an access and a refresh token."""
    grant = Grant(
        world.next_id("grant"), owner.provider, client_id, owner.id, created=world.now()
    )
    add_tokens(world, grant, owner)
    return grant


def add_tokens(
    world: World, grant: Grant, owner: Account, access: str = "", refresh: str = ""
) -> None:
    """Put a fresh pair into a grant; named values are taken as they are."""
    profile = world.profile(grant.provider)
    life = world.switch("access_life") or profile.access_life
    grant.tokens[access or profile.make_access(owner)] = {
        "kind": "access", "state": "live", "expires": world.now() + life if life else 0,
    }  # fmt: skip
    refresh = refresh or profile.make_refresh(owner)
    if refresh:
        grant.tokens[refresh] = {"kind": "refresh", "state": "live", "expires": 0}
    world.save(grant)


def newest(grant: Grant, kind: str) -> str:
    """Return the newest token of a kind, dead or alive; an empty string if there is none."""
    return next(
        (
            value
            for value, token in reversed(grant.tokens.items())
            if token["kind"] == kind
        ),
        "",
    )


def is_live(world: World, value: str, kind: str = "access") -> bool:
    """Judge one token as its provider would at this moment."""
    grant = world.grant_by_token(value)
    if grant is None:
        return False
    token = grant.tokens[value]
    if token["kind"] != kind or token["state"] != "live":
        return False
    _let_revocation_arrive(world, grant, token)
    return token["state"] == "live" and not (
        token["expires"] and world.now() >= token["expires"]
    )


def _let_revocation_arrive(world: World, grant: Grant, token: Token) -> None:
    """End a token whose revocation was on its way: after so many seconds, or so many checks."""
    arrived = world.now() >= token.get("dies", float("inf"))
    if "checks" in token:
        token["checks"] -= 1
        arrived = arrived or token["checks"] < 0
        world.save(grant)
    if arrived:
        token["state"] = "revoked"
        world.save(grant)


def refresh(world: World, value: str) -> tuple[str, str] | None:
    """Redeem a refresh token as the platform does; None when the provider refuses."""
    grant = world.grant_by_token(value)
    if grant is None or not is_live(world, value, "refresh"):
        return None
    owner = account_of(world, grant)
    used = grant.tokens[value]
    before = set(grant.tokens)
    if world.profile(grant.provider).rotates:
        add_tokens(world, grant, owner)
        used["state"] = "stale"
    else:
        del grant.tokens[value]  # it goes to the end, so that it stays the newest
        add_tokens(world, grant, owner, refresh=value)
        grant.tokens[value] = used
    for fresh in (
        set(grant.tokens) - before
    ):  # a revocation on its way takes these along
        grant.tokens[fresh] |= {
            name: used[name] for name in ("dies", "checks") if name in used
        }
    while len(grant.tokens) > _KEEP:
        grant.tokens.pop(next(iter(grant.tokens)))
    return newest(grant, "access"), newest(grant, "refresh")


def revoke(
    world: World,
    grant: Grant,
    value: str,
    spoil: dict[str, Any],
    dies: Container[str] = (),
) -> str:
    """Revoke by one token and return what that did: revoked, session_revoked, ignored or already_dead.

    `spoil` is what a fault makes of it: nothing happens though it looks so, or it happens late.
    `dies` are the kinds of token that die with it, where a recording says so.
    """
    token = grant.tokens[value]
    if token["state"] == "stale" and token["kind"] == "refresh":
        stale = world.switch("stale_refresh_revoke")
        if stale != "revokes":
            return "ignored" if stale == "ignored" else "already_dead"
    elif not _revocable(world, token):
        return "already_dead"
    if spoil.get("ignored"):
        return "ignored"
    if dies:
        return _kill_kinds(world, grant, dies, spoil)
    whole = token["kind"] == "refresh" or access_kills_grant(world, grant)
    doomed = list(grant.tokens.values()) if whole else [token]
    kill(world, grant, doomed, spoil)
    for other in _of_company(world, grant) if whole else ():
        kill(world, other, list(other.tokens.values()), spoil)
    return "revoked" if whole else "session_revoked"


def _of_company(world: World, grant: Grant) -> list[Grant]:
    """Return the other grants that the same app has of one QuickBooks company."""
    if grant.provider != "quickbooks" or not world.switch("quickbooks_ends_company"):
        return []
    realm = account_of(world, grant).site["realm"]
    return [
        other
        for other in world.grants.values()
        if other is not grant
        and (other.provider, other.client_id) == (grant.provider, grant.client_id)
        and account_of(world, other).site["realm"] == realm
    ]


def _kill_kinds(
    world: World, grant: Grant, dies: Container[str], spoil: dict[str, Any]
) -> str:
    kinds = {token["kind"] for token in grant.tokens.values()}
    doomed = [token for token in grant.tokens.values() if token["kind"] in dies]
    kill(world, grant, doomed, spoil)
    renewable = "refresh" in kinds and "refresh" not in dies
    return "session_revoked" if renewable else "revoked"


def access_kills_grant(world: World, grant: Grant) -> bool:
    """Tell whether revoking an access token of this grant takes the refresh token along."""
    if grant.provider == "generic":
        server = world.servers[account_of(world, grant).site["host"]]
        everywhere = bool(world.switch("generic_access_kills_grant"))
        return everywhere or server.access_kills_grant
    return world.profile(grant.provider).access_kills == "grant"


def _revocable(world: World, token: Token) -> bool:
    """Tell whether a provider would still find this token; one that is dying counts as gone."""
    expired = token["expires"] and world.now() >= token["expires"]
    return (
        token["state"] == "live"
        and not expired
        and "dies" not in token
        and "checks" not in token
    )


def kill(
    world: World, grant: Grant, tokens: list[Token], spoil: dict[str, Any] | None = None
) -> None:
    """End these tokens, now or as slowly as the fault or the switches say."""
    slow = spoil or {}
    seconds = slow.get("seconds") or world.switch("propagation_seconds")
    checks = slow.get("checks") or world.switch("propagation_checks")
    for token in tokens:
        if token["state"] != "live":
            continue
        if seconds:
            token["dies"] = world.now() + seconds
        elif checks:
            token["checks"] = checks
        else:
            token["state"] = "revoked"
    if len(tokens) == len(grant.tokens):
        grant.ended = world.now()
    world.save(grant)


def end(world: World, grant: Grant) -> None:
    """End a whole grant at once, as when the customer removes the app."""
    for token in grant.tokens.values():
        token["state"] = "revoked"
    grant.ended = world.now()
    world.save(grant)
