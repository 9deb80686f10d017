"""The agent that places ads, whole hops in one process with ad platforms in memory."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from ad_platforms import START, campaign, without_client
from agent_context import Execution
from comparable import comparable

from agents.ad_management import AdManagement, daily_budgets, specs
from agents.ad_management.creative import texts
from agents.ad_management.deployment import DEPLOY, VALIDATE
from agents.ad_management.units import Deploy, Validate
from agents.ad_management.written import WrittenAd, WrittenCreative
from agents.angles.angle import Angle
from agents.base import HopFailedError, run_unit, stage_failure
from agents.contacts import KnownContacts, foreign_contacts
from agents.messages import MessageType, message
from agents.ports import FixedClock
from agents.state import (
    AdDay,
    CampaignPerformance,
    ContentPiece,
    Lead,
    MarketingAgentState,
)
from agents.unit import StageResult, UnitResult, UnitStatus, effect_key
from integrations.ads.registry import platform as platform_spec

AGENT = AdManagement()


@pytest.fixture
def execution() -> Execution:
    made = Execution.in_memory()
    made.clock = FixedClock(START)
    return made


def suggested(state: MarketingAgentState, text: str = "Put a number into the headline.") -> MarketingAgentState:
    sent = message(
        sender="analytics",
        receiver="ad_management",
        message_type=MessageType.OPTIMIZATION_SUGGESTION,
        payload={"suggestions": [{"platform": "facebook_ads", "text": text}, {"platform": "", "text": "Be brief."}]},
        correlation_id="c1/3",
        now=START,
        ordinal=len(state.agent_messages),
    )
    return state.evolve(agent_messages=(*state.agent_messages, sent), step=5)


def piece(**changes: Any) -> ContentPiece:
    fields: dict[str, Any] = {
        "piece_id": "p1",
        "content_type": "blog_post",
        "topic": "billing",
        "title": "Billing that scales: what a growing SaaS company has to know before it is too late",
        "body": "…",
        "keywords": ("saas billing",),
    }
    return ContentPiece(**{**fields, **changes})


def test_a_hop_makes_one_running_campaign_per_platform(execution: Execution) -> None:
    after = AGENT.execute(campaign().evolve(generated_content=(piece(),)), execution)
    assert [c.platform for c in after.ad_creatives] == ["facebook_ads", "linkedin_ads"]
    for creative in after.ad_creatives:
        limits = platform_spec(creative.platform).limits
        assert creative.status == "active"
        assert creative.error is None
        assert creative.effect_key == effect_key("c1", creative.platform)
        assert creative.piece_ids == ("p1",)
        page = f"https://acme.example/?utm_source={creative.platform.removesuffix('_ads')}"
        assert creative.landing_url == f"{page}&utm_medium=paid&utm_campaign=saas-launch-c1"
        assert limits.min_headlines <= len(creative.headlines) <= limits.max_headlines
        assert all(0 < limits.width(text) <= limits.headline_width for text in creative.headlines)
        assert all(0 < limits.width(text) <= limits.description_width for text in creative.descriptions)
        assert creative.daily_budget == Decimal("16.66")
    rows = execution.providers.ad_campaigns()
    assert [(r["provider"], r["status"], r["daily_budget"]) for r in rows] == [
        ("facebook_ads", "active", "16.66"),
        ("linkedin_ads", "active", "16.66"),
    ]
    assert {r["effect_key"] for r in rows} == {c.effect_key for c in after.ad_creatives}
    assert {c.remote_ids["campaign"] for c in after.ad_creatives} == {r["id"] for r in rows}
    assert after.agent_messages[-1].payload["active"] == 2
    assert after.errors == ()


def creative(*headlines: str, action: str = "Learn more") -> dict[str, Any]:
    angles = list(Angle)
    ads = [
        {"angle": angle, "headlines": [text], "descriptions": ["A plan."]}
        for angle, text in zip(angles, headlines, strict=False)
    ]
    return {"ads": ads, "call_to_action": action}


def test_an_ad_with_a_foreign_contact_is_asked_again_and_then_cut(execution: Execution) -> None:
    execution.providers.models.answer = lambda asked: creative(
        "One plan", "Call 0171 2345678", "Ask at evil\u3002example", action="Visit bit.ly/x"
    )
    after = AGENT.execute(campaign(), execution)
    assert execution.calls.count("openai") == 2 * 3
    again = execution.providers.models.requests[1].messages[-1]["content"]
    assert "ads.1.headlines.0 names what the brief lacks: a telephone number that ends in 78" in again
    for made in after.ad_creatives:
        said = " ".join((*made.headlines, *made.descriptions, made.call_to_action))
        assert made.status == "active"
        assert "One plan" in made.headlines
        assert not any(word in said for word in ("0171", "evil", "bit.ly"))


def test_an_ad_of_nothing_but_foreign_contacts_reaches_no_platform(execution: Execution) -> None:
    execution.providers.models.answer = lambda asked: creative("Go to evil.example", "evil [dot] com")
    with pytest.raises(HopFailedError, match="names what the brief lacks"):
        AGENT.execute(campaign(), execution)
    assert execution.providers.ad_campaigns() == []


def test_plain_words_that_fill_up_an_ad_bring_no_foreign_contact() -> None:
    bad = piece(title="Evil.com, the best", meta_description="Call 0171 2345678", call_to_action="DM @evil_support")
    ad = WrittenAd(angle=Angle.NUMBER, headlines=["One plan"], descriptions=["A plan."])
    asked = WrittenCreative(ads=[ad], call_to_action="evil [dot] com")
    made = texts(asked, campaign().evolve(generated_content=(bad,)), "google_ads")
    assert len(made.headlines) == 3
    assert not foreign_contacts("\n".join((*made.headlines, *made.descriptions, made.call_to_action)), KnownContacts())


def test_no_text_of_whatever_source_reaches_a_platform_with_a_foreign_contact(execution: Execution) -> None:
    written = AGENT.plan(campaign(), [])
    assert written is not None
    creatives = StageResult(
        name="creatives", results=[run_unit(AGENT, u, execution.for_unit("c", 0, 0, u)) for u in written.units]
    )
    stage = AGENT.plan(campaign(), [creatives])
    assert stage is not None
    given = Validate.model_validate(stage.units[0].input)
    edited = given.model_copy(update={"spec": given.spec.model_copy(update={"headlines": ("evil.com", "b", "c")})})
    for kind, value in ((VALIDATE, edited), (DEPLOY, Deploy(**dict(edited)))):
        unit = kind.unit("x", value, provider=given.platform, effect_key="k" if kind is DEPLOY else None)
        result = run_unit(AGENT, unit, execution.for_unit("c", 0, 1, unit))
        assert "the ad is not sent: headlines names what the brief lacks" in str((result.error or {})["message"])
    assert execution.providers.ad_campaigns() == []


def test_the_same_campaign_ends_equal() -> None:
    ends = []
    for day in ("2026-03-01", "2026-05-09"):
        execution = Execution.in_memory(seed=1)
        execution.clock = FixedClock(datetime.fromisoformat(f"{day}T00:00:00+00:00"))
        ends.append(comparable(AGENT.execute(campaign(schedule={"days": 100}), execution)))
    assert ends[0] == ends[1]


def test_planning_is_deterministic_and_a_replay_pays_nothing(execution: Execution) -> None:
    state = campaign()
    first = AGENT.execute(state, execution)
    calls = list(execution.calls)
    asked = execution.calls.count("openai")
    again = AGENT.execute(state, execution)  # the journals are still there
    assert comparable(again) == comparable(first)
    assert execution.calls[len(calls) :].count("openai") == 0
    assert asked == 2
    assert AGENT.plan(state, []) == AGENT.plan(state, [])


def test_without_platforms_there_is_nothing_to_do(execution: Execution) -> None:
    state = campaign(ad_platforms=[], budget=None)
    assert AGENT.plan(state, []) is None
    assert AGENT.execute(state, execution).ad_creatives == ()
    assert execution.calls == []


def test_one_platform_failing_leaves_the_others(execution: Execution) -> None:
    with execution.providers.out_of_order("linkedin_ads"):
        after = AGENT.execute(campaign(), execution)
    facebook, linkedin = after.ad_creatives
    assert (facebook.status, facebook.daily_budget) == ("active", Decimal("33.33"))  # it gets what LinkedIn can't use
    assert (linkedin.status, linkedin.error, linkedin.remote_ids) == ("failed", "is down", {})
    assert linkedin.headlines
    assert [e.provider for e in after.errors] == ["linkedin_ads"]


def test_a_platform_that_is_not_supported_fails_visibly(execution: Execution, monkeypatch: pytest.MonkeyPatch) -> None:
    without_client(monkeypatch, "google_ads")
    after = AGENT.execute(campaign(ad_platforms=["google", "linkedin"]), execution)
    google, linkedin = after.ad_creatives
    assert (google.platform, google.status) == ("google_ads", "failed")
    assert "not supported" in (google.error or "")
    assert (linkedin.status, linkedin.daily_budget) == ("active", Decimal("33.33"))


def test_all_failing_fails_the_hop(execution: Execution, monkeypatch: pytest.MonkeyPatch) -> None:
    without_client(monkeypatch, "google_ads")
    broken = execution.providers.out_of_order("linkedin_ads", "facebook_ads")
    with broken, pytest.raises(HopFailedError) as found:
        AGENT.execute(campaign(), execution)
    assert found.value.error.provider == "facebook_ads"
    assert execution.providers.ad_campaigns() == []
    with pytest.raises(HopFailedError, match="not supported"):
        AGENT.execute(campaign("c2", ad_platforms=["google"]), execution)


def test_a_model_that_is_down_fails_the_hop(execution: Execution) -> None:
    with execution.providers.out_of_order("openai"), pytest.raises(HopFailedError) as found:
        AGENT.execute(campaign(), execution)
    assert found.value.error.provider == "openai"


def test_a_later_round_updates_the_same_campaigns(execution: Execution) -> None:
    first = AGENT.execute(campaign(), execution)
    made = execution.providers.ad_campaigns()
    second = AGENT.execute(suggested(first), execution)
    now = execution.providers.ad_campaigns()
    assert [(r["id"], r["status"]) for r in now] == [(r["id"], r["status"]) for r in made]
    for before, after in zip(first.ad_creatives, second.ad_creatives, strict=True):
        assert (after.creative_id, after.revision, after.status) == (before.creative_id, 2, "active")
        assert after.remote_ids["campaign"] == before.remote_ids["campaign"]
        assert after.headlines != before.headlines
        assert after.content_hash != before.content_hash
        assert any(c.isdigit() for c in "".join(after.headlines))
    asked = [u for u in execution.units if u.key == "creative:facebook_ads"][-1]
    assert "Put a number into the headline." in asked.input["prompt"]
    assert "Put a number" not in [u for u in execution.units if u.key == "creative:linkedin_ads"][-1].input["prompt"]
    third = AGENT.execute(second.evolve(step=8), execution)  # suggestions are read once
    assert "Put a number" not in [u for u in execution.units if u.kind == "write_creative"][-2].input["prompt"]
    assert len(execution.providers.ad_campaigns()) == 2
    assert third.ad_creatives[0].status == "active"


def test_what_runs_goes_on_when_its_update_fails(execution: Execution) -> None:
    first = AGENT.execute(campaign(), execution)
    with execution.providers.out_of_order("linkedin_ads", "facebook_ads"):
        second = AGENT.execute(suggested(first), execution)
    for before, after in zip(first.ad_creatives, second.ad_creatives, strict=True):
        assert after == before.model_copy(update={"error": after.error})
        assert after.error
    assert len(second.errors) == 2
    with execution.providers.out_of_order("linkedin_ads", "openai"):
        third = AGENT.execute(suggested(first.evolve(campaign_id="c1")).evolve(step=9), execution)
    assert [c.revision for c in third.ad_creatives] == [1, 1]


def test_a_person_who_paused_an_ad_is_respected(execution: Execution) -> None:
    first = AGENT.execute(campaign(), execution)
    platform = execution.providers.ads("facebook_ads")
    remote = platform.get(first.ad_creatives[0].remote_ids["campaign"], wire=lambda send: send(5.0))
    platform.pause(remote, wire=lambda send: send(5.0))
    second = AGENT.execute(suggested(first), execution)
    assert [c.status for c in second.ad_creatives] == ["paused", "active"]
    assert [r["status"] for r in execution.providers.ad_campaigns()] == ["paused", "active"]


def test_a_fork_leaves_its_parents_ads_alone(execution: Execution) -> None:
    parent = AGENT.execute(campaign(), execution)
    fork = AGENT.execute(suggested(parent).evolve(campaign_id="fork"), execution)
    assert len(execution.providers.ad_campaigns()) == 4
    for theirs, ours in zip(parent.ad_creatives, fork.ad_creatives, strict=True):
        assert theirs.remote_ids["campaign"] != ours.remote_ids["campaign"]
        assert ours.effect_key == effect_key("fork", ours.platform)


def test_a_schedule_that_is_over_is_refused(execution: Execution) -> None:
    execution.clock.at = START.replace(month=6)
    with pytest.raises(HopFailedError, match="the end is not after the start"):
        AGENT.execute(campaign(), execution)
    assert execution.providers.ad_campaigns() == []


def measured(state: MarketingAgentState, facebook: int, linkedin: int) -> MarketingAgentState:
    days = tuple(
        AdDay(
            platform=name,
            revision=1,
            day=date(2026, 1, day),
            impressions=1000,
            clicks=100,
            conversions=conversions,
            spend=Decimal("16.50"),
        )
        for name, conversions in (("facebook_ads", facebook), ("linkedin_ads", linkedin))
        for day in range(1, 8)
    )
    return state.evolve(campaign_performance=CampaignPerformance(overall_score=0.5, daily=days), step=5)


def test_budget_moves_to_what_works_lowering_first(execution: Execution) -> None:
    first = AGENT.execute(campaign(), execution)
    execution.units.clear()
    second = AGENT.execute(measured(first, 30, 2), execution)
    assert [u.key for u in execution.units if u.effect] == ["deploy:linkedin_ads", "deploy:facebook_ads"]
    assert [c.daily_budget for c in second.ad_creatives] == [Decimal("23.32"), Decimal("10.00")]  # the least there
    assert {r["daily_budget"] for r in execution.providers.ad_campaigns()} == {"23.32", "10.00"}
    assert [c.revision for c in second.ad_creatives] == [2, 2]  # the model tries another angle


def test_what_was_not_lowered_is_not_given_away(execution: Execution) -> None:
    first = AGENT.execute(campaign(), execution)
    state = measured(first, 30, 2)
    results: list[StageResult] = []
    while (stage := AGENT.plan(state, results)) is not None:
        done = []
        for unit in stage.units:
            if unit.key == "deploy:linkedin_ads":
                error = {"code": "transient", "provider": "linkedin_ads", "message": "down"}
                done.append(UnitResult(unit=unit, status=UnitStatus.FAILED, error=error))
            else:
                output = AGENT.run(unit, execution.for_unit("c1", 5, len(results), unit))
                done.append(UnitResult(unit=unit, status=UnitStatus.SUCCEEDED, output=output))
        results.append(StageResult(name=stage.name, results=done))
        assert stage_failure("ad_management", 5, results[-1], START) is None
    after = AGENT.finish(state, results, START)
    assert [stage.name for stage in results] == ["creatives", "validate", "deploy", "raise"]
    assert sum(Decimal(r["daily_budget"]) for r in execution.providers.ad_campaigns()) <= Decimal("33.33")
    assert [c.daily_budget for c in after.ad_creatives] == [Decimal("16.67"), Decimal("16.66")]
    assert after.ad_creatives[1].error == "down"


@pytest.mark.parametrize(
    ("limits", "daily"),
    [({}, "16.66"), ({"ads": 1000}, "16.66"), ({"ads_per_day": 10}, "5.00"), ({"ads_per_day": 100}, "16.66")],
)
def test_caps_hold(limits: dict[str, int], daily: str) -> None:
    found = daily_budgets.budgets(campaign(limits=limits), ("facebook_ads", "linkedin_ads"))
    assert found == {"facebook_ads": Decimal(daily), "linkedin_ads": Decimal(daily)}


def test_banned_words_and_missing_brands(execution: Execution) -> None:
    after = AGENT.execute(
        campaign(brand={"banned_words": ["saas"], "product": "Flow"}, ad_platforms=["facebook"]), execution
    )
    (creative,) = after.ad_creatives
    assert creative.landing_url.partition("?")[0] == specs.SANDBOX_LANDING_URL
    assert "saas" not in " ".join((*creative.headlines, *creative.descriptions)).lower()
    assert creative.headlines


def test_no_personal_data_reaches_the_model(execution: Execution) -> None:
    lead = Lead(lead_id="1", email="jane@example.com", name="Jane Doe", score=1.0)
    AGENT.execute(campaign().evolve(leads=(lead,), qualified_leads=(lead,)), execution)
    for unit in execution.units:
        assert "jane" not in json.dumps(dict(unit.input)).lower()
        assert json.loads(json.dumps(dict(unit.input))) == dict(unit.input)
