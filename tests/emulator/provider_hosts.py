"""The providers' own hosts: revoke, introspect, and the calls that show whether a token lives."""

from __future__ import annotations

import re
from collections.abc import Callable

from . import consent, grants, player, revocation, signatures
from .messages import Answer, Refused, Request, as_json, nothing, page
from .profiles import provider_of_host
from .records import Account, Grant, Server
from .world import World

Handler = Callable[..., Answer]


def answer(world: World, request: Request) -> Answer:
    """Answer a call to a provider's host; what no code here knows is played from a recording."""
    played = _played(world, request) if world.switch("recordings_first") else None
    return played or _coded(world, request)


def _coded(world: World, request: Request) -> Answer:
    server = world.servers.get(request.host)
    profile = provider_of_host(request.host)
    request.trace.provider = (
        "generic" if server is not None else profile.key if profile is not None else ""
    )
    for provider, method, host, path, handler in _ROUTES:
        if provider != request.trace.provider or request.method not in method:
            continue
        found = path.fullmatch(request.path)
        if found is not None and host.fullmatch(request.host):
            return handler(world, request, **found.groupdict())
    played = _played(world, request)
    if played is not None:
        return played
    request.note("unknown_path" if request.trace.provider else "unknown_host")
    return page("Not found", "<h1>The emulator knows no such address</h1>", 404)


def _played(world: World, request: Request) -> Answer | None:
    """Answer from a recording, None where there is none for this address."""
    consented = player.consent_provider(world, request)
    if consented:
        request.trace.provider = consented
        show = consent.show if request.method == "GET" else consent.decide
        return show(world, request)
    return player.answer(world, request)


def holder(world: World, request: Request) -> tuple[Account, Grant] | None:
    """Return whose live access token the request carries; None when it is dead or unknown."""
    token = request.bearer()
    grant = world.grant_by_token(token)
    request.trace.instances = world.instances_of_grant(grant)
    alive = (
        grant is not None
        and grant.provider == request.trace.provider
        and grants.lives_at(world, grant, request.host)
        and grants.is_live(world, token)
    )
    request.note("alive" if alive else "dead")
    if not alive or grant is None:
        return None
    return grants.account_of(world, grant), grant


# -- Box -----------------------------------------------------------------------------------------


def box_me(world: World, request: Request) -> Answer:
    """Answer Box's `users/me`."""
    found = holder(world, request)
    if found is None:
        words = 'Bearer realm="Service", error="invalid_token", error_description="The access token provided is invalid."'
        return nothing(401, (("WWW-Authenticate", words),))
    return as_json(
        {
            "type": "user",
            "id": found[0].id,
            "name": found[0].name,
            "login": found[0].email,
        }
    )


# -- Salesforce ----------------------------------------------------------------------------------


def _salesforce_holder(world: World, request: Request) -> Account | None:
    """Return the owner of a session, which works on its own host only."""
    found = holder(world, request)
    if found is None or found[0].site["instance_host"] != request.host:
        request.trace.effect = "dead"
        return None
    return found[0]


def salesforce_limits(world: World, request: Request) -> Answer:
    """Answer Salesforce's `limits`."""
    if _salesforce_holder(world, request) is None:
        return as_json(
            [
                {
                    "message": "Session expired or invalid",
                    "errorCode": "INVALID_SESSION_ID",
                }
            ],
            401,
        )
    return as_json({"DailyApiRequests": {"Max": 15000, "Remaining": 14998}})


def salesforce_userinfo(world: World, request: Request) -> Answer:
    """Answer Salesforce's `userinfo`; a dead token is a 403 in plain text here."""
    owner = _salesforce_holder(world, request)
    if owner is None:
        return Answer(403, b"Bad_OAuth_Token", "text/plain;charset=UTF-8")
    names = {
        "sub": f"https://login.salesforce.com/id/{owner.site['org']}/{owner.id}",
        "user_id": owner.id,
    }
    return as_json(
        names
        | {
            "organization_id": owner.site["org"],
            "name": owner.name,
            "email": owner.email,
        }
    )


