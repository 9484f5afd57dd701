"""Write the text of a record for a server that keeps to RFC 7009, from a few plain values.

The text is what its owner reads, changes and saves, so it is laid out for reading.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from providers.own import OWN

#: Ways in which RFC 8414 lets a server ask for the client's credentials, best first, and
#: what they are called in a record.
AUTH = {
    "client_secret_basic": "basic",
    "client_secret_post": "body",
    "none": "public",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a person, or a server's metadata, says of a server."""

    key: str
    name: str
    element_keys: tuple[str, ...]
    checked: str  # the month, as 2026-11
    revocation_url: str
    client_auth: str = "basic"  # a value of AUTH
    hint: bool = True
    order: tuple[str, ...] = ("refresh", "access")
    refresh_kills_access: bool = False
    kills: str = ""
    introspection_url: str = ""
    check_url: str = ""  # answers 200 to a live access token, 401 to a dead one
    authorization_url: str = ""
    token_url: str = ""
    steps: str = ""
    source: str = ""
    source_read: bool = True

    def text(self) -> str:
        """Return the record as TOML."""
        parts = [
            self._head(),
            self._revoke(),
            self._verification(),
            self._introspection(),
            self._source(),
        ]
        return "\n".join(part for part in parts if part)

    def _head(self) -> str:
        lines = {
            "key": self.key,
            "name": self.name,
            "flow": "oauth2_authorization_code",
            "checked": self.checked,
            "confidence": "medium",
            "enabled_by_default": True,
            "element_keys": list(self.element_keys),
            "authorization_url": self.authorization_url,
            "token_url": self.token_url,
            "manual_steps": [self.steps or _STEPS],
        }
        return _lines(lines)

    def _revoke(self) -> str:
        accepts = self.order[0] if len(self.order) == 1 else "either"
        both = self.refresh_kills_access
        revoke = {
            "supported": "yes",
            "accepts": accepts,
            "order": list(self.order),
            "refresh_kills_access": both,
            "effect": "token_pair" if both else "depends_on_token",
            "kills": self.kills or (_BOTH if both else _ONE),
        }
        call = {
            "url": self.revocation_url,
            "token": {"place": "form", "name": "token"},
            "client_auth": self.client_auth,
            "rfc7009": True,
            "hint": self.hint,
        }
        tables = f"[revoke]\n{_lines(revoke)}\n[revoke.call]\n{_lines(call)}"
        return f"{tables}{_ANSWERS}"

    def _verification(self) -> str:
        if not self.check_url:
            return ""
        call = {
            "method": "GET",
            "url": self.check_url,
            "token": {"place": "bearer"},
        }
        return f"{_ALIVE}\n[verification.call]\n{_lines(call)}"

    def _introspection(self) -> str:
        if not self.introspection_url:
            return ""
        call = {
            "url": self.introspection_url,
            "token": {"place": "form", "name": "token"},
            "client_auth": self.client_auth,
        }
        return f"{_ACTIVE}\n[introspection.call]\n{_lines(call)}"

    def _source(self) -> str:
        told = {
            "kind": "vendor",
            "ref": self.source or "the server's owner",
            "read": self.source_read,
        }
        return f"[[sources]]\n{_lines(told)}"


_STEPS = "the user removes the app on the provider's page of connected apps"
_ONE = (
    "The token that is sent dies; whether the other one goes with it is the server's "
    "policy, so both are sent."
)
_BOTH = "The refresh token dies and takes its access tokens along."
_ANSWERS = """
# RFC 7009 answers 200 for a token that was never valid, too.
[[revoke.answers]]
status = [200]
means = "revoked"

[[revoke.answers]]
status = [400, 401]
means = "already"
match = [{ path = "error", equals = ["invalid_token"] }]
documented = false

[[revoke.answers]]
status = [400]
means = "refused"
match = [{ path = "error", equals = ["unsupported_token_type"] }]
"""
_ALIVE = """\
# A 401 counts only if it speaks of the token: one about our own credentials does not.
[verification]
answers = [
  { status = [200], means = "alive" },
  { status = [401], means = "dead", match = [{ path = "error", equals = ["invalid_token"] }] },
  { status = [401], means = "dead", challenge = "Bearer" },
]
"""
_ACTIVE = """\
[introspection]
accepts = "either"
preferred = true
answers = [
  { status = [200], means = "alive", match = [{ path = "active", equals = [true] }] },
  { status = [200], means = "dead", match = [{ path = "active", equals = [false] }] },
]
note = "RFC 7662"
"""


def _lines(table: Mapping[str, object]) -> str:
    kept = {name: value for name, value in table.items() if value not in ("", [])}
    return "".join(f"{name} = {_toml(value)}\n" for name, value in kept.items())


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(_toml(one) for one in value)}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(_pairs(value))} }}"
    # Every escape that JSON writes is one of TOML's basic strings.
    return json.dumps(value, ensure_ascii=False)


def _pairs(table: Mapping[str, object]) -> Iterator[str]:
    for name, value in table.items():
        yield f"{name} = {_toml(value)}"


def key_for(host: str) -> str:
    """Return a key for a host: `own_login_example_com`."""
    plain = re.sub(r"[^a-z0-9]+", "_", host.lower()).strip("_")
    return f"{OWN}{plain or 'provider'}"[:50].rstrip("_")
