"""What a campaign's ads may spend a day from now on: all of the budget by the end, and never more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from ad_platforms import START, campaign
from hypothesis import given
from hypothesis import strategies as st

from agents.ad_management.approval import GATE
from agents.ad_management.daily_budgets import budgets, split
from agents.ad_management.money_left import money_a_day
from agents.approval import Question, covered
from agents.budget import daily_budget
from agents.state import AdCreative, AdDay, ApprovalGrant, CampaignPerformance, MarketingAgentState, PlatformMetrics
from agents.unit import effect_key

FACEBOOK, LINKEDIN = "facebook_ads", "linkedin_ads"
HALF = {FACEBOOK: Decimal(50), LINKEDIN: Decimal(50)}


def running(
    spent: Mapping[str, Sequence[Decimal | int]], *, asked: Sequence[str] = (FACEBOOK, LINKEDIN), **changes: Any
) -> MarketingAgentState:
    """A campaign of 3,000 over 30 days, by default, whose platforms have spent so much on each of the first days."""
    state = campaign(**{"budget": 3000, **changes})
    return state.evolve(
        ad_creatives=tuple(
            AdCreative(
                creative_id=name,
                platform=name,
                status="active",
                daily_budget=HALF[name],
                currency="USD",
                effect_key=effect_key(state.campaign_id, name),
                remote_ids={"campaign": name},
            )
            for name in (FACEBOOK, LINKEDIN)
        ),
        campaign_performance=CampaignPerformance(
            platforms=tuple(PlatformMetrics(platform=name, currency="USD") for name in asked),
            daily=tuple(
                AdDay(platform=name, revision=1, day=START.date() + timedelta(days=at), spend=Decimal(amount))
                for name, days in spent.items()
                for at, amount in enumerate(days)
            ),
        ),
    )


@pytest.mark.parametrize(
    ("facebook", "linkedin", "a_day"),
    [
        ([], [], "100.00"),
        ([50] * 10, [50] * 10, "100.00"),
        ([50] * 11, [0] * 11, "125.00"),  # 500 of 1,000 was not spent in 10 days; the 11th is not over
        ([60] * 11, [60] * 11, "88.42"),  # more than was given: 3000 - 11 x 120, over 19 days
        ([50] * 29 + [0], [0] * 30, "1550.00"),  # the last day gets all that is left
        ([50] * 40, [50] * 40, "0.00"),
    ],
)
def test_what_was_not_spent_is_spread_over_the_days_that_are_left(
    facebook: list[int], linkedin: list[int], a_day: str
) -> None:
    assert money_a_day(running({FACEBOOK: facebook, LINKEDIN: linkedin}), HALF) == Decimal(a_day)


def test_a_limit_a_day_holds_and_lowering_it_takes_nothing_that_is_spent() -> None:
    spent = {FACEBOOK: [50] * 11, LINKEDIN: [0] * 11}
    assert money_a_day(running(spent, limits={"ads_per_day": 110}), HALF) == 110
    assert money_a_day(running(spent, limits={"ads_per_day": 10}), HALF) == 10


def test_a_cap_that_the_ledger_keeps_has_room_for_the_day_that_has_begun() -> None:
    state = running({FACEBOOK: [50] * 11, LINKEDIN: [0] * 11}, limits={"ads": 3000})
    assert money_a_day(state, HALF) == Decimal("122.50")  # 3000 - 11 x 50, over 20 days


def test_of_a_platform_without_a_report_what_stands_counts() -> None:
    spent = {FACEBOOK: [50] * 11, LINKEDIN: [50] * 4 + [10]}
    assert money_a_day(running(spent, asked=[FACEBOOK]), HALF) == 100
    assert money_a_day(running(spent), HALF) == Decimal("112.50")  # asked, it has told that five days brought nothing
    assert money_a_day(running({FACEBOOK: [50] * 11}, asked=[FACEBOOK]), HALF) == 100


def test_the_part_of_a_day_at_the_end_counts_for_a_raise_only() -> None:
    late = {"created_at": START + timedelta(hours=23)}
    assert money_a_day(running({FACEBOOK: [50] * 11, LINKEDIN: [50] * 11}).evolve(**late), HALF) == 100
    unspent = running({FACEBOOK: [50] * 11, LINKEDIN: [0] * 11}).evolve(**late)
    assert money_a_day(unspent, HALF) == Decimal("119.04")  # 2,500 over 21 days, not 20


def test_what_a_forks_parent_has_spent_is_not_its_own() -> None:
    state = running({FACEBOOK: [50] * 11, LINKEDIN: [0] * 11})
    assert money_a_day(state.evolve(campaign_id="fork"), HALF) == 100


percent = st.sampled_from([0, 30, 100, 100, 100])


@given(st.lists(st.tuples(percent, percent, st.integers(0, 3)), min_size=30, max_size=30), st.integers(1, 5))
def test_a_campaign_that_is_paced_never_spends_more_than_its_budget(
    days: list[tuple[int, int, int]], every: int
) -> None:
    """Platforms spend some percent of what stands; it is set anew every few days, by reports that are some days late.

    One that is not late tells half of the day that has begun.
    """
    spent: dict[str, list[Decimal]] = {FACEBOOK: [], LINKEDIN: []}
    daily = dict(HALF)
    for at, (*parts, late) in enumerate(days):
        begun = {name: daily[name] * part / 200 for name, part in zip(spent, parts, strict=True)}
        if at % every == 0:
            money = money_a_day(
                running({name: [*past, begun[name]][: at + 1 - late] for name, past in spent.items()}), daily
            )
            daily = {name: daily_budget(money, 2) for name in daily}
        for name, part in zip(spent, parts, strict=True):
            spent[name].append(max(begun[name], daily[name] * part / 100))
    assert sum(sum(past) for past in spent.values()) <= 3000


def test_what_was_not_spent_is_spent_in_the_end() -> None:
    spent: dict[str, list[Decimal]] = {FACEBOOK: [], LINKEDIN: []}
    daily = dict(HALF)
    for _ in range(30):
        daily = dict.fromkeys(daily, daily_budget(money_a_day(running(spent), daily), 2))
        for name, part in ((FACEBOOK, 100), (LINKEDIN, 60)):
            spent[name].append(daily[name] * part / 100)
    assert sum(sum(past) for past in spent.values()) > 2800  # 2400 at 100 a day


def test_more_a_day_within_the_budget_is_not_asked_for_again() -> None:
    state = running({FACEBOOK: [50] * 11, LINKEDIN: [0] * 11}, approval={"gate": "ads"})
    assert sum(budgets(state, (FACEBOOK, LINKEDIN)).values()) > 100
    asked = Question(kind=GATE, request={}, contents=("a",), budget=state.campaign_config.budget)
    grant = ApprovalGrant(kind=GATE, contents=("a",), budget=Decimal(3000), by="p", at=START)
    assert covered(asked, [grant])


def test_all_rest_when_nothing_is_left_that_a_platform_takes() -> None:
    state = running({FACEBOOK: [50] * 29 + [0], LINKEDIN: [Decimal("53.44")] * 29 + [0]})
    assert split(state, (FACEBOOK, LINKEDIN)) == {FACEBOOK: 0, LINKEDIN: 0}
