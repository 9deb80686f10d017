"""Ads that a platform's review has refused: a question to a person, then told on the creative and as an error.

Pure. Invariants: a refusal is asked about and told once, as long as the same ads run; it is taken back from the
creative when the platform shows the ads again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from agents.names import ANALYTICS
from agents.state import AdCreative, AgentError, MarketingAgentState, PlatformMetrics

_TOLD = "the platform's review has refused "


def known_refusals(state: MarketingAgentState, creative: AdCreative) -> Mapping[str, str]:
    """Return the refusals of a creative's present ads that a person has been asked about before."""
    if not (creative.error or "").startswith(_TOLD):
        return {}  # of these ads nothing was told; those that were refused may be older ones
    platforms = state.campaign_performance.platforms
    return next((dict(one.refused) for one in platforms if one.platform == creative.platform), {})


def question(refused: Mapping[str, str], known: Mapping[str, str]) -> str | None:
    """Return what a person is asked about ``refused`` ads, or None when all of it is ``known``."""
    new = {ad: reason for ad, reason in refused.items() if known.get(ad) != reason}
    if not new:
        return None
    return f"{_TOLD}{_listed(new)}. Change or appeal it there, or go on without it; then resume the campaign"


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
    return _TOLD + _listed(metrics.refused) if metrics.refused else ""


def _listed(refused: Mapping[str, str]) -> str:
    return "; ".join(f"{ad}: {reason}" for ad, reason in refused.items())


def _told(creative: AdCreative, sentence: str | None) -> AdCreative:
    if sentence:
        return creative.model_copy(update={"error": sentence[:500]})
    if sentence == "" and (creative.error or "").startswith(_TOLD):
        return creative.model_copy(update={"error": None})
    return creative
