"""The page on which a customer allows or denies, and what a click on it does."""

from __future__ import annotations

from html import escape
from secrets import token_urlsafe
from urllib.parse import urlencode, urlsplit

from . import grants
from .messages import Answer, Refused, Request, nothing, page
from .records import Account, Client, Code, Grant
from .world import World


def show(world: World, request: Request, **_: str) -> Answer:
    """Show the consent page; a request that is not in order gets an error page and no redirect."""
    client, _redirect = _checked(world, request)
    request.note("consent_shown")
    profile = world.profile(request.trace.provider)
    choices = "".join(
        _choice(value, label, value == "same")
        for value, label in _accounts(world, client)
    )
    body = (
        f"<h1>{escape(profile.name)} (emulated)</h1>"
        f'<p class="note">This page stands in for {escape(profile.name)}. No real account is touched.</p>'
        f"<p>The application <code>{escape(client.client_id)}</code> asks for access to your account"
        f" ({escape(request.arg('scope') or profile.scope)}).</p>"
        f'<form method="post"><fieldset><legend>Account</legend>{choices}</fieldset>'
        '<button name="decision" value="allow">Allow</button>'
        '<button name="decision" value="deny">Deny</button></form>'
    )
    return page(f"{profile.name} (emulated): allow access?", body)


def _choice(value: str, label: str, chosen: bool) -> str:
    mark = " checked" if chosen else ""
    return f'<label><input type="radio" name="account" value="{escape(value)}"{mark}> {escape(label)}</label>'


def _accounts(world: World, client: Client) -> list[tuple[str, str]]:
    """Return the accounts to choose from: the one from before, another, then those that lost access last."""
    rows = [
        ("same", "The account that was connected before"),
        ("other", "Another account"),
    ]
    known = {grant.account: grant for grant in _grants_of(world, client)}
    for account_id in list(known)[:8]:
        held = world.accounts[f"{client.provider}:{account_id}"]
        rows.append((account_id, f"{held.name} ({account_id})"))
    return rows


def _grants_of(world: World, client: Client) -> list[Grant]:
    """Return the client's grants, the one that ended last first."""
    mine = [
        row
        for row in world.grants.values()
        if (row.provider, row.client_id) == (client.provider, client.client_id)
    ]
    return sorted(mine, key=lambda grant: (-grant.ended, -grant.id))


def decide(world: World, request: Request, **_: str) -> Answer:
    """Redirect back with a code, or with an error when the person says no."""
    fields = request.form()
    client, redirect = _checked(world, request)
    request.trace.instances = _named_instances(fields)
    values = _decided(world, request, client, redirect)
    return _back(world, redirect, values, program="instance" in fields)


def _decided(
    world: World, request: Request, client: Client, redirect: str
) -> dict[str, str]:
    fields = request.form()
    if fields.get("decision") == "deny":
        request.note("denied", *request.trace.instances)
        return _denial(request)
    if fields.get("decision") != "allow":
        raise Refused(_bad("Say allow or deny."), "no_decision")
    request.note("allowed", *request.trace.instances)
    if client.provider == "twitter":
        return _verified(world, request)
    return issue(world, client, redirect, fields) | _state(request)


def _named_instances(fields: dict[str, str]) -> list[int]:
    number = fields.get("instance", "")
    return [int(number)] if number.isdigit() else []


def _state(request: Request) -> dict[str, str]:
    state = request.arg("state") or request.form().get("state", "")
    return {"state": state} if state else {}


def _denial(request: Request) -> dict[str, str]:
    if request.trace.provider == "twitter":
        return {"denied": request.arg("oauth_token")}
    return {
        "error": "access_denied",
        "error_description": "The user denied access",
    } | _state(request)


def _verified(world: World, request: Request) -> dict[str, str]:
    """Give the verifier of OAuth 1 for the request token."""
    code = world.codes[request.arg("oauth_token")]
    code.verifier = token_urlsafe(16)
    world.save(code)
    return {"oauth_token": code.code, "oauth_verifier": code.verifier}


