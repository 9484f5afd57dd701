"""All that a flow may know of one instance, taken from the database before the flow starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from instances.cloud_elements import Credentials, OAuthClient
from providers.spec import Provider


@dataclass(frozen=True, slots=True)
class App:
    """The provider app an instance was authorized with."""

    client_id: str
    client_secret: str = field(repr=False)  # "" when not set
    callback_mode: str  # of providers.choices: "ours" or "theirs"
    callback_url: str = ""  # mode "theirs": the address stored in their instances
    scope: str = ""
    site: Mapping[str, str] = field(default_factory=dict)
    pk: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """One instance as a flow sees it."""

    credentials: Credentials
    pk: int
    uid: UUID
    remote_id: str
    name: str
    element_key: str
    hub: str = ""
    element_token: str = field(default="", repr=False)
    provider: Provider | None = None  # None: the catalogue does not know the element
    record_version: int = 0  # of an own record; 0: one of the catalogue
    switched_off: bool = False  # its record is off, and no owner switched it on
    app: App | None = None  # None: no provider app is assigned
    site: Mapping[str, str] = field(
        default_factory=dict
    )  # values for the record's placeholders
    options: Mapping[str, Any] = field(default_factory=dict)  # of the run
    status: str = "unknown"  # before this run
    prior_intent: bool = False  # an earlier attempt was sent and its answer lost
    our_callback_url: str = ""
    reauthenticate_by: str = "patch_instances"  # the organization's policy

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return the values to mask wherever this instance's calls are quoted."""
        own = (self.element_token, self.app.client_secret if self.app else "")
        return (*self.credentials.secrets, *(value for value in own if value))

    @property
    def callback_url(self) -> str:
        """Return the callback address of this instance's consent, "" without an app."""
        if self.app is None:
            return ""
        return (
            self.app.callback_url
            if self.app.callback_mode == "theirs"
            else self.our_callback_url
        )

    @property
    def oauth_client(self) -> OAuthClient | None:
        """Return the app as the platform's OAuth calls take it, None without an app."""
        if self.app is None:
            return None
        return OAuthClient(
            self.app.client_id,
            self.app.client_secret,
            self.callback_url,
            self.app.scope,
        )
