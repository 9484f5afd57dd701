"""How a run is to work: what people may ask for when they make or start one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from django.utils.translation import gettext_lazy as _

from ceadmin.audit.canonical import clipped
from ceadmin.lib import http
from ceadmin.teams.reasons import said
from instances.choices import DESTRUCTIVE
from instances.models import Run
from instances.models.run import MOST_CONNECTIONS
from instances.runs.errors import RunError
from instances.runs.known import OPTIONS

LONGEST_TICKET = 120


class Wish(TypedDict, total=False):
    """Why a run is made, and how it is to work."""

    reason: str
    ticket: str
    options: Mapping[str, Any]
    connections: int | None  # calls in flight at most, of all workers together
    draft: bool  # to be looked at first, also where it would begin by itself
    address: str  # the network address that it was asked from


def check_options(options: Mapping[str, Any]) -> None:
    """Raise RunError for an option that no run has."""
    if options.get("self_consent") and not http.emulated():
        raise RunError(
            "self_consent",
            _("Only a drill on the emulator consents by itself; here a person has to."),
        )
    for name, value in options.items():
        if value not in OPTIONS.get(name, ()):
            raise RunError(
                "bad_option",
                _("The option %(option)s does not exist."),
                option=f"{name}={value!r}",
            )


def checked_connections(wanted: int | None) -> int | None:
    """Return a number of connections as it is; raise RunError when no run may have so many."""
    if wanted is not None and not 1 <= wanted <= MOST_CONNECTIONS:
        raise RunError(
            "bad_connections",
            _(
                "A run has 1 to %(most)s calls in flight, not %(wanted)s. To send none, "
                "pause it."
            ),
            most=MOST_CONNECTIONS,
            wanted=wanted,
        )
    return wanted


def reason_of(wish: Wish) -> str:
    """Return the reason that was given, "" for none or one that says nothing."""
    return said(wish.get("reason", ""))


def ticket_of(wish: Wish) -> str:
    """Return the ticket that was given, as it is kept."""
    return clipped(wish.get("ticket", "").strip(), LONGEST_TICKET)


def wanted_of(run: Run, wish: Wish) -> dict[str, Any]:
    """Return what a draft becomes; what is not wished stays. Raises RunError without a reason."""
    options = {**run.options, **(wish.get("options") or {})}
    chosen = {name: value for name, value in options.items() if value != ""}
    check_options(chosen)
    reason = reason_of(wish) if wish.get("reason") else run.reason
    if not reason and run.kind in DESTRUCTIVE:
        raise RunError(
            "reason_missing",
            _("Say why: a revocation needs a reason in words, which the audit keeps."),
        )
    return {
        "reason": reason,
        "ticket": ticket_of(wish) or run.ticket,
        "options": chosen,
        "connections": checked_connections(wish.get("connections")) or run.connections,
    }
