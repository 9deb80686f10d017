"""Contract of an agent: hooks that are pure, and unit bodies that reach out through a context.

A hop is ``plan`` → units → ``plan`` → ... → ``update_state``. The orchestrator drives it over the ledger;
:meth:`BaseAgent.execute` drives the same hooks in one process. Invariant: an agent object holds no campaign's data, so
one object serves every thread; what it remembers comes from the state.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel

from agents.action_log import Order
from agents.approval import UNDESCRIBED, Question, about_effects
from agents.config import CampaignConfig
from agents.messages import ORCHESTRATOR, AgentMessage, MessageType, message, receive
from agents.overview import Section, reported
from agents.ports import ExecutionContext, UnitContext
from agents.routes import Edge
from agents.state import AgentError, MarketingAgentState
from agents.stopping import Wanted
from agents.unit import Stage, StageResult, Unit, UnitResult, UnitStatus
from agents.unit_kind import AnyKind
from agents.waiting import Wait
from integrations.errors import IntegrationError, PermanentError, TryAgainError

MEMORY_EXCHANGES = 10  #: an agent remembers this many of its last exchanges


class HopFailedError(Exception):
    """Every essential unit of a stage failed: the hop can't be carried on."""

    def __init__(self, error: AgentError) -> None:
        super().__init__(f"{error.agent}: {error.message}")
        self.error = error


