"""What a customer gave: the tokens of one instance, read just before they are used."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from providers.choices import TokenKind


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant's tokens with its account's site values and its app's credentials.

    Lives as long as one item's work; never stored, and its `repr` shows no secret.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    site: Mapping[str, str]
    client_id: str
    client_secret: str = field(repr=False)
    token_secret: str = field(default="", repr=False)  # OAuth 1 only

    def token(self, kind: TokenKind) -> str:
        """Return the access or the refresh token, "" if there is none."""
        return self.access_token if kind == TokenKind.ACCESS else self.refresh_token

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be masked wherever an answer is quoted."""
        held = (
            self.access_token,
            self.refresh_token,
            self.client_secret,
            self.token_secret,
        )
        return tuple(secret for secret in held if secret)
