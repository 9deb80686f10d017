"""Ads that a platform's review has refused: told on the creative and as an error, so that a person sees them.

Pure. Invariant: a refusal is told once, and taken back from the creative when the platform shows the ads again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from agents.names import ANALYTICS
from agents.state import AdCreative, AgentError, MarketingAgentState, PlatformMetrics

_TOLD = "the platform's review has refused "


def with_refusals(
    state: MarketingAgentState, platforms: Sequence[PlatformMetrics], now: datetime
) -> MarketingAgentState:
    """Return the state that tells what the reviews say of the measured platforms' ads."""
    said = {metrics.platform: _sentence(metrics) for metrics in platforms}
    creatives = tuple(_told(creative, said.get(creative.platform)) for creative in state.ad_creatives)
    new = [
        AgentError(
            agent=ANALYTICS,
            step=state.step,
            unit=f"measure:{after.platform}",
            provider=after.platform,
            code="policy_refused",
            message=after.error or "",
            at=now,
        )
        for before, after in zip(state.ad_creatives, creatives, strict=True)
        if after.error != before.error and said.get(after.platform)
    ]
    return (
        state.evolve(ad_creatives=creatives, errors=(*state.errors, *new)) if creatives != state.ad_creatives else state
    )


def _sentence(metrics: PlatformMetrics) -> str:
    return _TOLD + "; ".join(f"{ad}: {reason}" for ad, reason in metrics.refused.items()) if metrics.refused else ""


def _told(creative: AdCreative, sentence: str | None) -> AdCreative:
    if sentence:
        return creative.model_copy(update={"error": sentence[:500]})
    if sentence == "" and (creative.error or "").startswith(_TOLD):
        return creative.model_copy(update={"error": None})
    return creative
