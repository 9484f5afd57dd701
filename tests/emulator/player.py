"""Plays the recordings: real requests are held against the published ones and answered in their words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Any

from . import grants, signatures
from .messages import Answer, Request
from .recording import SIGNED, Ask, Check, Identity, Recording, Reply, Revoke, replies
from .records import Account, Client, Grant
from .templates import fill, match, names
from .world import World

#: Effects that reach the account's other grants to the same app, or to every app.
_WIDE = {"grant", "connection", "app_install", "user_sessions"}
_CLIENT = {"client_id", "client_secret"}
#: A server does without these; what else a request carries has to be there.
_OPTIONAL = {"accept"}


@dataclass
class Seen:
    """One request, read as one published request: what stands where the names are."""

    recording: Recording
    ask: Ask
    found: dict[str, str]
    misfits: list[str] = field(default_factory=list)
    client: Client | None = None

    @property
    def token(self) -> str:
        """Return the token that the request is about."""
        return self.found.get("token") or self.found.get("access_token", "")

    def take(self, part: str, template: str, text: str | None) -> None:
        """Read one part; what does not fit is noted, a missing client is told by itself."""
        if "kind" in names(template):
            return  # a hint, which may be wrong or missing (RFC 7009 §2.1)
        held = match(template, text) if text is not None else None
        if held is None:
            if not names(template) & _CLIENT:
                self.misfits.append(part)
            return
        for name, value in held.items():
            if self.found.setdefault(name, value) != value:
                self.misfits.append(part)


def answer(world: World, request: Request) -> Answer | None:
    """Answer a request from the recording that it fits; None if none has this address."""
    seen = _recognised(world, request)
    if seen is None:
        return None
    request.trace.provider = seen.recording.key
    if isinstance(seen.ask, Revoke):
        return _revoke(world, request, seen, seen.ask)
    assert isinstance(seen.ask, Check | Identity)
    return _check(world, request, seen, seen.ask)


def provider_of(world: World, request: Request) -> str:
    """Return the provider that a request is for, "" if no recording has its address."""
    seen = _recognised(world, request)
    return seen.recording.key if seen is not None else ""


def consent_provider(world: World, request: Request) -> str:
    """Return the provider whose consent page has this address, "" if there is none."""
    address = f"https://{request.host}{request.path}"
    for recording in world.recordings.all():
        template = fill(recording.authorize, _whole_addresses(recording))
        if not recording.oauth1 and template and match(template, address) is not None:
            return recording.key
    return ""


# -- which call is it? ---------------------------------------------------------------------------


def _recognised(world: World, request: Request) -> Seen | None:
    """Return the reading that fits best: by the token's grant, then by the client, then by the host."""
    fitting = list(_candidates(world, request))
    return min(fitting, key=lambda seen: _distance(world, seen), default=None)


def _candidates(world: World, request: Request) -> Iterator[Seen]:
    address = f"https://{request.host}{request.path}"
    for recording in world.recordings.all():
        for ask in recording.asks().values():
            if ask.method != request.method:
                continue
            template = fill(ask.address, _whole_addresses(recording))
            found = match(template, address)
            if found is not None and _fits_query(ask, request):
                yield _read(world, request, Seen(recording, ask, found))


def _whole_addresses(recording: Recording) -> dict[str, str]:
    """Return the site values that are addresses: there an example is as good as any."""
    return {
        name: text
        for name, text in recording.site.items()
        if text.startswith("https://")
    }


def _fits_query(ask: Ask, request: Request) -> bool:
    """Tell whether the fixed fields of a query are there; they tell two calls apart."""
    fixed = {name: text for name, text in ask.query.items() if not names(text)}
    return all(request.arg(name) == text for name, text in fixed.items())


def _distance(world: World, seen: Seen) -> tuple[bool, bool, int, str]:
    grant = world.grant_by_token(seen.token)
    key = seen.recording.key
    host = fill(seen.ask.address, _whole_addresses(seen.recording)).split("/")[2]
    registered = f"{key}:{seen.found.get('client_id')}" in world.clients
    holds = grant is not None and grant.provider == key
    return (not holds, not registered, len(names(host)), key)


# -- what does it say? ---------------------------------------------------------------------------


def _read(world: World, request: Request, seen: Seen) -> Seen:
    ask = seen.ask
    for name, template in ask.query.items():
        given = request.args(name)
        seen.take(f"query {name}", template, given[0] if given else None)
    for name, template in ask.headers.items():
        if name.lower() not in _OPTIONAL:
            seen.take(name, template, request.headers.get(name.lower()))
    _read_body(request, seen)
    if ask.client == "basic":
        user, password = request.basic()
        seen.take("client", "<client_id>", user or None)
        seen.take("client", "<client_secret>", password or None)
    if ask.client in SIGNED:
        seen.client, token = signatures.signer(world, request, seen.recording.key)
        seen.take("signature", "<token>", token)
    return seen


def _read_body(request: Request, seen: Seen) -> None:
    ask, kind = seen.ask, request.content_type()
    wanted = ask.headers.get("Content-Type", "")
    if ask.form is not None:
        wanted = "application/x-www-form-urlencoded"
    elif ask.json is not None:
        wanted = "application/json"
    if kind != wanted:
        seen.misfits.append("Content-Type")
    for name, template in {**(ask.form or {}), **(ask.json or {})}.items():
        seen.take(name, template, _member(request, name, json=ask.json is not None))


