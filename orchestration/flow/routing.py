"""Routing to the next agent: a table of edges that the agents bring, read by pure functions of the state.

Invariant: the bound on optimisation rounds is checked here and nowhere else, and the counter goes up in the same commit
that starts the round, so no crash and no duplicate can pass it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from agents.base import BaseAgent
from agents.messages import ORCHESTRATOR, MessageType, message
from agents.registry import agents as installed_agents
from agents.routes import MAX_OPTIMIZATION_ATTEMPTS, Edge
from agents.state import MarketingAgentState


def next_agent(state: MarketingAgentState) -> str | None:
    """Return the agent after ``state.current_agent``, which has just finished, or None when the campaign ends.

    A state without a current agent has not begun. Raises ValueError when the current agent is not installed.
    """
    edge = next_edge(state, installed_agents())
    return edge.target if edge is not None else None


def next_edge(state: MarketingAgentState, agents: Mapping[str, BaseAgent]) -> Edge | None:
    """Return the edge that the campaign takes next, or None at its end.

    Raises ValueError when the current agent is not one of ``agents``.
    """
    current = state.current_agent
    if current is not None and current not in agents:
        raise ValueError(f"current_agent={current!r} is not an agent of this program; it has {', '.join(agents)}")
    edges = [edge for agent in agents.values() for edge in agent.edges if edge.source == current]
    for edge in sorted(edges, key=lambda one: -one.priority):
        allowed = not edge.starts_round or state.optimization_attempts < MAX_OPTIMIZATION_ATTEMPTS
        if edge.target in agents and allowed and edge.when(state):
            return edge
    return None


def route(state: MarketingAgentState, agents: Mapping[str, BaseAgent]) -> MarketingAgentState:
    """Return the state with ``next_agent`` settled and, when a round begins, the counter raised."""
    edge = next_edge(state, agents)
    return state.evolve(
        next_agent=edge.target if edge is not None else None,
        optimization_attempts=state.optimization_attempts + int(edge is not None and edge.starts_round),
    )


def begin_hop(state: MarketingAgentState, agent: str, step: int, now: datetime) -> MarketingAgentState:
    """Return the state as ``agent`` starts hop ``step``: it is the current one, and a task_request tells it so."""
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
        current_agent=agent, next_agent=None, step=step, agent_messages=(*state.agent_messages, request), updated_at=now
    )
