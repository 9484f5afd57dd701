"""How fast the engine is: a target of its own, bare loops beside it, and the report."""
