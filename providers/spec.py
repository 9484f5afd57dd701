"""What a record of the catalogue can say: the schema of providers/data/<key>.toml.

Reading a table into these classes is `providers.strict`; what must hold beyond types is
`providers.rules`. docs/how-to-add-a-provider.md explains each key to authors.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from providers.choices import (
    REACH_OF,
    Accepts,
    BodyKind,
    ClientAuth,
    Confidence,
    Effect,
    Flow,
    Life,
    Method,
    PlaceholderKind,
    Placement,
    Proof,
    Reach,
    Rotation,
    SourcePart,
    Supported,
    TokenKind,
    Verdict,
)
from providers.strict import Scalar
from providers.told import ENGLISH, UNKNOWN

#: How keys of organizations' own records begin, and none of the catalogue's does.
OWN = "own_"
#: Placeholders that every template knows; others are declared by the record.
GRANT_PLACEHOLDERS = frozenset(
    {"token", "access_token", "refresh_token", "client_id", "client_secret"}
)


# Calls


@dataclass(frozen=True, slots=True)
class Token:
    """Where a call carries the token."""

    place: Placement
    name: str = ""  # of the field, member, parameter or header
    scheme: str = ""  # the word before it in a header; "Bearer" for bearer


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One HTTP call as data; `{placeholders}` stand in url, fields, query and headers.

    Each is itself, as records are: what is worked out of one is remembered with it.
    """

    url: str
    token: Token
    method: Method = Method.POST
    client_auth: ClientAuth = ClientAuth.NONE
    client_auth_from: str = ""  # a placeholder that names another way to authenticate
    client_id_field: str = "client_id"
    client_secret_field: str = "client_secret"  # noqa: S105 (a field's name)
    body: BodyKind = BodyKind.NONE
    rfc7009: bool = False  # the body is the standard's own, as oauthlib makes it
    hint: bool = False  # it names the kind of the token
    fields: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    realm: str = ""  # of a signature: whose account it is made for
    note: str = ""


# Answers


@dataclass(frozen=True, slots=True)
class Match:
    """A condition on an answer's body; what is not given is not asked."""

    path: str = ""  # into the JSON: "error", "errors.0.code", "0.errorCode"
    equals: tuple[Scalar, ...] = ()  # one of these
    starts_with: str = ""
    text: str = ""  # stands somewhere in the body
    empty: bool | None = None


@dataclass(frozen=True, slots=True)
class RevokeAnswer:
    """An answer to a revocation and what it means; rules with a match are asked first."""

    status: tuple[int, ...]
    means: Verdict
    match: tuple[Match, ...] = ()  # all of them
    proof: Proof = Proof.VERIFY  # of "already"
    documented: bool = True


@dataclass(frozen=True, slots=True)
class LifeAnswer:
    """An answer to a verification and what it says of the token."""

    status: tuple[int, ...]
    means: Life
    match: tuple[Match, ...] = ()
    challenge: str = ""  # the scheme that WWW-Authenticate asks for
    compare: bool = False  # believed only if the same call worked before


# What can be done


