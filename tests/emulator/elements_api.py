"""The platform's `/elements`, its OAuth addresses, logins and `/organizations/me`."""

from __future__ import annotations

from base64 import b64encode
from secrets import token_bytes, token_urlsafe
from urllib.parse import quote, urlencode

from .authorization import WRONG_SECRETS, authenticate, problem
from .bodies import body_of
from .instances_api import json_body
from .messages import Answer, Refused, Request, as_json, nothing
from .profiles import provider_of_host
from .records import Code, Element
from .world import World, request_id


def find(world: World, name: str) -> Element:
    """Return the element of a key or an id, else refuse with 404."""
    found = world.elements.get(name)
    if found is None and name.isdigit():
        found = next(
            (row for row in world.elements.values() if row.id == int(name)), None
        )
    if found is None:
        raise Refused(
            problem(404, f"No element found with key {name}"), "unknown_element"
        )
    return found


def elements(world: World, request: Request) -> Answer:
    """Answer `GET /elements`."""
    authenticate(world, request, "user", "organization")
    request.note("elements_listed")
    return as_json([body_of(element) for element in world.elements.values()])


def element(world: World, request: Request, name: str) -> Answer:
    """Answer `GET /elements/{keyOrId}`."""
    authenticate(world, request, "user", "organization")
    request.note("element_read")
    return as_json(body_of(find(world, name)))


# -- addresses to consent at ---------------------------------------------------------------------


def oauth_url(world: World, request: Request, name: str) -> Answer:
    """Answer `/elements/{keyOrId}/oauth/url`: where a person consents. The secret is not checked here."""
    values = _oauth_values(world, request)
    asked = find(world, name)
    if asked.oauth == "oauth1":
        query = urlencode({"oauth_token": values.get("requestToken", "")})
        address = f"{world.profile(asked.provider).authorize}?{query}"
    else:
        address = f"{_authorize_address(world, asked, values.get('siteAddress', ''))}?{_authorize_query(world, asked, values)}"
    request.note("url_made")
    return as_json(
        {"element": asked.key, "oauthUrl": address},
        headers=(("Elements-Request-Id", request_id()),),
    )


def _oauth_values(world: World, request: Request) -> dict[str, str]:
    if world.switch("oauth_url_needs_secrets"):
        authenticate(world, request, "user", "organization")
    source = json_body(request) if request.method == "POST" else dict(request.query)
    values = {key: str(value) for key, value in source.items() if value is not None}
    missing = [
        key for key in ("apiKey", "apiSecret", "callbackUrl") if not values.get(key)
    ]
    if missing:
        raise Refused(
            problem(400, f"Required parameter missing: {', '.join(missing)}"),
            "incomplete",
        )
    request.trace.client = values["apiKey"]
    return values


def _authorize_query(world: World, asked: Element, values: dict[str, str]) -> str:
    fields = {
        "response_type": "code",
        "client_id": values["apiKey"],
        "redirect_uri": values["callbackUrl"],
        "state": values.get("state") or asked.key,
        "scope": values.get("scope") or world.profile(asked.provider).scope,
    }
    return urlencode(fields, quote_via=quote)


def _authorize_address(world: World, asked: Element, site: str) -> str:
    """Return the consent page's address; a site address names another host where the provider has many."""
    address = world.profile(asked.provider).authorize
    if asked.provider == "generic":
        return f"https://{asked.host}/oauth/authorize"
    host = site.removeprefix("https://").partition("/")[0]
    own = provider_of_host(host)
    if not host or own is None or own.key != asked.provider:
        return address
    if asked.provider == "adobe_sign":
        host = host.replace("api.", "secure.", 1)
    return f"https://{host}/{address.split('/', 3)[3]}"


def oauth_token(world: World, request: Request, name: str) -> Answer:
    """Answer `/elements/{keyOrId}/oauth/token`: a request token of OAuth 1."""
    values = _oauth_values(world, request)
    asked = find(world, name)
    if asked.oauth != "oauth1":
        raise Refused(problem(400, f"{asked.key} does not use OAuth 1"), "not_oauth1")
    client = world.clients.get(f"{asked.provider}:{values['apiKey']}")
    if client is None or client.client_secret != values["apiSecret"]:
        raise Refused(
            problem(401, "Unauthorized", "32: Could not authenticate you."),
            "invalid_client",
        )
    code = Code(
        token_urlsafe(20), asked.provider, client.client_id, values["callbackUrl"],
        world.now() + 600, secret=token_urlsafe(24),
    )  # fmt: skip
    world.save(code)
    request.note("request_token_made")
    return as_json({"token": code.code, "secret": code.secret})


# -- logins and the organization -----------------------------------------------------------------


def me(world: World, request: Request) -> Answer:
    """Answer `GET /organizations/me`: the cheapest way to learn whether the secrets are right."""
    organization = authenticate(world, request, "user", "organization").organization
    request.note("organization_read")
    return as_json({"id": organization.id, "name": organization.name, "active": True})


def log_in(world: World, request: Request) -> Answer:
    """Answer `POST /authentication` with a bearer token."""
    body = json_body(request)
    given = (body.get("username"), body.get("password"))
    found = next(
        (
            row
            for row in world.organizations.values()
            if (row.username, row.password) == given
        ),
        None,
    )
    if found is None:
        raise Refused(problem(401, "Invalid username or password"), "login_refused")
    token = token_urlsafe(32)
    world.logins[token] = found.id
    request.note("logged_in")
    return as_json({"token": token})


def secrets(world: World, request: Request) -> Answer:
    """Answer `GET /authentication/secrets` for a bearer token."""
    found = world.organizations.get(world.logins.get(request.bearer(), 0))
    if found is None:
        raise Refused(problem(401, WRONG_SECRETS), "wrong_secrets")
    request.note("secrets_read")
    return as_json(
        {
            "userSecret": found.user_secret,
            "organizationSecret": found.organization_secret,
        }
    )


def reset_user_secret(world: World, request: Request) -> Answer:
    """Answer `POST /authentication/user-secret-reset`: the old secret is dead at once."""
    organization = authenticate(world, request, "user", "organization").organization
    organization.user_secret = b64encode(token_bytes(32)).decode()
    world.save(organization)
    request.note("user_secret_reset")
    return as_json({"secret": organization.user_secret})


def objects(world: World, request: Request) -> Answer:
    """Answer `GET /objects`, which never reaches the provider: 200 even on a disabled instance."""
    caller = authenticate(world, request, "user", "element")
    assert caller.instance is not None
    request.note("objects_read", caller.instance.id)
    return as_json(["files", "folders"])


def not_found(request: Request) -> Answer:
    """Answer what the platform does not know."""
    request.note("unknown_path")
    return (
        problem(404, "Not Found")
        if request.method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        else nothing(405)
    )
