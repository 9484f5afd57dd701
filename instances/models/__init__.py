"""Instances, runs and reconnect links."""

from instances.models.approval import Approval, BrokenGlass
from instances.models.instance import Flip, Instance, InstanceTag
from instances.models.part import Part
from instances.models.reconnect_link import ReconnectLink
from instances.models.run import Attempt, Chunk, GrantClaim, Hold, Item, Run
from instances.models.saved_view import BroughtList, ListChoice, SavedView
from instances.models.secret_use import SecretUse

__all__ = [
    "Approval",
    "Attempt",
    "BrokenGlass",
    "BroughtList",
    "Chunk",
    "Flip",
    "GrantClaim",
    "Hold",
    "Instance",
    "InstanceTag",
    "Item",
    "ListChoice",
    "Part",
    "ReconnectLink",
    "Run",
    "SavedView",
    "SecretUse",
]