def salesforce_versions(_world: World, request: Request) -> Answer:
    """Answer the list of versions, which is public and proves nothing."""
    request.note("public")
    return as_json(
        [{"label": "Spring", "url": "/services/data/v60.0", "version": "60.0"}]
    )


# -- Adobe Sign ----------------------------------------------------------------------------------


def adobe_me(world: World, request: Request) -> Answer:
    """Answer Adobe Sign's `users/me`; an account lives in one shard only."""
    found = holder(world, request)
    if found is None or found[0].site["shard"] != revocation.shard(request.host):
        request.trace.effect = "dead"
        words = "Access token provided is invalid or has expired"
        return as_json({"code": "INVALID_ACCESS_TOKEN", "message": words}, 401)
    names = found[0].name.split(" ", 1)
    body = {
        "id": found[0].id,
        "email": found[0].email,
        "firstName": names[0],
        "lastName": names[-1],
        "status": "ACTIVE",
    }
    return as_json(body)


# -- QuickBooks ----------------------------------------------------------------------------------


def quickbooks_company(
    world: World, request: Request, realm: str, again: str
) -> Answer:
    """Answer QuickBooks' `companyinfo`."""
    found = holder(world, request)
    if found is None:
        detail = "Token expired or revoked"
        error = {
            "message": "message=AuthenticationFailed; errorCode=003200; statusCode=401",
            "detail": detail,
            "code": "3200",
        }
        return as_json({"fault": {"error": [error], "type": "AUTHENTICATION"}}, 401)
    if {realm, again} != {found[0].site["realm"]}:
        request.note("foreign_company")
        error = {
            "message": "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403",
            "code": "3100",
        }
        return as_json({"fault": {"error": [error], "type": "AUTHORIZATION"}}, 403)
    return as_json(
        {"CompanyInfo": {"CompanyName": found[0].name, "Id": "1", "domain": "QBO"}}
    )


# -- the generic server --------------------------------------------------------------------------


def generic_userinfo(world: World, request: Request) -> Answer:
    """Answer a standard userinfo endpoint."""
    found = holder(world, request)
    if found is None:
        return as_json(
            {"error": "invalid_token"},
            401,
            (("WWW-Authenticate", 'Bearer error="invalid_token"'),),
        )
    return as_json({"sub": found[0].id, "name": found[0].name, "email": found[0].email})


def twitter_me(world: World, request: Request) -> Answer:
    """Answer X's `verify_credentials` to a call that a live token signed."""
    client, token = signatures.signer(world, request, "twitter")
    grant = world.grant_by_token(token)
    request.trace.instances = world.instances_of_grant(grant)
    alive = client is not None and grants.is_live(world, token)
    request.note("alive" if alive else "dead")
    if not alive or grant is None:
        words = {"code": 89, "message": "Invalid or expired token."}
        return as_json({"errors": [words]}, 401)
    return as_json({"id_str": grants.account_of(world, grant).id})


def generic_metadata(world: World, request: Request) -> Answer:
    """Answer the server's metadata (RFC 8414)."""
    base = f"https://{request.host}"
    request.note("metadata")
    body = {
        "issuer": base,
        "authorization_endpoint": f"{base}/oauth/authorize",
        "token_endpoint": f"{base}/oauth/token",
        "revocation_endpoint": f"{base}/oauth/revoke",
        "userinfo_endpoint": f"{base}/oauth/userinfo",
        "response_types_supported": ["code"],
        "revocation_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post",
        ],
    }
    if _server(world, request).introspection:
        body["introspection_endpoint"] = f"{base}/oauth/introspect"
    return as_json(body)


def generic_introspect(world: World, request: Request) -> Answer:
    """Answer introspection (RFC 7662): a dead token is a 200 that says so."""
    if not _server(world, request).introspection:
        raise Refused(nothing(404), "no_introspection")
    return introspect(world, request)


def introspect(world: World, request: Request) -> Answer:
    """Answer whether a token of the authenticated client is active."""
    client = revocation.authenticated_client(world, request, request.trace.provider)
    token = request.form().get("token", "")
    grant = world.grant_by_token(token)
    request.trace.instances = world.instances_of_grant(grant)
    active = (
        grant is not None
        and grant.client_id == client.client_id
        and grants.lives_at(world, grant, request.host)
        and grants.is_live(world, token, grant.tokens[token]["kind"])
    )
    request.note("active" if active else "inactive")
    if not active or grant is None:
        return as_json({"active": False})
    return as_json(
        {"active": True, "client_id": client.client_id, "sub": grant.account}
    )


