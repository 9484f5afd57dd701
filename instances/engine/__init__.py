"""The engine: claims chunks of a run under a lease and works them on one multi loop."""

from instances.engine.claim import claim, release
from instances.engine.reap import reap
from instances.engine.shard import Shard

__all__ = ["Shard", "claim", "reap", "release"]
