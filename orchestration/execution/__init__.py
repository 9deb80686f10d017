"""A campaign in a worker: the orchestrator, units and their calls, placement, the reconciling tick."""
