"""The end of a cancelled campaign: whatever it has running outside is stopped, then it is cancelled.

Pure. Each agent plans what stops its own effects (:meth:`agents.base.BaseAgent.stop`). Invariant: a campaign is called
cancelled only when nothing of its own runs outside any more; where something could not be reached, it says so and can
be cancelled again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from agents.base import BaseAgent
from agents.state import MarketingAgentState
from agents.stopping import Wanted
from agents.unit import Stage, StageResult, Unit, UnitResult
from orchestration.flow.routing import begin_hop
from orchestration.flow.transition import FinishedHop, Transition, event

WIND_DOWN = "wind_down"  #: name of the stage


def stop_stage(
    state: MarketingAgentState, agents: Mapping[str, BaseAgent], name: str, wanted: Wanted | None = None
) -> Stage | None:
    """Collect what all agents plan to stop, or to start again, as one stage called ``name``; None for nothing."""
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


def begin_cancel(state: MarketingAgentState, step: int, agents: Mapping[str, BaseAgent], now: datetime) -> Transition:
    """Return where a campaign that is being cancelled goes: to its stopping stage, or to its end when it has none."""
    stage = stop_stage(state, agents, WIND_DOWN)
    if stage is None:
        ended = event("cancelled", step, state.current_agent or "", {})
        after = state.evolve(step=step, updated_at=now)
        return Transition(before=state, state=after, status="cancelled", step=step, events=[ended])
    agent = stage.units[0].agent
    return Transition(
        before=state,
        state=begin_hop(state, agent, step, now),
        status="cancelling",
        agent=agent,
        step=step,
        stage=stage,
        events=[event("winding_down", step, agent, {"units": len(stage.units)})],
    )


def end_cancel(
    state: MarketingAgentState, done: Sequence[StageResult], agents: Mapping[str, BaseAgent], now: datetime
) -> Transition:
    """Return the end: cancelled when everything was reached, else failed with what is left to do."""
    results = [result for stage in done for result in stage.results]
    agent = state.current_agent or ""
    failed = unreached([result for result in results if not result.ok], agents)
    stopped = sorted({result.unit.provider for result in results if result.ok})
    after = with_stopped(state, results, agents).evolve(updated_at=now)
    hop = FinishedHop(step=state.step, agent=agent, before=state, after=after)
    if not failed:
        events = [event("cancelled", state.step, agent, {"paused": stopped})]
        return Transition(before=state, state=after, status="cancelled", step=state.step, hops=[hop], events=events)
    reason = f"cancelled, but {failed} could not be paused: pause them there, or cancel again"
    events = [event("failed", state.step, agent, {"reason": reason})]
    return Transition(
        before=state, state=after, status="failed", reason=reason, step=state.step, hops=[hop], events=events
    )


def unreached(failed: Sequence[UnitResult], agents: Mapping[str, BaseAgent]) -> str:
    """Say what could not be reached and where, such as ``the ads on A, B``; "" for nothing."""
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
