"""What people are told of each ad: its own text, its own figures, and which brings most for its money."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from agents.analytics.each_ad import each_ad, figures
from agents.config import CampaignConfig
from agents.overview import Bar, Chart, Count, Figure, Money, Platform, Table
from agents.state import AdCreative, AdDay, AddedAd, CampaignPerformance, MarketingAgentState, PlatformMetrics


def creative(platform: str, steps: tuple[str, ...], headlines: tuple[str, ...], **more: Any) -> AdCreative:
    return AdCreative(
        creative_id=platform,
        platform=platform,
        revision=2,
        status="active",
        headlines=headlines,
        remote_ids={"campaign": "0", **dict.fromkeys(steps, "1")},
        **more,
    )


def day(platform: str, ad: str, conversions: int, spend: int, *, revision: int = 2, at: int = 1) -> AdDay:
    return AdDay(
        platform=platform,
        revision=revision,
        ad=ad,
        day=date(2026, 3, at),
        clicks=50,
        conversions=conversions,
        spend=Decimal(spend),
    )


def state(*days: AdDay, **config: Any) -> MarketingAgentState:
    file = {"target_audience": {"industry": "saas"}, "ad_platforms": ["facebook", "google"], "budget": 900, **config}
    found = MarketingAgentState.initial(
        CampaignConfig.parse(file), campaign_id="c", now=datetime(2026, 3, 1, tzinfo=UTC)
    )
    ads = (
        creative(
            "facebook_ads",
            ("ad.1", "creative.1", "ad.2", "creative.2", "ad.10"),
            ("One", "Two"),
            descriptions=("x", "y"),
            angles=("plain", "proof"),
            paused_ads=("ad.2",),
            added_ads={"ad.10": AddedAd(headlines=("Ten",), descriptions=("x",), angle="price")},
        ),
        creative("google_ads", ("ad.1",), ("A", "B", "C"), descriptions=("x", "y"), angles=("",)),
    )
    metrics = tuple(PlatformMetrics(platform=name) for name in ("facebook_ads", "google_ads"))
    return found.evolve(ad_creatives=ads, campaign_performance=CampaignPerformance(platforms=metrics, daily=days))


DAYS = (
    day("facebook_ads", "ad.1", 9, 10, revision=1),  # of texts that are not shown any more
    day("facebook_ads", "ad.1", 1, 100),
    day("facebook_ads", "ad.1", 2, 100, at=2),
    day("facebook_ads", "ad.2", 0, 50),
    day("google_ads", "ad.1", 4, 100),
)


def test_each_ad_has_its_text_and_the_figures_of_its_days() -> None:
    (section,) = each_ad(state(*DAYS))
    table, chart = section.blocks
    assert isinstance(table, Table)
    assert [row[:2] for row in table.rows] == [
        (Platform("facebook_ads"), "ad.1: One [plain]"),
        (Platform("facebook_ads"), "ad.2, paused: Two [proof]"),
        (Platform("facebook_ads"), "ad.10: Ten [price]"),
        (Platform("google_ads"), "ad.1: A (and 2 others)"),
    ]
    assert table.rows[0][2:] == (
        Count(2), Count(100), Count(3), Money(Decimal(200), "USD"), Figure(Decimal("66.6667")),
    )  # fmt: skip
    assert table.rows[1][-1] == ""
    assert chart == Chart(
        ("Conversions for 100 USD, the best first",),
        (
            Bar((Platform("google_ads"), " ad.1"), 4.0),
            Bar((Platform("facebook_ads"), " ad.1"), 1.5),
            Bar((Platform("facebook_ads"), " ad.2"), 0.0),
        ),
    )


def test_a_campaign_for_traffic_is_compared_by_its_clicks() -> None:
    (section,) = each_ad(state(*DAYS, goal="traffic"))
    chart = section.blocks[1]
    assert isinstance(chart, Chart)
    assert chart.unit == ("Clicks for 100 USD, the best first",)
    assert [bar.value for bar in chart.bars] == [100.0, 50.0, 50.0]


def test_ads_that_can_not_be_told_apart_are_one_row_and_no_figures_are_no_section() -> None:
    assert each_ad(state()) == ()
    together = figures(state(day("facebook_ads", "", 2, 40)))
    assert [(one.platform, one.ad, one.days) for one in together] == [("facebook_ads", "", 1), ("google_ads", "", 0)]
    (section,) = each_ad(state(day("facebook_ads", "", 2, 40)))
    assert len(section.blocks) == 1  # nothing to compare