def issue(
    world: World, client: Client, redirect: str, fields: dict[str, str]
) -> dict[str, str]:
    """Make a code for the chosen account and return what the provider sends back with it."""
    choice, owner = _chosen(world, client, fields)
    code = Code(
        token_urlsafe(24), client.provider, client.client_id, redirect, world.now() + world.switch("code_life"),
        account=choice, realm=owner.site.get("realm", "") if client.provider == "quickbooks" else "",
    )  # fmt: skip
    world.save(code)
    sides = {"code": code.code}
    if client.provider == "quickbooks":
        sides["realmId"] = code.realm
    elif client.provider == "adobe_sign":
        place = f"{owner.site['shard']}.adobesign.com/"
        sides |= {
            "api_access_point": f"https://api.{place}",
            "web_access_point": f"https://secure.{place}",
        }
    return sides


def _chosen(
    world: World, client: Client, fields: dict[str, str]
) -> tuple[str, Account]:
    """Return the choice as the code remembers it, and the account it means as far as known now."""
    site = {"host": client.host} if client.host else {}
    choice = fields.get("account") or "same"
    instance = world.instances.get(next(iter(_named_instances(fields)), 0))
    grant = world.grants.get(instance.grant) if instance is not None else None
    if choice == "same" and grant is not None:
        choice = grant.account
    if choice == "same":
        likely = next(iter(_grants_of(world, client)), None)
        return choice, grants.account(
            world, client.provider, likely.account if likely is not None else "", **site
        )
    owner = grants.account(
        world, client.provider, "" if choice == "other" else choice, **site
    )
    return owner.id, owner


# -- is the request in order? --------------------------------------------------------------------


def _checked(world: World, request: Request) -> tuple[Client, str]:
    """Return the client and where to redirect to; refuse with a page, never with a redirect."""
    if request.trace.provider == "twitter":
        return _checked_oauth1(world, request)
    fields = request.form()
    name = request.arg("client_id") or fields.get("client_id", "")
    redirect = request.arg("redirect_uri") or fields.get("redirect_uri", "")
    client = world.clients.get(f"{request.trace.provider}:{name}")
    request.trace.client = name
    if client is None:
        raise Refused(_bad("The client_id is not registered."), "unknown_client")
    if redirect not in client.redirect_uris:
        raise Refused(
            _bad("The redirect_uri is not one of those registered for this client."),
            "redirect_not_registered",
        )
    if (request.arg("response_type") or fields.get("response_type")) != "code":
        raise Refused(_bad("The response_type must be code."), "bad_response_type")
    return client, redirect


def _checked_oauth1(world: World, request: Request) -> tuple[Client, str]:
    code = world.codes.get(request.arg("oauth_token"))
    if code is None or code.used or world.now() >= code.expires:
        raise Refused(
            _bad("The request token is unknown or expired."), "unknown_request_token"
        )
    return world.clients[f"{code.provider}:{code.client_id}"], code.redirect_uri


def _bad(sentence: str) -> Answer:
    return page(
        "Not in order",
        f"<h1>This request is not in order</h1><p>{escape(sentence)}</p>",
        400,
    )


def _back(
    world: World, redirect: str, values: dict[str, str], *, program: bool
) -> Answer:
    """Redirect to the application; a browser may be kept on this machine."""
    target = f"{redirect}{'&' if urlsplit(redirect).query else '?'}{urlencode(values)}"
    here = urlsplit(redirect).hostname in ("127.0.0.1", "localhost", "::1")
    if world.switch("keep_browser_here") and not here and not program:
        return _elsewhere(target)
    return nothing(302, (("Location", target), ("Cache-Control", "no-store")))


def _elsewhere(target: str) -> Answer:
    """Show where the browser would have gone, to be copied by hand."""
    words = "<h1>The customer's own application (emulated)</h1><p>The browser would now be at this address:</p>"
    return page(
        "Redirected", f'{words}<p><code id="address">{escape(target)}</code></p>'
    )