@dataclass(frozen=True, slots=True)
class Revocation:
    """How a grant is revoked and what dies with it."""

    supported: Supported
    effect: Effect
    kills: str  # a sentence for people
    reach: Reach | None = None  # where it is another than the effect's own
    documented: bool | None = None  # by the vendor
    accepts: Accepts = Accepts.EITHER
    order: tuple[TokenKind, ...] = ()
    refresh_kills_access: bool = False
    access_kills_refresh: bool = False
    access_lives_seconds: float | None = None  # once its refresh token is dead
    propagation_seconds: float = 0.0
    call: Call | None = None
    alternates: Mapping[str, Call] = field(default_factory=dict)
    answers: tuple[RevokeAnswer, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """A call that tells whether a token lives, and how to read its answer."""

    call: Call
    answers: tuple[LifeAnswer, ...]
    accepts: Accepts = Accepts.ACCESS
    preferred: bool = False  # to the other way of asking
    note: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """A call that names the account behind a token."""

    call: Call
    account: tuple[str, ...]  # paths into the JSON, joined by "/"


# Values that differ from account to account


@dataclass(frozen=True, slots=True)
class Source:
    """An entry of an instance's configuration; the pattern's first group is the value."""

    key: str
    pattern: re.Pattern[str]
    part: SourcePart = SourcePart.HOST


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One part of an address that differs from account to account."""

    meaning: str
    kind: PlaceholderKind
    pattern: re.Pattern[str]
    sources: tuple[Source, ...] = ()
    default: str = ""
    quirk: str = ""  # the function of providers/quirks.py that reads an entry
    per_account: bool = False  # one app has many, so none can stand with the app


# Politeness


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a provider's hosts take; None where nothing is known."""

    rate: float | None = None  # calls a second
    concurrency: int | None = None  # calls at once
    note: str = ""  # where that is said, or that it is said nowhere


# Consent


@dataclass(frozen=True, slots=True)
class CallbackValue:
    """A value that the provider's redirect carries beside the code."""

    pattern: re.Pattern[str]
    required: bool = False
    provider_data: bool = False  # the platform needs it beside the code


@dataclass(frozen=True, slots=True)
class Consent:
    """What is special about asking a person."""

    extras: Mapping[str, str] = field(default_factory=dict)
    scopes: tuple[str, ...] = ()  # without one of these no refresh token comes
    callback: Mapping[str, CallbackValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entries:
    """Under which names an instance's configuration holds the tokens, where not the usual ones."""

    access: str = ""
    secret: str = ""  # OAuth 1: of the access token


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a fact comes from; `read` says whether the text itself was read."""

    kind: str
    ref: str
    read: bool


@dataclass(frozen=True, slots=True, eq=False)
class Provider:
    """One record of the catalogue."""

    key: str
    name: str
    flow: Flow
    checked: str  # the month of the facts
    confidence: Confidence
    enabled_by_default: bool
    revoke: Revocation
    manual_steps: tuple[str, ...]
    sources: tuple[Evidence, ...]
    element_keys: tuple[str, ...] = ()
    related_element_keys: tuple[str, ...] = ()
    authorization_url: str = ""
    token_url: str = ""
    verification: Check | None = None
    introspection: Check | None = None
    identity: Identity | None = None
    account_placeholder: str = ""  # whose value is the account's id
    placeholders: Mapping[str, Placeholder] = field(default_factory=dict)
    entries: Entries = field(default_factory=Entries)
    consent: Consent = field(default_factory=Consent)
    refresh_rotation: Rotation = Rotation.UNKNOWN
    refresh_rotation_note: str = ""
    limits: Limits = field(default_factory=Limits)
    confidence_note: str = ""
    notes: tuple[str, ...] = ()

    @property
    def language(self) -> str:
        """The language of its words: English in the catalogue, else whatever its owner wrote."""
        return UNKNOWN if self.key.startswith(OWN) else ENGLISH

    @property
    def revocable(self) -> bool:
        """Whether there is a revoke call at all."""
        return self.revoke.call is not None

    @property
    def needs_switch(self) -> bool:
        """Whether its call is made only where an owner switched it on."""
        return self.revocable and not self.enabled_by_default

    @property
    def verifiable(self) -> bool:
        """Whether the provider itself can be asked if a token lives."""
        return self.verification is not None or self.introspection is not None

    @property
    def kills(self) -> str:
        """What dies with a revocation, in a sentence."""
        return self.revoke.kills

    @property
    def reach(self) -> Reach:
        """Which other grants die with a revocation."""
        return self.revoke.reach or REACH_OF[self.revoke.effect]

    @property
    def names_accounts(self) -> bool:
        """Whether two instances can be told to be of one account, as far as its reach asks.

        A platform names the user. Where more dies than the user's own, the record has to
        say which value is the account's.
        """
        return self.reach != Reach.ACCOUNT or bool(self.account_placeholder)

    @property
    def propagation_seconds(self) -> float:
        """How long the provider takes until a revocation is seen everywhere."""
        return self.revoke.propagation_seconds

    def calls(self) -> dict[str, Call]:
        """Return every call of the record by its key in the file."""
        named: dict[str, Call] = {}
        if self.revoke.call:
            named["revoke.call"] = self.revoke.call
        for name, call in self.revoke.alternates.items():
            named[f"revoke.alternates.{name}"] = call
        for name in ("verification", "introspection", "identity"):
            part: Check | Identity | None = getattr(self, name)
            if part:
                named[f"{name}.call"] = part.call
        return named
