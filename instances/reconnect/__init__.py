"""Reconnecting people: links, the state that binds a consent to a browser, the callback.

make_link → open_link (GET, consumes nothing) → start (a person's POST) → the provider
→ callback, or a member's paste → finished, denied, failed or another account
"""

from instances.reconnect.close import accept_account, recover
from instances.reconnect.errors import CallbackRefused, LinkError
from instances.reconnect.links import (
    Opened,
    address_of,
    callback_of,
    cancel,
    expire_overdue,
    make_link,
    open_link,
    open_of,
    provider_key_of,
)
from instances.reconnect.person import callback, paste, start
from instances.reconnect.sending import LIVES, Sender, live_for, send
from instances.reconnect.state import (
    MEMBER_BROWSER,
    STATE_LIFE,
    Visitor,
    member_browser,
    new_secret,
)
from instances.reconnect.unattended import consent_by_itself

__all__ = [
    "LIVES",
    "MEMBER_BROWSER",
    "STATE_LIFE",
    "CallbackRefused",
    "LinkError",
    "Opened",
    "Sender",
    "Visitor",
    "accept_account",
    "address_of",
    "callback",
    "callback_of",
    "cancel",
    "consent_by_itself",
    "expire_overdue",
    "live_for",
    "make_link",
    "member_browser",
    "new_secret",
    "open_link",
    "open_of",
    "paste",
    "provider_key_of",
    "recover",
    "send",
    "start",
]
