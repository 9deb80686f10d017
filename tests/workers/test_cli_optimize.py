"""``campaigns optimize`` over a real database: what the figures say and would change, and having it measured now."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from command_line import Command
from orchestrator_harness import Harness
from toys import toys

from agents.state import AdCreative, AdDay, CampaignPerformance, Judgement, PlatformMetrics
from agents.unit import effect_key
from orchestration.ledger.database import encode

WHY = "a conversion costs about 30.00 USD, usual is 46.06"
FIGURES = (("facebook_ads", 20), ("linkedin_ads", 1))  #: conversions a day


@pytest.fixture
def bench(database_url: str, redis_url: str) -> Iterator[Harness]:
    os.environ.update({"DATABASE_URL": database_url, "REDIS_URL": redis_url, "COLUMNS": "140"})
    made = Harness(database_url, toys())
    made.submit("c1", ad_platforms=["facebook", "linkedin"], budget=3000)
    yield made
    made.close()


def measured(bench: Harness) -> None:
    """The campaign's ads were measured for a week."""
    performance = CampaignPerformance(
        overall_score=0.8,
        judgement=Judgement(needs_optimization=False, why=WHY),
        platforms=tuple(PlatformMetrics(platform=name, days=7) for name, _ in FIGURES),
        daily=tuple(
            AdDay(
                platform=name,
                revision=1,
                day=date(2026, 3, day),
                clicks=200,
                conversions=conversions,
                spend=Decimal(50),
            )
            for name, conversions in FIGURES
            for day in range(1, 8)
        ),
    )
    creatives = [
        AdCreative(
            creative_id=name,
            platform=name,
            status="active",
            daily_budget=Decimal(50),
            effect_key=effect_key("c1", name),
            remote_ids={"campaign": "1"},
        ).model_dump(mode="json")
        for name, _ in FIGURES
    ]
    patch = {"campaign_performance": performance.model_dump(mode="json")}
    bench.database.run(
        "UPDATE marketing.campaigns SET state = state || %s::jsonb, ad_creatives = %s", encode(patch), encode(creatives)
    )


def test_it_shows_what_would_be_done_and_does_nothing(bench: Harness, campaigns: Command) -> None:
    assert "not been measured yet" in campaigns("optimize", "c1").out
    measured(bench)
    before = bench.database.rows("SELECT to_jsonb(c) FROM marketing.campaigns c")
    shown = campaigns("optimize", "c1")
    assert shown.code == 0
    assert WHY[1:] in shown.out
    assert "Texts: stay as they are." in shown.out
    assert "Facebook 50.00 USD → 90.00 USD, LinkedIn 50.00 USD → 10.00 USD" in shown.out
    found = campaigns("optimize", "c1", "--dry-run", "--json").json
    assert found["judgement"]["why"] == WHY
    assert found["move"]["moves"]["linkedin_ads"] == {"before": "50", "after": "10.00"}
    assert bench.database.rows("SELECT to_jsonb(c) FROM marketing.campaigns c") == before


def test_what_can_not_be_measured_now_is_refused(bench: Harness, campaigns: Command) -> None:
    assert campaigns("optimize", "c1", "--now", "--dry-run").code == 2
    assert campaigns("optimize", "nobody").code == 3
    bench.database.run("UPDATE marketing.campaigns SET status = 'completed'")
    refused = campaigns("optimize", "c1", "--now")
    assert refused.code == 2
    assert "only one that waits for a time of its own is measured now" in refused.err
