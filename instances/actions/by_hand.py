"""The same call by hand: a `curl` for a shell, with variables where the secrets went.

Made from the kept shape of the call (what for, method, masked address) and from the builders of the real
requests: which header and which field carried which secret is theirs to say.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, unquote

from django.utils.translation import gettext

from ceadmin.lib import http
from ceadmin.lib.redact import MASK
from instances import cloud_elements
from instances.cloud_elements import Credentials, OAuthClient
from providers import examples
from providers.choices import Flow
from providers.spec import Provider

_ELEMENT = "$ELEMENT_TOKEN"
_CREDENTIALS = Credentials("", "$USER_SECRET", "$ORGANIZATION_SECRET")
_CLIENT = OAuthClient("$CLIENT_ID", "$CLIENT_SECRET", "$CALLBACK_URL")
#: Query values of the platform that are masked wherever an address is kept.
_QUERY = {
    "apikey": "CLIENT_ID",
    "apisecret": "CLIENT_SECRET",
    "client_secret": "CLIENT_SECRET",
    "requesttoken": "REQUEST_TOKEN",
    "state": "STATE",
}
#: Purposes of calls through the element; "read" goes with all three secrets.
_THROUGH_ELEMENT = frozenset({"probe", "alive", "verify_platform"})
_REAUTHENTICATE = "reauthenticate"
#: A person's own doing in a browser, and what only the emulator's consent page takes.
_NO_CALL = frozenset({"consent"})
_AT_PROVIDER = ("before", "verify_source", "identity")

_MASKED = re.compile(rf"(?:(?<=[?&])([\w.\[\]-]+)=)?{re.escape(MASK)}")
_VARIABLE = re.compile(r"\$[A-Z][A-Z0-9_]*")
_TAKEN = re.compile(r"\\.|\$([A-Z][A-Z0-9_]*)")  # what is escaped is none
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SPECIAL = re.compile(r'[\\"`$]')


@dataclass(frozen=True, slots=True)
class Made:
    """A call as it was kept, and what decides where its secrets went."""

    purpose: str
    method: str
    url: str  # masked
    provider: Provider | None = None
    form: str = "default"  # of the record's ways to revoke
    ours: bool = True  # the app's callback is ceadmin's, so its key and secret go along


def curl(made: Made) -> str:
    """Return the command that repeats a call, "" where there is none to repeat.

    What stands behind a `$` is a variable of the shell: no secret is part of it.
    """
    if made.purpose in _NO_CALL:
        return ""
    request = _request(made)
    if request is None:
        return ""
    method = "" if request.method == "GET" else f"--request {request.method} "
    lines = [f"curl {method}{_address(made)}"]
    lines += [f"--{name} {value}" for name, value in _parts(request)]
    body = _json_of(request)
    if body:
        lines.append(f"--data @- <<EOF\n{body}\nEOF")
    return "".join(_notes(made)) + " \\\n  ".join(lines)


def _notes(made: Made) -> Iterator[str]:
    if MASK in made.url:
        told = gettext("In the address a value stands percent-encoded.")
        yield f"# {told}\n"
    if made.purpose == _REAUTHENTICATE and made.method == "PUT":
        told = gettext("PUT replaces the instance: add the rest of what GET returned.")
        yield f"# {told}\n"


def variables(command: str) -> list[str]:
    """Return the variables that a command of `curl` takes, each once."""
    return list(dict.fromkeys(filter(None, _TAKEN.findall(command))))


# The request, with names where secrets were


def _request(made: Made) -> http.Request | None:
    if made.purpose.startswith("revoke") or made.purpose in _AT_PROVIDER:
        if made.provider is None:
            return None
        return examples.example(
            made.provider, made.purpose, made.method, made.url, form=made.form
        )
    if made.purpose == _REAUTHENTICATE:
        return _reauthenticate(made)
    return http.Request(made.method, made.url, (_platform_header(made),))


def _platform_header(made: Made) -> tuple[str, str]:
    if made.purpose in _THROUGH_ELEMENT:
        return _CREDENTIALS.element_header(_ELEMENT)
    return _CREDENTIALS.header(_ELEMENT if made.purpose == "read" else None)


def _reauthenticate(made: Made) -> http.Request:
    """Return the call that hands in the code, in the form that was taken."""
    whole = cloud_elements.app_configuration(_CLIENT)
    code = {**_proof(made.provider), **_beside_code(made.provider)}
    configuration = whole if made.ours else None
    if made.method == "PUT":
        # PUT takes the whole instance; what was fetched of it is not kept.
        body = {"configuration": whole, "providerData": code}
        header = (_CREDENTIALS.header(),)
        return http.Request.json("PUT", made.url, body, headers=header)
    if made.url.partition("?")[0].endswith("/instances"):
        request = cloud_elements.patch_instance(
            _CREDENTIALS, _ELEMENT, code, configuration
        )
    else:
        request = cloud_elements.patch_instance_by_id(
            _CREDENTIALS, "0", code, configuration
        )
    return replace(request, url=made.url)


def _proof(provider: Provider | None) -> dict[str, str]:
    """Return what a consent brings back: OAuth 2's code, or OAuth 1's verifier."""
    if provider is None or provider.flow != Flow.OAUTH1:
        return {"code": "$CODE"}
    return {
        "oauth_token": "$REQUEST_TOKEN",
        "oauth_verifier": "$OAUTH_VERIFIER",
        "secret": "$REQUEST_TOKEN_SECRET",
    }


def _beside_code(provider: Provider | None) -> dict[str, str]:
    """Return what the provider's redirect brings beside the code and the platform wants."""
    values = provider.consent.callback if provider else {}
    return {
        name: f"${_CAPITAL.sub('_', name).upper()}"
        for name, value in values.items()
        if value.provider_data
    }


