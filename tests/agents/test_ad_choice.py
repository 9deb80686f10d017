"""Ads against each other: the surely worse one is paused, the best runs, and nothing is paused by luck."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from ad_platforms import START, campaign
from ad_simulator import Setting, both, many, summary
from agent_context import Execution

from agents.actions import PauseAd, ResumeAd
from agents.ad_management import AdManagement
from agents.analytics import Analytics
from agents.analytics.ad_choice import SWITCH_ADS, switch_records, switch_stage, switches
from agents.analytics.ad_rule import COOL_DOWN, HOPEFUL, LEAST_DAYS
from agents.analytics.orders import with_changes
from agents.base import run_unit
from agents.evidence.side_by_side import side_by_side
from agents.ports import FixedClock
from agents.state import AdDay, CampaignPerformance, MarketingAgentState, PlatformMetrics
from agents.unit import StageResult, UnitResult, UnitStatus, effect_key
from agents.wanted import Counted

AGENT, ADS = Analytics(), AdManagement()


def placed(execution: Execution, **changes: Any) -> MarketingAgentState:
    execution.clock = FixedClock(START)
    given = {"ad_platforms": ["facebook"], "budget": 3000, "optimize_every": "7d", **changes}
    return ADS.execute(campaign(**given), execution)


def figures(clicks: dict[str, int], days: int = 7, *, first: int = 1, on: str = "facebook_ads") -> CampaignPerformance:
    """Days from the ``first`` of March on, on which each ad had so many clicks for the same money."""
    daily = tuple(day for found in days_of(clicks, days, first=first, on=on).values() for day in found)
    return CampaignPerformance(platforms=(PlatformMetrics(platform=on, days=days),), daily=daily)


def days_of(
    clicks: dict[str, int],
    days: int,
    *,
    first: int = 1,
    on: str = "facebook_ads",
    conversions: dict[str, int] | None = None,
) -> dict[str, list[AdDay]]:
    return {
        ad: [
            AdDay(
                platform=on,
                revision=1,
                ad=ad,
                day=date(2026, 3, first) + timedelta(days=day),
                impressions=2000,
                clicks=number,
                conversions=number // 12 if conversions is None else conversions[ad],
                spend=Decimal(30),
            )
            for day in range(days)
        ]
        for ad, number in clicks.items()
    }


def joined(*parts: CampaignPerformance) -> CampaignPerformance:
    return parts[0].model_copy(update={"daily": tuple(day for one in parts for day in one.daily)})


def paused(state: MarketingAgentState, *ads: str) -> MarketingAgentState:
    return state.evolve(ad_creatives=(state.ad_creatives[0].model_copy(update={"paused_ads": ads}),))


@pytest.fixture
def execution() -> Execution:
    return Execution.in_memory(seed=7)


def test_the_surely_worse_ad_is_paused_and_once(execution: Execution) -> None:
    state = placed(execution)
    (action,) = switches(state, figures({"ad.1": 30, "ad.2": 12, "ad.3": 28}))
    assert (action.kind, action.ad, action.best) == ("pause_ad", "ad.2", "ad.1")
    assert "sure that it is less" in action.why
    stage = switch_stage(state, [action])
    assert stage is not None
    (unit,) = stage.units
    assert unit.effect
    result = run_unit(AGENT, unit, execution.for_unit("c1", 3, 2, unit))
    again = run_unit(AGENT, unit, execution.for_unit("c1", 3, 2, unit))
    assert result.ok
    assert again.ok
    done = StageResult(name=SWITCH_ADS, results=[result])
    after = with_changes(state, done.results)
    assert after.ad_creatives[0].paused_ads == ("ad.2",)
    (record,) = switch_records(state, [action], done, START)
    assert record.status == "applied"
    assert "ad.2" not in [one.ad for one in switches(after, figures({"ad.1": 30, "ad.2": 12, "ad.3": 28}))]


def test_a_pause_that_the_platform_refuses_is_told(execution: Execution) -> None:
    state = placed(execution)
    actions = switches(state, figures({"ad.1": 30, "ad.2": 12, "ad.3": 28}))
    stage = switch_stage(state, actions)
    assert stage is not None
    refused = UnitResult(unit=stage.units[0], status=UnitStatus.FAILED, error={"message": "no"})
    done = StageResult(name=SWITCH_ADS, results=[refused])
    (record,) = switch_records(state, actions, done, START)
    assert (record.status, record.failed) == ("failed", {"facebook_ads": "no"})
    assert with_changes(state, done.results) == state


@pytest.mark.parametrize("changes", [{"optimize_every": None}])
def test_where_nothing_is_measured_again_nothing_is_paused(execution: Execution, changes: dict[str, Any]) -> None:
    assert switches(placed(execution, **changes), figures({"ad.1": 30, "ad.2": 1, "ad.3": 28})) == ()


def test_the_last_ad_runs(execution: Execution) -> None:
    state = placed(execution)
    lonely = state.ad_creatives[0].model_copy(update={"paused_ads": ("ad.1", "ad.3")})
    state = state.evolve(ad_creatives=(lonely,))
    assert switches(state, figures({"ad.1": 30, "ad.2": 1, "ad.3": 28})) == ()


def test_an_ad_runs_again_when_the_best_has_fallen_since(execution: Execution) -> None:
    state = paused(placed(execution), "ad.2", "ad.3")
    early = figures({"ad.1": 30, "ad.2": 24, "ad.3": 12})
    assert switches(state, joined(early, figures({"ad.1": 30}, first=8))) == ()
    (action,) = switches(state, joined(early, figures({"ad.1": 14}, first=8)))
    assert (action.kind, action.ad, action.best) == ("resume_ad", "ad.2", "ad.1")
    assert "likely that it is more by now" in action.why
    stage = switch_stage(state, [action])
    assert stage is not None
    result = run_unit(AGENT, stage.units[0], execution.for_unit("c1", 3, 2, stage.units[0]))
    assert result.ok
    done = StageResult(name=SWITCH_ADS, results=[result])
    after = with_changes(state, done.results)
    assert after.ad_creatives[0].paused_ads == ("ad.3",)
    (record,) = switch_records(state, [action], done, START)
    assert (record.status, record.action) == ("applied", action)


def test_an_ad_that_was_just_paused_rests_for_some_days(execution: Execution) -> None:
    state = paused(placed(execution), "ad.2", "ad.3")
    early = figures({"ad.1": 30, "ad.2": 24, "ad.3": 12})
    fell = {"ad.1": 1}
    assert switches(state, joined(early, figures(fell, days=COOL_DOWN - 1, first=8))) == ()
    assert switches(state, joined(early, figures(fell, days=COOL_DOWN, first=8)))


def test_an_ad_that_runs_again_shows_new_figures_before_it_is_paused(execution: Execution) -> None:
    state = paused(placed(execution), "ad.3")
    early = figures({"ad.1": 30, "ad.2": 24})
    rest = joined(early, figures({"ad.1": 14}, first=8))
    again = {"ad.1": 30, "ad.2": 1}
    assert switches(state, joined(rest, figures(again, days=LEAST_DAYS - 1, first=15))) == ()
    (action,) = switches(state, joined(rest, figures(again, days=LEAST_DAYS, first=15)))
    assert (action.kind, action.ad) == ("pause_ad", "ad.2")


def test_few_days_and_few_clicks_pause_nothing(execution: Execution) -> None:
    state = placed(execution)
    assert switches(state, figures({"ad.1": 90, "ad.2": 9}, days=LEAST_DAYS - 1)) == ()
    assert switches(state, figures({"ad.1": 1, "ad.2": 0}, days=LEAST_DAYS)) == ()
    assert switches(state, figures({"ad.1": 90, "ad.2": 9}, days=LEAST_DAYS))


def test_an_ad_runs_again_only_where_the_platform_lets_one_more_run(execution: Execution) -> None:
    state = placed(execution)
    key = effect_key(state.campaign_id, "google_ads")
    creative = state.ad_creatives[0].model_copy(update={"platform": "google_ads", "effect_key": key})
    five = {**creative.remote_ids, **{f"ad.{number}": str(number) for number in range(1, 6)}}
    early = figures(dict.fromkeys([f"ad.{number}" for number in range(1, 6)], 30), on="google_ads")
    for off, resumed in ((("ad.4", "ad.5"), 0), (("ad.3", "ad.4", "ad.5"), 1)):
        changed = creative.model_copy(update={"remote_ids": five, "paused_ads": off})
        late = figures({f"ad.{number}": 8 for number in range(1, 6 - len(off))}, first=8, on="google_ads")
        found = switches(state.evolve(ad_creatives=(changed,)), joined(early, late))
        assert len([one for one in found if one.kind == "resume_ad"]) == resumed


def test_a_market_that_falls_for_all_is_not_taken_for_an_ad_that_has_fallen() -> None:
    early = days_of({"ad.1": 30, "ad.2": 24}, 7)
    late = days_of({"ad.1": 15, "ad.3": 14}, 7, first=8)
    alone = days_of({"ad.1": 15}, 7, first=8)
    both = {"ad.1": [*early["ad.1"], *late["ad.1"]], "ad.2": early["ad.2"], "ad.3": late["ad.3"]}
    falls = {"ad.1": [*early["ad.1"], *alone["ad.1"]], "ad.2": early["ad.2"]}
    what = Counted.CLICKS
    assert side_by_side(falls).better("ad.2", "ad.1", what).better > HOPEFUL
    # A newcomer that ran on the bad days only is compared on those: -7 % there, and -38 % by the sums.
    assert -0.2 < side_by_side(both).better("ad.3", "ad.1", what).mean < 0
    assert side_by_side(both).common("ad.3", "ad.1") == [date(2026, 3, 1) + timedelta(days=at) for at in range(7, 14)]


def test_two_ads_that_never_ran_together_are_compared_by_a_third() -> None:
    early, late = days_of({"ad.1": 30, "ad.2": 15}, 7), days_of({"ad.1": 15, "ad.3": 15}, 7, first=8)
    found = side_by_side({"ad.1": [*early["ad.1"], *late["ad.1"]], "ad.2": early["ad.2"], "ad.3": late["ad.3"]})
    assert found.better("ad.3", "ad.2", Counted.CLICKS).better > 0.8  # both had 15 clicks a day


def test_conversions_overrule_clicks_where_they_are_many() -> None:
    found = side_by_side(days_of({"ad.1": 30, "ad.2": 40}, 30, conversions={"ad.1": 6, "ad.2": 1}))
    assert found.better("ad.2", "ad.1", Counted.CLICKS).better > 0.95
    assert found.better("ad.2", "ad.1", Counted.CONVERSIONS).better < 0.05


@pytest.mark.parametrize("what", Counted)
def test_the_best_ad_of_a_cheap_and_a_dear_platform_is_found_for_a_thousand_dollars(what: Counted) -> None:
    cheap = many(Setting("facebook", 500.0, what=what, every=3), 60, seed=77)
    dear = many(Setting("google", 500.0, what=what, every=3), 60, seed=77)
    assert summary(cheap).found >= 0.95
    assert summary(dear).found >= 0.8  # 9 of 10 are as many as 95 clicks can tell apart (decision 0045)
    assert both(cheap, dear)[1] <= 0.10


def test_a_better_ad_that_comes_later_is_found() -> None:
    found = summary(many(Setting(starts=(0, 0, 10), market=0.05, every=3), 60, seed=77))
    assert found.found >= 0.85
    assert found.regret <= 0.10


def test_a_leader_that_falls_is_left_for_one_that_was_paused() -> None:
    found = summary(many(Setting(money=1000, days=60, later=(1, 1, 0.5), turn=20, every=3), 40, seed=77))
    assert found.found >= 0.85
    assert found.resumed >= 0.85


def test_a_whole_cycle_pauses_what_a_world_does_not_like() -> None:
    execution = Execution.in_memory(seed=7)
    state = placed(execution, schedule={"days": 60})
    ads = execution.providers.ads("facebook_ads")
    (kept,) = ads.campaigns.values()
    for step in range(3, 9):
        state = AGENT.execute(state.evolve(step=step), execution)
        kept.life.advance(7)
    resting: list[str] = []
    for one in state.actions:
        if isinstance(one.action, PauseAd):
            resting.append(one.action.ad)
        elif isinstance(one.action, ResumeAd):
            resting.remove(one.action.ad)
    creative = state.ad_creatives[0]
    assert resting
    assert tuple(resting) == creative.paused_ads
    newest = max(one.day for one in state.campaign_performance.daily)
    late = {one.ad for one in state.campaign_performance.daily if one.day == newest}
    last = {one.action.ad: one.action.kind for one in state.actions if one.step == 8 and hasattr(one.action, "ad")}
    added = {one.added for one in state.actions if one.added}
    assert added  # a resting ad makes room for one of another angle
    running = {ad for ad in creative.remote_ids if ad.startswith("ad.")} - set(resting)
    running -= {one.added for one in state.actions if one.added and one.step == 8}
    assert running
    assert late == (running | {ad for ad, kind in last.items() if kind == "pause_ad"}) - {
        ad for ad, kind in last.items() if kind == "resume_ad"
    }
