"""Run of a whole campaign in one process: the same agents, units and routing, without ledger and broker.

For development shells and for the proof that distribution changes nothing: with the clock and ids injected
it ends where the distributed run ends. Invariant: no decision is made here; it only calls the pure ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import JsonValue

from agents.base import BaseAgent, HopFailedError, run_unit, stage_failure
from agents.ports import AdBudget, Clock, UncappedAds
from agents.state import MarketingAgentState
from agents.unit import StageResult, Unit
from integrations.llm.prices import CostBound
from integrations.usage import Usage
from orchestration.execution.context import Resources, UnitResources
from orchestration.flow.checks import check_stage, failing_agent
from orchestration.flow.routing import begin_hop, route

T = TypeVar("T")


@dataclass(slots=True)
class MemoryUnitContext(UnitResources):
    """Context of a unit whose journal lives in memory."""

    resources: Resources
    campaign_id: str
    unit: Unit
    entries: dict[str, JsonValue] = field(default_factory=dict)

    @property
    def fallback(self) -> str | None:
        """None, the unit's own provider: no other process uses it, so nothing is put off."""
        return None

    @property
    def ad_budget(self) -> AdBudget:
        """Ad money that is not counted."""
        return UncappedAds()

    def call(self, provider: str, send: Callable[[float], T], *, scope: str = "", cost: CostBound | None = None) -> T:
        """Make one wire call with the provider's deadline."""
        return send(self.deadline_s(provider))

    def journal(self, entry: str, value: JsonValue, usage: Usage | None = None) -> None:
        """Keep ``value`` for the rest of this unit."""
        self.entries[entry] = value

    def intend(self, entry: str, value: JsonValue) -> None:
        """Keep ``value``, as no other attempt can be at the unit."""
        self.journal(entry, value)

    def journaled(self, entry: str) -> JsonValue:
        """Return what this unit kept under ``entry``, or None."""
        return self.entries.get(entry)


@dataclass(frozen=True, slots=True)
class MemoryExecution:
    """Execution context of a run in one process."""

    resources: Resources

    @property
    def clock(self) -> Clock:
        """Source of time."""
        return self.resources.clock

    def for_unit(self, campaign_id: str, step: int, stage: int, unit: Unit) -> MemoryUnitContext:
        """Return the context of one unit."""
        return MemoryUnitContext(self.resources, campaign_id, unit)


def run_campaign(
    state: MarketingAgentState, agents: Mapping[str, BaseAgent], execution: MemoryExecution
) -> MarketingAgentState:
    """Run an initial state to its end.

    Raises HopFailedError when a hop lost all its essential units.
    """
    following, step = route(state, agents).next_agent, 0
    while following is not None:
        begun = begin_hop(state.evolve(next_agent=following), following, step, execution.clock.now())
        if step == 0:
            _check(begun, agents, execution)
        state = route(agents[following].execute(begun, execution), agents)
        following, step = state.next_agent, step + 1
    return state


def _check(state: MarketingAgentState, agents: Mapping[str, BaseAgent], execution: MemoryExecution) -> None:
    """Run the checks before the first hop.

    Raises HopFailedError when all of them failed.
    """
    stage = check_stage(state, agents)
    if stage is None:
        return
    results = [run_unit(agents[u.agent], u, execution.for_unit(state.campaign_id, 0, 0, u)) for u in stage.units]
    done = StageResult(name=stage.name, results=results)
    lost = stage_failure(failing_agent(done, state.current_agent or ""), 0, done, execution.clock.now())
    if lost is not None:
        raise HopFailedError(lost)
