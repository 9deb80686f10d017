"""Four small agents with the real names, for tests of the orchestrator alone.

They plan real stages and return real results, without a provider: a toy's body is a function that the
test gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from ad_platforms import spec

from agents.ad_management.units import Deploy, SwitchAd, Switched
from agents.approval import Question
from agents.base import BaseAgent
from agents.names import AD_MANAGEMENT, ANALYTICS, LEAD_GENERATION
from agents.ports import UnitContext
from agents.registry import agent_names
from agents.registry import agents as installed_agents
from agents.state import CampaignPerformance, Lead, MarketingAgentState
from agents.unit import Stage, StageResult, Unit, UnitResult, effect_key
from agents.waiting import Wait
from integrations.retry import RetryPolicy

Body = Callable[[Unit, UnitContext], Mapping[str, Any]]


def echo(unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
    """The simplest body: its input."""
    return {"value": unit.input.get("value", 1)}


class Toy(BaseAgent):
    """An agent of ``stages`` (units per stage) whose scores come from a list, one per analytics hop."""

    def __init__(
        self,
        name: str,
        stages: Sequence[int],
        body: Body,
        scores: Sequence[float] = (1.0,),
        policy: RetryPolicy | None = None,
    ) -> None:
        self.name = name  # type: ignore[misc]  # one class stands for all four
        #: The real agent of that name: the orchestrator hears from a toy what it would hear from that.
        self.real = installed_agents()[name]
        self.edges, self.gate, self.outside = self.real.edges, self.real.gate, self.real.outside  # type: ignore[misc]
        self.stages = stages
        self.body = body
        self.scores = scores
        self.policy = policy or RetryPolicy()

    def get_system_prompt(self, state: MarketingAgentState) -> str:
        return ""

    def build_input(self, state: MarketingAgentState) -> Mapping[str, Any]:
        return {}

    def plan(self, state: MarketingAgentState, results: Sequence[StageResult]) -> Stage | None:
        if len(results) >= len(self.stages):
            return None
        number = len(results)
        return Stage(
            name=f"s{number}",
            units=[
                Unit(
                    key=f"u{n}",
                    kind="toy",
                    provider="local",
                    input={"value": n},
                    policy=self.policy,
                    effect_key=effect_key(state.campaign_id, "toy", str(n)) if self.name == AD_MANAGEMENT else None,
                )
                for n in range(self.stages[number])
            ],
        )

    def question(self, state: MarketingAgentState, stage: Stage) -> Question | None:
        effects = [unit for unit in stage.units if unit.effect]
        if all("spec" in unit.input for unit in effects):
            return self.real.question(state, stage)
        return Question(kind=self.gate, request={}, contents=tuple(unit.key for unit in effects))

    def review(self, state: MarketingAgentState) -> Question | None:
        return self.real.review(state)

    def wait(self, state: MarketingAgentState, came_from: str | None, now: datetime) -> Wait | None:
        return self.real.wait(state, came_from, now)

    def next_cycle(self, state: MarketingAgentState, now: datetime) -> Wait | None:
        return self.real.next_cycle(state, now)

    def stopped(self, state: MarketingAgentState, results: Sequence[UnitResult]) -> MarketingAgentState:
        return self.real.stopped(state, [_switched(result) for result in results])

    def rework(self, state: MarketingAgentState, reason: str, step: int, now: datetime) -> MarketingAgentState | None:
        return self.real.rework(state, reason, step, now)

    def run(self, unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        return self.body(unit, ctx)

    def update_state(
        self, state: MarketingAgentState, result: Sequence[StageResult], now: datetime
    ) -> MarketingAgentState:
        if self.name == LEAD_GENERATION:
            values = [out["value"] for stage in result for out in stage.outputs()]
            leads = tuple(Lead(lead_id=f"{n}-{value}", score=0.7) for n, value in enumerate(values))
            return state.evolve(leads=leads, qualified_leads=leads)
        if self.name == ANALYTICS:
            score = self.scores[min(state.optimization_attempts, len(self.scores) - 1)]
            return state.evolve(campaign_performance=CampaignPerformance(overall_score=score))
        return state

    def summary(self, before: MarketingAgentState, after: MarketingAgentState) -> Mapping[str, Any]:
        return {"leads": len(after.leads)}


def deployment(platform: str, **changes: Any) -> Mapping[str, Any]:
    """The input of an effect as the ad agent would plan it; ``changes``: to a plain specification."""
    return Deploy(platform=platform, spec=spec(**changes)).model_dump(mode="json")


def _switched(result: UnitResult) -> UnitResult:
    """A toy's stop as the ad agent would have planned it, with an answer such as a platform would give."""
    platform, wanted = result.unit.input["platform"], result.unit.input.get("wanted")
    output = result.output or {}
    answer = Switched(
        platform=platform,
        found=True,
        paused=bool(output.get("paused")),
        enabled=bool(output.get("enabled")),
    )
    given = SwitchAd(platform=platform, wanted=wanted).model_dump(mode="json")
    return replace(
        result, unit=replace(result.unit, input=given), output=answer.model_dump(mode="json") if result.ok else None
    )


def toys(
    *,
    stages: Sequence[int] = (3, 1),
    body: Body = echo,
    scores: Sequence[float] = (1.0,),
    policy: RetryPolicy | None = None,
) -> dict[str, BaseAgent]:
    """The four agents."""
    return {name: Toy(name, stages, body, scores, policy) for name in agent_names()}
