"""A budget that is changed while ads run: what they have spent comes off it, and a refusal says what would be right."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from agents.actions import SetBudget
from agents.ad_management.daily_budgets import split
from agents.analytics.action_limits import problem
from agents.config import CampaignConfig
from agents.state import AdCreative, AdDay, CampaignPerformance, MarketingAgentState, PlatformMetrics
from agents.unit import effect_key

NOW = datetime(2026, 3, 16, tzinfo=UTC)
NAMES = ("facebook_ads", "linkedin_ads")


def half_over(budget: int) -> MarketingAgentState:
    """A campaign of 3,000 USD whose ads have spent 50 USD a day on each platform for 15 of 30 days."""
    config = CampaignConfig.parse(
        {"target_audience": {"industry": "saas"}, "ad_platforms": list(NAMES), "budget": budget}
    )
    days = tuple(
        AdDay(platform=name, revision=1, day=date(2026, 3, day), clicks=90, conversions=9, spend=Decimal(50))
        for name in NAMES
        for day in range(1, 16)
    )
    ads = tuple(
        AdCreative(
            creative_id=name,
            platform=name,
            status="active",
            daily_budget=Decimal(50),
            effect_key=effect_key("c", name),
            remote_ids={"campaign": "1"},
        )
        for name in NAMES
    )
    state = MarketingAgentState.initial(config, campaign_id="c", now=NOW - timedelta(days=15))
    measured = CampaignPerformance(platforms=tuple(PlatformMetrics(platform=name) for name in NAMES), daily=days)
    return state.evolve(ad_creatives=ads, campaign_performance=measured)


def total(state: MarketingAgentState) -> Decimal:
    return sum(split(state, NAMES).values(), Decimal(0))


@pytest.mark.parametrize(("budget", "daily"), [(2000, 33), (3000, 100), (6000, 287)])
def test_days_before_and_after_never_exceed_it_together(budget: int, daily: int) -> None:
    found = total(half_over(budget))
    assert daily - 1 < found < daily + 1
    assert 1500 + 15 * found <= budget


def test_what_no_platform_takes_is_refused_with_what_to_do() -> None:
    said = problem(half_over(1501), SetBudget(amount=Decimal(1501)), NOW) or ""
    assert "which takes no less than" in said
    assert "campaigns pause c --ads" in said
    assert problem(half_over(1500), SetBudget(amount=Decimal(1500)), NOW) is None  # nothing is left: all rest
    assert problem(half_over(2000), SetBudget(amount=Decimal(2000)), NOW) is None
