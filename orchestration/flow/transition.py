"""Decision at every join: what is committed next, given the state and the finished stages.

Pure: a :class:`Transition` is a value, and the ledger commits it. Invariant: the same state and results give the same
transition, so the campaign goes the same way whether the last finisher, a chord's body or the reconciler computes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from agents.base import BaseAgent, stage_failure, thread
from agents.messages import ORCHESTRATOR, AgentMessage, MessageType, message
from agents.state import AgentError, MarketingAgentState
from agents.unit import Stage, StageResult
from agents.waiting import Wait
from integrations.errors import InvalidResultError
from orchestration.flow.checks import check_stage, failing_agent, work
from orchestration.flow.holds import Hold, hold_for, waited
from orchestration.flow.routing import begin_hop, route


class Event(TypedDict):
    """One entry of a campaign's history, as it is written."""

    kind: str
    step: int
    agent: str
    actor: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedHop:
    """One hop that the transition ends, with the state before and after it."""

    step: int
    agent: str
    before: MarketingAgentState
    after: MarketingAgentState


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """What a campaign does next: its new state, status and stage, and what ended on the way."""

    before: MarketingAgentState
    state: MarketingAgentState
    status: str  #: running | waiting | awaiting_approval | completed | failed | cancelled
    reason: str | None = None
    agent: str | None = None
    step: int
    stage_number: int = 0
    stage: Stage | None = None  #: None exactly when the campaign has ended
    hold: Hold | None = None  #: what the stage waits for before any of its units may start
    hops: Sequence[FinishedHop] = ()
    patched: tuple[MarketingAgentState, MarketingAgentState] | None = None  #: a change of state outside the ended hops
    events: Sequence[Event] = ()

    @property
    def route(self) -> list[str]:
        """Agents whose hops begin by this transition."""
        return [e["agent"] for e in self.events if e["kind"] == "hop_started"]


def start(
    state: MarketingAgentState, agents: Mapping[str, BaseAgent], now: datetime
) -> tuple[MarketingAgentState, Stage]:
    """Return the state at submit and the first stage, which are the agents' checks where there are any.

    Raises ValueError when the first agent has nothing to do.
    """
    routed = route(state, agents)
    first = routed.next_agent or ""
    begun = begin_hop(routed, first, 0, now)
    stage = agents[first].plan(begun, [])
    if stage is None:
        raise ValueError("lead_sources gives no work: name at least one source of leads")
    return begun, check_stage(begun, agents) or stage


def next_transition(
    state: MarketingAgentState, done: Sequence[StageResult], agents: Mapping[str, BaseAgent], now: datetime
) -> Transition:
    """Return what follows on the finished stages ``done`` of the hop at work (``state.current_agent``)."""
    hops: list[FinishedHop] = []
    events: list[Event] = []
    came_from: BaseAgent | None = None
    before = state
    while True:
        name, step = state.current_agent, state.step
        if name is None:
            raise ValueError(f"campaign {state.campaign_id}: no agent is at work")
        agent = agents[name]
        lost = stage_failure(failing_agent(done[-1], name), step, done[-1], now) if done else None
        if lost is not None:
            after = agent.handle_error(state, lost)
            return failed(before, state, after, lost, len(done) - 1, now, hops=hops, events=events)
        stage = agent.plan(state, work(done))
        if stage is not None:
            events.append(event("stage_planned", step, name, {"stage": stage.name, "units": len(stage.units)}))
            hold = hold_for(state, agent, stage, came_from, now)
            return held(before, state, stage, len(done), hold, hops, events, now)
        finished = route(agent.finish(state, work(done), now), agents)
        events.append(event("hop_finished", step, name, dict(agent.summary(state, finished))))
        following = finished.next_agent
        cycle = next_cycle(finished, agents, now) if following is None else None
        if cycle is not None:  # the schedule still runs: another cycle, with a fresh budget of rounds
            following = cycle[0]
            finished = finished.evolve(optimization_attempts=0)
        if following is None:
            reason = next((why for one in agents.values() if (why := one.end_reason(finished))), None)
            return Transition(
                before=before, state=finished, status="completed", reason=reason, step=step, stage_number=len(done),
                hops=[*hops, FinishedHop(step=step, agent=name, before=state, after=finished)],
                events=[*events, event("completed", step, name, {"reason": reason} if reason else {})],
            )  # fmt: skip
        begun = begin_hop(finished, following, step + 1, now)
        # The checkpoint of a hop holds everything up to the next one's start, so that it can be restored.
        hops.append(FinishedHop(step=step, agent=name, before=state, after=begun))
        events.append(event("hop_started", step + 1, following, {}))
        stage = agents[following].plan(begun, []) if cycle is not None else None
        if cycle is not None and stage is not None:
            return held(before, begun, stage, 0, waited(cycle[1]), hops, events, now)
        came_from, state, done = agent, begun, []


