"""What agents tell people about a campaign: the built-in ones, and one that says nothing of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from toys import Toy, echo

from agents.config import CampaignConfig
from agents.messages import ORCHESTRATOR, MessageType, message
from agents.overview import Count, Facts, Figure, Line, Money, Points, Ranking, Score, Section, Table, Term, reported
from agents.registry import agents
from agents.state import (
    AdCreative,
    CampaignPerformance,
    ContentPiece,
    Lead,
    MarketingAgentState,
    PerformanceRound,
    PlatformMetrics,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def state(**changes: Any) -> MarketingAgentState:
    config = CampaignConfig.parse({"target_audience": {"industry": "saas"}})
    return MarketingAgentState.initial(config, campaign_id="c", now=NOW).evolve(**changes)


def told(agent: str, **changes: Any) -> tuple[Section, ...]:
    return tuple(agents()[agent].overview(state(**changes)))


def with_results(agent: str, *payloads: dict[str, Any]) -> MarketingAgentState:
    sent = tuple(
        message(
            sender=agent, receiver=ORCHESTRATOR, message_type=MessageType.TASK_RESULT, payload=payload,
            correlation_id=f"c/{n}", now=NOW, ordinal=n,
        )
        for n, payload in enumerate(payloads)
    )  # fmt: skip
    return state(agent_messages=sent)


def test_the_best_leads_by_company_and_nobody_by_name() -> None:
    leads = tuple(
        Lead(lead_id=str(n), name="Jane Roe", email="jane@acme.example", company=f"C{n}", score=n / 10)
        for n in range(9)
    )
    (section,) = told("lead_generation", leads=leads * 2, qualified_leads=(*leads, Lead(domain="d.example")))
    line, ranking = section.blocks
    assert line == Line((Count(18), " found, ", Count(10), " qualified"))
    assert isinstance(ranking, Ranking)
    assert [(one.what, one.score.value) for one in ranking.places] == [
        ("C8", 0.8), ("C7", 0.7), ("C6", 0.6), ("C5", 0.5), ("C4", 0.4),
    ]  # fmt: skip
    assert ranking.more == 5
    assert "Jane" not in repr(section)
    assert "@" not in repr(section)


def test_a_campaign_that_found_nothing_says_so() -> None:
    assert told("lead_generation") == (Section("Leads", (Line((Count(0), " found, ", Count(0), " qualified")),)),)
    assert told("content_creation") == (Section("Content", (Line(("nothing written",)),)),)
    assert told("ad_management") == (Section("Ads", (Line(("no platform was asked for",)),)),)
    assert told("ad_management", ad_platforms=("a",)) == (Section("Ads", (Line(("none placed",)),)),)
    assert told("analytics") == (Section("Score", (Line(("not measured",)),)),)


def test_pieces_and_ads_have_a_row_each() -> None:
    piece = ContentPiece(
        piece_id="p", content_type="blog_post", topic="t", title="A", body="", revision=2, word_count=5, seo_score=0.5
    )
    (content,) = told("content_creation", generated_content=(piece,))
    assert isinstance(table := content.blocks[0], Table)
    assert table.rows == (("A (revision 2)", Term("blog_post"), Count(5), "", Score(0.5)),)
    good = AdCreative(creative_id="1", platform="a", headlines=("H",), daily_budget=Decimal(5), currency="EUR")
    bad = AdCreative(creative_id="2", platform="b", status="failed", error="no")
    (ads,) = told("ad_management", ad_creatives=(good, bad))
    assert isinstance(table := ads.blocks[0], Table)
    assert [row[1:] for row in table.rows] == [
        ("H", Money(Decimal(5), "EUR"), Term("planned")),
        ("", "", Term("failed")),
    ]
    assert isinstance(failed := ads.blocks[1], Points)
    assert (failed.trouble, len(failed.items)) == (True, 1)
    assert len(table.columns) == len(table.rows[0])


def test_results_are_told_only_where_something_was_measured() -> None:
    rounds = tuple(PerformanceRound(step=n, overall_score=n / 10) for n in (3, 6))
    measured = CampaignPerformance(
        overall_score=0.6, rounds=rounds, suggestions=("1", "2", "3", "4"), platforms=(PlatformMetrics(platform="a"),)
    )
    results, score = told("analytics", campaign_performance=measured)
    assert isinstance(table := results.blocks[0], Table)
    assert len(table.columns) == len(table.rows[0])
    said, suggestions = score.blocks
    assert said == Line((Score(0.6), " of 1.00", "; round by round ", Score(0.3), " → ", Score(0.6)))
    assert suggestions == Points((("1",), ("2",), ("3",)))


def test_an_agent_that_says_nothing_of_its_own_is_told_by_its_last_result() -> None:
    toy = Toy("analytics", (1,), echo)
    toy.title = "Numbers"  # type: ignore[misc]
    assert tuple(toy.overview(state())) == ()
    found = with_results("analytics", {"old": 1}, {"sent_to": 3, "rate": 0.5, "done": True, "none": None, "text": ""})
    (section,) = toy.overview(found)
    assert section.title == "Numbers"
    assert section.blocks == (
        Facts((((Term("sent_to"),), (Count(3),)), ((Term("rate"),), (Figure(0.5),)), ((Term("done"),), ("yes",)))),
    )


@pytest.mark.parametrize(
    ("payload", "pairs"),
    [
        ({"a": {"b": {"c": 1}}}, [((Term("a"), ", ", Term("b"), ", ", Term("c")), (Count(1),))]),
        ({"a": [1, "x", None]}, [((Term("a"),), (Count(1), ", ", "x"))]),
        (
            {"a": [{"b": 1}, {"b": 2}]},
            [
                ((Term("a"), " ", Count(1), ", ", Term("b")), (Count(1),)),
                ((Term("a"), " ", Count(2), ", ", Term("b")), (Count(2),)),
            ],
        ),
        ({"a": [], "b": {}, "c": [None]}, []),
    ],
    ids=["deep", "list", "list of mappings", "empty"],
)
def test_nested_figures_say_where_they_belong(payload: dict[str, Any], pairs: list[Any]) -> None:
    found = reported(with_results("x", payload), "x", "X")
    assert found == ((Section("X", (Facts(tuple(pairs)),)),) if pairs else ())
