"""Execution of campaigns in a worker: the orchestrator, units and their calls, placement, the reconciling tick."""
