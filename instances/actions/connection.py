"""Test connection: what can be found out about an organization's secrets and about a provider app.

The platform answers one and the same sentence whichever secret is wrong, so each guess is put to the test
with a call that needs one secret less or has the two exchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.utils.translation import gettext

from instances import cloud_elements
from instances.actions.calls import Call, Flow
from instances.actions.causes import advice
from instances.actions.findings import Finding, Report, Unknown
from instances.actions.talk import ask
from instances.cloud_elements import (
    Code,
    Credentials,
    OAuthClient,
    PlatformError,
    Refused,
)


def organization(credentials: Credentials, *, element_token: str = "") -> Flow[Report]:
    """Test an organization's address and secrets.

    `element_token`: of an instance that is known to work; it lets the test tell the two secrets apart.
    """
    try:
        identity = yield from ask(_me(credentials), cloud_elements.read_organization)
    except Refused as problem:
        return (yield from _refused(credentials, problem, element_token))
    except PlatformError as problem:
        return _failed(problem)
    return (yield from _listing(credentials, identity))


def provider_app(
    credentials: Credentials,
    element_key: str,
    client: OAuthClient,
    *,
    extra: Mapping[str, str] | None = None,
    oauth1: bool = False,
) -> Flow[Report]:
    """Test whether the platform makes a consent address with a provider app; nobody is sent there."""
    try:
        if oauth1:
            token = yield from ask(
                _request_token(credentials, element_key, client, extra),
                cloud_elements.read_request_token,
            )
            extra = {**(extra or {}), "requestToken": token.token}
        url = yield from ask(
            _address(credentials, element_key, client, extra),
            cloud_elements.read_oauth_url,
        )
    except Refused as problem:
        return _app_refused(problem)
    except PlatformError as problem:
        return _failed(problem)
    return _address_report(url, client, oauth1=oauth1)


def _refused(
    credentials: Credentials, problem: Refused, element_token: str
) -> Flow[Report]:
    if problem.status != 401:
        return _failed(problem)
    if (yield from _accepted(_swapped(credentials))):
        return _found(Finding.SECRETS_SWAPPED, problem)
    if not element_token:
        return _found(Finding.ONE_SECRET_WRONG, problem)
    return _found((yield from _user_secret(credentials, element_token)), problem)


def _accepted(credentials: Credentials) -> Flow[bool]:
    try:
        yield from ask(_me(credentials), cloud_elements.read_organization)
    except PlatformError:
        return False
    return True


def _user_secret(credentials: Credentials, element_token: str) -> Flow[Finding]:
    """Call through an instance, which needs no organization secret."""
    request = cloud_elements.ping(credentials, element_token)
    secrets = (*credentials.secrets, element_token)
    try:
        yield from ask(
            Call(request, purpose="test_user_secret", secrets=secrets),
            cloud_elements.read_pong,
        )
    except Refused as problem:
        refused = problem.code == Code.UNAUTHORIZED
        return (
            Finding.USER_SECRET_SUSPECTED
            if refused
            else Finding.ORGANIZATION_SECRET_WRONG
        )
    except PlatformError:
        return Finding.ONE_SECRET_WRONG
    return Finding.ORGANIZATION_SECRET_WRONG


def _listing(credentials: Credentials, identity: tuple[str, str]) -> Flow[Report]:
    request = cloud_elements.list_instances(credentials, page_size=1, hydrate=False)
    call = Call(request, purpose="test_list", secrets=credentials.secrets)
    told = {
        name: value
        for name, value in zip(
            ("organization_id", "organization_name"), identity, strict=True
        )
        if value
    }
    try:
        page = yield from ask(call, cloud_elements.read_page)
    except Refused as problem:
        return _found(Finding.CANNOT_LIST, problem)
    except PlatformError as problem:
        return _failed(problem)
    counted = {"instances": page.total} if page.total is not None else {}
    return _found(Finding.SECRETS_WORK, ok=True, facts={**told, **counted})


def _app_refused(problem: Refused) -> Report:
    findings = {401: Finding.ORGANIZATION_REFUSED, 404: Finding.UNKNOWN_ELEMENT}
    if problem.code == Code.BAD_OAUTH_URL or not problem.status:
        return _failed(problem)
    if (
        problem.code == Code.GRANT_REFUSED
    ):  # OAuth 1: the provider refused key and secret
        return _found(Finding.APP_REFUSED, problem)
    return _found(findings.get(problem.status, Finding.APP_REFUSED), problem)


def _address_report(url: str, client: OAuthClient, *, oauth1: bool) -> Report:
    parts = urlsplit(url)
    named = parse_qs(parts.query)
    facts = {"host": parts.hostname or ""}
    if client.client_id not in named.get("client_id", [client.client_id]):
        return _found(Finding.OTHER_CLIENT, facts=facts)
    if client.callback_url not in named.get("redirect_uri", [client.callback_url]):
        return _found(Finding.OTHER_CALLBACK, facts=facts)
    if oauth1:
        return _found(
            Finding.REQUEST_TOKEN_MADE,
            ok=True,
            facts=facts,
            unknown=(Unknown.CALLBACK_REGISTERED,),
        )
    return _found(Finding.ADDRESS_MADE, ok=True, facts=facts, unknown=tuple(Unknown))


def _failed(problem: PlatformError) -> Report:
    wrong_address = isinstance(problem, Refused) and problem.code in (
        Code.REDIRECTED,
        Code.NOT_FOUND,
        Code.BAD_REQUEST,
    )
    if wrong_address or problem.code in (Code.HTML, Code.BAD_JSON):
        return _found(Finding.WRONG_BASE_URL, problem)
    said = advice(problem.code) or gettext(
        "The platform cannot be reached. Check the base URL and try again later."
    )
    return Report(ok=False, code=problem.code, sentence=said, facts=problem.facts)


def _found(
    finding: Finding,
    problem: PlatformError | None = None,
    *,
    ok: bool = False,
    facts: Mapping[str, Any] | None = None,
    unknown: tuple[Unknown, ...] = (),
) -> Report:
    known = {**(problem.facts if problem else {}), **(facts or {})}
    return Report(
        ok=ok,
        code=finding.value,
        sentence=str(finding.label),
        facts=known,
        unknown=unknown,
    )


def _swapped(credentials: Credentials) -> Credentials:
    return Credentials(
        credentials.base_url, credentials.organization_secret, credentials.user_secret
    )


def _me(credentials: Credentials) -> Call:
    return Call(
        cloud_elements.organization_me(credentials),
        purpose="test_secrets",
        secrets=credentials.secrets,
    )


def _address(
    c: Credentials,
    element_key: str,
    client: OAuthClient,
    extra: Mapping[str, str] | None,
) -> Call:
    request = cloud_elements.oauth_url(
        c, element_key, client, state=element_key, extra=extra
    )
    return Call(
        request, purpose="test_address", secrets=(*c.secrets, client.client_secret)
    )


def _request_token(
    c: Credentials,
    element_key: str,
    client: OAuthClient,
    extra: Mapping[str, str] | None,
) -> Call:
    request = cloud_elements.oauth_token(c, element_key, client, extra=extra)
    return Call(
        request,
        purpose="test_request_token",
        secrets=(*c.secrets, client.client_secret),
    )
