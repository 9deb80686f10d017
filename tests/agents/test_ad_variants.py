"""Variants over rounds: three angles, the best stays beside new texts, and the writer is told what was learned."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from ad_platforms import START, campaign
from agent_context import Execution

from agents.ad_management import AdManagement, specs
from agents.ad_management.creative import texts
from agents.ad_management.variants import variants
from agents.ad_management.written import WrittenAd, WrittenCreative
from agents.analytics import Analytics
from agents.analytics.analysis import _unclear, effect_of_texts
from agents.angles.angle import Angle
from agents.config import CampaignConfig
from agents.content_creation import ContentCreation
from agents.ports import FixedClock
from agents.state import AdCreative, AdDay, CampaignPerformance, MarketingAgentState, PerformanceRound, PlatformMetrics

AGENT, ANALYTICS = AdManagement(), Analytics()


@pytest.fixture
def execution() -> Execution:
    made = Execution.in_memory(seed=7)
    made.clock = FixedClock(START)
    return made


def figures(
    state: MarketingAgentState, clicks: dict[int, int], *, platform: str = "facebook_ads", first: int = 0, days: int = 7
) -> tuple[AdDay, ...]:
    """Days on which each ad of a platform, by its number, had so many clicks for the same money."""
    creative = next(one for one in state.ad_creatives if one.platform == platform)
    return tuple(
        AdDay(
            platform=platform,
            revision=creative.revision,
            ad=f"ad.{number}",
            angle=creative.angles[number - 1],
            day=date(2026, 3, 1) + timedelta(first + day),
            impressions=2000,
            clicks=each,
            conversions=each // 12,
            spend=Decimal(20),
        )
        for number, each in clicks.items()
        for day in range(days)
    )


def measured(state: MarketingAgentState, *days: tuple[AdDay, ...], step: int = 5) -> MarketingAgentState:
    before = state.campaign_performance
    performance = CampaignPerformance(
        overall_score=0.5, daily=(*before.daily, *(one for each in days for one in each)), rounds=before.rounds
    )
    return state.evolve(campaign_performance=performance, step=step)


def prompt(execution: Execution, platform: str) -> str:
    (*_, unit) = [unit for unit in execution.units if unit.key == f"creative:{platform}"]
    return str(unit.input["prompt"])


def asked(execution: Execution, platform: str) -> dict[str, Any]:
    """The part of the newest brief that is our own."""
    found: dict[str, Any] = json.loads(prompt(execution, platform).split("```json\n")[1].split("\n```")[0])
    return found


def test_each_platform_begins_with_three_angles(execution: Execution) -> None:
    after = AGENT.execute(campaign(), execution)
    assert [len(set(one.angles)) for one in after.ad_creatives] == [3, 3]
    assert not set(after.ad_creatives[0].angles) & set(after.ad_creatives[1].angles)
    for one in after.ad_creatives:
        assert one.control is None
        assert len(one.headlines) == len(one.descriptions) == 3
        assert [entry["angle"] for entry in asked(execution, one.platform)["ads"]] == list(one.angles)
    for number, angle in enumerate(after.ad_creatives[0].angles):
        if angle == Angle.QUESTION:
            assert after.ad_creatives[0].headlines[number].endswith("?")


def test_days_are_known_by_the_angle_of_their_ad(execution: Execution) -> None:
    state = AGENT.execute(campaign(), execution)
    days = ANALYTICS.execute(state.evolve(step=3), execution).campaign_performance.daily
    for one in state.ad_creatives:
        found = {(day.ad.rpartition(".")[2], day.angle) for day in days if day.platform == one.platform}
        assert found == {(str(number), angle) for number, angle in enumerate(one.angles, start=1)}, one.platform


def test_the_best_ad_stays_beside_the_new_ones(execution: Execution) -> None:
    first = AGENT.execute(campaign(), execution)
    facebook, linkedin = first.ad_creatives
    state = measured(
        first, figures(first, {1: 10, 2: 30, 3: 12}), figures(first, {1: 9, 2: 9, 3: 12}, platform="linkedin_ads")
    )
    second = AGENT.execute(state, execution)
    for before, after, best in zip(first.ad_creatives, second.ad_creatives, (1, 2), strict=True):
        assert (after.headlines[0], after.descriptions[0]) == (before.headlines[best], before.descriptions[best])
        assert (after.angles[0], after.control, after.revision) == (before.angles[best], 1, 2)
        assert len(after.angles) == len(set(after.headlines)) == 3
    assert linkedin.headlines[2] in prompt(execution, "linkedin_ads").split('"stays"')[1]
    said = asked(execution, "facebook_ads")["learned"]
    assert {one["angle"] for one in said} == {*facebook.angles, *linkedin.angles}
    assert (said[0]["angle"], said[0]["verdict"]) == (facebook.angles[1], "won")


def test_an_ad_of_several_headlines_stays_whole() -> None:
    state = campaign(ad_platforms=["google"])
    answer = WrittenCreative(
        ads=[
            WrittenAd(
                angle=angle,
                headlines=[f"{angle} {word}" for word in ("one", "two", "three", "four")],
                descriptions=[f"About {angle}.", f"More on {angle}."],
            )
            for angle in Angle
        ],
        call_to_action="Learn more",
    )
    first = texts(answer, state, "google_ads")
    assert (len(first.headlines), len(first.descriptions), len(first.angles)) == (12, 6, 3)
    made = specs.spec(state, "google_ads", first, Decimal(20))
    assert made.combined == 3
    assert [heads[0].split()[0] for heads, _ in made.combinations()] == list(first.angles)
    running = AdCreative(
        creative_id="1",
        platform="google_ads",
        headlines=first.headlines,
        descriptions=first.descriptions,
        angles=first.angles,
        remote_ids={"campaign": "1", "ad.1": "1~1"},
    )
    state = state.evolve(ad_creatives=(running,))
    state = measured(state, figures(state, {1: 9, 2: 9, 3: 20}, platform="google_ads"))
    second = texts(answer, state, "google_ads")
    assert (second.headlines[:4], second.descriptions[:2]) == (first.headlines[8:], first.descriptions[4:])
    assert (second.angles[0], second.control, len(second.angles)) == (first.angles[2], 1, 3)


def test_without_figures_the_first_ad_stays_and_no_paused_or_refused_one(execution: Execution) -> None:
    state = AGENT.execute(campaign(ad_platforms=["facebook"]), execution)
    (creative,) = state.ad_creatives

    def stays(state: MarketingAgentState) -> str:
        found = variants(state, "facebook_ads").control
        return found.angle if found else ""

    assert stays(state) == creative.angles[0]
    paused = state.evolve(ad_creatives=(creative.model_copy(update={"paused_ads": ("ad.1",)}),))
    assert stays(paused) == creative.angles[1]
    metrics = PlatformMetrics(platform="facebook_ads", refused={"ad.2": "no"})
    refused = paused.evolve(campaign_performance=CampaignPerformance(platforms=(metrics,)))
    assert stays(refused) == creative.angles[2]
    brand = state.campaign_config.brand.model_copy(update={"banned_words": (creative.headlines[0].split()[0],)})
    config: CampaignConfig = state.campaign_config.model_copy(update={"brand": brand})
    assert stays(state.evolve(campaign_config=config)) != creative.angles[0]
    assert stays(state.evolve(ad_creatives=(creative.model_copy(update={"remote_ids": {}}),))) == ""


def test_an_answer_without_a_new_ad_changes_nothing(execution: Execution) -> None:
    state = AGENT.execute(campaign(ad_platforms=["facebook"]), execution)
    (creative,) = state.ad_creatives
    same = WrittenAd(angle=Angle.PRICE, headlines=[creative.headlines[0]], descriptions=["Something else."])
    found = texts(WrittenCreative(ads=[same], call_to_action="Buy"), state, "facebook_ads")
    assert (found.headlines, found.descriptions, found.angles) == (
        creative.headlines,
        creative.descriptions,
        creative.angles,
    )
    assert (found.call_to_action, found.control) == (creative.call_to_action, None)


def rewritten(execution: Execution, platforms: tuple[str, ...] = ("facebook",)) -> MarketingAgentState:
    first = AGENT.execute(campaign(ad_platforms=list(platforms), goal="traffic"), execution)
    return AGENT.execute(measured(first, figures(first, {1: 60, 2: 10, 3: 10})), execution)


def test_new_texts_are_measured_against_the_one_that_stayed(execution: Execution) -> None:
    """The week before was far better for all: that is no fault of the new texts."""
    state = rewritten(execution)
    effect = effect_of_texts(
        state, (*state.campaign_performance.daily, *figures(state, {1: 10, 2: 14, 3: 14}, first=7))
    )
    assert effect is not None
    assert (effect.of, effect.control, effect.verdict) == ({"facebook_ads": 2}, True, "improved")
    bad = effect_of_texts(state, (*state.campaign_performance.daily, *figures(state, {1: 14, 2: 9, 3: 9}, first=7)))
    assert bad is not None
    assert bad.verdict == "worsened"


def test_every_look_adds_to_the_comparison_and_it_is_one_change(execution: Execution) -> None:
    state, widths = rewritten(execution), []
    for look in range(3):
        state = measured(state, figures(state, {1: 10, 2: 11, 3: 11}, first=7 + 7 * look), step=8 + look)
        effect = effect_of_texts(state, state.campaign_performance.daily)
        assert effect is not None
        assert effect.of == {"facebook_ads": 2}
        widths.append(effect.high - effect.low)
        done = PerformanceRound(step=state.step, overall_score=0.5, effect=effect)
        rounds = (*state.campaign_performance.rounds, done)
        state = state.evolve(campaign_performance=state.campaign_performance.model_copy(update={"rounds": rounds}))
    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == 3
    assert _unclear(state.campaign_performance.rounds) == 1


def test_content_is_told_the_angle_that_won_and_nothing_before(execution: Execution) -> None:
    writer = ContentCreation()
    wanted = [{"content_type": "blog_post", "topic": "billing"}]
    state = AGENT.execute(campaign(ad_platforms=["facebook"], content_requirements=wanted), execution)

    def said(state: MarketingAgentState) -> str:
        execution.units.clear()
        writer.execute(state, execution)
        return "".join(str(unit.input["brief"].get("ads_won_with")) for unit in execution.units if unit.kind == "write")

    even, clear = ({1: 10, 2: 10, 3: 10}, {1: 10, 2: 30, 3: 10})
    assert said(measured(state, figures(state, even))) == "None"
    assert said(measured(state, figures(state, clear))).startswith(f"{state.ad_creatives[0].angles[1]}: ")
