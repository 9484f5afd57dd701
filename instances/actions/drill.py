"""Drill: the whole loop on one instance, as eight steps, each with its evidence.

1 alive      2 read      3 revoke      4 dead       here; then the item waits for a person
5 address    6 consent   7 PATCH       8 alive      in `reconnect`, when the person comes
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_noop

from instances.actions.calls import Flow, Result
from instances.actions.case import Case
from instances.actions.probe import probe
from instances.actions.revoke import Steps, revoke
from instances.choices import InstanceStatus, Outcome, RunKind, meaning

#: The article's eight steps: in English in tables and documents, on pages as the reader speaks.
STEPS: tuple[str, ...] = (
    gettext_noop("Alive"),
    gettext_noop("Read the token"),
    gettext_noop("Revoke"),
    gettext_noop("See it dead"),
    gettext_noop("Get the address"),
    gettext_noop("Consent"),
    gettext_noop("Hand in the code"),
    gettext_noop("Alive again"),
)

_NO_APP = gettext_noop(
    "No provider app is assigned to this instance, so it could not be reconnected. "
    "Assign one first."
)
_DEAD = frozenset({Outcome.VERIFIED_DEAD.value, Outcome.ALREADY_DEAD.value})
#: A first step that says nothing of the grant.
_NOT_TRIED = frozenset({Outcome.MISCONFIGURED.value, Outcome.TRANSIENT.value})


def drill(case: Case) -> Flow[Result]:
    """Do steps 1 to 4; an instance that was alive and was seen dead goes on to wait for a person."""
    if case.app is None:
        return Result(
            Outcome.MISCONFIGURED.value,
            cause="no_app",
            explanation=_NO_APP,
        )
    changes: dict[str, Any] = {}
    if (
        not case.prior_intent
    ):  # else an earlier try saw it alive, and may have killed it
        alive = yield from probe(case, step=1, purpose="alive")
        if alive.outcome != Outcome.CONNECTED:
            return _not_alive(alive)
        changes = dict(alive.changes)
        case = replace(
            case, element_token=changes.get("element_token", case.element_token)
        )
    killed = yield from revoke(case, steps=Steps(read=2, revoke=3, dead=4))
    killed = replace(killed, changes={**changes, **killed.changes})
    return _waiting(killed) if killed.outcome in _DEAD else killed


def _not_alive(alive: Result) -> Result:
    """Return the end of a drill whose instance did not work: what the probe found is kept."""
    if alive.outcome in _NOT_TRIED:
        return alive
    found = meaning(RunKind.PROBE, alive.outcome).status
    return replace(
        alive,
        outcome=Outcome.NOT_ALIVE.value,
        cause=alive.cause or alive.outcome,
        status=alive.status or found,
        status_reason=alive.status_reason or alive.cause,
    )


def _waiting(killed: Result) -> Result:
    return replace(
        killed,
        outcome=Outcome.WAITING.value,
        cause="",
        explanation="",
        status=InstanceStatus.REVOKED.value,
        status_reason="drill",
    )
