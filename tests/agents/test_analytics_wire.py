"""The agent that measures over the wire: the real clients' reports of the sandbox's platforms, and its model."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from ad_platforms import START, ad_campaigns, campaign, fault
from agent_context import Execution
from comparable import comparable

from agents.ad_management import AdManagement
from agents.ad_management.daily_budgets import standing
from agents.analytics import Analytics
from agents.ports import FixedClock

AGENT = Analytics()
ADS = AdManagement()
HARD_WORLD = {"platforms": {"*": {"quality": 0.3}}}


@pytest.fixture
def execution(sandbox: Any) -> Execution:
    made = Execution.against(sandbox.url, None)
    made.clock = FixedClock(START)
    return made


def test_the_loop_ends_as_the_one_in_memory(sandbox: Any, execution: Execution) -> None:
    sandbox.reset(42, HARD_WORLD)
    memory = Execution.in_memory(seed=42, world=HARD_WORLD)
    memory.clock = FixedClock(START)
    ends = []
    for one in (execution, memory):
        state, scores = campaign(budget=3000), []
        for turn in range(2):
            state = ADS.execute(state.evolve(step=2 + 3 * turn), one)
            state = AGENT.execute(state.evolve(step=3 + 3 * turn), one)
            scores.append(state.campaign_performance.overall_score or 0)
        ends.append(comparable(state))
        assert max(scores) < 0.7
        assert any("[sandbox]" in text for text in state.campaign_performance.suggestions)
    assert ends[0] == ends[1]
    assert len(ad_campaigns(sandbox)) == 2


def test_one_report_failing_leaves_the_other(sandbox: Any, execution: Execution) -> None:
    state = ADS.execute(campaign(), execution)
    with fault(sandbox, "linkedin_ads", "down"):
        after = AGENT.execute(state.evolve(step=3), execution)
    assert [m.platform for m in after.campaign_performance.platforms] == ["facebook_ads"]
    assert [error.provider for error in after.errors] == ["linkedin_ads"]


def test_money_moves_and_platforms_rest_and_wake_over_the_wire(sandbox: Any, execution: Execution) -> None:
    sandbox.reset(7)
    given = campaign(ad_platforms=["facebook", "google", "linkedin"], budget=3000, optimize_every="7d")
    state = ADS.execute(given, execution)
    for step in range(3, 7):
        state = AGENT.execute(state.evolve(step=step), execution)
        sandbox.post("/_sandbox/advance", {"days": 7})
        stands = {ad["provider"]: ad for ad in ad_campaigns(sandbox)}
        for creative in state.ad_creatives:
            ad = stands[creative.platform]
            assert ad["status"] == ("paused" if creative.resting else "active")
            if not creative.resting:
                assert Decimal(ad["daily_budget"]) == creative.daily_budget
        spent = sum((one.spend for one in state.campaign_performance.daily), Decimal(0))
        left = 30 - len({one.day for one in state.campaign_performance.daily})
        assert spent + left * sum(standing(state).values()) <= 3000
    assert state.errors == ()
    assert state.actions[0].status == "applied"
    share = standing(state)["facebook_ads"] / sum(standing(state).values())
    assert share > Decimal("0.9")  # a conversion there costs a fifth of what it costs elsewhere
