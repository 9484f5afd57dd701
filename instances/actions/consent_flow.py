"""Where a person consents: the provider's address, and on the emulator the click itself.

address   GET /elements/{key}/oauth/url (OAuth 1: /oauth/token first)            step 5
consent   a person's; on the emulator the product plays the person                step 6
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ceadmin.lib import http
from instances import cloud_elements
from instances.actions.calls import Call, Flow
from instances.actions.case import App, Case
from instances.actions.talk import ask
from instances.cloud_elements import Code, OAuthClient, Refused, RequestToken
from providers import oauth
from providers.choices import Flow as ProviderFlow

STEP_ADDRESS, STEP_CONSENT = 5, 6


@dataclass(frozen=True, slots=True)
class Consent:
    """Where a person consents; `request_token` is OAuth 1's."""

    url: str = field(repr=False)
    request_token: RequestToken | None = None


def address(case: Case, state: str, callback_url: str) -> Flow[Consent]:
    """Come to the provider's address that asks the person; raises PlatformError."""
    app = needed_app(case)
    client = OAuthClient(app.client_id, app.client_secret, callback_url, app.scope)
    extra = _site_address(case)
    token = None
    if case.provider is not None and case.provider.flow == ProviderFlow.OAUTH1:
        token = yield from _request_token(case, client, state)
        extra = {**extra, "requestToken": token.token}
    request = cloud_elements.oauth_url(
        case.credentials, case.element_key, client, state=state, extra=extra
    )
    call = Call(
        request, step=STEP_ADDRESS, purpose="address", secrets=(*case.secrets, state)
    )
    url = yield from ask(call, cloud_elements.read_oauth_url)
    return Consent(_with_parameters(url, _wanted(case, state, token)), token)


def needed_app(case: Case) -> App:
    """Return the app with which the platform can be asked; raise Refused when a part is missing."""
    if case.app is None or not case.app.client_id or not case.app.client_secret:
        raise Refused(Code.MISSING_APP_SECRET)
    if not case.callback_url:
        raise Refused(Code.MISSING_APP_SECRET)
    return case.app


def _site_address(case: Case) -> dict[str, str]:
    """Return the parameter for elements whose consent page differs by customer."""
    own = case.app.site if case.app else {}
    address = case.site.get("site_address") or own.get("site_address") or ""
    return {"siteAddress": address} if address else {}


def _request_token(case: Case, client: OAuthClient, state: str) -> Flow[RequestToken]:
    request = cloud_elements.oauth_token(
        case.credentials, case.element_key, client, extra={"state": state}
    )
    call = Call(
        request, step=STEP_ADDRESS, purpose="request_token", secrets=case.secrets
    )
    return (yield from ask(call, cloud_elements.read_request_token))


def _wanted(case: Case, state: str, token: RequestToken | None) -> dict[str, str]:
    """Return the parameters that the address must carry, whatever the platform put there."""
    extras = dict(oauth.consent_extras(case.provider)) if case.provider else {}
    return extras if token else {**extras, "state": state}


def _with_parameters(url: str, wanted: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    kept = parse_qsl(parts.query, keep_blank_values=True)
    pairs = [(name, value) for name, value in kept if name not in wanted]
    return urlunsplit(parts._replace(query=urlencode([*pairs, *wanted.items()])))


def consent(case: Case, url: str, form: Mapping[str, str]) -> Flow[str]:
    """Come to the address that the provider redirects to once `form` was posted; "" when it does not."""
    request = http.Request.form("POST", url, list(form.items()))
    state = tuple(
        value for name, value in parse_qsl(urlsplit(url).query) if name == "state"
    )
    call = Call(
        request,
        step=STEP_CONSENT,
        purpose="consent",
        intent=True,
        secrets=(*case.secrets, *state),
    )
    answer = yield call
    return answer.headers.get("Location", "") if answer else ""
