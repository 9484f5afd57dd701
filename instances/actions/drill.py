"""Drill: the whole loop on one instance, as eight steps, each with its evidence.

    1 alive      2 read      3 revoke      4 dead       here; then the item waits for a person
    5 address    6 consent   7 PATCH       8 alive      in `reconnect`, when the person comes
"""

from __future__ import annotations

from instances.actions.calls import Flow, Result
from instances.actions.case import Case
from instances.actions.probe import probe
from instances.actions.revoke import Steps, revoke
from instances.choices import InstanceStatus, Outcome

#: The article's eight steps, as the drill's page and table name them.
STEPS: tuple[str, ...] = (
    "Alive",
    "Read the token",
    "Revoke",
    "See it dead",
    "Get the address",
    "Consent",
    "Hand in the code",
    "Alive again",
)

_DEAD = frozenset({Outcome.VERIFIED_DEAD.value, Outcome.ALREADY_DEAD.value})


def drill(case: Case) -> Flow[Result]:
    """Do steps 1 to 4; an instance that was alive and was seen dead goes on to wait for a person."""
    if case.app is None:
        return Result(
            Outcome.MISCONFIGURED.value,
            cause="no_app",
            explanation="No provider app is assigned to this instance, so it could not be reconnected. Assign one first.",
        )
    alive = yield from probe(case, step=1, purpose="alive")
    if alive.outcome != Outcome.CONNECTED:
        return Result(
            Outcome.NOT_ALIVE.value,
            cause=alive.cause or alive.outcome,
            explanation=alive.explanation,
            facts=alive.facts,
            changes=alive.changes,
        )
    killed = yield from revoke(case, steps=Steps(read=2, revoke=3, dead=4))
    if killed.outcome not in _DEAD:
        return killed
    return Result(
        Outcome.WAITING.value,
        facts=killed.facts,
        status=InstanceStatus.REVOKED.value,
        status_reason="drill",
        changes=killed.changes,
    )
