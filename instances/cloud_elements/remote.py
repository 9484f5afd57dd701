"""What the platform's answers hold, as frozen values that never show a token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ceadmin.lib import redact

# Names of configuration entries, not values.
ACCESS_TOKEN = "oauth.user.token"  # noqa: S105
ACCESS_TOKEN_SECRET = "oauth.user.token.secret"  # noqa: S105 - OAuth 1
REFRESH_TOKEN = "oauth.user.refresh_token"  # noqa: S105
CLIENT_ID = "oauth.api.key"
CLIENT_SECRET = "oauth.api.secret"  # noqa: S105
CALLBACK_URL = "oauth.callback.url"

#: Never sent back to the platform: it gets new ones from the code.
USER_TOKENS = frozenset({ACCESS_TOKEN, ACCESS_TOKEN_SECRET, REFRESH_TOKEN})


@dataclass(frozen=True, slots=True)
class RemoteInstance:
    """One instance as the platform describes it."""

    remote_id: str
    name: str
    element_key: str
    hub: str
    token: str = field(repr=False)  # the element token; "" when absent or hidden
    tags: tuple[str, ...]
    disabled: bool
    valid: bool | None  # the platform's own opinion, of unclear meaning: never health
    configuration: Mapping[str, str | None] | None = field(
        repr=False
    )  # None: not in the list, ask by id
    created_at: str = ""

    @property
    def configuration_names(self) -> tuple[str, ...]:
        """Return the names of the configuration's entries, sorted."""
        return tuple(sorted(self.configuration or ()))

    @property
    def client_id(self) -> str:
        """Return the OAuth client id, often masked."""
        return self._configured(CLIENT_ID)

    @property
    def callback_url(self) -> str:
        """Return the callback address with which the platform redeems a code."""
        return self._configured(CALLBACK_URL)

    @property
    def access_token(self) -> str:
        """Return the customer's access token, "" when there is none to use."""
        return self._token(ACCESS_TOKEN)

    @property
    def access_token_secret(self) -> str:
        """Return the second half of an OAuth 1 access token, "" elsewhere."""
        return self._token(ACCESS_TOKEN_SECRET)

    @property
    def refresh_token(self) -> str:
        """Return the customer's refresh token, "" when there is none to use."""
        return self._token(REFRESH_TOKEN)

    @property
    def tokens_masked(self) -> bool:
        """Tell whether the platform hides the customer's tokens, so that nothing can be revoked with them."""
        return any(redact.is_masked(self._configured(name)) for name in USER_TOKENS)

    @property
    def token_problem(self) -> str:
        """Return why there is no token to use, or "" when there is one.

        One of "masked_token", "garbled_token", "no_configuration", "no_token".
        """
        return self.problem_of(ACCESS_TOKEN, REFRESH_TOKEN)

    def problem_of(self, *names: str) -> str:
        """Return why none of these entries holds a token to use, or "" when one does."""
        if self.configuration is None:
            return "no_configuration"
        if any(redact.is_masked(self._configured(name)) for name in names):
            return "masked_token"
        if any(self._token(name) for name in names):
            return ""
        held = any(self._configured(name) for name in names)
        return "garbled_token" if held else "no_token"

    def token_at(self, name: str) -> str:
        """Return the token that an entry holds, "" when there is none to use."""
        return self._token(name)

    def _configured(self, name: str) -> str:
        return (self.configuration or {}).get(name) or ""

    def _token(self, name: str) -> str:
        value = self._configured(name)
        return "" if redact.is_masked(value) or not is_token(value) else value


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the list of instances."""

    instances: tuple[RemoteInstance, ...] = ()
    next_page: str = field(default="", repr=False)  # "" on the last page
    total: int | None = None  # of the whole list, where the platform says so
    unreadable: int = (
        0  # rows without an id; a list with such rows proves nobody vanished
    )


@dataclass(frozen=True, slots=True)
class RequestToken:
    """OAuth 1: the token that goes into the consent address, and the secret kept until the end."""

    token: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Secrets:
    """The two secrets of the person who signed in."""

    user_secret: str = field(repr=False)
    organization_secret: str = field(repr=False)


def is_token(value: str) -> bool:
    """Tell whether a value can be a token: printable ASCII (RFC 6749, appendix A)."""
    return bool(value) and value.isascii() and value.isprintable()