def next_cycle(
    finished: MarketingAgentState, agents: Mapping[str, BaseAgent], now: datetime
) -> tuple[str, Wait] | None:
    """Return the agent that begins the next cycle of a campaign at its end, and the wait before it, or None."""
    if not finished.qualified_leads and finished.campaign_config.lead_sources:
        return None
    for name, agent in agents.items():
        wait = agent.next_cycle(finished, now)
        if wait is not None:
            return name, wait
    return None


def held(
    before: MarketingAgentState,
    state: MarketingAgentState,
    stage: Stage,
    number: int,
    hold: Hold | None,
    hops: Sequence[FinishedHop],
    events: Sequence[Event],
    now: datetime,
) -> Transition:
    """Return the transition to a planned stage, at work or held.

    A question to a person is also a message in the campaign's thread.
    """
    agent, step, events = state.current_agent or "", state.step, list(events)
    asked = state
    if hold is not None:
        events.append(event(hold.status, step, agent, {"reason": hold.reason, "kind": hold.kind}))
        if hold.approval:
            asked = state.evolve(agent_messages=(*state.agent_messages, approval_request(state, hold, now)))
    return Transition(
        before=before, state=asked, status=hold.status if hold else "running", reason=hold.reason if hold else None,
        agent=agent, step=step, stage_number=number, stage=stage, hold=hold, hops=hops, events=events,
        patched=(state, asked),
    )  # fmt: skip


def approval_request(state: MarketingAgentState, hold: Hold, now: datetime) -> AgentMessage:
    """Return the message that puts the question of ``hold`` into the campaign's thread."""
    return message(
        sender=state.current_agent or "",
        receiver=ORCHESTRATOR,
        message_type=MessageType.APPROVAL_REQUEST,
        payload={"kind": hold.kind, "contents": list(hold.contents), "budget": str(hold.budget or "")},
        correlation_id=thread(state),
        now=now,
        ordinal=len(state.agent_messages),
    )


def failed(
    before: MarketingAgentState,
    state: MarketingAgentState,
    after: MarketingAgentState,
    lost: AgentError,
    stage_number: int,
    now: datetime,
    *,
    hops: Sequence[FinishedHop] = (),
    events: Sequence[Event] = (),
) -> Transition:
    """Return the end by the failure ``lost``, with the row at the stage that failed, so that a retry repeats that."""
    after = after.evolve(updated_at=now)
    return Transition(
        before=before, state=after, status="failed", reason=f"{lost.agent}: {lost.message}", agent=lost.agent,
        step=state.step, stage_number=stage_number, patched=(state, after), hops=hops,
        events=[*events, event("failed", state.step, lost.agent, {"reason": lost.message, "code": lost.code})],
    )  # fmt: skip


def failed_by_defect(state: MarketingAgentState, stage_number: int, error: Exception, now: datetime) -> Transition:
    """Return the end of a campaign whose agent's own code raised ``error``, which is named without its text.

    The row stays in the hop, so that a retry with mended code takes the join again.
    """
    text = f"{type(error).__name__} in our own code (see the worker's log)"
    return _failed_here(state, stage_number, "internal", text, now)


def unstorable_state(state: MarketingAgentState, stage_number: int, error: Exception, now: datetime) -> Transition:
    """Return the end of a campaign whose next state can't be stored, for the reason that ``error`` names."""
    text = f"what was made of the results can't be stored: {error}"
    return _failed_here(state, stage_number, InvalidResultError.code, text, now)


def _failed_here(state: MarketingAgentState, stage_number: int, code: str, text: str, now: datetime) -> Transition:
    lost = AgentError(
        agent=state.current_agent or "", step=state.step, code=code, provider="local", message=text, at=now
    )
    return failed(state, state, state.evolve(errors=(*state.errors, lost)), lost, stage_number, now)


def event(kind: str, step: int, agent: str, data: Mapping[str, object], *, actor: str = "system") -> Event:
    """Return one entry of the campaign's history."""
    return {"kind": kind, "step": step, "agent": agent, "actor": actor, "data": dict(data)}
