"""Ads against each other: the surely worse one is paused, the best runs, and nothing is paused by luck."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from ad_platforms import START, campaign
from agent_context import Execution

from agents.ad_management import AdManagement
from agents.analytics import Analytics
from agents.analytics.ad_choice import PAUSE_ADS, losers, pause_records, pause_stage, with_paused
from agents.base import run_unit
from agents.ports import FixedClock
from agents.state import AdDay, CampaignPerformance, MarketingAgentState, PlatformMetrics
from agents.unit import StageResult, UnitResult, UnitStatus

AGENT, ADS = Analytics(), AdManagement()
ADS_OF = ("ad.1", "ad.2", "ad.3")


def placed(execution: Execution, **changes: Any) -> MarketingAgentState:
    execution.clock = FixedClock(START)
    given = {"ad_platforms": ["facebook"], "budget": 3000, "optimize_every": "7d", **changes}
    return ADS.execute(campaign(**given), execution)


def figures(clicks: dict[str, int], days: int = 7) -> CampaignPerformance:
    """A week in which each ad had so many clicks a day for the same money."""
    daily = tuple(
        AdDay(
            platform="facebook_ads",
            revision=1,
            ad=ad,
            day=date(2026, 3, 1) + timedelta(days=day),
            impressions=2000,
            clicks=number,
            conversions=number // 12,
            spend=Decimal(30),
        )
        for ad, number in clicks.items()
        for day in range(days)
    )
    return CampaignPerformance(platforms=(PlatformMetrics(platform="facebook_ads", days=days),), daily=daily)


@pytest.fixture
def execution() -> Execution:
    return Execution.in_memory(seed=7)


def test_the_surely_worse_ad_is_paused_and_once(execution: Execution) -> None:
    state = placed(execution)
    (action,) = losers(state, figures({"ad.1": 30, "ad.2": 12, "ad.3": 28}))
    assert (action.kind, action.ad, action.best) == ("pause_ad", "ad.2", "ad.1")
    assert "sure that it is less" in action.why
    stage = pause_stage(state, [action])
    assert stage is not None
    (unit,) = stage.units
    assert unit.effect
    result = run_unit(AGENT, unit, execution.for_unit("c1", 3, 2, unit))
    again = run_unit(AGENT, unit, execution.for_unit("c1", 3, 2, unit))
    assert result.ok
    assert again.ok
    done = StageResult(name=PAUSE_ADS, results=[result])
    after = with_paused(state, done)
    assert after.ad_creatives[0].paused_ads == ("ad.2",)
    (record,) = pause_records(state, [action], done, START)
    assert record.status == "applied"
    assert losers(after, figures({"ad.1": 30, "ad.2": 12, "ad.3": 28})) == ()


def test_a_pause_that_the_platform_refuses_is_told(execution: Execution) -> None:
    state = placed(execution)
    actions = losers(state, figures({"ad.1": 30, "ad.2": 12, "ad.3": 28}))
    stage = pause_stage(state, actions)
    assert stage is not None
    refused = UnitResult(unit=stage.units[0], status=UnitStatus.FAILED, error={"message": "no"})
    done = StageResult(name=PAUSE_ADS, results=[refused])
    (record,) = pause_records(state, actions, done, START)
    assert (record.status, record.failed) == ("failed", {"facebook_ads": "no"})
    assert with_paused(state, done) == state


@pytest.mark.parametrize("changes", [{"optimize_every": None}])
def test_where_nothing_is_measured_again_nothing_is_paused(execution: Execution, changes: dict[str, Any]) -> None:
    assert losers(placed(execution, **changes), figures({"ad.1": 30, "ad.2": 1, "ad.3": 28})) == ()


def test_the_last_ad_runs(execution: Execution) -> None:
    state = placed(execution)
    lonely = state.ad_creatives[0].model_copy(update={"paused_ads": ("ad.1", "ad.3")})
    state = state.evolve(ad_creatives=(lonely,))
    assert losers(state, figures({"ad.1": 30, "ad.2": 1, "ad.3": 28})) == ()


def test_equal_ads_are_rarely_told_apart_and_the_best_is_never_paused(execution: Execution) -> None:
    state, random, wrong, lost, means = placed(execution), Random(5), 0, 0, (14, 20, 26)
    for _ in range(60):
        equal = {ad: round(random.gauss(20, 20**0.5 / 7**0.5)) for ad in ADS_OF}
        wrong += bool(losers(state, figures(equal)))
        unequal = {ad: round(random.gauss(mean, mean**0.5 / 7**0.5)) for ad, mean in zip(ADS_OF, means, strict=True)}
        lost += any(action.ad == "ad.3" for action in losers(state, figures(unequal)))
    assert wrong <= 4
    assert lost == 0


def test_a_whole_cycle_pauses_what_a_world_does_not_like() -> None:
    execution = Execution.in_memory(seed=7)
    state = placed(execution)
    ads = execution.providers.ads("facebook_ads")
    (kept,) = ads.campaigns.values()
    for step in range(3, 9):
        state = AGENT.execute(state.evolve(step=step), execution)
        kept.life.advance(7)
    creative = state.ad_creatives[0]
    running = [ad for ad in ADS_OF if ad in creative.remote_ids and ad not in creative.paused_ads]
    assert running
    paused = [one.action for one in state.actions if one.action.kind == "pause_ad"]
    assert [action.ad for action in paused] == list(state.ad_creatives[0].paused_ads)
    newest = max(one.day for one in state.campaign_performance.daily)
    late = {one.ad for one in state.campaign_performance.daily if one.day == newest}
    last = {one.action.ad for one in state.actions if one.action.kind == "pause_ad" and one.step == 8}
    assert late == set(running) | last
