"""What a connection test can find out, what it cannot, and the report of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Finding(TextChoices):
    """What a test found; the label says what to do."""

    # organization
    SECRETS_WORK = "secrets_work", _("Both secrets work.")
    CANNOT_LIST = (
        "cannot_list",
        _(
            "Both secrets work, but this user may not list instances. Use the user "
            "secret of an account that may."
        ),
    )
    SECRETS_SWAPPED = (
        "secrets_swapped",
        _("The two secrets are exchanged: each works in the other's place. Swap them."),
    )
    ORGANIZATION_SECRET_WRONG = (
        "organization_secret_wrong",
        _(
            "The user secret works with a known instance, so the organization "
            "secret is wrong. Copy it again from the platform."
        ),
    )
    USER_SECRET_SUSPECTED = (
        "user_secret_suspected",
        _(
            "A known instance refuses the user secret too. Most likely somebody "
            "reset the user secret: copy it again from the platform."
        ),
    )
    ONE_SECRET_WRONG = (
        "one_secret_wrong",
        _(
            "The platform refuses the pair and does not say which of the two is "
            "wrong. Copy both again from the same account."
        ),
    )
    WRONG_BASE_URL = (
        "wrong_base_url",
        _("No Cloud Elements API answers at this base URL. Check region and host."),
    )
    # provider app
    ADDRESS_MADE = (
        "address_made",
        _(
            "The platform makes a consent address with this app. What only a "
            "consent shows is listed below."
        ),
    )
    REQUEST_TOKEN_MADE = (
        "request_token_made",
        _("The provider accepts the app's key and secret."),
    )
    UNKNOWN_ELEMENT = (
        "unknown_element",
        _("The platform knows no element with this key. Correct the element key."),
    )
    ORGANIZATION_REFUSED = (
        "organization_refused",
        _(
            "The platform refuses the organization's own secrets. Test the "
            "organization's connection first."
        ),
    )
    APP_REFUSED = (
        "app_refused",
        _(
            "The platform refuses this app's values. Read its words beside; a site "
            "value may be missing."
        ),
    )
    OTHER_CLIENT = (
        "other_client",
        _(
            "The consent address names another client id than this app's. Check the "
            "element's own configuration at the platform."
        ),
    )
    OTHER_CALLBACK = (
        "other_callback",
        _(
            "The consent address names another callback than this app's. Check the "
            "callback mode and the element's configuration."
        ),
    )


class Unknown(TextChoices):
    """What no test can find out without a person's consent."""

    CLIENT_SECRET = (
        "client_secret",
        _("Whether the client secret is right shows when the first code is redeemed."),
    )
    CALLBACK_REGISTERED = (
        "callback_registered",
        _(
            "Whether the callback address is registered with the provider shows on "
            "its consent page."
        ),
    )
    SCOPES = (
        "scopes",
        _("Whether the provider grants the scopes shows on its consent page."),
    )


@dataclass(frozen=True, slots=True)
class Report:
    """How a test ended."""

    ok: bool
    code: str
    sentence: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    unknown: tuple[Unknown, ...] = ()
