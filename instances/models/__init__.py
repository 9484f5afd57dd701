"""Instances, runs and reconnect links."""

from instances.models.instance import Flip, Instance, InstanceTag
from instances.models.reconnect_link import ReconnectLink
from instances.models.run import Attempt, Chunk, GrantClaim, Hold, Item, Run

__all__ = [
    "Attempt",
    "Chunk",
    "Flip",
    "GrantClaim",
    "Hold",
    "Instance",
    "InstanceTag",
    "Item",
    "ReconnectLink",
    "Run",
]
