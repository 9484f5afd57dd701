"""The rows of the emulated world. Each knows its kind and its key; the store writes their fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

Token = dict[
    str, Any
]  # kind, state, expires, and while a revocation spreads: dies or checks


@dataclass
class Organization:
    """A tenant of Cloud Elements."""

    KIND: ClassVar[str] = "organization"
    id: int
    name: str
    user_secret: str
    organization_secret: str
    username: str = "ops@example.test"
    password: str = "password"
    user_id: int = 9723
    #: Ways of reauthenticating that this tenant refuses: patch_instances, patch_instance_by_id,
    #: put_instances, put_instance.
    refused_forms: list[str] = field(default_factory=list)

    @property
    def key(self) -> int:
        """What its table knows it by."""
        return self.id


@dataclass
class Client:
    """An application registered with a provider."""

    KIND: ClassVar[str] = "client"
    provider: str
    client_id: str
    client_secret: str
    redirect_uris: list[str] = field(default_factory=list)
    host: str = ""  # generic servers only

    @property
    def key(self) -> str:
        """What its table knows it by."""
        return f"{self.provider}:{self.client_id}"


@dataclass
class Account:
    """A customer's account at a provider."""

    KIND: ClassVar[str] = "account"
    provider: str
    id: str
    name: str
    email: str
    site: dict[str, str] = field(
        default_factory=dict
    )  # instance_host, shard, realm, host

    @property
    def key(self) -> str:
        """What its table knows it by."""
        return f"{self.provider}:{self.id}"


@dataclass
class Grant:
    """What a customer gave to a client: every access and refresh token of it, dead ones too."""

    KIND: ClassVar[str] = "grant"
    id: int
    provider: str
    client_id: str
    account: str
    tokens: dict[str, Token] = field(default_factory=dict)
    created: float = 0.0
    ended: float = 0.0  # when it was revoked; 0 while it lives

    @property
    def key(self) -> int:
        """What its table knows it by."""
        return self.id


@dataclass
class Code:
    """An authorization code, or a request token of OAuth 1."""

    KIND: ClassVar[str] = "code"
    code: str
    provider: str
    client_id: str
    redirect_uri: str
    expires: float
    account: str = "same"
    realm: str = ""
    used: bool = False
    grant: int = 0  # what it was redeemed for
    secret: str = ""  # OAuth 1: of the request token
    verifier: str = ""  # OAuth 1: once the person allowed it

    @property
    def key(self) -> str:
        """What its table knows it by."""
        return self.code


@dataclass
class Instance:
    """An element instance as the platform holds it, secrets in clear."""

    KIND: ClassVar[str] = "instance"
    id: int
    organization: int
    element: str
    name: str
    token: str
    tags: list[str] = field(default_factory=list)
    created: float = 0.0
    updated: float = 0.0
    disabled: bool = False
    refresh_failures: int = 0
    configuration: dict[str, str | None] = field(default_factory=dict)
    grant: int = 0
    quirks: list[str] = field(
        default_factory=list
    )  # masked_tokens, masked_token_secret, empty_configuration, id_as_string

    @property
    def key(self) -> int:
        """What its table knows it by."""
        return self.id


@dataclass
class Element:
    """A connector of the platform."""

    KIND: ClassVar[str] = "element"
    key: str
    id: int
    name: str
    hub: str
    provider: str = "generic"
    host: str = "auth.example.com"  # the generic server behind it
    ping: bool = True
    oauth: str = "oauth2"


@dataclass
class Server:
    """A host that speaks plain OAuth 2 with RFC 7009, RFC 7662 and RFC 8414."""

    KIND: ClassVar[str] = "server"
    host: str
    introspection: bool = True
    access_kills_grant: bool = False
    revokes_access: bool = True

    @property
    def key(self) -> str:
        """What its table knows it by."""
        return self.host


@dataclass
class Setting:
    """A switch or a number that must survive a restart."""

    KIND: ClassVar[str] = "setting"
    key: str
    value: Any = None


Record = (
    Organization
    | Client
    | Account
    | Grant
    | Code
    | Instance
    | Element
    | Server
    | Setting
)
KINDS: dict[str, type[Record]] = {
    kind.KIND: kind
    for kind in (
        Organization,
        Client,
        Account,
        Grant,
        Code,
        Instance,
        Element,
        Server,
        Setting,
    )
}