class BaseAgent(ABC):
    """One agent: what it plans, what its units do, and what the orchestrator has to know of it."""

    name: ClassVar[str]  #: of its entry point, queue, tasks and rows; never changes
    title: ClassVar[str] = ""  #: for people; the name in words when it is left out
    gate: ClassVar[str] = UNDESCRIBED  #: value of ``approval.gate`` that asks this agent's questions
    outside: ClassVar[str] = "what runs"  #: in words, what :meth:`stop` stops: "the ads"
    edges: ClassVar[tuple[Edge, ...]] = ()  #: of the route: those that lead to this agent, and away from it
    options: ClassVar[type[BaseModel] | None] = None  #: its own keys in a campaign file, under ``agents.<name>``
    kinds: ClassVar[Mapping[str, AnyKind]] = {}  #: what its units can be, by name
    tools: ClassVar[tuple[str, ...]] = ()  #: allow-list of tools that its model may ask for

    @abstractmethod
    def get_system_prompt(self, state: MarketingAgentState) -> str:
        """Return the standing instruction of the agent's model calls."""

    @abstractmethod
    def build_input(self, state: MarketingAgentState) -> Mapping[str, Any]:
        """Return the facts of the state that this agent's model calls are given (no personal data)."""

    @abstractmethod
    def plan(self, state: MarketingAgentState, results: Sequence[StageResult]) -> Stage | None:
        """Return the stage after ``results``, the finished stages of this hop, or None when the hop is done."""

    def run(self, unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        """Do one unit and return its JSON result, as the only hook with effects.

        Raises IntegrationError.
        """
        kind = self.kinds.get(unit.kind)
        if kind is None:
            raise ValueError(f"{self.name} has no unit kind {unit.kind!r}; it has {', '.join(self.kinds)}")
        return kind.execute(unit, ctx)

    def undo(self, unit: Unit, error: IntegrationError, ctx: UnitContext) -> IntegrationError:
        """Take off what an effect has made before it fails for good with ``error``, and return what it fails with.

        Raises IntegrationError when that can't be done now: the unit is not over then.
        """
        kind = self.kinds.get(unit.kind)
        return error if kind is None else kind.undone(unit, error, ctx)

    @abstractmethod
    def update_state(
        self, state: MarketingAgentState, result: Sequence[StageResult], now: datetime
    ) -> MarketingAgentState:
        """Return the state after the hop.

        Pure: called again after a crash, it gives the same.
        """

    @abstractmethod
    def summary(self, before: MarketingAgentState, after: MarketingAgentState) -> Mapping[str, Any]:
        """Return the payload of the hop's task_result message: a few figures, no personal data."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Derive a title for people from the name."""
        super().__init_subclass__(**options)
        if not cls.title and isinstance(getattr(cls, "name", None), str):
            cls.title = cls.name.replace("_", " ").capitalize()

    def needs(self, config: CampaignConfig) -> tuple[str, ...]:
        """Return the providers whose keys a live campaign can't do without on this agent's account."""
        del config
        return ()

    def problems(self, config: CampaignConfig) -> Sequence[str]:
        """Return what of a configuration can't work for this agent, each with its key, value and what would be right.

        It is asked at submit and calls nobody.
        """
        del config
        return ()

    def acts(self, config: CampaignConfig) -> bool:
        """Return whether this agent would change the outside world for such a campaign."""
        del config
        return True

    def checks(self, state: MarketingAgentState) -> Sequence[Unit]:
        """Return units that look, before anything is paid for, whether this agent's work can be done at all.

        They run before the campaign's first hop and change nothing.
        """
        del state
        return ()

    def overview(self, state: MarketingAgentState) -> Sequence[Section]:
        """Return this agent's part of the campaign's overview, by default the figures of its last hop."""
        return reported(state, self.name, self.title)

    def question(self, state: MarketingAgentState, stage: Stage) -> Question | None:
        """Return the question that a person answers before a planned stage begins, or None when none is needed.

        By default the question shows the input of each effect, so that an effect which its agent does not describe is
        asked about and never let through.
        """
        del state
        return about_effects(stage)

    def review(self, state: MarketingAgentState) -> Question | None:
        """Describe what a person has to see of the hop that has just ended, before anything is made of it."""
        del state
        return None

    def edited(
        self, state: MarketingAgentState, subject: str, texts: Mapping[str, str], by: str, now: datetime
    ) -> MarketingAgentState | None:
        """Return the state in which something that this agent has made has other texts, by a person's hand.

        None when ``subject`` is the id of nothing of its own. Raises ValueError for a text that can't be.
        """
        del state, subject, texts, by, now
        return None

    def wait(self, state: MarketingAgentState, came_from: str | None, now: datetime) -> Wait | None:
        """Return how long the campaign waits before this agent's hop, which follows on ``came_from``'s."""
        del state, came_from, now
        return None

    def next_cycle(self, state: MarketingAgentState, now: datetime) -> Wait | None:
        """Return how long a finished campaign waits for another cycle of this agent, or None when there is none."""
        del state, now
        return None

    def end_reason(self, state: MarketingAgentState) -> str | None:
        """Return why a campaign that is over came to less than it was for, in words, or None."""
        del state
        return None

    def stop(self, state: MarketingAgentState, wanted: Wanted | None = None) -> Stage | None:
        """Plan the effects that stop what the campaign has running outside, or return None when nothing runs.

        ``wanted`` None: for good, the campaign is being cancelled. "off" and "on": while it is paused. "end": for good,
        it has ended and its schedule is over (see :mod:`agents.stopping`). Keys must differ between these and between
        agents.
        """
        del state, wanted
        return None

    def stopped(self, state: MarketingAgentState, results: Sequence[UnitResult]) -> MarketingAgentState:
        """Return the state after units of :meth:`stop` have ended, well or not."""
        del results
        return state

    def order_problem(self, state: MarketingAgentState, order: Order, now: datetime) -> str | None:
        """Return why an order about what runs outside is refused, "" when this agent takes it, None when it doesn't."""
        del state, order, now
        return None

    def ordered(self, state: MarketingAgentState, orders: Sequence[Order]) -> Stage | None:
        """Plan the effects of the orders' present phase, or return None when this agent has nothing to do for them."""
        del state, orders
        return None

    def after_orders(
        self, state: MarketingAgentState, orders: Sequence[Order], results: Sequence[UnitResult], now: datetime
    ) -> tuple[MarketingAgentState, Sequence[Order]]:
        """Return the state after units of :meth:`ordered` have ended, well or not, and the orders with more to do."""
        del orders, results, now
        return state, ()

    def rework(self, state: MarketingAgentState, reason: str, step: int, now: datetime) -> MarketingAgentState | None:
        """Return the state in which this agent does its work anew, or None when it can't.

        A person has rejected the work for ``reason`` at ``step``.
        """
        del state, reason, step, now
        return None

    def handle_error(self, state: MarketingAgentState, error: AgentError) -> MarketingAgentState:
        """Return the state after an error, which is recorded by default."""
        return state.evolve(errors=(*state.errors, error))

    def memory(self, state: MarketingAgentState) -> tuple[AgentMessage, ...]:
        """Return the last :data:`MEMORY_EXCHANGES` exchanges (request and result) of this agent, oldest first."""
        own = [
            m
            for m in state.agent_messages
            if (m.message_type is MessageType.TASK_REQUEST and m.receiver == self.name)
            or (m.message_type is MessageType.TASK_RESULT and m.sender == self.name)
        ]
        return tuple(own[-2 * MEMORY_EXCHANGES :])

    def finish(self, state: MarketingAgentState, results: Sequence[StageResult], now: datetime) -> MarketingAgentState:
        """Fold a finished hop into the state: errors, the agent's own update, and its result message."""
        _, messages = receive(state.agent_messages, self.name)
        before = state.evolve(agent_messages=messages)
        current = before
        for failure in (f for stage in results for f in stage.failures()):
            current = self.handle_error(current, unit_error(self.name, state.step, failure, now))
        current = self.update_state(current, results, now)
        report = message(
            sender=self.name,
            receiver=ORCHESTRATOR,
            message_type=MessageType.TASK_RESULT,
            payload=self.summary(before, current),
            correlation_id=thread(current),
            now=now,
            ordinal=len(current.agent_messages),
        )
        return current.evolve(agent_messages=(*current.agent_messages, report), updated_at=now)

    def execute(self, state: MarketingAgentState, ctx: ExecutionContext) -> MarketingAgentState:
        """Run the whole hop in this process, with the units and hooks of the distributed run.

        Raises HopFailedError when a stage lost all its essential units.
        """
        done: list[StageResult] = []
        while (stage := self.plan(state, done)) is not None:
            results = [
                run_unit(self, u, ctx.for_unit(state.campaign_id, state.step, len(done), u)) for u in stage.units
            ]
            finished = StageResult(name=stage.name, results=results)
            lost = stage_failure(self.name, state.step, finished, ctx.clock.now())
            if lost is not None:
                raise HopFailedError(lost)
            done.append(finished)
        return self.finish(state, done, ctx.clock.now())


def run_unit(agent: BaseAgent, unit: Unit, ctx: UnitContext) -> UnitResult:
    """Run one unit once, where an IntegrationError becomes a failed result."""
    try:
        return UnitResult(unit=unit, status=UnitStatus.SUCCEEDED, output=agent.run(unit, ctx))
    except IntegrationError as error:
        return UnitResult(unit=unit, status=UnitStatus.FAILED, error=_undone(agent, unit, error, ctx).to_dict())


def _undone(agent: BaseAgent, unit: Unit, error: IntegrationError, ctx: UnitContext) -> IntegrationError:
    """Return what an effect that ends here fails with, and leave one whose outcome is open as it is."""
    if not unit.effect or not isinstance(error, PermanentError | TryAgainError):
        return error
    try:
        return agent.undo(unit, error, ctx)
    except IntegrationError as left:
        return left


def thread(state: MarketingAgentState) -> str:
    """Correlation id of the messages of one hop's turn in the campaign."""
    return f"{state.campaign_id}/{state.step}"


def unit_error(agent: str, step: int, failure: UnitResult, now: datetime) -> AgentError:
    """Return the record of a failed unit."""
    error = failure.error or {}
    return AgentError(
        agent=agent,
        step=step,
        unit=failure.unit.key,
        provider=str(error.get("provider", failure.unit.provider)),
        code=str(error.get("code", "unknown")),
        message=str(error.get("message", "failed without a reason")),
        at=now,
    )


def stage_failure(agent: str, step: int, stage: StageResult, now: datetime) -> AgentError | None:
    """Return the error that fails the hop when every essential unit of ``stage`` failed, or None when it can go on."""
    essential = [r for r in stage.results if r.unit.essential]
    if not essential or any(r.status is not UnitStatus.FAILED for r in essential):
        return None
    first = unit_error(agent, step, essential[0], now)
    text = f"every unit of stage {stage.name!r} failed; the first: {first.provider}: {first.message}"
    return first.model_copy(update={"message": text})
