"""What the end of a consent means for the link, and for a drill that revoked before."""

from __future__ import annotations

from dataclasses import replace

from instances.actions.calls import Result
from instances.choices import InstanceStatus, LinkStatus, Outcome, RunKind
from instances.models import Item

#: How a link ends by the outcome of its item; every other outcome leaves it to be tried again.
_LINK_AFTER: dict[str, LinkStatus] = {
    Outcome.RECONNECTED: LinkStatus.FINISHED,
    Outcome.WRONG_ACCOUNT: LinkStatus.WRONG_ACCOUNT,
    Outcome.DENIED: LinkStatus.DENIED,
}
_ALIVE = frozenset({Outcome.RECONNECTED, Outcome.WRONG_ACCOUNT, Outcome.UNCLEAR})


def link_after(outcome: str) -> LinkStatus:
    """Return the status of a link whose code came to `outcome`."""
    return _LINK_AFTER.get(outcome, LinkStatus.FAILED)


def after_drill(result: Result, item: Item) -> Result:
    """Add to the end of a drill what its first half did: the grant was revoked by us and stays so."""
    if item.run.kind != RunKind.DRILL:
        return result
    told = {**result.facts}
    if item.facts.get("revoked"):
        told["revoked"] = item.facts["revoked"]
    dead = result.status is None and result.outcome not in _ALIVE
    status = InstanceStatus.REVOKED.value if dead else result.status
    return replace(result, facts=told, status=status)
