"""Names of the agents that come with this project.

Invariant: an agent's name is compatibility data (queues, task names, rows, messages); it never changes. Only agents and
tests name each other: the orchestrator asks the registry.
"""

from __future__ import annotations

LEAD_GENERATION = "lead_generation"
DELIVERY = "delivery"
CONTENT_CREATION = "content_creation"
AD_MANAGEMENT = "ad_management"
ANALYTICS = "analytics"
