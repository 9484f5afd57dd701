"""OAuth 1: the secret of a token, and who signed a request (RFC 5849, section 3.4)."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha1, sha256
from hmac import compare_digest, digest
from urllib.parse import quote, unquote

from .messages import Request
from .records import Client
from .world import World

_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_METHODS = {"HMAC-SHA1": sha1, "HMAC-SHA256": sha256}


def secret_of(token: str) -> str:
    """Return the secret that was given together with a token."""
    return sha256(f"secret of {token}".encode()).hexdigest()[:45] if token else ""


def signer(world: World, request: Request, provider: str) -> tuple[Client | None, str]:
    """Return the client and the token that signed a request; no client where the signature is wrong."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    given = {name: unquote(value) for name, value in _PARAMETER.findall(rest)}
    token = given.get("oauth_token", "")
    client = world.clients.get(f"{provider}:{given.get('oauth_consumer_key', '')}")
    method = _METHODS.get(given.get("oauth_signature_method", ""))
    if scheme != "OAuth" or client is None or method is None:
        return None, token
    key = f"{_encoded(client.client_secret)}&{_encoded(secret_of(token))}"
    made = b64encode(digest(key.encode(), _base(request, given), method)).decode()
    right = compare_digest(made, given.get("oauth_signature", ""))
    return (client if right else None), token


def _base(request: Request, given: dict[str, str]) -> bytes:
    own = [
        pair for pair in given.items() if pair[0] not in ("realm", "oauth_signature")
    ]
    sides = [*own, *request.query, *request.form().items()]
    pairs = sorted((_encoded(name), _encoded(value)) for name, value in sides)
    parts = (
        request.method,
        f"https://{request.host}{request.path}",
        "&".join(f"{name}={value}" for name, value in pairs),
    )
    return "&".join(_encoded(part) for part in parts).encode()


def _encoded(text: str) -> str:
    return quote(text, safe="~")
