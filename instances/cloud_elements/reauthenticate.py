"""Builders that give the platform the code a person's consent brought back.

Three forms, since tenants differ in which one they take: `PATCH /instances` (the article's),
`PATCH /instances/{id}`, and `PUT /instances/{id}?reAuthenticate=true`. A masked value (`********`) is
never written back: the platform would take the asterisks for the real value.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from ceadmin.lib import http, redact
from instances.cloud_elements.ask import OAuthClient, instance_by_id
from instances.cloud_elements.credentials import Credentials
from instances.cloud_elements.errors import Code, Refused
from instances.cloud_elements.remote import (
    CALLBACK_URL,
    CLIENT_ID,
    CLIENT_SECRET,
    USER_TOKENS,
    RemoteInstance,
)

#: One of these proves that a person consented: OAuth 2, OAuth 1.
_PROOFS = ("code", "oauth_verifier")


def app_configuration(client: OAuthClient) -> dict[str, str]:
    """Return a provider app as configuration entries, for instances that are to redeem with it."""
    return {
        CLIENT_ID: client.client_id,
        CLIENT_SECRET: client.client_secret,
        CALLBACK_URL: client.callback_url,
    }


def patch_instance(
    c: Credentials,
    element_token: str,
    provider_data: Mapping[str, str],
    configuration: Mapping[str, str] | None = None,
) -> http.Request:
    """Reauthenticate the instance of an element token; raises Refused on a masked value or without a code."""
    body = _patch(provider_data, configuration)
    return http.Request.json(
        "PATCH", c.url("/instances"), body, headers=(c.header(element_token),)
    )


def patch_instance_by_id(
    c: Credentials,
    remote_id: str,
    provider_data: Mapping[str, str],
    configuration: Mapping[str, str] | None = None,
) -> http.Request:
    """Reauthenticate an instance by its id; raises Refused on a masked value or without a code."""
    body = _patch(provider_data, configuration)
    return http.Request.json(
        "PATCH", instance_by_id(c, remote_id).url, body, headers=(c.header(),)
    )


def put_instance(
    c: Credentials,
    fetched: RemoteInstance,
    provider_data: Mapping[str, str],
    configuration: Mapping[str, str],
) -> http.Request:
    """Reauthenticate with the whole instance, as fetched just before; raises Refused.

    PUT replaces, so the body holds what was fetched without masked values and without the customer's old
    tokens, and `configuration` must bring the real client id, secret and callback.
    """
    if not fetched.element_key or not all(
        configuration.get(name) for name in (CLIENT_ID, CLIENT_SECRET, CALLBACK_URL)
    ):
        raise Refused(Code.MISSING_APP_SECRET)
    body = {
        "name": fetched.name,
        "element": {"key": fetched.element_key},
        "tags": list(fetched.tags),
        "configuration": {**_kept(fetched), **_unmasked(configuration)},
        "providerData": _proof(provider_data),
    }
    url = c.url(f"/instances/{quote(fetched.remote_id, safe='')}?reAuthenticate=true")
    return http.Request.json("PUT", url, body, headers=(c.header(),))


def _patch(
    provider_data: Mapping[str, str], configuration: Mapping[str, str] | None
) -> dict[str, object]:
    body: dict[str, object] = {"providerData": _proof(provider_data)}
    if configuration:
        body["configuration"] = _unmasked(configuration)
    return body


def _proof(provider_data: Mapping[str, str]) -> dict[str, str]:
    if not any(provider_data.get(name) for name in _PROOFS):
        raise Refused(Code.MISSING_CODE)
    return _unmasked(provider_data)


def _unmasked(values: Mapping[str, str]) -> dict[str, str]:
    if any(redact.is_masked(value) for value in values.values()):
        raise Refused(Code.MASKED_VALUE)
    return dict(values)


def _kept(fetched: RemoteInstance) -> dict[str, str]:
    held = fetched.configuration or {}
    return {
        name: value
        for name, value in held.items()
        if value is not None and name not in USER_TOKENS and not redact.is_masked(value)
    }
