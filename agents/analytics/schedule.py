"""When a campaign is measured: after its new ads have gathered figures, and again each cycle until its schedule ends.

Pure.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from agents.names import AD_MANAGEMENT
from agents.state import MarketingAgentState
from agents.waiting import Wait

MEASURING = "measuring"
NEXT_OPTIMIZATION = "next_optimization"


def measuring(state: MarketingAgentState, came_from: str | None, now: datetime) -> Wait | None:
    """Return the wait for figures of ads that have just been placed or changed."""
    after = state.campaign_config.measure_after
    if came_from != AD_MANAGEMENT or not after or not state.ad_creatives:
        return None
    return Wait(kind=MEASURING, reason=f"{MEASURING}: figures gather", due_at=now + after)


def next_optimization(state: MarketingAgentState, now: datetime) -> Wait | None:
    """Return how long a finished campaign waits for its next optimisation, or None when its schedule is over."""
    cadence = state.campaign_config.optimize_every
    if cadence is None or not any(c.status == "active" for c in state.ad_creatives):
        return None
    ends = state.created_at + timedelta(days=state.campaign_config.schedule.days)
    if now + cadence > ends:
        return None
    reason = f"{NEXT_OPTIMIZATION}: every {_words(cadence)} until {ends:%Y-%m-%d}"
    return Wait(kind=NEXT_OPTIMIZATION, reason=reason, due_at=now + cadence)


def _words(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours / 24:g} days" if hours >= 48 else f"{hours:g} hours"
