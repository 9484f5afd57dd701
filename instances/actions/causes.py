"""Why an item ended as it did, in one word for machines and one sentence for people."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext, gettext_noop

from instances.cloud_elements import Code


class Cause(TextChoices):
    """Causes found by reading what the platform said; the label says what to do."""

    GRANT_DEAD = (
        "grant_dead",
        gettext_noop(
            "The provider no longer accepts this instance's authorization. "
            "Reauthenticate it."
        ),
    )
    DISABLED = (
        "disabled",
        gettext_noop(
            "The platform has disabled the instance, as it does after five failed "
            "refreshes. Reauthenticate it."
        ),
    )
    GONE = (
        "gone",
        gettext_noop(
            "The platform has no instance with this id. Sync the organization; somebody "
            "may have deleted it."
        ),
    )
    ORGANIZATION_SECRETS = (
        "organization_secrets",
        gettext_noop(
            "The platform refuses the organization's own secrets, so nothing is "
            "known of its instances. "
            "Test the connection of the organization."
        ),
    )
    PRIVILEGE_MISSING = (
        "privilege_missing",
        gettext_noop(
            "The platform account behind the user secret lacks a privilege. Use the "
            "secret of an account that may read instances."
        ),
    )
    PROVIDER_FORBIDS = (
        "provider_forbids",
        gettext_noop(
            "The provider knows the account and forbids the call. Check the "
            "account's rights and the app's scopes at the provider."
        ),
    )
    PROVIDER_REFUSED = (
        "provider_refused",
        gettext_noop(
            "The provider refused the call for a reason of its own, shown beside. "
            "Read it, then probe again or reauthenticate."
        ),
    )
    AMBIGUOUS_401 = (
        "ambiguous_401",
        gettext_noop(
            "The platform answers 401 although organization and element token are "
            "right, and shows no word of the provider. "
            "Probe again; if it stays, reauthenticate the instance."
        ),
    )
    NO_ELEMENT_TOKEN = (
        "no_element_token",
        gettext_noop(
            "The platform does not show the element token. Sync with a user who may "
            "see it."
        ),
    )
    OTHER_INSTANCE = (
        "other_instance",
        gettext_noop(
            "The platform answered for another instance. Sync the organization, "
            "then probe again."
        ),
    )
    NO_PROBE = (
        "no_probe",
        gettext_noop(
            "This element has no ping, and no other cheap call of it is known. Test "
            "it in the platform's own pages."
        ),
    )


_OF_CODES: dict[str, str] = {
    Code.HTML: gettext_noop(
        "A web page answered where the platform's API should. Check the base URL, "
        "and any proxy on the way."
    ),
    Code.EMPTY_BODY: gettext_noop(
        "The platform answered without a body. Try again later."
    ),
    Code.TRUNCATED_JSON: gettext_noop(
        "The platform's answer broke off. Try again later."
    ),
    Code.BAD_JSON: gettext_noop(
        "The platform's answer is not valid JSON. Try again later; check the base "
        "URL if it stays."
    ),
    Code.BAD_ENCODING: gettext_noop(
        "The platform's answer is not valid UTF-8. Try again later."
    ),
    Code.NUL_BYTES: gettext_noop(
        "The platform's answer holds NUL bytes. Try again later; check any proxy on "
        "the way."
    ),
    Code.TOO_LARGE: gettext_noop(
        "The platform's answer is larger than is read here. Look at the instance in "
        "the platform's own pages."
    ),
    Code.WRONG_SHAPE: gettext_noop(
        "The platform's answer has another form than documented. Try again; check "
        "the base URL if it stays."
    ),
    Code.REDIRECTED: gettext_noop(
        "The platform sends elsewhere instead of answering. Correct the base URL of "
        "the organization."
    ),
    Code.RATE_LIMITED: gettext_noop(
        "The platform or the provider limits the rate. Try again after the time shown."
    ),
    Code.SERVER_ERROR: gettext_noop(
        "The platform or the provider fails just now. Try again later."
    ),
    Code.UNAUTHORIZED: gettext_noop(
        "The platform refuses the secrets. Test the connection of the organization."
    ),
    Code.GRANT_REFUSED: str(Cause.GRANT_DEAD.label),
    Code.FORBIDDEN: str(Cause.PRIVILEGE_MISSING.label),
    Code.NOT_FOUND: gettext_noop(
        "The platform does not know what was asked for: the instance is gone, or "
        "the element key is unknown."
    ),
    Code.BAD_REQUEST: gettext_noop(
        "The platform refuses the request as it is. Read its words shown beside."
    ),
    Code.MALFORMED_SECRET: gettext_noop(
        "A secret holds a character that cannot stand in a header. Copy it again, "
        "without spaces or commas."
    ),
    Code.MALFORMED_ID: gettext_noop(
        "The id or element key is empty or malformed. Sync the organization."
    ),
    Code.MASKED_VALUE: gettext_noop(
        "A value is masked by the platform and was not written back. Set the "
        "provider app's real values."
    ),
    Code.MISSING_CODE: gettext_noop("The consent brought no code. Start it again."),
    Code.MISSING_APP_SECRET: gettext_noop(
        "Client id, client secret or callback of the provider app is missing. "
        "Complete the provider app."
    ),
    Code.BAD_OAUTH_URL: gettext_noop(
        "The platform's consent address is not an https address. Nobody was sent "
        "there; check the element."
    ),
    Code.PAGING_LOOP: gettext_noop(
        "The platform's list of instances repeats itself. Sync again later."
    ),
    "blocked_address": gettext_noop(
        "The base URL leads to an address inside a network that must not be called. "
        "Correct it."
    ),
    "blocked_scheme": gettext_noop("The base URL has to begin with https."),
    # the seam's own words, when no answer came
    "dns": gettext_noop(
        "The host's name could not be found. Check the address, and this machine's DNS."
    ),
    "tls": gettext_noop(
        "No trusted TLS connection could be made. Check the host's certificate."
    ),
    "connect_timeout": gettext_noop(
        "No connection in time. Try again later; check the firewall."
    ),
    "nobody_listens": gettext_noop(
        "Nobody listens at that address. Check it; try again later."
    ),
    "proxy": gettext_noop("The outbound proxy refused. Check OUTBOUND_PROXY."),
    "timeout": gettext_noop("No answer in time. Try again later."),
    "cut": gettext_noop(
        "The connection was cut before the answer was complete. Try again later."
    ),
    "garbage": gettext_noop("What answered does not speak HTTP. Check the address."),
    "too_large": gettext_noop(
        "The answer is larger than anything expected. Check the address."
    ),
    # what a revocation, a run or a link came to
    "invalid_client": gettext_noop(
        "The provider refused the client id or secret. Check the provider app."
    ),
    "unsupported_token_type": gettext_noop(
        "The provider can't revoke this kind of token."
    ),
    "unauthorized_client": gettext_noop(
        "The token belongs to another app. Assign the one it was made with."
    ),
    "refreshed": gettext_noop(
        "The platform made new access tokens. Revoke the refresh tokens."
    ),
    "no_app": gettext_noop(
        "No provider app is assigned. Assign one on the instance's page."
    ),
    "provider_off": gettext_noop(
        "The provider's record is off. An owner can switch it on under Providers."
    ),
    "unknown_element": gettext_noop("The catalogue knows no provider for the element."),
    "masked_token": gettext_noop(
        "The platform hides the token, so nothing can be revoked with it."
    ),
    "same_grant": gettext_noop(
        "It shares its grant with another instance of the run: revoked once for both."
    ),
    "no_secrets": gettext_noop(
        "The organization has no secrets. Add both on the organization's page."
    ),
    "key_missing": gettext_noop(
        "A secret was sealed with a key that is not loaded. Check FIELD_KEYS."
    ),
    "worker_lost": gettext_noop("Workers died over it. Look into the worker's log."),
    "internal_error": gettext_noop(
        "The product itself failed. Look into the worker's log."
    ),
    "access_denied": gettext_noop("The person said no at the provider."),
    "vanished": gettext_noop("The platform no longer lists it."),
    "listed_again": gettext_noop("The platform lists it again. Probe it."),
    "died_along": gettext_noop(
        "It held the same token as an instance that a run revoked, and died with it."
    ),
    "died_unseen": gettext_noop(
        "A run revoked an instance of the same account and app, which takes this one "
        "along. A probe looks whether it still works."
    ),
    "drill": gettext_noop("It was revoked in a drill."),
    "left_out": gettext_noop("A person left its provider out of the run."),
}


_BLOCKED = gettext_noop("The call was blocked before it was sent.")


def advice(cause: str) -> str:
    """Return what to tell a person about a cause, in the current language."""
    kept = sentence(cause)
    return gettext(kept) if kept else ""


def sentence(cause: str) -> str:
    """Return the same as it is kept: in English; "" for a word that is not known here."""
    if cause in Cause.values:
        return str(Cause(cause).label)
    if cause in _OF_CODES:
        return _OF_CODES[cause]
    return _BLOCKED if cause.startswith("blocked") else ""
