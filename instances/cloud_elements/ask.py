"""Builders: one per call of the platform; each returns a request and sends nothing.

All raise Refused where a value cannot stand in the request (`malformed_secret`, `malformed_id`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Literal
from urllib.parse import quote, urlencode

from ceadmin.lib import http
from instances.cloud_elements.credentials import Credentials
from instances.cloud_elements.errors import Code, Refused

PAGE_SIZE = 200  # the documented maximum


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """The provider app whose consent page a person is sent to."""

    client_id: str
    client_secret: str = field(repr=False)
    callback_url: str
    scope: str = ""

    def parameters(self) -> dict[str, str]:
        """Return them under the platform's names."""
        named = {
            "apiKey": self.client_id,
            "apiSecret": self.client_secret,
            "callbackUrl": self.callback_url,
            "scope": self.scope,
        }
        return {name: value for name, value in named.items() if value}


def list_instances(
    c: Credentials,
    *,
    next_page: str = "",
    page_size: int = PAGE_SIZE,
    hydrate: bool = True,
    tags: Sequence[str] = (),
    search: str = "",
) -> http.Request:
    """Ask for a page of the organization's instances; `hydrate` with their configuration, where lists give it."""
    query = [
        ("pageSize", str(max(1, min(page_size, PAGE_SIZE)))),
        ("hydrate", "true" if hydrate else "false"),
    ]
    query += [("tags[]", tag) for tag in tags]
    query += [
        (name, value)
        for name, value in (("searchText", search), ("nextPage", next_page))
        if value
    ]
    return http.Request.get(
        c.url(f"/instances?{urlencode(query)}"), headers=(c.header(),)
    )


def instance_of_token(c: Credentials, element_token: str) -> http.Request:
    """Ask for the instance an element token belongs to, its OAuth tokens included."""
    return http.Request.get(c.url("/instances"), headers=(c.header(element_token),))


def instance_by_id(c: Credentials, remote_id: str) -> http.Request:
    """Ask for an instance by id; answers for a disabled one and for one whose grant is dead."""
    return http.Request.get(
        c.url(f"/instances/{_id(remote_id)}"), headers=(c.header(),)
    )


def enable(c: Credentials, remote_id: str) -> http.Request:
    """Enable an instance that the platform has disabled."""
    return http.Request(
        method="PUT",
        url=c.url(f"/instances/{_id(remote_id)}/enabled"),
        headers=(c.header(),),
        body=b"",
    )


def ping(c: Credentials, element_token: str) -> http.Request:
    """Make the cheapest call that goes through to the provider."""
    return http.Request.get(c.url("/ping"), headers=(c.element_header(element_token),))


def fallback_probe(
    c: Credentials, element_token: str, *, element_key: str, hub: str
) -> http.Request | None:
    """Return the smallest read of an element that has no ping, None when none is known.

    Never `/objects`: it answers 200 on a disabled instance, so it does not reach the provider.
    """
    path = _fallbacks()["elements"].get(element_key) or _fallbacks()["hubs"].get(hub)
    if not path:
        return None
    return http.Request.get(
        c.url(f"/hubs/{quote(hub or 'general', safe='')}{path}"),
        headers=(c.element_header(element_token),),
    )


def oauth_url(
    c: Credentials,
    element_key: str,
    client: OAuthClient,
    *,
    state: str,
    extra: Mapping[str, str] | None = None,
    method: Literal["GET", "POST"] = "GET",
) -> http.Request:
    """Ask for the address at which a person consents.

    GET is what the vendor's article and all known clients use, and it puts the client secret into the query:
    the request's repr never shows it, and `OAuthClient.client_secret` belongs into the call's secrets.
    POST carries the same as JSON; only the vendor's swagger speaks of it, so it is not the default.
    `extra`: `siteAddress`, `requestToken` (OAuth 1), or what an element's own record asks for.
    """
    parameters = {**client.parameters(), "state": state, **(extra or {})}
    url = c.url(f"/elements/{_id(element_key)}/oauth/url")
    if method == "POST":
        return http.Request.json("POST", url, parameters, headers=(c.header(),))
    return http.Request.get(f"{url}?{urlencode(parameters)}", headers=(c.header(),))


def oauth_token(
    c: Credentials,
    element_key: str,
    client: OAuthClient,
    *,
    extra: Mapping[str, str] | None = None,
) -> http.Request:
    """Ask for an OAuth 1 request token."""
    query = urlencode({**client.parameters(), **(extra or {})})
    return http.Request.get(
        c.url(f"/elements/{_id(element_key)}/oauth/token?{query}"),
        headers=(c.header(),),
    )


def organization_me(c: Credentials) -> http.Request:
    """Make the cheapest call that needs both secrets and nothing else."""
    return http.Request.get(c.url("/organizations/me"), headers=(c.header(),))


def login(base_url: str, username: str, password: str) -> http.Request:
    """Sign in with a person's name and password, to read the secrets with the bearer token that comes back."""
    url = Credentials(base_url, "", "").url("/authentication")
    return http.Request.json("POST", url, {"username": username, "password": password})


def secrets(base_url: str, bearer: str) -> http.Request:
    """Ask for the two secrets of the person who signed in."""
    url = Credentials(base_url, "", "").url("/authentication/secrets")
    return http.Request.get(url, headers=(("Authorization", f"Bearer {bearer}"),))


def _id(value: str) -> str:
    """Return an id or key fit for one path segment; raises Refused."""
    if not value.strip() or value.strip(".") == "":
        raise Refused(Code.MALFORMED_ID)
    return quote(value.strip(), safe="")


@cache
def _fallbacks() -> dict[str, dict[str, str]]:
    text = (
        files("instances.cloud_elements")
        .joinpath("fallbacks.toml")
        .read_text(encoding="utf-8")
    )
    return tomllib.loads(text)
