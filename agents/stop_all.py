"""Stopping what a campaign runs outside, over all agents: for good when it is cancelled, for a while when it is paused.

Pure. Each agent plans what stops its own effects (:meth:`agents.base.BaseAgent.stop`); here they are taken together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from agents.base import BaseAgent
from agents.state import MarketingAgentState
from agents.stopping import Wanted
from agents.unit import Stage, Unit, UnitResult


def stop_stage(
    state: MarketingAgentState, agents: Mapping[str, BaseAgent], name: str, wanted: Wanted | None = None
) -> Stage | None:
    """Collect what all agents plan to stop, or to start again, as one stage, or return None for nothing.

    The stage is called ``name``.
    """
    units: dict[str, Unit] = {}
    for agent in agents.values():
        planned = agent.stop(state, wanted)
        for unit in planned.units if planned is not None else ():
            key = unit.key if unit.key not in units else f"{agent.name}/{unit.key}"
            units[key] = replace(unit, key=key, agent=agent.name)
    return Stage(name=name, units=list(units.values())) if units else None


def stopping_agent(state: MarketingAgentState, agents: Mapping[str, BaseAgent]) -> str:
    """Return the agent whose queue a campaign is cancelled over: the first that has something to stop, or any."""
    for agent in agents.values():
        if agent.stop(state) is not None:
            return agent.name
    return next(iter(agents))


def unreached(failed: Sequence[UnitResult], agents: Mapping[str, BaseAgent]) -> str:
    """Say what could not be reached and where, such as ``the ads on A, B``, with "" for nothing."""
    found = []
    for name, agent in agents.items():
        where = sorted({result.unit.provider for result in failed if result.unit.agent == name})
        if where:
            found.append(f"{agent.outside} on {', '.join(where)}")
    return " and ".join(found)


def with_stopped(
    state: MarketingAgentState, results: Sequence[UnitResult], agents: Mapping[str, BaseAgent]
) -> MarketingAgentState:
    """Return the state after stopping units have ended, as their agents see it."""
    for name, agent in agents.items():
        own = [result for result in results if result.unit.agent == name]
        if own:
            state = agent.stopped(state, own)
    return state
