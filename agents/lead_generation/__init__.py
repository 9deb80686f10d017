"""Lead generation: find people, complete what is known about them, verify their addresses, score them.

The agent is loaded on first use, so that scoring and the client can use this package's rules without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agents.lead_generation.agent import LeadGeneration

__all__ = ["LeadGeneration"]


def __getattr__(name: str) -> object:
    if name == "LeadGeneration":
        from agents.lead_generation.agent import LeadGeneration

        return LeadGeneration
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
