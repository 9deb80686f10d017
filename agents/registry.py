"""The four agents by name, and the order in which people see them.

Invariant: an agent's name is compatibility data (queues, task names, rows); it never changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from agents.base import BaseAgent

LEAD_GENERATION = "lead_generation"
CONTENT_CREATION = "content_creation"
AD_MANAGEMENT = "ad_management"
ANALYTICS = "analytics"
AGENT_NAMES = (LEAD_GENERATION, CONTENT_CREATION, AD_MANAGEMENT, ANALYTICS)


@cache
def agents() -> Mapping[str, BaseAgent]:
    """One object per agent; they hold no campaign's data, so every thread shares them."""
    from agents.ad_management import AdManagement
    from agents.analytics import Analytics
    from agents.content_creation import ContentCreation
    from agents.lead_generation import LeadGeneration

    return {agent.name: agent for agent in (LeadGeneration(), ContentCreation(), AdManagement(), Analytics())}
