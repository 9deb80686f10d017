"""Which agent is next: pure functions of the state.

Invariant: the bound on optimisation rounds is checked here and nowhere else, and the counter goes up
in the same commit that starts the round, so no crash and no duplicate can pass it.
"""

from __future__ import annotations

from datetime import datetime

from agents.messages import ORCHESTRATOR, MessageType, message
from agents.registry import AD_MANAGEMENT, ANALYTICS, CONTENT_CREATION, LEAD_GENERATION
from agents.state import MarketingAgentState

TARGET_SCORE = 0.7  #: at or above it a campaign needs no further round
MAX_OPTIMIZATION_ATTEMPTS = 3  #: rounds per optimisation cycle


def next_agent(state: MarketingAgentState) -> str | None:
    """The agent after ``state.current_agent``, which has just finished; None when the campaign ends.

    A state without a current agent has not begun: lead generation is next.
    """
    current = state.current_agent
    if current is None:
        return LEAD_GENERATION
    if current == LEAD_GENERATION:
        if not state.qualified_leads:
            return None
        if state.campaign_config.content_required:
            return CONTENT_CREATION
        return AD_MANAGEMENT if state.ad_platforms else None
    if current == CONTENT_CREATION:
        return AD_MANAGEMENT
    if current == AD_MANAGEMENT:
        return ANALYTICS
    if current == ANALYTICS:
        return CONTENT_CREATION if wants_another_round(state) else None
    raise ValueError(f"current_agent={current!r} is not an agent of this program")


def wants_another_round(state: MarketingAgentState) -> bool:
    """Is the score below the target and a round left? A missing score counts as 0."""
    score = state.campaign_performance.overall_score or 0.0
    return score < TARGET_SCORE and state.optimization_attempts < MAX_OPTIMIZATION_ATTEMPTS


def route(state: MarketingAgentState) -> MarketingAgentState:
    """The state with ``next_agent`` settled and, when a round begins, the counter raised."""
    following = next_agent(state)
    looped = state.current_agent == ANALYTICS and following is not None
    return state.evolve(
        next_agent=following,
        optimization_attempts=state.optimization_attempts + 1 if looped else state.optimization_attempts,
    )


def begin_hop(state: MarketingAgentState, agent: str, step: int, now: datetime) -> MarketingAgentState:
    """The state as ``agent`` starts hop ``step``: it is the current one, and a task_request tells it so."""
    request = message(
        sender=ORCHESTRATOR,
        receiver=agent,
        message_type=MessageType.TASK_REQUEST,
        payload={"step": step, "optimization_attempt": state.optimization_attempts},
        correlation_id=f"{state.campaign_id}/{step}",
        now=now,
        ordinal=len(state.agent_messages),
    )
    return state.evolve(
        current_agent=agent,
        next_agent=None,
        step=step,
        agent_messages=(*state.agent_messages, request),
        updated_at=now,
    )
