"""The score of a campaign: always in [0, 1], and on the right side of the bar."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.performance_score import GOOD, content_score, overall_score, platform_score
from agents.state import CampaignPerformance, PlatformMetrics, Yardstick
from agents.wanted import Counted
from integrations.ads.registry import platforms

odd = st.one_of(st.none(), st.floats(), st.integers(-(10**400), 10**400))
odd_money = st.one_of(st.decimals(allow_nan=True, allow_infinity=True), st.none())
#: Figures as no report should have them; model_construct skips the checks that would keep them out.
odd_metrics = st.builds(
    PlatformMetrics.model_construct,
    platform=st.sampled_from([*platforms(), "unknown_ads"]),
    impressions=odd,
    clicks=odd,
    conversions=odd,
    spend=odd_money,
    currency=st.sampled_from(["USD", "EUR"]),
    ctr=odd,
    cvr=odd,
)


@given(st.lists(odd_metrics, max_size=5), odd)
def test_always_a_share(platforms: list[PlatformMetrics], content: Any) -> None:
    found = overall_score(CampaignPerformance.model_construct(platforms=tuple(platforms), content_score=content))
    assert 0.0 <= found <= 1.0


def test_figures_that_no_report_should_have_give_no_yardstick() -> None:
    odd = PlatformMetrics.model_construct(platform="facebook_ads", impressions=2e-311, spend=Decimal(1), currency="EUR")
    assert overall_score(CampaignPerformance.model_construct(platforms=(odd,), content_score=None)) >= 0


def metrics(platform: str = "facebook_ads", **figures: Any) -> PlatformMetrics:
    usual: dict[str, Any] = {"impressions": 10_000, "clicks": 171, "conversions": 13, "spend": Decimal("359.58")}
    return PlatformMetrics(platform=platform, **{**usual, **figures})


def test_a_typical_campaign_stands_at_the_bar() -> None:
    assert platform_score(metrics()) == pytest.approx(GOOD, abs=0.01)


@pytest.mark.parametrize("platform", [*platforms(), "unknown_ads"])
def test_good_is_above_and_bad_below(platform: str) -> None:
    good = metrics(platform, impressions=100_000, clicks=9000, conversions=900, spend=Decimal(1000))
    bad = metrics(platform, impressions=100_000, clicks=100, conversions=1, spend=Decimal(1000))
    assert platform_score(good) > 0.8
    assert platform_score(bad) < 0.4


@pytest.mark.parametrize(
    ("performance", "expected"),
    [
        (CampaignPerformance(), 0.0),
        (CampaignPerformance(content_score=0.8), 0.8),
        (CampaignPerformance(content_score=float("nan")), 0.0),
        (CampaignPerformance(content_score=7.0), 1.0),
        (CampaignPerformance(content_score=0.9, platforms=(PlatformMetrics(platform="facebook_ads"),)), 0.0),
    ],
)
def test_without_ads_or_without_anything(performance: CampaignPerformance, expected: float) -> None:
    assert overall_score(performance) == expected


def together(*figures: PlatformMetrics, measure: Yardstick | None = None) -> float:
    return overall_score(CampaignPerformance(platforms=figures, yardstick=measure))


def test_what_a_result_may_cost_is_the_bar() -> None:
    measure = Yardstick(counts=Counted.CONVERSIONS, cost=Decimal(20), currency="USD", source="target_cpa")
    at_target = metrics(conversions=50, spend=Decimal(1000))
    assert together(at_target, measure=measure) == pytest.approx(GOOD)
    assert together(metrics(conversions=25, spend=Decimal(1000)), measure=measure) == pytest.approx(GOOD / 2, abs=0.01)
    assert together(metrics(conversions=100, spend=Decimal(1000)), measure=measure) > 0.88
    visits = Yardstick(counts=Counted.CLICKS, cost=Decimal(2), currency="USD", source="benchmark")
    assert together(metrics(clicks=500, conversions=0, spend=Decimal(1000)), measure=visits) == pytest.approx(GOOD)


@given(st.integers(1, 500), st.integers(1, 500), st.integers(0, 100), st.integers(0, 100), st.data())
def test_more_results_for_the_same_money_are_better_and_a_dearer_platform_never_is(
    first: int, second: int, cheap: int, dear: int, data: st.DataObject
) -> None:
    one, other = (
        metrics(conversions=cheap, spend=Decimal(first)),
        metrics("linkedin_ads", conversions=dear, spend=Decimal(second)),
    )
    more = one.model_copy(update={"conversions": cheap + 1})
    assert together(more, other) >= together(one, other)
    if cheap * second <= dear * first:
        return
    # Money from the platform where a result is cheaper to the one where it is dearer, each at its own price.
    moved = data.draw(st.floats(0.01, 0.99)) * first
    lost, won = cheap * moved / first, dear * moved / second
    after = (
        one.model_construct(**{**dict(one), "conversions": cheap - lost, "spend": Decimal(first - moved)}),
        other.model_construct(**{**dict(other), "conversions": dear + won, "spend": Decimal(second + moved)}),
    )
    assert together(*after) <= together(one, other) + 1e-9


def test_currencies_are_never_added_up() -> None:
    good = metrics(clicks=400, conversions=60, spend=Decimal(900))
    bad = metrics("linkedin_ads", clicks=5, conversions=0, spend=Decimal(100))
    other = bad.model_copy(update={"currency": "EUR"})
    equal = overall_score(CampaignPerformance(platforms=(good, other)))
    assert equal == pytest.approx((platform_score(good) + platform_score(other)) / 2)


@given(st.integers(1, 10**6), st.integers(0, 10**4), st.integers(0, 10**3))
def test_more_conversions_are_never_worse(impressions: int, clicks: int, conversions: int) -> None:
    one = metrics(impressions=impressions, clicks=clicks, conversions=conversions)
    more = metrics(impressions=impressions, clicks=clicks, conversions=conversions + 1)
    assert platform_score(more) >= platform_score(one)


def test_small_numbers_prove_little() -> None:
    few = metrics(impressions=200, clicks=3, conversions=0, spend=Decimal(4))
    many = metrics(impressions=20_000, clicks=300, conversions=0, spend=Decimal(400))
    assert platform_score(few) > 0.6 > platform_score(many)


def test_clicks_that_never_came() -> None:
    assert platform_score(metrics(clicks=0, conversions=0)) < 0.2


def test_ratios_serve_where_counts_are_missing() -> None:
    given = PlatformMetrics(platform="unknown_ads", ctr=0.01, cvr=0.05, currency="EUR")
    assert platform_score(given) == pytest.approx(GOOD)


def test_content() -> None:
    assert content_score([]) is None
    assert content_score([0.5, 1.0, float("nan")]) == pytest.approx(0.5)
