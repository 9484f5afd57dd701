"""Every behaviour that rests on an assumption, as a switch.

Grades: T asserted by the vendor's tests, D documented, I inferred, U unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Switch:
    """One assumption: its default, how sure it is, and what else it may be."""

    name: str
    default: Any
    grade: str
    meaning: str
    others: tuple[Any, ...] = ()


_ALL = (
    Switch(
        "element_scoped_get",
        "object",
        "I",
        "GET /instances with Element answers an object",
        ("array",),
    ),
    Switch(
        "list_hydrated", True, "U", "lists carry the configuration unless hydrate=false"
    ),
    Switch(
        "page_size_over_max", "clamp", "U", "what a pageSize over 200 does", ("refuse",)
    ),
    Switch("empty_list_is_404", True, "T", "a list that matches nothing is a 404"),
    Switch(
        "search_case_sensitive", False, "U", "searchText minds upper and lower case"
    ),
    Switch("mask_api_key", True, "T", "oauth.api.key is masked like the secret"),
    Switch(
        "mask_user_tokens",
        False,
        "U",
        "oauth.user.token and refresh_token are masked too",
    ),
    Switch(
        "mask_written_back",
        "stored",
        "U",
        "what writing ******** back does",
        ("ignored",),
    ),
    Switch("valid_reflects_health", False, "U", "`valid` is false on a dead instance"),
    Switch(
        "oauth_url_needs_secrets", True, "D", "oauth/url asks for User and Organization"
    ),
    Switch("dead_message", "article", "I", "words for a dead token", ("provider",)),
    Switch(
        "refresh_on_401",
        True,
        "U",
        "a provider's 401 makes the platform refresh at once",
    ),
    Switch(
        "refresh_failures_to_disable",
        5,
        "D",
        "failed refreshes after which an instance is disabled",
    ),
    Switch(
        "reauth_name_required",
        False,
        "I",
        "reauthenticating needs a name beside the code",
    ),
    Switch(
        "reauth_enables",
        False,
        "I",
        "reauthenticating also enables a disabled instance",
    ),
    Switch(
        "refused_form_status",
        405,
        "I",
        "how a refused form of reauthenticating answers",
        (403, 404),
    ),
    Switch(
        "enabled_body",
        "empty",
        "U",
        "what PUT and DELETE enabled answer",
        ("instance",),
    ),
    Switch("code_life", 60, "I", "seconds an authorization code lives"),
    Switch(
        "code_reuse_revokes",
        False,
        "U",
        "redeeming a code twice kills what it gave (RFC 6749: SHOULD)",
    ),
    Switch(
        "failed_reauth_uses_code", False, "U", "a refused exchange uses the code up"
    ),
    Switch(
        "access_life",
        0,
        "I",
        "seconds an access token lives; 0 = as the provider's record says",
    ),
    Switch(
        "stale_refresh_revoke",
        "ignored",
        "U",
        "revoking a rotated refresh token",
        ("refused", "revokes"),
    ),
    Switch(
        "box_unknown_token",
        400,
        "U",
        "Box's status for a token it does not know",
        (200,),
    ),
    Switch(
        "adobe_unknown_token",
        400,
        "U",
        "Adobe Sign's status for a token it does not know",
        (401, 200),
    ),
    Switch(
        "adobe_needs_form_type",
        True,
        "D",
        "Adobe Sign refuses a revoke without the form content type",
    ),
    Switch(
        "quickbooks_newest_wins",
        True,
        "D",
        "a new QuickBooks connection ends the older one of that company",
    ),
    Switch(
        "quickbooks_ends_company",
        True,
        "D",
        "a QuickBooks revocation disconnects the app from that company, whoever connected it",
    ),
    Switch(
        "generic_access_kills_grant",
        False,
        "I",
        "revoking an access token takes the refresh token along",
    ),
    Switch(
        "generic_revokes_access",
        True,
        "I",
        "access tokens can be revoked; else unsupported_token_type",
    ),
    Switch("propagation_seconds", 0, "I", "seconds until a revocation is seen"),
    Switch("propagation_checks", 0, "I", "checks a revoked token still passes"),
    Switch("clock_skew", 0, "I", "seconds by which the platform's clock is wrong"),
    Switch(
        "keep_browser_here",
        False,
        "I",
        "redirects to other machines end on a page of the emulator",
    ),
    Switch(
        "recordings_first",
        False,
        "I",
        "recordings also play the providers that have code of their own",
    ),
)
SWITCHES = {switch.name: switch for switch in _ALL}


class UnknownSwitch(ValueError):
    """There is no such switch, or not with that value."""


def check(name: str, value: Any) -> None:
    """Refuse a switch that does not exist or a value of another kind than its default."""
    switch = SWITCHES.get(name)
    if switch is None:
        raise UnknownSwitch(f"no switch {name!r}")
    numbers = isinstance(value, int | float) and isinstance(switch.default, int | float)
    if type(value) is not type(switch.default) and not numbers:
        raise UnknownSwitch(f"{name} wants a {type(switch.default).__name__}")
    if isinstance(switch.default, str) and value not in (
        switch.default,
        *switch.others,
    ):
        raise UnknownSwitch(f"{name} wants one of {(switch.default, *switch.others)}")
