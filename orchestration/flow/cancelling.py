"""End of a cancelled campaign: its effects that still run outside are stopped before it is called cancelled.

Pure. Each agent plans what stops its own effects (:meth:`agents.base.BaseAgent.stop`). Invariant: a campaign is called
cancelled only when nothing of its own runs outside any more; where something could not be reached, it says so and can
be cancelled again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from agents.base import BaseAgent
from agents.state import MarketingAgentState
from agents.stop_all import stop_stage, unreached, with_stopped
from agents.unit import StageResult
from orchestration.flow.routing import begin_hop
from orchestration.flow.transition import FinishedHop, Transition, event

WIND_DOWN = "wind_down"  #: name of the stage


def begin_cancel(state: MarketingAgentState, step: int, agents: Mapping[str, BaseAgent], now: datetime) -> Transition:
    """Return the transition to the stage that stops the campaign's effects, or to its end when it has none."""
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
    """Return the end of a cancelled campaign, or its failure when something could not be stopped."""
    results = [result for stage in done for result in stage.results]
    agent = state.current_agent or ""
    failed = unreached([result for result in results if not result.ok], agents)
    stopped = sorted({result.unit.provider for result in results if result.ok})
    after = with_stopped(state, results, agents).evolve(updated_at=now)
    hop = FinishedHop(step=state.step, agent=agent, before=state, after=after)
    reason = f"cancelled, but {failed} could not be paused: pause them there, or cancel again" if failed else None
    status, data = ("failed", {"reason": reason}) if failed else ("cancelled", {"paused": stopped})
    return Transition(
        before=state, state=after, status=status, reason=reason, step=state.step, hops=[hop],
        events=[event(status, state.step, agent, data)],
    )  # fmt: skip
