"""What of a campaign runs on its platforms by the state: its creatives, and which of them are its own.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from agents.state import AdCreative, MarketingAgentState
from agents.unit import effect_key
from integrations.ads.changes import AD_STEPS


def creative_on(state: MarketingAgentState, platform: str) -> AdCreative | None:
    """Return the campaign's creative on one platform."""
    return next((c for c in state.ad_creatives if c.platform == platform), None)


def own_remote_ids(state: MarketingAgentState, platform: str) -> Mapping[str, str]:
    """Return the remote ids that this campaign made itself, not the parent's, which a fork has inherited."""
    found = creative_on(state, platform)
    if found is None or found.effect_key != effect_key(state.campaign_id, platform):
        return {}
    return found.remote_ids


def ad_steps(creative: AdCreative) -> tuple[str, ...]:
    """Return the step names of a creative's ads in the order of their numbers, () where they can't be told apart.

    They are those of what is switched: an ad, or where a platform has none beside what it shows, that.
    """
    for begins in AD_STEPS:
        if steps := [step for step in creative.remote_ids if step.startswith(begins)]:
            return tuple(sorted(steps, key=lambda step: (len(step), step)))
    return ()
