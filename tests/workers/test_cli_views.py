"""What people are shown: the summary, the live view and its lines, at any width and whatever the data holds."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console, RenderableType

from agents.config import CampaignConfig
from agents.state import (
    AdCreative,
    AgentError,
    CampaignPerformance,
    ContentPiece,
    Lead,
    MarketingAgentState,
    PerformanceRound,
    PlatformMetrics,
)
from integrations.settings import Mode, Settings
from orchestration.ledger.rows import CampaignRow
from orchestration.reports.campaigns import CampaignEvent, StageProgress
from workers.cli.output import clean
from workers.cli.progress import Lines, Snapshot, draw
from workers.cli.summary import summary
from workers.cli.wording import amounts, duration, event_text, model_spend, money

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SPEND: dict[str, Any] = {
    "llm": {"USD": "0.00412"},
    "tokens": {"input": 4000, "output": 1000, "unpriced": 0},
    "ads": {"USD": "407.40"},
}
EVIL = "Evil\x1b[31m\x9b2J\u202eCorp\nLtd"
ROUTE = ("lead_generation", "content_creation", "ad_management", "analytics")


def printed(*parts: RenderableType, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, markup=False, highlight=False, color_system=None)
    for part in parts:
        console.print(part)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def finished_state(**changes: Any) -> MarketingAgentState:
    config = CampaignConfig.parse(
        {"name": "Launch", "target_audience": {"industry": "saas"}, "budget": 3000, "ad_platforms": ["facebook"]}
    )
    leads = tuple(
        Lead(
            lead_id=str(n),
            email=f"person{n}@company{n}.example",
            name="Jane Roe",
            company=EVIL if n == 0 else f"Company {n}",
            job_title="CEO",
            score=1.0 - n / 20,
            score_reasons=("executive title: CEO (+0.4)", "industry SaaS matches saas (+0.3)"),
        )
        for n in range(7)
    )
    state = MarketingAgentState.initial(config, campaign_id="c1", now=NOW).evolve(
        updated_at=NOW + timedelta(seconds=83),
        leads=leads * 2,
        qualified_leads=leads,
        generated_content=(
            ContentPiece(
                piece_id="p", content_type="blog_post", topic="t", title="Forecasts without a data department",
                body="", target_length=600, word_count=588, seo_score=0.82, revision=2,
            ),
        ),
        ad_creatives=(
            AdCreative(
                creative_id="1", platform="facebook_ads", headlines=("Forecast before coffee",),
                daily_budget=Decimal("58.20"), status="active",
            ),
            AdCreative(creative_id="2", platform="linkedin_ads", status="failed", error="refused the account"),
        ),
        campaign_performance=CampaignPerformance(
            overall_score=0.81,
            platforms=(
                PlatformMetrics(
                    platform="facebook_ads", days=7, impressions=120_345, clicks=2345, conversions=45,
                    spend=Decimal("407.40"), ctr=0.0195, cvr=0.02, cpa=Decimal("9.05"), score=0.7,
                ),
            ),
            rounds=(PerformanceRound(step=3, overall_score=0.62), PerformanceRound(step=6, overall_score=0.81)),
        ),
        errors=(AgentError(agent="lead_generation", step=0, provider="hunter", code="x", message="too often"),) * 3,
    )  # fmt: skip
    return state.evolve(**changes)


def summarised(width: int = 80, env: Mapping[str, str] | None = None, spend: Any = None, **row: Any) -> str:
    fields: dict[str, Any] = {
        "campaign_id": "c1", "mode": Mode.SANDBOX, "name": "Launch", "status": "completed", "reason": None,
        "agent": None, "step": 3, "stage": 0, "stage_name": "", "stage_size": 0, "remaining": 0, "revision": 0,
        "epoch": 0, "base_step": -1, "hold": None,
        "route": ROUTE,
        "state": finished_state(),
    }  # fmt: skip
    found = CampaignRow(**{**fields, **row})
    return printed(*summary(found, {"succeeded": 9}, spend or SPEND, Settings.from_env(env or {})), width=width)


def test_the_summary_says_what_a_marketer_wants_to_know() -> None:
    text = summarised(100)
    for expected in (
        "Launch: completed after 1:23",
        "14 found, 7 qualified",
        "1.00  CEO at EvilCorp Ltd",
        "executive title: CEO (+0.4)",
        "… and 2 more",
        "Forecasts without a data department (revision 2)",
        "588    600  0.82",
        "Facebook  Forecast before coffee  58.20 USD  active",
        "LinkedIn: refused the account",
        "120,345",
        "1.95%",
        "round by round 0.62 → 0.81",
        "0.0041 USD (5,000 tokens)",
        "407.40 USD (budget 3,000.00 USD)",
        "Lead generation, hunter: too often (×3)",
        "campaigns show c1",
    ):
        assert expected in text


def test_the_summary_names_nobody_and_obeys_no_data() -> None:
    text = summarised()
    assert "@" not in text
    assert "Jane" not in text
    assert not {"\x1b", "\x9b", "\u202e"} & set(text)


@pytest.mark.parametrize("width", [30, 40, 50, 64, 80, 120, 200])
def test_the_summary_fits_any_terminal(width: int) -> None:
    text = summarised(width)
    assert max(len(one) for one in text.splitlines()) <= width
    for expected in ("588", "0.82", "active", "120,345", "9.05"):
        assert expected in text


def test_the_row_says_of_which_world_it_is_whatever_the_shell() -> None:
    assert "Made in the sandbox: leads, texts, ads and figures are simulated" in summarised(100)
    assert "Money (simulated)" in summarised()
    mixed = summarised(100, {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"})
    assert "except openai" in mixed
    from_a_live_shell = summarised(100, {"MARKETING_MODE": "live"})
    assert "nothing was published or spent" in from_a_live_shell
    live = summarised(100, mode=Mode.LIVE)
    assert "Launch: completed, live" in live
    assert "what it spends is real money" in live
    for word in ("sandbox", "simulated", "nothing was published"):
        assert word not in live


def test_a_failure_tells_its_reason_once_and_only_what_was_reached() -> None:
    reason = "lead_generation: every unit of stage 'discover' failed"
    error = AgentError(agent="lead_generation", step=0, code="x", message="every unit of stage 'discover' failed")
    text = summarised(
        100,
        status="failed",
        reason=reason,
        route=("lead_generation",),
        state=finished_state(
            leads=(), qualified_leads=(), generated_content=(), ad_creatives=(),
            campaign_performance=CampaignPerformance(), errors=(error,),
        ),
    )  # fmt: skip
    assert text.count("every unit of stage") == 1
    assert "✗ Launch: failed" in text
    assert "Content" not in text
    assert "Score" not in text


@pytest.mark.parametrize(
    ("llm", "unpriced", "expected"),
    [
        ({"USD": "0.5"}, 0, "0.50 USD (5,000 tokens)"),
        ({}, 5000, "price unknown (5,000 tokens)"),
        ({"USD": "0.5"}, 1200, "0.50 USD, and 1,200 of 5,000 tokens at an unknown price"),
        ({}, 0, "free of charge (5,000 tokens)"),
    ],
)
def test_an_unknown_price_is_never_zero(llm: dict[str, str], unpriced: int, expected: str) -> None:
    assert model_spend({**SPEND, "llm": llm, "tokens": {**SPEND["tokens"], "unpriced": unpriced}}) == expected


def test_money_and_time() -> None:
    assert money("1250", "USD") == "1,250.00 USD"
    assert money("0.0093552", "USD") == "0.0094 USD"
    assert money("0.00000041", "USD") == "0.00000041 USD"
    assert money("0", "EUR") == "0.00 EUR"
    assert amounts({"USD": "2", "EUR": "1"}) == "1.00 EUR + 2.00 USD"
    assert amounts({}) == "none"
    assert [duration(seconds) for seconds in (-1, 7.9, 750, 3723)] == ["0:00", "0:07", "12:30", "1:02:03"]
    assert clean("a\x1b]0;title\x07\n\tb  c") == "a]0;title b c"
    assert clean("abcdef", 4) == "abc…"


def event(number: int, kind: str, step: int = 0, agent: str = "lead_generation", **data: Any) -> CampaignEvent:
    return CampaignEvent(id=number, at=NOW, kind=kind, actor="system", step=step, agent=agent, data=data)


def stage(step: int, number: int, name: str, agent: str = "lead_generation", **units: int) -> StageProgress:
    return StageProgress(step=step, stage=number, agent=agent, name=name, units=units)


def test_progress_in_lines_tells_each_change_once_and_in_order() -> None:
    lines = Lines(Console(file=io.StringIO()))
    begun = Snapshot(name="L", status="running", stages=[stage(0, 0, "discover", pending=2, running=1)])
    assert lines.lines(begun, 1.0) == ["Lead generation: discover 0/3", "Status: running"]
    assert lines.lines(begun, 1.1) == []
    some = Snapshot(name="L", status="running", stages=[stage(0, 0, "discover", succeeded=1, running=2)])
    assert lines.lines(some, 2.0) == []  # too soon for a line of its own
    assert lines.lines(some, 7.0) == ["Lead generation: discover 1/3"]
    retry = event(1, "unit_retry", unit="site:1", provider="web", delay_s=1.72, message="no answer\x1b[0m")
    later = Snapshot(
        name="L",
        status="completed",
        ended=True,
        stages=[
            stage(0, 0, "discover", succeeded=2, failed=1),
            stage(1, 0, "write", "content_creation", succeeded=1),
        ],
        events=[
            retry,
            event(2, "hop_finished", leads=12, nested={"a": 1}, flag=True),
            event(3, "hop_started", step=1, agent="content_creation"),
        ],
    )
    assert lines.lines(later, 7.5) == [
        "Lead generation: discover 3/3 (1 failed)",
        "Retry of site:1 (web) in 1.7 s: no answer",
        "Lead generation finished: leads 12",
        "Content creation began (step 1)",
        "Content creation: write 1/1",
        "Status: completed",
    ]


def test_the_live_view_shows_the_route_with_ticks() -> None:
    snapshot = Snapshot(
        name="Launch",
        status="running",
        stages=[
            stage(0, 0, "discover", succeeded=3),
            stage(0, 1, "enrich", succeeded=38, failed=2),
            stage(1, 0, "write", "content_creation", succeeded=1, running=2),
            stage(2, 0, "deploy", "ad_management", succeeded=2),
            stage(3, 0, "measure", "analytics", succeeded=2),
            stage(4, 0, "write", "content_creation", running=1),
        ],
        spend={**SPEND, "ads": {}},
        elapsed_s=12,
        troubles=("a retry",),
        troubles_total=4,
    )
    text = printed(draw(snapshot, world="sandbox"))
    for expected in (
        "Launch  running · 0:12 · sandbox",
        "✓  Lead generation             discover 3/3 · enrich 40/40 (2 failed)",
        "Content creation (round 2)  write 0/1",
        "   Ad management",
        "48 of 51 done, 2 failed, 3 running",
        "model 0.0041 USD (5,000 tokens) · ads none",
        "4 notices",
    ):
        assert expected in text
    assert max(len(one) for one in printed(draw(snapshot), width=40).splitlines()) <= 40
    assert printed(draw(snapshot, most_hops=2)).count("\n") < text.count("\n")


@pytest.mark.parametrize(
    "kind", ["submitted", "started", "stage_planned", "completed", "failed", "unit_lost", "new_kind"]
)
def test_every_event_has_words_even_without_data(kind: str) -> None:
    assert event_text(event(1, kind))
