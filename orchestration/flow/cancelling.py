"""The end of a cancelled campaign: its ads are paused on every platform, then it is cancelled.

Pure. Invariant: a campaign is called cancelled only when no ad of its own is enabled; where a platform could
not be reached, it says so and can be cancelled again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from agents.base import BaseAgent
from agents.registry import AD_MANAGEMENT
from agents.state import AdCreative, MarketingAgentState
from agents.unit import StageResult
from orchestration.flow.routing import begin_hop
from orchestration.flow.transition import FinishedHop, Transition, event

WIND_DOWN = "wind_down"  #: name of the stage


def wind_down(state: MarketingAgentState, step: int, agents: Mapping[str, BaseAgent], now: datetime) -> Transition:
    """Where a campaign that is being cancelled goes: pausing its ads, or at once to its end when it has none."""
    begun = begin_hop(state, AD_MANAGEMENT, step, now)
    stage = agents[AD_MANAGEMENT].wind_down(begun)
    if stage is None:
        return Transition(
            before=state,
            state=begun.evolve(current_agent=state.current_agent),
            status="cancelled",
            step=step,
            events=[event("cancelled", step, AD_MANAGEMENT, {})],
        )
    return Transition(
        before=state,
        state=begun,
        status="cancelling",
        agent=AD_MANAGEMENT,
        step=step,
        stage=stage,
        events=[event("winding_down", step, AD_MANAGEMENT, {"units": len(stage.units)})],
    )


def end_cancel(state: MarketingAgentState, done: Sequence[StageResult], now: datetime) -> Transition:
    """The end: cancelled when every platform was reached, else failed with what is left to do."""
    results = [result for stage in done for result in stage.results]
    failed = [result for result in results if not result.ok]
    stopped = {str(result.unit.input["platform"]) for result in results if result.ok}
    creatives = tuple(
        _paused(creative) if creative.platform in stopped else creative for creative in state.ad_creatives
    )
    after = state.evolve(ad_creatives=creatives, updated_at=now)
    hop = FinishedHop(step=state.step, agent=AD_MANAGEMENT, before=state, after=after)
    if not failed:
        events = [event("cancelled", state.step, AD_MANAGEMENT, {"paused": sorted(stopped)})]
        return Transition(before=state, state=after, status="cancelled", step=state.step, hops=[hop], events=events)
    names = ", ".join(sorted(str(result.unit.input["platform"]) for result in failed))
    reason = f"cancelled, but the ads on {names} could not be paused: pause them there, or cancel again"
    events = [event("failed", state.step, AD_MANAGEMENT, {"reason": reason})]
    return Transition(
        before=state, state=after, status="failed", reason=reason, step=state.step, hops=[hop], events=events
    )


def _paused(creative: AdCreative) -> AdCreative:
    return creative.model_copy(update={"status": "paused"}) if creative.status == "active" else creative
