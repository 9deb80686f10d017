"""The agent that places ads, whole hops in one process against the sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from ad_platforms import START, ad_campaigns, campaign, fault
from agent_context import Execution, MemoryContext
from comparable import comparable
from deploying import deploy_unit

from agents.ad_management import AdManagement, specs
from agents.base import HopFailedError, stage_failure
from agents.messages import MessageType, message
from agents.ports import FixedClock
from agents.state import (
    CampaignPerformance,
    ContentPiece,
    MarketingAgentState,
    PerformanceRound,
    PlatformMetrics,
)
from agents.unit import StageResult, Unit, UnitResult, UnitStatus, effect_key
from integrations.ads.registry import platform as platform_spec
from integrations.errors import IntegrationError, OutcomeUnknownError

T = TypeVar("T")
AGENT = AdManagement()


@pytest.fixture
def execution(sandbox: Any) -> Execution:
    made = Execution.against(sandbox.url, None)
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


def test_a_hop_makes_one_running_campaign_per_platform(sandbox: Any, execution: Execution) -> None:
    after = AGENT.execute(campaign().evolve(generated_content=(piece(),)), execution)
    assert [c.platform for c in after.ad_creatives] == ["facebook_ads", "linkedin_ads"]
    for creative in after.ad_creatives:
        limits = platform_spec(creative.platform).limits
        assert creative.status == "active"
        assert creative.error is None
        assert creative.effect_key == effect_key("c1", creative.platform)
        assert creative.piece_ids == ("p1",)
        assert creative.landing_url == "https://acme.example/"
        assert limits.min_headlines <= len(creative.headlines) <= limits.max_headlines
        assert all(0 < limits.width(text) <= limits.headline_width for text in creative.headlines)
        assert all(0 < limits.width(text) <= limits.description_width for text in creative.descriptions)
        assert creative.daily_budget == Decimal("16.66")
    rows = ad_campaigns(sandbox)
    assert [(r["provider"], r["status"], r["daily_budget"]) for r in rows] == [
        ("facebook_ads", "active", "16.66"),
        ("linkedin_ads", "active", "16.66"),
    ]
    assert {r["effect_key"] for r in rows} == {c.effect_key for c in after.ad_creatives}
    assert {c.remote_ids["campaign"] for c in after.ad_creatives} == {r["id"] for r in rows}
    assert after.agent_messages[-1].payload["active"] == 2
    assert after.errors == ()


def test_the_same_campaign_ends_equal(sandbox: Any) -> None:
    ends = []
    for day in ("2026-03-01", "2026-05-09"):
        sandbox.reset(1)
        execution = Execution.against(sandbox.url, None)
        execution.clock = FixedClock(START.fromisoformat(f"{day}T00:00:00+00:00"))
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


def test_one_platform_failing_leaves_the_others(sandbox: Any, execution: Execution) -> None:
    with fault(sandbox, "linkedin_ads", "down"):
        after = AGENT.execute(campaign(), execution)
    facebook, linkedin = after.ad_creatives
    assert (facebook.status, facebook.daily_budget) == ("active", Decimal("33.33"))  # it gets what LinkedIn can't use
    assert (linkedin.status, linkedin.error, linkedin.remote_ids) == (
        "failed",
        "answered 503 to GET: Service unavailable",
        {},
    )
    assert linkedin.headlines
    assert [e.provider for e in after.errors] == ["linkedin_ads"]


def test_a_platform_that_is_not_supported_fails_visibly(execution: Execution) -> None:
    after = AGENT.execute(campaign(ad_platforms=["google", "linkedin"]), execution)
    google, linkedin = after.ad_creatives
    assert (google.platform, google.status) == ("google_ads", "failed")
    assert "not supported" in (google.error or "")
    assert (linkedin.status, linkedin.daily_budget) == ("active", Decimal("33.33"))


def test_all_failing_fails_the_hop(sandbox: Any, execution: Execution) -> None:
    sandbox.post("/_sandbox/faults", {"provider": "linkedin_ads", "mode": "down"})
    with fault(sandbox, "facebook_ads", "down"), pytest.raises(HopFailedError) as found:
        AGENT.execute(campaign(), execution)
    assert found.value.error.provider == "facebook_ads"
    assert ad_campaigns(sandbox) == []
    with pytest.raises(HopFailedError, match="not supported"):
        AGENT.execute(campaign("c2", ad_platforms=["google"]), execution)


def test_a_model_that_is_down_fails_the_hop(sandbox: Any, execution: Execution) -> None:
    with fault(sandbox, "openai", "down"), pytest.raises(HopFailedError) as found:
        AGENT.execute(campaign(), execution)
    assert found.value.error.provider == "openai"


def test_a_later_round_updates_the_same_campaigns(sandbox: Any, execution: Execution) -> None:
    first = AGENT.execute(campaign(), execution)
    made = ad_campaigns(sandbox)
    second = AGENT.execute(suggested(first), execution)
    assert [(r["id"], r["status"]) for r in ad_campaigns(sandbox)] == [(r["id"], r["status"]) for r in made]
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
    assert len(ad_campaigns(sandbox)) == 2
    assert third.ad_creatives[0].status == "active"


def test_what_runs_goes_on_when_its_update_fails(sandbox: Any, execution: Execution) -> None:
    first = AGENT.execute(campaign(), execution)
    sandbox.post("/_sandbox/faults", {"provider": "linkedin_ads", "mode": "down"})
    with fault(sandbox, "facebook_ads", "down"):
        second = AGENT.execute(suggested(first), execution)
    for before, after in zip(first.ad_creatives, second.ad_creatives, strict=True):
        assert after == before.model_copy(update={"error": after.error})
        assert after.error
    assert len(second.errors) == 2
    with fault(sandbox, "openai", "down"):
        third = AGENT.execute(suggested(first.evolve(campaign_id="c1")).evolve(step=9), execution)
    assert [c.revision for c in third.ad_creatives] == [1, 1]


def test_a_person_who_paused_an_ad_is_respected(sandbox: Any, execution: Execution) -> None:
    first = AGENT.execute(campaign(), execution)
    platform = execution.providers.ads("facebook_ads")
    remote = platform.get(first.ad_creatives[0].remote_ids["campaign"], wire=lambda send: send(5.0))
    platform.pause(remote, wire=lambda send: send(5.0))
    second = AGENT.execute(suggested(first), execution)
    assert [c.status for c in second.ad_creatives] == ["paused", "active"]
    assert [r["status"] for r in ad_campaigns(sandbox)] == ["paused", "active"]


def test_a_fork_leaves_its_parents_ads_alone(sandbox: Any, execution: Execution) -> None:
    parent = AGENT.execute(campaign(), execution)
    fork = AGENT.execute(suggested(parent).evolve(campaign_id="fork"), execution)
    assert len(ad_campaigns(sandbox)) == 4
    for theirs, ours in zip(parent.ad_creatives, fork.ad_creatives, strict=True):
        assert theirs.remote_ids["campaign"] != ours.remote_ids["campaign"]
        assert ours.effect_key == effect_key("fork", ours.platform)


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


def test_a_schedule_that_is_over_is_refused(sandbox: Any, execution: Execution) -> None:
    execution.clock.at = START.replace(month=6)
    with pytest.raises(HopFailedError, match="the end is not after the start"):
        AGENT.execute(campaign(), execution)
    assert ad_campaigns(sandbox) == []


def measured(state: MarketingAgentState, facebook: int, linkedin: int) -> MarketingAgentState:
    figures = tuple(
        PlatformMetrics(platform=name, days=7, clicks=100, conversions=conversions, spend=Decimal(115))
        for name, conversions in (("facebook_ads", facebook), ("linkedin_ads", linkedin))
    )
    rounds = (PerformanceRound(step=3, overall_score=0.5, platforms=figures),)
    return state.evolve(campaign_performance=CampaignPerformance(rounds=rounds), step=5)


def test_budget_moves_to_what_works_lowering_first(sandbox: Any, execution: Execution) -> None:
    first = AGENT.execute(campaign(), execution)
    execution.units.clear()
    second = AGENT.execute(measured(first, 30, 2), execution)
    assert [u.key for u in execution.units if u.effect] == ["deploy:linkedin_ads", "deploy:facebook_ads"]
    assert [c.daily_budget for c in second.ad_creatives] == [Decimal("21.66"), Decimal("11.66")]
    assert {r["daily_budget"] for r in ad_campaigns(sandbox)} == {"21.66", "11.66"}
    assert [c.revision for c in second.ad_creatives] == [1, 1]  # the texts are the same


def test_what_was_not_lowered_is_not_given_away(sandbox: Any, execution: Execution) -> None:
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
    assert sum(Decimal(r["daily_budget"]) for r in ad_campaigns(sandbox)) <= Decimal("33.33")
    assert [c.daily_budget for c in after.ad_creatives] == [Decimal("16.67"), Decimal("16.66")]
    assert after.ad_creatives[1].error == "down"


@pytest.mark.parametrize(
    ("limits", "daily"),
    [({}, "16.66"), ({"ads": 1000}, "16.66"), ({"ads_per_day": 10}, "5.00"), ({"ads_per_day": 100}, "16.66")],
)
def test_caps_hold(limits: dict[str, int], daily: str) -> None:
    found = specs.budgets(campaign(limits=limits), ("facebook_ads", "linkedin_ads"))
    assert found == {"facebook_ads": Decimal(daily), "linkedin_ads": Decimal(daily)}


def test_banned_words_and_missing_brands(execution: Execution) -> None:
    after = AGENT.execute(
        campaign(brand={"banned_words": ["saas"], "product": "Flow"}, ad_platforms=["facebook"]), execution
    )
    (creative,) = after.ad_creatives
    assert creative.landing_url == specs.DEFAULT_LANDING_URL
    assert "saas" not in " ".join((*creative.headlines, *creative.descriptions)).lower()
    assert creative.headlines


def test_no_personal_data_reaches_the_model(execution: Execution) -> None:
    from agents.state import Lead

    lead = Lead(lead_id="1", email="jane@example.com", name="Jane Doe", score=1.0)
    AGENT.execute(campaign().evolve(leads=(lead,), qualified_leads=(lead,)), execution)
    for unit in execution.units:
        assert "jane" not in json.dumps(dict(unit.input)).lower()
        assert json.loads(json.dumps(dict(unit.input))) == dict(unit.input)
