"""What the tests of the providers app share: grants, answers, and a record to spoil."""

import tomllib
from typing import Any

from ceadmin.lib import http
from providers import catalogue, rules, strict
from providers.choices import Flow
from providers.grants import Grant
from providers.spec import Provider
from tests.emulator.recording import FOLDER, load

#: Site values of records that no recording has, since they cannot be called.
OWN_SITES = {
    "bamboohr": {"subdomain": "acme"},
    "egnyte": {"domain": "acme"},
    "mailchimp": {"dc": "us1"},
    "marketo": {"munchkin_id": "123-abc-456"},
    "sap_successfactors": {"api_server": "api4.example.com"},
    "wrike": {"host": "app-eu.wrike.com"},
} | {key: dict(recording.site) for key, recording in load(FOLDER).items()}


def site_of(provider: Provider) -> dict[str, str]:
    """Return site values under which a record can make each of its calls."""
    known = {
        name: place.default
        for name, place in provider.placeholders.items()
        if place.default
    }
    return {**known, **OWN_SITES.get(provider.key, {})}


SITES = {record.key: site_of(record) for record in catalogue.all()}
ALL_KEYS = [record.key for record in catalogue.all()]
REVOCABLE = [record.key for record in catalogue.all() if record.revocable]

RECORD = """
key = "spoilt"
name = "Spoilt"
flow = "oauth2_authorization_code"
checked = "2026-11"
confidence = "high"
enabled_by_default = true
element_keys = ["spoilt"]
manual_steps = ["the user removes the app"]
sources = [{ kind = "vendor_doc", ref = "https://docs.example.com", read = true }]

[revoke]
supported = "yes"
effect = "token"
kills = "The token dies."
order = ["refresh", "access"]
answers = [{ status = [200], means = "revoked" }]

[revoke.call]
url = "https://api.example.com/revoke"
token = { place = "form", name = "token" }
"""


def table(**changes: Any) -> dict[str, Any]:
    """Return the record as a table; `revoke__call__url=…` changes one key of it."""
    data = tomllib.loads(RECORD)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = data
        for parent in parents:
            place = place.setdefault(parent, {})
        if value is None:
            place.pop(last)
        else:
            place[last] = value
    return data


def record(**changes: Any) -> Provider:
    """Return a valid record with these changes."""
    provider = strict.build(Provider, table(**changes))
    rules.check(provider)
    return provider


def grant(key: str = "", **changes: Any) -> Grant:
    """Return a grant with tokens, credentials and the site values of a record."""
    values = {
        "access_token": "access-1",
        "refresh_token": "refresh-1",
        "site": SITES.get(key, {}),
        "client_id": "client-1",
        "client_secret": "secret-1",
    }
    known = catalogue.find(key)
    if known and known.flow == Flow.OAUTH1:
        values["token_secret"] = "token-secret-1"
    return Grant(**values | changes)


def answer(status: int, body: bytes | str = b"", **headers: str) -> http.Answer:
    """Return an answer as the seam gives it; `retry_after` becomes Retry-After."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    raw = body.encode() if isinstance(body, str) else body
    return http.Answer(status, http.AnswerHeaders(tuple(named.items())), raw, 0.01)