def _member(request: Request, name: str, *, json: bool) -> str | None:
    if not json:
        return request.form().get(name)
    try:
        body: Any = request.json()
    except ValueError:
        return None
    value = body.get(name) if isinstance(body, dict) else None
    return value if isinstance(value, str) else None


# -- what is answered ----------------------------------------------------------------------------


def _revoke(world: World, request: Request, seen: Seen, ask: Revoke) -> Answer:
    kind, grant = _held(world, seen)
    request.trace.instances = world.instances_of_grant(grant)
    if not _knows_client(world, request, seen):
        return _say(request, seen, "invalid_client", replies(ask, "wrong_client"))
    if seen.misfits or (kind and kind not in ask.takes):
        return _say(request, seen, "not_in_order", replies(ask, "refused"))
    if grant is None or not _of_client(grant, seen):
        return _say(request, seen, "unknown_token", ask.gone)
    spoil = dict(request.spoil)
    if ask.propagation_seconds:
        spoil.setdefault("seconds", ask.propagation_seconds)
    effect = _kill(world, grant, seen, kind, spoil)
    part = ask.gone if effect == "already_dead" else ask.done
    return _say(request, seen, effect, part)


def _kill(
    world: World, grant: Grant, seen: Seen, kind: str, spoil: dict[str, Any]
) -> str:
    """End what the recording says, in the account's other grants too where it reaches so far."""
    ask = seen.ask
    assert isinstance(ask, Revoke)
    dies = ask.dies(kind)
    value = seen.token if kind != "account" else grants.newest(grant, "access")
    effect = grants.revoke(world, grant, value, spoil, dies)
    if effect in ("revoked", "session_revoked") and ask.effect in _WIDE:
        for other in list(world.grants.values()):
            if other is not grant and _reached(ask, grant, other):
                doomed = [one for one in other.tokens.values() if one["kind"] in dies]
                grants.kill(world, other, doomed, spoil)
    return effect


def _reached(ask: Revoke, grant: Grant, other: Grant) -> bool:
    same = (other.provider, other.account) == (grant.provider, grant.account)
    return same and (
        ask.effect == "user_sessions" or other.client_id == grant.client_id
    )


def _check(world: World, request: Request, seen: Seen, ask: Check | Identity) -> Answer:
    kind, grant = _held(world, seen)
    request.trace.instances = world.instances_of_grant(grant)
    if ask.client != "none" and not _knows_client(world, request, seen):
        return _say(
            request,
            seen,
            "invalid_client",
            replies(seen.recording.revoke, "wrong_client"),
        )
    alive = (
        grant is not None
        and not seen.misfits
        and kind in ask.takes
        and grants.is_live(world, seen.token, kind)
    )
    if isinstance(ask, Identity):
        dead = seen.recording.check.dead
        return _say(
            request,
            seen,
            "alive" if alive else "dead",
            (ask.answer,) if alive else dead,
            grant,
        )
    return _say(
        request,
        seen,
        "alive" if alive else "dead",
        ask.alive if alive else ask.dead,
        grant,
    )


def _say(
    request: Request,
    seen: Seen,
    effect: str,
    part: tuple[Reply, ...],
    grant: Grant | None = None,
) -> Answer:
    request.note(effect, *request.trace.instances)
    values = {**seen.recording.site, **seen.found, "token": seen.token}
    if grant is not None:
        values["holder"] = grant.account
    return part[0].answer(values)


# -- who holds what ------------------------------------------------------------------------------


def _held(world: World, seen: Seen) -> tuple[str, Grant | None]:
    """Return the kind of what was sent and the grant it belongs to, if this provider and site know it."""
    if "account" in seen.ask.takes:
        return "account", _grant_of_account(world, seen)
    grant = world.grant_by_token(seen.token)
    if grant is None or grant.provider != seen.recording.key:
        return "", None
    kind = str(grant.tokens[seen.token]["kind"])
    at_home = _at_home(grants.account_of(world, grant), seen.found)
    return kind, grant if at_home else None


def _at_home(owner: Account, found: Mapping[str, str]) -> bool:
    """Tell whether the address is the account's own: another site does not know its tokens."""
    return all(found.get(name, value) == value for name, value in owner.site.items())


def _grant_of_account(world: World, seen: Seen) -> Grant | None:
    """Return the newest grant of the account that the request names."""
    mine = [
        grant
        for grant in world.grants.values()
        if grant.provider == seen.recording.key
        and _at_home(grants.account_of(world, grant), seen.found)
    ]
    return max(mine, key=lambda grant: grant.id, default=None)


def _knows_client(world: World, request: Request, seen: Seen) -> bool:
    """Tell whether the client is who it says; of providers that do not ask, this is true."""
    ask, key = seen.ask, seen.recording.key
    if ask.client == "none":
        return True
    if ask.client not in SIGNED:
        name, secret = (
            seen.found.get("client_id", ""),
            seen.found.get("client_secret", ""),
        )
        held = world.clients.get(f"{key}:{name}")
        right = held is not None and (
            ask.client == "id"
            or compare_digest(held.client_secret.encode(), secret.encode())
        )
        seen.client = held if right else None
    if seen.client is not None:
        request.trace.client = seen.client.client_id
    return seen.client is not None


def _of_client(grant: Grant, seen: Seen) -> bool:
    return seen.client is None or grant.client_id == seen.client.client_id
