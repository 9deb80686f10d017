"""Edges of a campaign's route: where it goes after an agent's hop, and when.

Each agent brings the edges that lead to it or away from it, so that a new agent takes its place in the route without a
change to any other. Invariant: a predicate is pure and looks at nothing but the state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agents.state import MarketingAgentState

#: Optimisation rounds per cycle. Only an edge that starts a round is bound by it.
MAX_OPTIMIZATION_ATTEMPTS = 3


def always(state: MarketingAgentState) -> bool:
    """Return True for every state."""
    del state
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One way a campaign can go."""

    source: str | None  #: the agent whose hop has ended; None: the campaign begins
    target: str  #: the agent whose hop begins
    when: Callable[[MarketingAgentState], bool] = always
    priority: int = 0  #: edges of one source are tried from the highest on; the built-in ones have 0
    starts_round: bool = False  #: begins another optimisation round, of which a cycle has a limited number
