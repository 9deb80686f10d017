"""The agent that places ads over the wire: the real clients against the sandbox's platforms."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from ad_platforms import START, ad_campaigns, campaign, fault
from agent_context import Execution, MemoryContext
from comparable import comparable

from agents.ad_management import AdManagement
from agents.ports import FixedClock
from agents.state import MarketingAgentState
from agents.unit import StageResult, Unit, UnitResult, UnitStatus
from integrations.errors import IntegrationError, OutcomeUnknownError

T = TypeVar("T")
AGENT = AdManagement()


@pytest.fixture
def execution(sandbox: Any) -> Execution:
    made = Execution.against(sandbox.url, None)
    made.clock = FixedClock(START)
    return made


def test_a_hop_and_a_later_round_end_as_those_in_memory(sandbox: Any, execution: Execution) -> None:
    memory = Execution.in_memory()
    memory.clock = FixedClock(START)
    ends = []
    for one in (memory, execution):
        first = AGENT.execute(campaign(), one)
        second = AGENT.execute(first.evolve(step=5), one)
        ends.append([comparable(state) for state in (first, second)])
        assert [c.status for c in (*first.ad_creatives, *second.ad_creatives)] == ["active"] * 4
    assert ends[0] == ends[1]
    rows, kept = ad_campaigns(sandbox), memory.providers.ad_campaigns()
    assert [(r["provider"], r["status"], r["daily_budget"]) for r in rows] == [
        ("facebook_ads", "active", "16.66"),
        ("linkedin_ads", "active", "16.66"),
    ]
    assert [r["effect_key"] for r in rows] == [r["effect_key"] for r in kept]
    assert {c["id"] for c in rows} == {creative.remote_ids["campaign"] for creative in first.ad_creatives}


def test_one_platform_failing_leaves_the_others(sandbox: Any, execution: Execution) -> None:
    with fault(sandbox, "linkedin_ads", "down"):
        after = AGENT.execute(campaign(), execution)
    facebook, linkedin = after.ad_creatives
    assert (facebook.status, facebook.daily_budget) == ("active", Decimal("33.33"))
    assert (linkedin.status, linkedin.error, linkedin.remote_ids) == (
        "failed",
        "answered 503 to GET: Service unavailable",
        {},
    )


class DiedError(BaseException):
    """The process died."""


class Dying(Execution):
    """Dies right after the wire call of that number."""

    last: int = 0

    def for_unit(self, campaign_id: str, step: int, stage: int, unit: Unit) -> MemoryContext:
        place = (campaign_id, step, stage, unit.key)
        return _DyingContext(self, campaign_id, unit, place)


class _DyingContext(MemoryContext):
    def call(self, provider: str, send: Callable[[float], T], *, scope: str = "") -> T:
        answer = super().call(provider, send, scope=scope)
        assert isinstance(self.execution, Dying)
        if len(self.execution.calls) == self.execution.last:
            raise DiedError
        return answer


def deploy_unit(state: MarketingAgentState, platform: str) -> Unit:
    """The deploy unit of a hop, planned from made-up answers."""
    results: list[StageResult] = []
    while True:
        stage = AGENT.plan(state, results)
        assert stage is not None
        if stage.name == "deploy":
            return next(u for u in stage.units if u.input["platform"] == platform)
        ad = {"angle": "plain", "headlines": ["One for SaaS"], "descriptions": ["Two for SaaS."]}
        texts = {"ads": [ad], "call_to_action": "Book a demo"}
        output = {**texts, "produced_by": "test"} if stage.name == "creatives" else {"valid": True}
        results.append(
            StageResult(
                name=stage.name,
                results=[UnitResult(unit=u, status=UnitStatus.SUCCEEDED, output=output) for u in stage.units],
            )
        )


@pytest.mark.parametrize("platform", ["facebook_ads", "linkedin_ads"])
def test_death_at_any_call_of_a_deployment_makes_no_second_campaign(sandbox: Any, platform: str) -> None:
    unit = deploy_unit(campaign(), platform)
    whole = Dying.against(sandbox.url, None)
    dying = Dying(whole.providers, clock=FixedClock(START))
    AGENT.run(unit, dying.for_unit("c1", 2, 2, unit))
    total = len(dying.calls)
    assert total >= 6
    for number in range(1, total + 1):
        sandbox.reset(1)
        dying = Dying(whole.providers, clock=FixedClock(START))
        dying.last = number
        with pytest.raises(DiedError):
            AGENT.run(unit, dying.for_unit("c1", 2, 2, unit))
        dying.last = 0
        output = AGENT.run(unit, dying.for_unit("c1", 2, 2, unit))
        rows = ad_campaigns(sandbox)
        assert [(r["id"], r["status"]) for r in rows] == [(output["remote_ids"]["campaign"], "active")], number
        assert json.loads(json.dumps(output)) == output


@pytest.mark.parametrize("platform", ["facebook_ads", "linkedin_ads"])
def test_lost_replies_make_no_second_campaign(sandbox: Any, execution: Execution, platform: str) -> None:
    unit = deploy_unit(campaign(), platform)
    errors: list[IntegrationError] = []
    with fault(sandbox, platform, "lost_reply", rate=0.3):
        for _ in range(60):
            try:
                output = AGENT.run(unit, execution.for_unit("c1", 2, 2, unit))
                break
            except IntegrationError as error:
                errors.append(error)
        else:
            raise AssertionError("never got through")
    assert any(isinstance(error, OutcomeUnknownError) for error in errors)
    assert [r["id"] for r in ad_campaigns(sandbox)] == [output["remote_ids"]["campaign"]]
