"""Revoking at the providers, each in its own dialect."""

from __future__ import annotations

from hmac import compare_digest

from . import grants, signatures
from .messages import Answer, Refused, Request, as_form, as_json, nothing
from .profiles import PROFILES
from .records import Client, Grant, Token
from .world import World


def shard(host: str) -> str:
    """Return the shard in one of Adobe Sign's hosts."""
    found = PROFILES["adobe_sign"].hosts.fullmatch(host)
    return found[2] if found is not None else ""


def box(world: World, request: Request) -> Answer:
    """Revoke at Box: form body with the client's credentials; either token ends the pair."""
    fields = request.form()
    client = _client(
        world, "box", fields.get("client_id", ""), fields.get("client_secret", "")
    )
    if client is None:
        request.note("invalid_client", *_held_by(world, fields.get("token", "")))
        return as_json(
            {
                "error": "invalid_client",
                "error_description": "The client credentials are invalid",
            },
            400,
        )
    request.trace.client = client.client_id
    unknown = as_json(
        {"error": "invalid_request", "error_description": "Invalid token"},
        world.switch("box_unknown_token"),
    )
    return _revoke(world, request, fields.get("token", ""), unknown, client)


def salesforce(world: World, request: Request) -> Answer:
    """Revoke at Salesforce: no client credentials; the token in the form or in the query, by POST or GET."""
    token = request.form().get("token") or request.arg("token")
    error = (("error", "invalid_token"), ("error_description", "invalid token"))
    wants_json = "json" in request.headers.get("accept", "")
    unknown = as_json(dict(error), 400) if wants_json else as_form(error, 400)
    grant = world.grant_by_token(token)
    if grant is not None and not _at_home(world, request, grant):
        request.note("wrong_host", *world.instances_of_grant(grant))
        return unknown
    return _revoke(world, request, token, unknown)


def _at_home(world: World, request: Request, grant: Grant) -> bool:
    """Tell whether this Salesforce host knows the grant: its own host, or the common login hosts."""
    owner = world.accounts.get(f"salesforce:{grant.account}")
    common = ("login.salesforce.com", "test.salesforce.com")
    return owner is not None and request.host in (owner.site["instance_host"], *common)


def adobe(world: World, request: Request) -> Answer:
    """Revoke at Adobe Sign: form body at the shard's API host, or the article's form with the token in the query."""
    form_type = request.content_type() == "application/x-www-form-urlencoded"
    if world.switch("adobe_needs_form_type") and not form_type:
        request.note("bad_content_type")
        return as_json(
            {
                "error": "invalid_request",
                "error_description": "Unsupported content type",
            },
            400,
        )
    token = request.form().get("token") or (
        "" if request.host.startswith("api.") else request.arg("token")
    )
    body = {"error": "invalid_request", "error_description": "The token is invalid"}
    unknown = as_json(body, world.switch("adobe_unknown_token"))
    grant = world.grant_by_token(token)
    owner = (
        world.accounts.get(f"adobe_sign:{grant.account}") if grant is not None else None
    )
    if owner is not None and owner.site["shard"] != shard(request.host):
        request.note("wrong_shard", *world.instances_of_grant(grant))
        return unknown
    return _revoke(world, request, token, unknown)


def quickbooks(world: World, request: Request) -> Answer:
    """Revoke at Intuit: JSON body and Basic; the connection ends. A second call is a 400 without a body."""
    client = _client(world, "quickbooks", *request.basic())
    try:
        body = request.json() if request.content_type() == "application/json" else {}
    except ValueError:
        body = {}
    token = str(body.get("token") or "") if isinstance(body, dict) else ""
    if client is None:
        request.note("invalid_client", *_held_by(world, token))
        return as_json({"error": "invalid_client"}, 401)
    request.trace.client = client.client_id
    return _revoke(world, request, token, nothing(400), client)


def twitter(world: World, request: Request) -> Answer:
    """Revoke at X by OAuth 1: the token that signs the call dies and is named in the answer."""
    client, token = signatures.signer(world, request, "twitter")
    if client is None:
        request.note("invalid_signature", *_held_by(world, token))
        words = {"code": 32, "message": "Could not authenticate you."}
        return as_json({"errors": [words]}, 401)
    request.trace.client = client.client_id
    words = {"code": 89, "message": "Invalid or expired token."}
    unknown = as_json({"errors": [words]}, 401)
    answer = _revoke(world, request, token, unknown, client)
    return as_json({"access_token": token}) if answer.status == 200 else answer


def generic(world: World, request: Request) -> Answer:
    """Revoke as RFC 7009 says: 200 for unknown tokens too."""
    fields = request.form()
    token = fields.get("token", "")
    request.trace.instances = _held_by(world, token)
    client = authenticated_client(world, request, "generic")
    if not token:
        request.note("no_token")
        return as_json(
            {"error": "invalid_request", "error_description": "token is missing"}, 400
        )
    grant = world.grant_by_token(token)
    if grant is not None and not grants.lives_at(world, grant, request.host):
        request.note("wrong_host", *world.instances_of_grant(grant))
        return nothing(200)
    if grant is not None and grant.client_id != client.client_id:
        request.note("token_of_other_client")
        return as_json(
            {
                "error": "invalid_grant",
                "error_description": "The token was issued to another client",
            },
            400,
        )
    if grant is not None and not _revokes(world, request, grant.tokens[token]):
        request.note("unsupported_token_type")
        return as_json({"error": "unsupported_token_type"}, 400)
    return _revoke(world, request, token, nothing(200), client)


def _revokes(world: World, request: Request, token: Token) -> bool:
    """Tell whether this generic server revokes tokens of this kind."""
    access_too = world.switch("generic_revokes_access")
    return token["kind"] == "refresh" or (
        bool(access_too) and world.servers[request.host].revokes_access
    )


def authenticated_client(world: World, request: Request, provider: str) -> Client:
    """Return the client that Basic or the form names, else refuse with 401 invalid_client."""
    fields = request.form()
    user, password = request.basic()
    name, secret = (
        (user, password)
        if user
        else (fields.get("client_id", ""), fields.get("client_secret", ""))
    )
    client = _client(world, provider, name, secret)
    if client is None:
        refusal = as_json(
            {"error": "invalid_client"},
            401,
            (("WWW-Authenticate", 'Basic realm="oauth"'),),
        )
        raise Refused(refusal, "invalid_client")
    request.trace.client = client.client_id
    return client


def _client(world: World, provider: str, name: str, secret: str) -> Client | None:
    client = world.clients.get(f"{provider}:{name}")
    same = client is not None and compare_digest(
        client.client_secret.encode(), secret.encode()
    )
    return client if same else None


def _held_by(world: World, token: str) -> list[int]:
    return world.instances_of_grant(world.grant_by_token(token))


def _revoke(
    world: World,
    request: Request,
    token: str,
    unknown: Answer,
    client: Client | None = None,
) -> Answer:
    """Revoke if this provider (and this client, where it asks) knows the token; else answer `unknown`."""
    grant = world.grant_by_token(token)
    mine = grant is not None and grant.provider == request.trace.provider
    if (
        grant is None
        or not mine
        or (client is not None and grant.client_id != client.client_id)
    ):
        request.note("unknown_token")
        return unknown
    effect = grants.revoke(world, grant, token, request.spoil)
    request.note(effect, *world.instances_of_grant(grant))
    return unknown if effect == "already_dead" else nothing(200)
