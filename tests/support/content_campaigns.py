"""What tests of content creation share: four pieces to write, a state to begin with, an answer of a model."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from agents.config import CampaignConfig
from agents.state import MarketingAgentState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REQUIREMENTS = [
    {
        "content_type": "blog_post",
        "topic": "onboarding new customers",
        "keywords": ["customer onboarding", "checklist"],
    },
    {"content_type": "landing_page", "topic": "a demo", "keywords": ["saas demo"], "target_length": 250},
    {"content_type": "email", "topic": "an invitation", "keywords": ["invitation"], "target_length": 120},
    {"content_type": "social_post", "topic": "a launch", "keywords": ["launch"], "target_length": 40},
]


def state(campaign_id: str = "c-1", **config: Any) -> MarketingAgentState:
    """A new campaign for CTOs of SaaS companies, unless ``config`` says otherwise."""
    given = {"target_audience": {"industry": "saas", "titles": ["CTO"]}, **config}
    return MarketingAgentState.initial(CampaignConfig.parse(given), campaign_id=campaign_id, now=NOW)


def written(**parts: Any) -> dict[str, Any]:
    """What a model answers that has written a piece."""
    return {"title": "A title", "body": "Some words.", "meta_description": "", "call_to_action": "Go", **parts}
