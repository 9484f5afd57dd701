"""The words of the catalogue's records, of a provider app, and of a provider's answer."""

from django.db.models import TextChoices


class CallbackMode(TextChoices):
    """Whose callback address the customers' instances carry."""

    OURS = "ours", "Ours"  # consent comes back to ceadmin
    THEIRS = "theirs", "Theirs"  # it comes back to the customer's own application


class Confidence(TextChoices):
    """How well a record is known."""

    HIGH = "high", "High"  # vendor documentation or vendor code was read
    MEDIUM = "medium", "Medium"  # several independent sources agree
    LOW = "low", "Low"  # undocumented or contradictory; off until tried


class Flow(TextChoices):
    """How a provider gives its grants."""

    CODE = "oauth2_authorization_code", "OAuth 2 authorization code"
    CLIENT = "oauth2_client_credentials", "OAuth 2 client credentials"
    SAML = "oauth2_saml_bearer", "OAuth 2 SAML bearer"
    OAUTH1 = "oauth1", "OAuth 1"
    VENDOR = "vendor_token", "The vendor's own tokens"


class Supported(TextChoices):
    """Whether a revocation can be called."""

    YES = "yes", "Yes"
    PARTIAL = "partial", "Partly"  # undocumented, or broader or narrower than a token
    NO = "no", "No"  # a person has to do it


class Method(TextChoices):
    """HTTP methods that a record may use."""

    GET = "GET", "GET"
    POST = "POST", "POST"
    DELETE = "DELETE", "DELETE"


class Placement(TextChoices):
    """Where a call carries the token."""

    FORM = "form", "A field of the form body"
    JSON = "json", "A member of the JSON body"
    QUERY = "query", "The query of the address"
    PATH = "path", "The path of the address"
    BEARER = "bearer", "The Authorization header"
    HEADER = "header", "A header of the vendor's"
    SIGNED = "signed", "An OAuth 1 signature made with it"
    NONE = "none", "Nowhere"  # the call names an account instead


class ClientAuth(TextChoices):
    """How a call proves which client makes it."""

    NONE = "none", "Not at all"
    BODY = "body", "Client id and secret in the body"
    PUBLIC = "public", "Client id in the body"
    BASIC = "basic", "HTTP Basic"
    BEARER = "bearer", "The access token in the Authorization header"
    HEADER = "header", "Headers of the vendor's"
    HMAC_SHA1 = "oauth1_hmac_sha1", "OAuth 1 signature, HMAC-SHA1"
    HMAC_SHA256 = "oauth1_hmac_sha256", "OAuth 1 signature, HMAC-SHA256"


class BodyKind(TextChoices):
    """What a call's body is."""

    NONE = "none", "Empty"
    FORM = "form", "Form"
    JSON = "json", "JSON"


class TokenKind(TextChoices):
    """Which of a grant's two tokens is meant."""

    ACCESS = "access", "Access token"
    REFRESH = "refresh", "Refresh token"


class Accepts(TextChoices):
    """What a revoke call takes."""

    EITHER = "either", "Either token"
    ACCESS = "access", "Access tokens"
    REFRESH = "refresh", "Refresh tokens"
    ACCOUNT = "account", "An account's id"


class Effect(TextChoices):
    """What a revocation kills."""

    TOKEN = "token", "The token sent"
    TOKEN_PAIR = "token_pair", "Access and refresh token"
    GRANT = "grant", "Everything the user gave this app"
    CONNECTION = "connection", "The company's connection"
    APP_INSTALL = "app_install", "The installed app"
    USER_SESSIONS = "user_sessions", "All the user's sessions"
    DEPENDS = "depends_on_token", "Depends on the token sent"
    UNKNOWN = "unknown", "Unknown"
    NONE = "none", "Nothing"


class Reach(TextChoices):
    """Which other grants a revocation takes along."""

    TOKEN = "token", "Whoever holds the same token"
    GRANT = "grant", "Whatever the same user gave to the same app"
    ACCOUNT = "account", "The app in the whole account, whoever connected it"
    USER = "user", "Everything of the same user, in every app"


#: How far each effect goes. What depends on the token, or is not known, takes along at
#: least whoever holds that token; a record says so itself where it goes further.
REACH_OF: dict[Effect, Reach] = {
    Effect.TOKEN: Reach.TOKEN,
    Effect.TOKEN_PAIR: Reach.TOKEN,
    Effect.GRANT: Reach.GRANT,
    Effect.CONNECTION: Reach.ACCOUNT,
    Effect.APP_INSTALL: Reach.ACCOUNT,
    Effect.USER_SESSIONS: Reach.USER,
    Effect.DEPENDS: Reach.TOKEN,
    Effect.UNKNOWN: Reach.TOKEN,
    Effect.NONE: Reach.TOKEN,
}


class Rotation(TextChoices):
    """What becomes of the refresh token when it is used."""

    ROTATES = "rotates", "Replaced"
    STAYS = "stays", "Stays"
    OPTIONAL = "optional", "Depends on the app's settings"
    UNKNOWN = "unknown", "Unknown"
    NONE = "none", "There is none"


class PlaceholderKind(TextChoices):
    """What a placeholder of an address stands for."""

    HOST = "host", "Part of a host name"
    VALUE = "value", "A value in path, query or body"
    PATH = "path", "Steps of a path"
    URL = "url", "A whole address"
    AUTH = "auth", "The standard's name of a client authentication"


class SourcePart(TextChoices):
    """Which part of a configuration value a placeholder is taken from."""

    HOST = "host", "The host of an address"
    VALUE = "value", "The whole value"


class Proof(TextChoices):
    """How much an "already gone" answer proves."""

    VERIFY = "verify", "Plausible"  # report it only after a verification
    TOKEN = "token", "This token is dead"
    GRANT = "grant", "The grant is dead"


class Verdict(TextChoices):
    """What a provider's answer to a revocation says."""

    REVOKED = "revoked", "Said yes"  # never proof: RFC 7009 says yes to anything
    ALREADY = "already", "Already gone"
    REFUSED = "refused", "Refused"  # our credentials or a policy; the token lives
    THROTTLED = "throttled", "Throttled"
    UNAVAILABLE = "unavailable", "Unavailable"  # RFC 7009: the token still exists
    UNCLEAR = "unclear", "Unclear"


class Life(TextChoices):
    """What a verification says of a token."""

    DEAD = "dead", "Dead"
    ALIVE = "alive", "Alive"
    UNKNOWN = "unknown", "Unknown"


class LimitScope(TextChoices):
    """What an organization's own limit is for."""

    PLATFORM = "platform", "Cloud Elements"  # calls with the organization's secrets
    PROVIDER = "provider", "A provider"  # each of its hosts
    APP = "app", "A provider app"
