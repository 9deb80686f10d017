"""Budgets that can't work are refused in words, before anybody is asked."""

from __future__ import annotations

from typing import Any

import pytest

from agents.ad_management.budget_problems import budget_problems
from agents.config import CampaignConfig
from integrations.ads.registry import platform


def problems(**keys: Any) -> list[str]:
    given = {"target_audience": {"industry": "saas"}, "ad_platforms": ["facebook"], **keys}
    return budget_problems(CampaignConfig.parse(given))


@pytest.mark.parametrize(
    "keys",
    [
        {"budget": 30},
        {"budget": 900, "ad_platforms": ["facebook", "linkedin"]},
        {"budget": 3000, "currency": "EUR"},
        {"budget": 3_000_000, "currency": "JPY"},
        {"budget": "1000000000", "currency": "IDR"},
        {"budget": 5, "ad_platforms": []},
        {"budget": "1500.50"},
    ],
)
def test_what_can_work(keys: dict[str, Any]) -> None:
    assert problems(**keys) == []


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (
            {"budget": "0.01"},
            ("budget=0.01: is too low", "0.00 USD a day on Facebook", "no less than 1 USD", "at least 30"),
        ),
        ({"budget": "29.99"}, ("0.99 USD a day", "no less than 1 USD")),
        ({"budget": "599", "ad_platforms": ["linkedin", "facebook"]}, ("9.98 USD a day on LinkedIn", "at least 600")),
        ({"budget": 900, "limits": {"ads": 900, "ads_per_day": "0.50"}}, ("0.50 USD a day on Facebook",)),
        ({"budget": 60, "ad_platforms": ["linkedin"], "currency": "EUR"}, ("2.00 EUR a day", "no less than 2.85 EUR")),
        ({"budget": 10, "currency": "JPY"}, ("0 JPY a day on Facebook", "at least 30")),
        ({"budget": 10**12 - 1}, ("looks like a slip", "more than 1000000", "schedule.days=30")),
        ({"budget": 10**11, "currency": "EUR"}, ("looks like a slip",)),
        ({"budget": "1000.50", "currency": "JPY"}, ("budget=1000.50: JPY has no decimals; write 1000",)),
        (
            {"budget": 3000, "currency": "JPY", "limits": {"ads_per_day": "200.5"}},
            ("limits.ads_per_day=200.5: JPY has no decimals; write 200",),
        ),
        ({"budget": 900, "currency": "ABC"}, ("currency=ABC: is no currency", "USD or EUR")),
    ],
)
def test_what_can_not_work(keys: dict[str, Any], words: tuple[str, ...]) -> None:
    (problem,) = problems(**keys)
    for word in words:
        assert word in problem


def test_a_platform_without_a_published_least_takes_the_smallest_amount() -> None:
    assert platform("google_ads").least_daily("USD") == 0
    assert "no less than 0.01 USD" in problems(ad_platforms=["google"], budget="0.29")[0]
    assert problems(ad_platforms=["google"], budget="0.30") == []
