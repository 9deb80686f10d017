"""Routing as the brief gives it, and its bound."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from agents.config import CampaignConfig
from agents.messages import MessageType
from agents.registry import agents
from agents.state import CampaignPerformance, Lead, MarketingAgentState
from orchestration.flow.routing import begin_hop, next_agent, route

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def state(current: str | None, **config: Any) -> MarketingAgentState:
    parsed = CampaignConfig.parse({"target_audience": {"industry": "saas"}, **config})
    return MarketingAgentState.initial(parsed, campaign_id="c", now=NOW).evolve(current_agent=current)


QUALIFIED = (Lead(lead_id="1", score=0.7),)
ADS = {"ad_platforms": ["facebook"], "budget": 100}


@pytest.mark.parametrize(
    ("current", "config", "changes", "expected"),
    [
        (None, {}, {}, "lead_generation"),
        ("lead_generation", {}, {"qualified_leads": QUALIFIED}, "content_creation"),
        ("lead_generation", ADS, {"qualified_leads": QUALIFIED}, "content_creation"),
        ("lead_generation", {**ADS, "content_required": False}, {"qualified_leads": QUALIFIED}, "ad_management"),
        ("lead_generation", {"content_required": False}, {"qualified_leads": QUALIFIED}, None),
        ("lead_generation", ADS, {}, None),
        ("content_creation", {}, {}, "ad_management"),
        ("ad_management", {}, {}, "analytics"),
        ("analytics", {}, {"campaign_performance": CampaignPerformance(overall_score=0.69)}, "content_creation"),
        ("analytics", {}, {"campaign_performance": CampaignPerformance(overall_score=0.7)}, None),
        ("analytics", {}, {"campaign_performance": CampaignPerformance(overall_score=None)}, "content_creation"),
        ("analytics", {}, {"optimization_attempts": 2}, "content_creation"),
        ("analytics", {}, {"optimization_attempts": 3}, None),
    ],
)
def test_next_agent(current: str | None, config: dict[str, Any], changes: dict[str, Any], expected: str | None) -> None:
    assert next_agent(state(current, **config).evolve(**changes)) == expected


def test_only_a_loop_raises_the_counter() -> None:
    assert route(state("content_creation"), agents()).optimization_attempts == 0
    looped = route(state("analytics"), agents())
    assert (looped.next_agent, looped.optimization_attempts) == ("content_creation", 1)
    ended = route(state("analytics").evolve(optimization_attempts=3), agents())
    assert (ended.next_agent, ended.optimization_attempts) == (None, 3)


def test_an_unknown_agent_is_never_guessed() -> None:
    with pytest.raises(ValueError, match="current_agent='poet'"):
        next_agent(state("poet"))


def test_a_hop_begins_with_a_request_to_its_agent() -> None:
    begun = begin_hop(state(None), "lead_generation", 0, NOW)
    assert (begun.current_agent, begun.next_agent, begun.step) == ("lead_generation", None, 0)
    (request,) = begun.agent_messages
    assert (request.receiver, request.message_type) == ("lead_generation", MessageType.TASK_REQUEST)