def _server(world: World, request: Request) -> Server:
    return world.servers[request.host]


_GET, _POST, _BOTH = ("GET",), ("POST",), ("GET", "POST")
_SHARD = r"[a-z]{2}\d\.(adobesign|echosign)\.com"
_ROUTES: list[tuple[str, tuple[str, ...], re.Pattern[str], re.Pattern[str], Handler]] = [
    (provider, methods, re.compile(host), re.compile(path), handler)
    for provider, methods, host, path, handler in (
        ("box", _GET, r"account\.box\.com|app\.box\.com", r"/api/oauth2/authorize", consent.show),
        ("box", _POST, r"account\.box\.com|app\.box\.com", r"/api/oauth2/authorize", consent.decide),
        ("box", _POST, r"api\.box\.com", r"/oauth2/revoke", revocation.box),
        ("box", _POST, r"www\.box\.com", r"/api/oauth2/revoke", revocation.box),
        ("box", _GET, r"api\.box\.com", r"/2\.0/users/me", box_me),
        ("salesforce", _GET, r".*", r"/services/oauth2/authorize", consent.show),
        ("salesforce", _POST, r".*", r"/services/oauth2/authorize", consent.decide),
        ("salesforce", _BOTH, r".*", r"/services/oauth2/revoke", revocation.salesforce),
        ("salesforce", _POST, r".*", r"/services/oauth2/introspect", introspect),
        ("salesforce", _GET, r".*", r"/services/oauth2/userinfo", salesforce_userinfo),
        ("salesforce", _GET, r".*", r"/services/data/?", salesforce_versions),
        ("salesforce", _GET, r".*", r"/services/data/v\d+\.\d+/limits/?", salesforce_limits),
        ("adobe_sign", _GET, r"secure\." + _SHARD, r"/public/oauth(/v2)?", consent.show),
        ("adobe_sign", _POST, r"secure\." + _SHARD, r"/public/oauth(/v2)?", consent.decide),
        ("adobe_sign", _POST, r"api\." + _SHARD, r"/oauth/v2/revoke", revocation.adobe),
        ("adobe_sign", _POST, r"secure\." + _SHARD, r"/oauth(/v2)?/revoke", revocation.adobe),
        ("adobe_sign", _GET, r"api\." + _SHARD, r"/api/rest/v6/users/me", adobe_me),
        ("quickbooks", _GET, r"appcenter\..*", r"/connect/oauth2", consent.show),
        ("quickbooks", _POST, r"appcenter\..*", r"/connect/oauth2", consent.decide),
        ("quickbooks", _POST, r"developer\.api\..*", r"/v2/oauth2/tokens/revoke", revocation.quickbooks),
        (
            "quickbooks", _GET, r"(sandbox-)?quickbooks\.api\..*",
            r"/v3/company/(?P<realm>\d+)/companyinfo/(?P<again>\d+)", quickbooks_company,
        ),
        ("generic", _GET, r".*", r"/\.well-known/(oauth-authorization-server|openid-configuration)", generic_metadata),
        ("generic", _GET, r".*", r"/oauth/authorize", consent.show),
        ("generic", _POST, r".*", r"/oauth/authorize", consent.decide),
        ("generic", _POST, r".*", r"/oauth/revoke", revocation.generic),
        ("generic", _POST, r".*", r"/oauth/introspect", generic_introspect),
        ("generic", _GET, r".*", r"/oauth/userinfo", generic_userinfo),
        ("twitter", _POST, r"api\..*", r"/1\.1/oauth/invalidate_token\.json", revocation.twitter),
        ("twitter", _GET, r"api\..*", r"/1\.1/account/verify_credentials\.json", twitter_me),
        ("twitter", _GET, r".*", r"/oauth/(authenticate|authorize)", consent.show),
        ("twitter", _POST, r".*", r"/oauth/(authenticate|authorize)", consent.decide),
    )
]  # fmt: skip
