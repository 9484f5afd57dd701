"""The words of the catalogue's records, of a provider app, and of a provider's answer."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class CallbackMode(TextChoices):
    """Whose callback address the customers' instances carry."""

    OURS = "ours", _("Ours")  # consent comes back to ceadmin
    THEIRS = "theirs", _("Theirs")  # it comes back to the customer's own application


class Confidence(TextChoices):
    """How well a record is known."""

    HIGH = "high", _("High")  # vendor documentation or vendor code was read
    MEDIUM = "medium", _("Medium")  # several independent sources agree
    LOW = "low", _("Low")  # undocumented or contradictory; off until tried


class Flow(TextChoices):
    """How a provider gives its grants."""

    CODE = "oauth2_authorization_code", _("OAuth 2 authorization code")
    CLIENT = "oauth2_client_credentials", _("OAuth 2 client credentials")
    SAML = "oauth2_saml_bearer", _("OAuth 2 SAML bearer")
    OAUTH1 = "oauth1", _("OAuth 1")
    VENDOR = "vendor_token", _("The vendor's own tokens")


class Supported(TextChoices):
    """Whether a revocation can be called."""

    YES = "yes", _("Yes")
    PARTIAL = (
        "partial",
        _("Partly"),
    )  # undocumented, or broader or narrower than a token
    NO = "no", _("No")  # a person has to do it


class Method(TextChoices):
    """HTTP methods that a record may use."""

    GET = "GET", "GET"
    POST = "POST", "POST"
    DELETE = "DELETE", "DELETE"


class Placement(TextChoices):
    """Where a call carries the token."""

    FORM = "form", _("A field of the form body")
    JSON = "json", _("A member of the JSON body")
    QUERY = "query", _("The query of the address")
    PATH = "path", _("The path of the address")
    BEARER = "bearer", _("The Authorization header")
    HEADER = "header", _("A header of the vendor's")
    SIGNED = "signed", _("An OAuth 1 signature made with it")
    NONE = "none", _("Nowhere")  # the call names an account instead


class ClientAuth(TextChoices):
    """How a call proves which client makes it."""

    NONE = "none", _("Not at all")
    BODY = "body", _("Client id and secret in the body")
    PUBLIC = "public", _("Client id in the body")
    BASIC = "basic", _("HTTP Basic")
    BEARER = "bearer", _("The access token in the Authorization header")
    HEADER = "header", _("Headers of the vendor's")
    HMAC_SHA1 = "oauth1_hmac_sha1", _("OAuth 1 signature, HMAC-SHA1")
    HMAC_SHA256 = "oauth1_hmac_sha256", _("OAuth 1 signature, HMAC-SHA256")


class BodyKind(TextChoices):
    """What a call's body is."""

    NONE = "none", _("Empty")
    FORM = "form", _("Form")
    JSON = "json", "JSON"


class TokenKind(TextChoices):
    """Which of a grant's two tokens is meant."""

    ACCESS = "access", _("Access token")
    REFRESH = "refresh", _("Refresh token")


class Accepts(TextChoices):
    """What a revoke call takes."""

    EITHER = "either", _("Either token")
    ACCESS = "access", _("Access tokens")
    REFRESH = "refresh", _("Refresh tokens")
    ACCOUNT = "account", _("An account's id")


class Effect(TextChoices):
    """What a revocation kills."""

    TOKEN = "token", _("The token sent")
    TOKEN_PAIR = "token_pair", _("Access and refresh token")
    GRANT = "grant", _("Everything the user gave this app")
    CONNECTION = "connection", _("The company's connection")
    APP_INSTALL = "app_install", _("The installed app")
    USER_SESSIONS = "user_sessions", _("All the user's sessions")
    DEPENDS = "depends_on_token", _("Depends on the token sent")
    UNKNOWN = "unknown", _("Unknown")
    NONE = "none", _("Nothing")


class Reach(TextChoices):
    """Which other grants a revocation takes along."""

    TOKEN = "token", _("Whoever holds the same token")
    GRANT = "grant", _("Whatever the same user gave to the same app")
    ACCOUNT = "account", _("The app in the whole account, whoever connected it")
    USER = "user", _("Everything of the same user, in every app")


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

    ROTATES = "rotates", _("Replaced")
    STAYS = "stays", _("Stays")
    OPTIONAL = "optional", _("Depends on the app's settings")
    UNKNOWN = "unknown", _("Unknown")
    NONE = "none", _("There is none")


class PlaceholderKind(TextChoices):
    """What a placeholder of an address stands for."""

    HOST = "host", _("Part of a host name")
    VALUE = "value", _("A value in path, query or body")
    PATH = "path", _("Steps of a path")
    URL = "url", _("A whole address")
    AUTH = "auth", _("The standard's name of a client authentication")


class SourcePart(TextChoices):
    """Which part of a configuration value a placeholder is taken from."""

    HOST = "host", _("The host of an address")
    VALUE = "value", _("The whole value")


class Proof(TextChoices):
    """How much an "already gone" answer proves."""

    VERIFY = "verify", _("Plausible")  # report it only after a verification
    TOKEN = "token", _("This token is dead")
    GRANT = "grant", _("The grant is dead")


class Verdict(TextChoices):
    """What a provider's answer to a revocation says."""

    REVOKED = "revoked", _("Said yes")  # never proof: RFC 7009 says yes to anything
    ALREADY = "already", _("Already gone")
    REFUSED = "refused", _("Refused")  # our credentials or a policy; the token lives
    THROTTLED = "throttled", _("Throttled")
    UNAVAILABLE = "unavailable", _("Unavailable")  # RFC 7009: the token still exists
    UNCLEAR = "unclear", _("Unclear")


class Life(TextChoices):
    """What a verification says of a token."""

    DEAD = "dead", _("Dead")
    ALIVE = "alive", _("Alive")
    UNKNOWN = "unknown", _("Unknown")


class LimitScope(TextChoices):
    """What an organization's own limit is for."""

    PLATFORM = "platform", _("Cloud Elements")  # calls with the organization's secrets
    PROVIDER = "provider", _("A provider")  # each of its hosts
    APP = "app", _("A provider app")
