"""How each provider differs: token shapes, lifetimes, what a revocation takes along, what the platform stores."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from string import ascii_letters, digits

from .recording import SIGNED, Recording
from .records import Account
from .templates import fill

_random = Random()


def text(length: int, alphabet: str = ascii_letters + digits) -> str:
    """Return random text."""
    return "".join(_random.choices(alphabet, k=length))


def number(length: int) -> str:
    """Return a random number without a leading zero."""
    return text(1, "123456789") + text(length - 1, digits)


@dataclass(frozen=True)
class Profile:
    """One provider."""

    key: str
    name: str
    hosts: re.Pattern[str]
    access_life: int
    rotates: bool  # a refresh replaces the refresh token
    access_kills: str  # what revoking an access token ends: "grant" or "token"
    dead: str  # the provider's own words for a dead token, its code first
    authorize: str  # address of the consent page
    scope: str
    make_access: Callable[[Account], str]
    make_refresh: Callable[[Account], str]
    make_account: Callable[[], str]
    configuration: Callable[[Account], dict[str, str | None]]
    site: Mapping[str, str] = field(
        default_factory=dict
    )  # what an account has unless told otherwise
    signed: bool = False  # OAuth 1: a token has a secret of its own


def _box(account: Account) -> dict[str, str | None]:
    return {
        "base.url": "https://api.box.com/2.0",
        "oauth.user.id": account.id,
        "oauth.authorization.url": "https://account.box.com/api/oauth2/authorize",
        "oauth.token.url": "https://api.box.com/oauth2/token",
        "document.tagging": None,
        "oauth.subuser.email": None,
    }


def _salesforce(account: Account) -> dict[str, str | None]:
    login = "https://login.salesforce.com"
    return {
        "base.url": f"https://{account.site['instance_host']}",
        "oauth.scope": "full refresh_token",
        "sfdc.user.id.url": f"{login}/id/{account.site['org']}/{account.id}",
        "sfdc.token.url": f"{login}/services/oauth2/token",
        "sfdc.revoke.url": f"{login}/services/oauth2/revoke",
        "oauth.authorization.url": f"{login}/services/oauth2/authorize",
    }


def _adobe(account: Account) -> dict[str, str | None]:
    shard = account.site["shard"]
    return {
        "base.url": f"https://api.{shard}.adobesign.com/api/rest/v6",
        "oauth.authorization.url": f"https://secure.{shard}.adobesign.com/public/oauth/v2",
        "oauth.token.url": f"https://api.{shard}.adobesign.com/oauth/v2/token",
        "document.tagging": "false",
    }


def _quickbooks(account: Account) -> dict[str, str | None]:
    return {
        "base.url": f"https://quickbooks.api.intuit.com/v3/company/{account.site['realm']}",
        "quickbooks.realm.id": account.site["realm"],
        "quickbooks.datasource": "QBO",
        "quickbooks.minorversion": "65",
        "oauth.authorization.url": "https://appcenter.intuit.com/connect/oauth2",
        "oauth.token.url": "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",
    }


def _generic(account: Account) -> dict[str, str | None]:
    host = account.site["host"]
    return {
        "base.url": f"https://{host}/api",
        "oauth.user.id": account.id,
        "oauth.authorization.url": f"https://{host}/oauth/authorize",
        "oauth.token.url": f"https://{host}/oauth/token",
        "oauth.token.revoke_url": f"https://{host}/oauth/revoke",
    }


def _twitter(account: Account) -> dict[str, str | None]:
    return {"base.url": "https://api.twitter.com/1.1", "oauth.user.id": account.id}


_URL_SAFE = ascii_letters + digits + "-_"

PROFILES = {
    profile.key: profile
    for profile in (
        Profile(
            "box", "Box", re.compile(r"(account|api|www|app)\.box\.com"), 3600, True, "grant",
            "invalid_token: The access token provided is invalid.",
            "https://account.box.com/api/oauth2/authorize", "root_readwrite",
            lambda account: text(32), lambda account: text(64), lambda: number(9), _box,
        ),
        Profile(
            "salesforce", "Salesforce", re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.salesforce\.com"), 7200, False, "token",
            "INVALID_SESSION_ID: Session expired or invalid",
            "https://login.salesforce.com/services/oauth2/authorize", "full refresh_token",
            lambda account: f"{account.site['org'][:15]}!AQ{text(80, _URL_SAFE + '.')}",
            lambda account: f"5Aep861{text(73, _URL_SAFE + '.')}",
            lambda: f"005{text(12)}AAM", _salesforce,
        ),
        Profile(
            "adobe_sign", "Adobe Acrobat Sign", re.compile(r"(api|secure)\.([a-z]{2}\d)\.(adobesign|echosign)\.com"),
            3599, False, "grant", "INVALID_ACCESS_TOKEN: Access token provided is invalid or has expired",
            "https://secure.na1.adobesign.com/public/oauth/v2", "user_read:account agreement_read:account",
            lambda account: f"3AAABLblqZh{text(60, _URL_SAFE)}*", lambda account: f"3AAABLblqZh{text(61, _URL_SAFE)}*",
            lambda: f"CBJCHBCAABAA{text(32, _URL_SAFE)}", _adobe,
        ),
        Profile(
            "quickbooks", "QuickBooks Online",
            re.compile(r"(appcenter|developer\.api|(sandbox-)?quickbooks\.api|oauth\.platform)\.intuit\.com"),
            3600, True, "grant", "003200: AuthenticationFailed; Token expired or revoked",
            "https://appcenter.intuit.com/connect/oauth2", "com.intuit.quickbooks.accounting",
            lambda account: f"eyJlbmMiOiJBMTI4Q0JDIn0..{text(120, _URL_SAFE)}", lambda account: f"AB11{text(46)}",
            lambda: number(16), _quickbooks,
        ),
        Profile(
            "generic", "Generic OAuth 2", re.compile(r"$^"), 3600, False, "token",
            "invalid_token: The access token is expired, revoked, malformed or invalid",
            "https://auth.example.com/oauth/authorize", "profile offline_access",
            lambda account: text(43, _URL_SAFE), lambda account: text(43, _URL_SAFE), lambda: f"user-{text(10)}",
            _generic,
        ),
        Profile(
            "twitter", "Twitter", re.compile(r"api\.(twitter|x)\.com"), 0, False, "grant",
            "89: Invalid or expired token.", "https://api.twitter.com/oauth/authenticate", "",
            lambda account: f"{account.id}-{text(40)}", lambda account: "", lambda: number(10), _twitter, signed=True,
        ),
    )
}  # fmt: skip


def provider_of_host(host: str) -> Profile | None:
    """Return the provider whose host this is; generic servers are known by the world instead."""
    return next(
        (profile for profile in PROFILES.values() if profile.hosts.fullmatch(host)),
        None,
    )


def recorded(recording: Recording) -> Profile:
    """Return the profile of a provider that is known by its recording alone."""
    keeps = recording.gives_refresh_tokens

    def configuration(account: Account) -> dict[str, str | None]:
        base = fill(recording.check.address, account.site)
        held = {"base.url": "/".join(base.split("/")[:3]), "oauth.user.id": account.id}
        for name, template in (
            ("oauth.authorization.url", recording.authorize),
            ("oauth.token.url", recording.token),
            ("oauth.token.revoke_url", recording.revoke.address),
        ):
            held |= {name: fill(template, account.site)} if template else {}
        return dict(held)

    return Profile(
        recording.key, recording.name, re.compile(r"$^"), 3600 if keeps else 0,
        recording.refresh_token == "rotates", "token", "invalid_token: The access token is dead",
        fill(recording.authorize, recording.site), "",
        lambda account: f"at-{text(40, _URL_SAFE)}", lambda account: f"rt-{text(40, _URL_SAFE)}" if keeps else "",
        lambda: f"user-{text(10)}", configuration, recording.site, recording.revoke.client in SIGNED,
    )  # fmt: skip


def complete_site(profile: Profile, site: dict[str, str]) -> dict[str, str]:
    """Fill in what an account of this provider must have."""
    wanted = {
        "salesforce": {
            "instance_host": "na54.salesforce.com",
            "org": f"00D{text(12)}AAE",
        },
        "adobe_sign": {"shard": "na1"},
        "quickbooks": {"realm": number(16)},
        "generic": {"host": "auth.example.com"},
    }
    return dict(profile.site or wanted.get(profile.key, {})) | {
        name: value for name, value in site.items() if value
    }
