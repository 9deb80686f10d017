"""What the loop recommends: wasted searches, the model's proposals, what actions have done, and who has to agree."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from ad_platforms import START, campaign
from agent_context import Execution

from agents.action_log import ActionRecord
from agents.actions import Action, ChangeBid, NegativeKeyword, NewVariant, PauseAd, WidenAudience
from agents.ad_management import AdManagement
from agents.analytics.action_effects import with_effects
from agents.analytics.action_limits import problem, undo_problem
from agents.analytics.action_units import change_of, negative_words
from agents.analytics.new_variants import wanted
from agents.analytics.optimization import generate_optimization_recommendations, optimized
from agents.analytics.proposals import Proposal, taken
from agents.analytics.suggestions import ModelSuggestions
from agents.analytics.wasted_searches import wasted
from agents.ports import FixedClock
from agents.state import AdDay, CampaignPerformance, MarketingAgentState, PlatformMetrics
from agents.wanted import Counted
from integrations.ads.search_term import SearchTerm

NOW = datetime(2026, 3, 9, tzinfo=UTC)
FACEBOOK = "facebook_ads"
AUDIENCE = {"industry": "saas", "locations": ["Germany"]}


def placed(**changes: Any) -> MarketingAgentState:
    execution = Execution.in_memory(seed=7)
    execution.clock = FixedClock(START)
    given = {
        "target_audience": AUDIENCE,
        "ad_platforms": ["facebook"],
        "budget": 3000,
        "optimize_every": "7d",
        **changes,
    }
    return AdManagement().execute(campaign(**given), execution)


def days(clicks: int, first: int, count: int, ad: str = "ad.1") -> list[AdDay]:
    return [
        AdDay(
            platform=FACEBOOK,
            revision=1,
            ad=ad,
            day=date(2026, 3, 1) + timedelta(first + n),
            impressions=2000,
            clicks=clicks,
            conversions=clicks // 10,
            spend=Decimal(30),
        )
        for n in range(count)
    ]


def record(action: Action, seen: int = 6, **more: Any) -> ActionRecord:
    given = {"action_id": "a1", "step": 3, "at": NOW, "done": (FACEBOOK,), **more}
    return ActionRecord(action=action, seen={FACEBOOK: date(2026, 3, 1) + timedelta(seen)}, **given)


# --- searches that waste money --------------------------------------------------------------------------------------


def term(text: str, clicks: int, conversions: int, spend: int = 500) -> SearchTerm:
    return SearchTerm(text=text, impressions=clicks * 20, clicks=clicks, conversions=conversions, spend=Decimal(spend))


GOOD = term("crm software", 1000, 60)


def test_a_search_that_never_converts_is_excluded() -> None:
    found = wasted("google_ads", [GOOD, term("crm software free", 200, 0)], Decimal(50), (), ())
    assert found is not None
    assert found.words == ("[crm software free]",)
    assert "200 clicks for 500.00 brought 0 conversions" in found.why


@pytest.mark.parametrize(
    ("terms", "kept", "excluded"),
    [
        ([GOOD, term("crm free", 30, 0)], (), ()),  # too few clicks to tell
        ([GOOD, term("crm free", 200, 0, spend=40)], (), ()),  # has not cost what a result may cost
        ([GOOD, term("crm free", 200, 10)], (), ()),  # converts nearly as well
        ([GOOD, term("crm free", 200, 0)], ("crm free",), ()),  # a keyword of the campaign's own
        ([GOOD, term("crm free", 200, 0)], (), ("[crm free]",)),  # excluded already
        ([term("crm free", 900, 0), term("crm", 100, 9)], (), ()),  # most of the clicks there are
        ([term("crm free", 900, 0)], (), ()),  # nothing to compare it with
        ([], (), ()),
    ],
)
def test_other_searches_are_left_alone(terms: list[SearchTerm], kept: Sequence[str], excluded: Sequence[str]) -> None:
    assert wasted("google_ads", terms, Decimal(50), kept, excluded) is None


def test_negative_keywords_add_up() -> None:
    state = placed(target_audience={"industry": "saas", "keywords": ["crm", "-jobs"]})
    done = record(NegativeKeyword(platform=FACEBOOK, words=("[free]",)))
    state = state.evolve(actions=(done, done.model_copy(update={"undone_at": NOW, "action_id": "a2"})))
    assert negative_words(state, FACEBOOK) == ("jobs", "[free]")
    change = change_of(state, NegativeKeyword(platform=FACEBOOK, words=("[cheap]", "[free]")))
    assert change.words == ("jobs", "[free]", "[cheap]")  # type: ignore[union-attr]


# --- the model's proposals -------------------------------------------------------------------------------------------


def proposal(**more: Any) -> Proposal:
    given = {"platform": FACEBOOK, "locations": ["Germany"], "industries": ["software"], "why": "More people.", **more}
    return Proposal(kind="widen_audience", **given)


def low(score: float = 0.3) -> CampaignPerformance:
    return CampaignPerformance(platforms=(PlatformMetrics(platform=FACEBOOK, days=7, impressions=1, score=score),))


def test_a_proposal_is_tried_where_results_are_below_the_bar() -> None:
    (found,) = taken(placed(), low(), [proposal()], NOW)
    assert (found.kind, found.why) == ("widen_audience", "proposed by the model: More people.")
    assert taken(placed(), low(0.9), [proposal()], NOW) == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"platform": "google_ads"},
        {"kind": "bid", "cap": "much"},
        {"kind": "bid", "cap": "100000"},
        {"kind": "negative_keyword", "words": ["free"]},  # Facebook has none
        {"locations": [], "kind": "narrow_audience"},
        {"locations": ["Mars"]},
    ],
)
def test_a_proposal_beyond_the_limits_is_not_taken(wrong: dict[str, Any]) -> None:
    state = placed()
    given = proposal().model_copy(update=wrong)
    assert taken(state, low(), [proposal()], NOW)
    assert taken(state, low(), [given], NOW) == ()


def test_a_proposal_waits_for_the_one_before_and_is_never_repeated() -> None:
    (action,) = taken(placed(), low(), [proposal()], NOW)
    bid = record(ChangeBid(platform=FACEBOOK, cap=Decimal(2), currency="USD"))
    assert taken(placed().evolve(actions=(bid,)), low(), [proposal()], NOW) == ()
    over = bid.model_copy(update={"undone_at": NOW})
    assert taken(placed().evolve(actions=(over,)), low(), [proposal()], NOW)
    said = record(action, undone_at=NOW)
    assert taken(placed().evolve(actions=(said,)), low(), [proposal()], NOW) == ()


def test_an_answer_without_actions_is_an_answer() -> None:
    assert ModelSuggestions.model_validate({"suggestions": []}).actions == []


# --- what actions have done -------------------------------------------------------------------------------------------


def test_an_effect_is_told_with_an_interval_and_with_what_else_was_changed() -> None:
    bid = record(ChangeBid(platform=FACEBOOK, cap=Decimal(2), currency="USD"))
    other = record(PauseAd(platform=FACEBOOK, ad="ad.2"), action_id="a2")
    figures = [*days(30, 0, 7), *days(60, 7, 7)]
    found, _ = with_effects([bid, other], figures, Counted.CLICKS)
    assert found.effect is not None
    assert found.effect.verdict == "improved"
    assert found.effect.low > 0.3
    assert found.together == 1
    worse, _ = with_effects([bid, other], [*days(60, 0, 7), *days(30, 7, 7)], Counted.CLICKS)
    assert worse.effect is not None
    assert worse.effect.verdict == "worsened"


def test_nothing_is_told_before_days_have_come_nor_of_what_does_not_stand() -> None:
    bid = record(ChangeBid(platform=FACEBOOK, cap=Decimal(2), currency="USD"))
    early = [*days(30, 0, 7), *days(60, 7, 2)]
    assert with_effects([bid], early, Counted.CLICKS) == (bid,)
    late = [*days(30, 0, 7), *days(60, 7, 7)]
    undone = bid.model_copy(update={"undone_at": NOW})
    assert with_effects([undone], late, Counted.CLICKS) == (undone,)


def test_a_new_ad_is_compared_with_the_others_on_the_same_days() -> None:
    variant = record(NewVariant(platform=FACEBOOK, headlines=("Ask",), descriptions=("Why?",)), added="ad.4")
    # The market doubles for all: no merit of the new ad.
    same = [*days(20, 0, 7), *days(40, 7, 7), *days(40, 7, 7, ad="ad.4")]
    (found,) = with_effects([variant], same, Counted.CLICKS)
    assert found.effect is not None
    assert abs(found.effect.mean) < 0.05
    better = [*days(20, 0, 7), *days(20, 7, 7), *days(40, 7, 7, ad="ad.4")]
    (found,) = with_effects([variant], better, Counted.CLICKS)
    assert found.effect is not None
    assert found.effect.verdict == "improved"


# --- who has to agree, and what is taken back -----------------------------------------------------------------------


def worsened(state: MarketingAgentState) -> tuple[MarketingAgentState, CampaignPerformance]:
    bid = record(ChangeBid(platform=FACEBOOK, cap=Decimal(2), currency="USD"))
    measured = CampaignPerformance(daily=(*days(60, 0, 7), *days(30, 7, 7)), overall_score=0.8)
    return state.evolve(actions=(bid,)), measured


def test_a_change_of_the_loop_that_made_it_worse_is_taken_back() -> None:
    state, measured = worsened(placed(goal="traffic"))
    found = generate_optimization_recommendations(state, measured, {})
    assert [one.action_id for one in found.taken_back] == ["a1"]
    by_person = state.evolve(actions=(state.actions[0].model_copy(update={"by": "ann"}),))
    assert generate_optimization_recommendations(by_person, measured, {}).taken_back == ()


def test_under_a_gate_a_change_of_a_setting_is_proposed() -> None:
    state = placed(approval={"gate": "ads"})
    action = WidenAudience(platform=FACEBOOK, industries=("software",), why="More people.")
    found = generate_optimization_recommendations(state, low(0.9), {})
    after = optimized(state, low(0.9), type(found)(settings=(action,)), {}, NOW)
    (kept,) = after.actions
    assert (kept.status, kept.done, kept.action) == ("proposed", (), action)
    assert kept.expected is not None
    free = placed()
    assert optimized(free, low(0.9), type(found)(settings=(action,)), {}, NOW).actions == ()  # no stage, nothing done


def test_an_action_is_taken_back_before_those_that_build_on_it() -> None:
    first = record(NegativeKeyword(platform="google_ads", words=("[a]",)))
    second = record(NegativeKeyword(platform="google_ads", words=("[b]",)), action_id="a2")
    state = placed().evolve(actions=(first, second))
    assert "take back a2 (negative_keyword) first" in (undo_problem(state, first) or "")
    assert undo_problem(state, second) is None


# --- one more ad ---------------------------------------------------------------------------------------------------


def test_a_resting_ad_makes_room_for_one_of_an_angle_that_has_not_run() -> None:
    state = placed()
    state = state.evolve(campaign_performance=CampaignPerformance(daily=tuple(days(30, 0, 7))))
    assert wanted(state) == {}
    rests = state.ad_creatives[0].model_copy(update={"paused_ads": ("ad.2",)})
    roomy = state.evolve(ad_creatives=(rests,))
    (angle,) = wanted(roomy).values()
    assert angle not in rests.angles
    just = record(NewVariant(platform=FACEBOOK, headlines=("Ask",), descriptions=("Why?",)), seen=5)
    assert wanted(roomy.evolve(actions=(just,))) == {}
    ending = roomy.evolve(created_at=roomy.created_at - timedelta(days=20))
    assert wanted(ending) == {}
    assert problem(roomy, NewVariant(platform=FACEBOOK, headlines=("x" * 300,), descriptions=("Why?",)), NOW)
