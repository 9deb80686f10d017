"""The decision at every join: given the state and the finished stages, what is committed next.

Pure: a :class:`Transition` is a value, and the ledger commits it. Invariant: the same state and results
give the same transition, so whoever computes it (the last finisher, a chord's body, the reconciler),
the campaign goes the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agents.base import BaseAgent, stage_failure
from agents.state import AgentError, MarketingAgentState
from agents.unit import Stage, StageResult
from orchestration.routing import begin_hop, route


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedHop:
    """One hop that the transition ends: the state before and after it."""

    step: int
    agent: str
    before: MarketingAgentState
    after: MarketingAgentState


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """What comes next. ``stage`` is None exactly when the campaign has ended."""

    before: MarketingAgentState
    state: MarketingAgentState
    status: str  #: running | completed | failed
    reason: str | None = None
    agent: str | None = None
    step: int
    stage_number: int = 0
    stage: Stage | None = None
    hops: Sequence[FinishedHop] = ()
    events: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    @property
    def route(self) -> list[str]:
        """Agents whose hops begin by this transition."""
        return [e["agent"] for e in self.events if e["kind"] == "hop_started"]


def start(
    state: MarketingAgentState, agents: Mapping[str, BaseAgent], now: datetime
) -> tuple[MarketingAgentState, Stage]:
    """The state at submit and the first stage. ValueError when the first agent has nothing to do."""
    begun = begin_hop(route(state), "lead_generation", 0, now)
    stage = agents["lead_generation"].plan(begun, [])
    if stage is None:
        raise ValueError("lead_sources gives no work: name at least one source of leads")
    return begun, stage


def transition(
    state: MarketingAgentState, done: Sequence[StageResult], agents: Mapping[str, BaseAgent], now: datetime
) -> Transition:
    """What follows on the finished stages ``done`` of the hop at work (``state.current_agent``)."""
    before, hops, events = state, [], []
    while True:
        name, step = state.current_agent, state.step
        if name is None:
            raise ValueError(f"campaign {state.campaign_id}: no agent is at work")
        agent = agents[name]
        lost = stage_failure(name, step, done[-1], now) if done else None
        if lost is not None:
            failed = agent.handle_error(state, lost).evolve(updated_at=now)
            events.append(_event("failed", step, name, {"reason": lost.message, "code": lost.code}))
            hops.append(FinishedHop(step=step, agent=name, before=state, after=failed))
            return Transition(
                before=before, state=failed, status="failed", reason=f"{name}: {lost.message}",
                step=step, stage_number=len(done), hops=hops, events=events,
            )  # fmt: skip
        stage = agent.plan(state, done)
        if stage is not None:
            planned = {"stage": stage.name, "units": len(stage.units)}
            events.append(_event("stage_planned", step, name, planned))
            return Transition(
                before=before, state=state, status="running", agent=name, step=step,
                stage_number=len(done), stage=stage, hops=hops, events=events,
            )  # fmt: skip
        finished = route(agent.finish(state, done, now))
        events.append(_event("hop_finished", step, name, dict(agent.summary(state, finished))))
        following = finished.next_agent
        if following is None:
            hops.append(FinishedHop(step=step, agent=name, before=state, after=finished))
            reason = None if finished.qualified_leads else "no lead qualified"
            events.append(_event("completed", step, name, {"reason": reason} if reason else {}))
            return Transition(
                before=before, state=finished, status="completed", reason=reason,
                step=step, stage_number=len(done), hops=hops, events=events,
            )  # fmt: skip
        begun = begin_hop(finished, following, step + 1, now)
        # The checkpoint of a hop holds everything up to the next one's start, so that it can be restored.
        hops.append(FinishedHop(step=step, agent=name, before=state, after=begun))
        events.append(_event("hop_started", step + 1, following, {}))
        state, done = begun, []


def failed_by_defect(state: MarketingAgentState, stage_number: int, error: Exception, now: datetime) -> Transition:
    """The end of a campaign whose agent's own code raised: visible, and without the exception's text."""
    agent = state.current_agent or ""
    failure = AgentError(
        agent=agent, step=state.step, code="internal", provider="local",
        message=f"{type(error).__name__} in our own code (see the worker's log)", at=now,
    )  # fmt: skip
    after = state.evolve(errors=(*state.errors, failure), updated_at=now)
    return Transition(
        before=state, state=after, status="failed", reason=f"{agent}: {failure.message}", step=state.step,
        stage_number=stage_number, hops=[FinishedHop(step=state.step, agent=agent, before=state, after=after)],
        events=[_event("failed", state.step, agent, {"reason": failure.message, "code": failure.code})],
    )  # fmt: skip


def _event(kind: str, step: int, agent: str, data: Mapping[str, Any]) -> dict[str, Any]:
    return {"kind": kind, "step": step, "agent": agent, "data": dict(data)}
