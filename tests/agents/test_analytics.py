"""The agent that measures, whole hops in one process, all in memory; and the loop with the agent that places ads."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from ad_platforms import START, campaign
from agent_context import Execution
from comparable import comparable
from hypothesis import given
from hypothesis import strategies as st

from agents.ad_management import AdManagement
from agents.ad_management.daily_budgets import standing
from agents.ad_management.money_left import money_a_day
from agents.analytics import Analytics
from agents.analytics.measurement import piece_quality, platform_metrics
from agents.analytics.shifting import lower, raised, shift, with_budgets
from agents.analytics.suggestions import (
    MAX_SUGGESTIONS,
    ModelSuggestion,
    ModelSuggestions,
    Suggestion,
    merged,
    rule_based,
)
from agents.base import HopFailedError, run_unit
from agents.messages import MessageType, receive
from agents.ports import FixedClock
from agents.state import AdCreative, ContentPiece, PlatformMetrics
from agents.unit import StageResult, UnitResult, UnitStatus
from integrations.ads.changes import DailyBudget
from integrations.ads.platform import DayReport

AGENT = Analytics()
ADS = AdManagement()
#: Far below the benchmarks, and no text makes a difference.
HARD_WORLD = {"platforms": {"*": {"quality": 0.3}}}


def in_memory(seed: int = 7, world: dict[str, Any] | None = None) -> Execution:
    made = Execution.in_memory(seed=seed, world=world)
    made.clock = FixedClock(START)
    return made


@pytest.fixture
def execution() -> Execution:
    return in_memory()


def piece(piece_id: str = "p1", **changes: Any) -> ContentPiece:
    fields: dict[str, Any] = {
        "piece_id": piece_id,
        "content_type": "blog_post",
        "topic": "billing",
        "title": "Billing that scales",
        "body": "…",
        "seo_score": 0.9,
        "target_length": 400,
        "word_count": 400,
    }
    return ContentPiece(**{**fields, **changes})


def test_measures_scores_and_suggests(execution: Execution) -> None:
    state = ADS.execute(campaign().evolve(generated_content=(piece(),)), execution)
    after = AGENT.execute(state.evolve(step=3), execution)
    found = after.campaign_performance
    assert found.overall_score is not None
    assert 0 < found.overall_score <= 1
    assert [m.platform for m in found.platforms] == ["facebook_ads", "linkedin_ads"]
    for metrics in found.platforms:
        assert metrics.days == 7
        assert metrics.impressions > 1000
        assert metrics.clicks > 0
        assert 0 < metrics.spend <= 7 * Decimal("16.66")
        assert metrics.score is not None
    assert found.rounds[-1].overall_score == found.overall_score
    assert found.measured_at == START
    assert found.content_score == pytest.approx(0.93)
    (performance,) = after.content_performance
    assert performance.piece_id == "p1"
    assert 0 < performance.score <= 1
    assert found.suggestions
    sent = [m for m in after.agent_messages if m.message_type is MessageType.OPTIMIZATION_SUGGESTION]
    assert [(m.sender, m.receiver) for m in sent] == [("analytics", "content_creation"), ("analytics", "ad_management")]
    assert len({m.message_id for m in after.agent_messages}) == len(after.agent_messages)
    assert any("[sandbox]" in text for text in found.suggestions)  # the model's, marked
    assert after.errors == ()


@pytest.mark.parametrize("seed", [1, 7, 42])
def test_texts_that_make_no_difference_are_not_rewritten_for_ever(seed: int) -> None:
    execution = in_memory(seed, HARD_WORLD)
    state, judged = campaign(budget=3000), []
    for turn in range(4):
        state = ADS.execute(state.evolve(step=2 + 3 * turn), execution)
        state = AGENT.execute(state.evolve(step=3 + 3 * turn), execution)
        found = state.campaign_performance.judgement
        assert found is not None
        judged.append(found.needs_optimization)
        if not found.needs_optimization:
            break
    rounds = state.campaign_performance.rounds
    assert judged[0]  # the figures prove that it is below its bar
    assert rounds[0].effect is None
    told = [one.effect.verdict for one in rounds[1:] if one.effect is not None]
    assert len(told) == len(rounds) - 1
    if told[-2:] == ["unclear", "unclear"]:
        assert not judged[-1]
        assert "no more of them" in (state.campaign_performance.judgement or found).why
    assert len(execution.providers.ad_campaigns()) == 2
    assert [c.revision for c in state.ad_creatives] == [len(rounds)] * 2


def test_money_goes_where_it_brings_more_whatever_the_score() -> None:
    execution = in_memory(7)
    state = ADS.execute(campaign(optimize_every="7d"), execution)
    before = {c.platform: c.daily_budget or Decimal(0) for c in state.ad_creatives}
    state = AGENT.execute(state.evolve(step=3), execution)
    assert (state.campaign_performance.overall_score or 0) >= 0.7
    (done,) = state.actions
    assert done.status == "applied"
    assert done.step == 3
    assert done.action.moves["facebook_ads"].after > done.action.moves["facebook_ads"].before
    assert done.action.moves["linkedin_ads"].after == 0  # half of what it takes at least is not worth spending there
    assert standing(state) == {name: move.after for name, move in done.action.moves.items()}
    # A week has spent some of what it was given less, which the 24 days that are not over get.
    assert sum(before.values()) < sum(standing(state).values()) <= Decimal("34.1")
    rests = next(c for c in state.ad_creatives if c.platform == "linkedin_ads")
    assert (rests.status, rests.resting) == ("paused", True)
    on = {ad["provider"]: (ad["status"], ad["daily_budget"]) for ad in execution.providers.ad_campaigns()}
    facebook = str(standing(state)["facebook_ads"])
    assert on == {"facebook_ads": ("active", facebook), "linkedin_ads": ("paused", "16.66")}
    again = AGENT.execute(state.evolve(step=4), execution)
    assert again.actions == state.actions  # it stands already


def test_where_nothing_is_measured_again_no_platform_rests() -> None:
    execution = in_memory(7)
    state = AGENT.execute(ADS.execute(campaign(), execution).evolve(step=3), execution)
    assert {c.platform: c.daily_budget for c in state.ad_creatives}["linkedin_ads"] == Decimal("10.00")
    assert [(c.status, c.resting) for c in state.ad_creatives] == [("active", False)] * 2


def test_a_platform_that_rests_runs_again_when_it_is_worth_it() -> None:
    execution = in_memory(7)
    state = AGENT.execute(ADS.execute(campaign(optimize_every="7d"), execution).evolve(step=3), execution)
    assert [c.resting for c in state.ad_creatives] == [False, True]
    turned = tuple(
        one.model_copy(update={"conversions": 20 if one.platform == "linkedin_ads" else 0, "revision": 9, "day": day})
        for one in state.campaign_performance.daily
        if (day := one.day + timedelta(days=7))
    )
    measured = state.campaign_performance.model_copy(update={"daily": turned})
    move = shift(state, measured)
    assert move is not None
    assert move.moves["linkedin_ads"].before == 0
    first = lower(state, move)
    assert first is not None
    ran = [run_unit(AGENT, unit, execution.for_unit("c", 4, 2, unit)) for unit in first.units]
    second = raised(state, move, StageResult(name=first.name, results=ran))
    assert second is not None
    ran_too = [run_unit(AGENT, unit, execution.for_unit("c", 4, 3, unit)) for unit in second.units]
    done = {"lower": StageResult(name="lower", results=ran), "raise": StageResult(name="raise", results=ran_too)}
    after = with_budgets(state, done)
    woken = next(c for c in after.ad_creatives if c.platform == "linkedin_ads")
    assert (woken.status, woken.resting) == ("active", False)
    on = {ad["provider"]: ad["status"] for ad in execution.providers.ad_campaigns()}
    assert on["linkedin_ads"] == "active"
    assert sum(standing(after).values()) <= money_a_day(state.evolve(campaign_performance=measured), standing(state))


@pytest.mark.parametrize("platforms", [["facebook"], ["facebook", "linkedin"]])
def test_a_lower_limit_is_kept_from_the_next_cycle_on(platforms: list[str]) -> None:
    execution = in_memory(7)
    state = ADS.execute(campaign(ad_platforms=platforms, budget=3000), execution)
    assert sum(standing(state).values()) > Decimal("99.9")
    limits = state.campaign_config.limits.model_copy(update={"ads": Decimal(1500)})
    config = state.campaign_config.model_copy(update={"limits": limits})
    after = AGENT.execute(state.evolve(step=3, campaign_config=config), execution)
    spent = sum((one.spend for one in after.campaign_performance.daily), Decimal(0))
    assert 1480 < spent + 23 * sum(standing(after).values()) <= 1500
    (done,) = after.actions
    assert done.status == "applied"
    if platforms == ["facebook"]:
        assert done.action.why == "less may be spent a day than before"


def test_under_a_gate_money_moves_in_steps() -> None:
    execution = in_memory(7)
    state = ADS.execute(campaign(budget=3000, approval={"gate": "ads"}), execution)
    total = sum((c.daily_budget or Decimal(0) for c in state.ad_creatives), Decimal(0))
    for step in (3, 4, 5):
        state = AGENT.execute(state.evolve(step=step), execution)
    assert len(state.actions) >= 2
    assert all(one.action.moved <= total * Decimal("0.3") + Decimal("0.01") for one in state.actions)


def test_what_was_not_lowered_is_not_given_to_others() -> None:
    execution = in_memory(7)
    state, results = ADS.execute(campaign(), execution), list[StageResult]()
    for number, name in enumerate(("measure", "insights")):
        stage = AGENT.plan(state, results)
        assert stage is not None
        assert stage.name == name
        ran = [run_unit(AGENT, unit, execution.for_unit("c", 3, number, unit)) for unit in stage.units]
        results.append(StageResult(name=name, results=ran))
    lower = AGENT.plan(state, results)
    assert lower is not None
    assert [unit.key for unit in lower.units] == ["budget:linkedin_ads"]
    refused = UnitResult(unit=lower.units[0], status=UnitStatus.FAILED, error={"message": "no"})
    results.append(StageResult(name=lower.name, results=[refused]))
    raised = AGENT.plan(state, results)
    assert raised is not None
    money = (DailyBudget.model_validate(unit.input["change"]).amount for unit in raised.units)
    assert sum(money) + Decimal("16.66") <= Decimal("34.04")  # no more than was not spent before
    results.append(StageResult(name=raised.name, results=[]))
    assert AGENT.plan(state, results) is None
    (done,) = AGENT.finish(state, results, START).actions
    assert done.status == "failed"
    assert done.failed == {"linkedin_ads": "no"}


@pytest.mark.parametrize("seed", [1, 7, 42])
@pytest.mark.parametrize("budget", [300, 1000, 10_000])
def test_a_sensible_campaign_needs_one_round_at_most(seed: int, budget: int) -> None:
    execution = in_memory(seed)
    state = campaign(budget=budget)
    for turn in range(2):
        state = ADS.execute(state.evolve(step=2 + 3 * turn), execution)
        state = AGENT.execute(state.evolve(step=3 + 3 * turn), execution)
        if (state.campaign_performance.overall_score or 0) >= 0.7:
            break
    assert (state.campaign_performance.overall_score or 0) >= 0.7


def test_two_runs_end_equal_and_a_replay_as_well() -> None:
    ends = []
    for _ in range(2):
        execution = Execution.in_memory(seed=1)
        state = ADS.execute(campaign(), execution)
        ends.append(comparable(AGENT.execute(state.evolve(step=3), execution)))
        ends.append(comparable(AGENT.execute(state.evolve(step=3), execution)))
    assert all(end == ends[0] for end in ends)


def test_without_ads_it_is_the_contents_own_score(execution: Execution) -> None:
    state = campaign(ad_platforms=[], budget=None).evolve(
        generated_content=(piece(), piece("p2", seo_score=0.3, word_count=100, checks=("too short",)))
    )
    after = AGENT.execute(state, execution)
    assert after.campaign_performance.overall_score == pytest.approx((0.93 + 0.285) / 2)
    strong, weak = after.content_performance
    assert (strong.weak, weak.weak) == (False, True)
    assert weak.reasons == ("too short",)
    (sent,) = [m for m in after.agent_messages if m.message_type is MessageType.OPTIMIZATION_SUGGESTION]
    assert sent.receiver == "content_creation"
    assert sent.payload["piece_ids"] == ["p2"]


def test_with_nothing_the_score_is_zero(execution: Execution) -> None:
    state = campaign(ad_platforms=[], budget=None)
    assert AGENT.plan(state, []) is None
    after = AGENT.execute(state, execution)
    assert after.campaign_performance.overall_score == 0.0
    assert after.content_performance == ()


def test_a_low_campaign_always_has_a_weakest_piece() -> None:
    execution = in_memory(7, {"platforms": {"*": {"quality": 0.5}}})
    state = campaign().evolve(generated_content=(piece(seo_score=1.0), piece("p2", seo_score=0.99)))
    after = AGENT.execute(ADS.execute(state, execution).evolve(step=3), execution)
    assert (after.campaign_performance.overall_score or 0) < 0.7
    assert [p.weak for p in after.content_performance] == [False, True]


def test_the_model_is_no_condition(execution: Execution) -> None:
    state = ADS.execute(campaign(), execution)
    with execution.providers.out_of_order("openai"):
        after = AGENT.execute(state.evolve(step=3), execution)
    assert after.campaign_performance.overall_score
    assert [e.provider for e in after.errors] == ["openai"]
    assert not any("[sandbox]" in text for text in after.campaign_performance.suggestions)


def test_one_report_failing_leaves_the_other(execution: Execution) -> None:
    state = ADS.execute(campaign(), execution)
    with execution.providers.out_of_order("linkedin_ads"):
        after = AGENT.execute(state.evolve(step=3), execution)
    assert [m.platform for m in after.campaign_performance.platforms] == ["facebook_ads"]
    with execution.providers.out_of_order("linkedin_ads", "facebook_ads"), pytest.raises(HopFailedError):
        AGENT.execute(state.evolve(step=4), execution)


def day(at: str, **figures: Any) -> DayReport:
    usual = {"impressions": 100, "clicks": 10, "conversions": 1, "spend": Decimal("1.50"), "currency": ""}
    return DayReport(**{"day": date.fromisoformat(at), **usual, **figures})


def test_only_the_newest_days_count() -> None:
    days = [day("2026-03-01"), day("2026-03-08"), day("2026-03-02"), day("2026-03-07", currency="EUR")]
    found = platform_metrics("facebook_ads", days, "USD")
    assert (found.days, found.impressions, found.spend, found.currency) == (3, 300, Decimal("4.50"), "EUR")
    assert (found.ctr, found.cvr, found.cpa) == (0.1, 0.1, Decimal("1.50"))


def test_the_days_of_several_ads_are_days_of_the_campaign() -> None:
    whole = [day(f"2026-03-{at:02}") for at in range(1, 10)]
    ads = [day(f"2026-03-{at:02}", ad=f"ad.{ad}") for at in range(1, 10) for ad in (1, 2)]
    one, two = platform_metrics("facebook_ads", whole, "USD"), platform_metrics("facebook_ads", ads, "USD")
    assert (one.days, two.days) == (7, 7)
    assert (two.impressions, two.clicks, two.spend) == (2 * one.impressions, 2 * one.clicks, 2 * one.spend)
    assert (two.ctr, two.cpa) == (one.ctr, one.cpa)


def test_ratios_without_a_denominator_are_none() -> None:
    empty = platform_metrics("facebook_ads", [], "USD")
    assert (empty.ctr, empty.cvr, empty.cpa, empty.score, empty.days) == (None, None, None, 0.0, 0)
    zero = platform_metrics("facebook_ads", [day("2026-03-01", clicks=0, conversions=0)], "USD")
    assert (zero.ctr, zero.cvr, zero.cpa) == (0.0, None, None)


@given(st.floats(), st.integers(-5, 10**6), st.integers(0, 5000))
def test_quality_is_a_share(seo: float, words: int, target: int) -> None:
    made = piece().model_copy(update={"seo_score": seo, "word_count": words, "target_length": target})
    assert 0.0 <= piece_quality(made) <= 1.0


def test_rules_speak_of_figures_and_fall_silent_when_they_are_good() -> None:
    shown = AdCreative(
        creative_id="1", platform="facebook_ads", headlines=("The best product!!",), call_to_action="More"
    )
    state = campaign().evolve(ad_creatives=(shown,))
    low = PlatformMetrics(
        platform="facebook_ads", impressions=1000, clicks=1, conversions=0, ctr=0.001, cvr=0.0, score=0.2
    )
    click, conversion = (s.text for s in rule_based(state, [low], []))
    assert "click rate of 0.10%" in click
    assert "conversion rate of 0.00%" in conversion
    # The rules know no rule of good text: the same figures give the same advice, whatever the ads say.
    said = shown.model_copy(update={"headlines": ("5 questions SaaS teams ask",)})
    assert rule_based(state, [low], []) == rule_based(campaign().evolve(ad_creatives=(said,)), [low], [])
    high = PlatformMetrics(
        platform="facebook_ads", impressions=1000, clicks=50, conversions=9, ctr=0.05, cvr=0.18, score=0.85
    )
    assert rule_based(state, [high], []) == []


def test_the_models_words_come_after_the_rules_and_bounded() -> None:
    rules = [Suggestion(about="facebook_ads", text="Rule.")]
    model = ModelSuggestions(
        suggestions=[
            ModelSuggestion(about="facebook_ads", text="Rule."),
            ModelSuggestion(about="mars_ads", text="  Two\nlines "),
            ModelSuggestion(about="content", text=" "),
            *(ModelSuggestion(about="content", text=f"More {i}") for i in range(20)),
        ]
    )
    found = merged(rules, model, ["facebook_ads"])
    assert found[:2] == (*rules, Suggestion(about="content", text="Two lines"))
    assert len(found) == MAX_SUGGESTIONS


def test_each_receiver_gets_its_suggestions_once(execution: Execution) -> None:
    after = AGENT.execute(ADS.execute(campaign(), execution).evolve(step=3), execution)
    unread, marked = receive(after.agent_messages, "ad_management")
    (sent,) = unread
    assert {entry["platform"] for entry in sent.payload["suggestions"]} <= {"facebook_ads", "linkedin_ads"}
    assert receive(marked, "ad_management")[0] == ()