# The command


def _parts(request: http.Request) -> Iterator[tuple[str, str]]:
    """Yield the options of the command and their values."""
    kind = _header(request, "Content-Type")
    form = bool(request.body) and kind.startswith("application/x-www-form")
    for name, value in request.headers:
        pair = _basic(name, value)
        if pair:
            yield "user", _in_quotes(pair)
        elif not (form and name.lower() == "content-type"):  # curl sets it
            yield "header", _in_quotes(f"{name}: {value}")
    if form:
        for name, value in parse_qsl((request.body or b"").decode(), True):
            yield "data-urlencode", _in_quotes(f"{name}={value}")
    elif request.body == b"":
        yield "data", '""'


def _header(request: http.Request, wanted: str) -> str:
    found = [value for name, value in request.headers if name == wanted]
    return found[0] if found else ""


def _basic(name: str, value: str) -> str:
    """Return client id and secret of an HTTP Basic header as curl takes them, "" of any other."""
    scheme, _, code = value.partition(" ")
    if name != "Authorization" or scheme != "Basic":
        return ""
    return unquote(base64.b64decode(code).decode())


def _json_of(request: http.Request) -> str:
    if not request.body or "json" not in _header(request, "Content-Type"):
        return ""
    document: Any = json.loads(request.body)
    return json.dumps(document, indent=2)


def _address(made: Made) -> str:
    """Return the address as a word of a shell, a variable where something of it is masked."""
    told, end = [], 0
    token = examples.variable_of(made.purpose)
    for found in _MASKED.finditer(made.url):
        name = _QUERY.get((found[1] or "").lower(), token)
        told += [_plain(made.url[end : found.end() - len(MASK)]), f"${name}"]
        end = found.end()
    return f'"{"".join([*told, _plain(made.url[end:])])}"'


def _in_quotes(text: str) -> str:
    """Return what we made as one word of a shell: our variables stay what they are."""
    told, end = [], 0
    for found in _VARIABLE.finditer(text):
        told += [_plain(text[end : found.start()]), found[0]]
        end = found.end()
    return f'"{"".join([*told, _plain(text[end:])])}"'


def _plain(text: str) -> str:
    """Return a text that means itself between a shell's double quotes."""
    return _SPECIAL.sub(r"\\\g<0>", text)
