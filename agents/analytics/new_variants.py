"""One more ad on a platform whose others have been paused: where, with which angle, and its text.

Pure. Invariants: what runs goes on beside it, so it is measured against ads on the same days; one a platform at a time,
after :data:`COOL_DOWN` days, and none that could not be judged before the schedule is over.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from agents.actions import NewVariant
from agents.ad_management.agent import AdManagement
from agents.ad_management.creative import ads_within
from agents.ad_management.running import creative_on, own_remote_ids
from agents.ad_management.variants import Variants, variants
from agents.ad_management.writing import WRITE_CREATIVE
from agents.analytics.action_limits import ads_shown
from agents.analytics.indifference import indifferent
from agents.analytics.orders import newest_days
from agents.angles.angle import Angle, known
from agents.angles.choice import next_angles
from agents.angles.learned import learned
from agents.state import AdCreative, CampaignPerformance, MarketingAgentState
from agents.unit import Stage, StageResult, Unit
from agents.wanted import counted
from integrations.ads.change_kind import ChangeKind
from integrations.ads.registry import platform as spec_of

VARIANTS = "variants"  #: stage
COOL_DOWN = 7  #: days between two new ads on a platform
LEAST_LEFT = 7  #: days that a new ad must have before the schedule is over

_ADS = AdManagement()


def variants_stage(state: MarketingAgentState, measured: CampaignPerformance) -> Stage | None:
    """Plan one request to the writer for each platform that gets one more ad, or return None without any."""
    after = state.evolve(campaign_performance=measured)
    units = [_unit(after, name, angle) for name, angle in wanted(after).items()]
    return Stage(name=VARIANTS, units=units) if units else None


def wanted(state: MarketingAgentState) -> dict[str, Angle]:
    """Return the angle of the next ad of each platform that gets one."""
    if state.campaign_config.optimize_every is None or indifferent(state):
        return {}
    found = learned(state.campaign_performance.daily, counted(state.campaign_config))
    chosen: dict[str, Angle] = {}
    for creative in state.ad_creatives:
        if not _has_room(state, creative):
            continue
        tried = {*creative.angles, *(ad.angle for ad in creative.added_ads.values())}
        control = variants(state, creative.platform).control
        angles = next_angles(
            state.campaign_config.name,
            state.ad_platforms.index(creative.platform),
            len(Angle),
            found,
            kept=known(control.angle) if control else None,
            tried=[angle for angle in Angle if angle in tried],
        )
        others = [angle for angle in angles if angle not in tried and angle not in chosen.values()]
        if others or angles:
            chosen[creative.platform] = (others or angles)[0]
    return chosen


def written(
    state: MarketingAgentState, measured: CampaignPerformance, stage: StageResult | None
) -> tuple[NewVariant, ...]:
    """Return the new ads that have been written, within the limits of their platforms."""
    after = state.evolve(campaign_performance=measured)
    angles = wanted(after)
    found = []
    for given, answer in WRITE_CREATIVE.answers([stage]) if stage else []:
        angle = angles.get(given.platform)
        creative = creative_on(state, given.platform)
        if angle is None or creative is None:
            continue
        ads = ads_within(answer, after, given.platform, Variants(angles=(angle,)))
        said = {*creative.headlines, *(text for ad in creative.added_ads.values() for text in ad.headlines)}
        new = next((ad for ad in ads if ad.headlines[0] not in said), None)
        if new is not None:
            why = f"tries the angle {angle} against those that run"
            found.append(
                NewVariant(
                    platform=given.platform,
                    headlines=new.headlines,
                    descriptions=new.descriptions,
                    angle=new.angle,
                    why=why,
                )
            )
    return tuple(found)


def _unit(state: MarketingAgentState, name: str, angle: Angle) -> Unit:
    unit = _ADS.creative_unit(state, name, (), Variants(angles=(angle,)))
    return replace(unit, key=f"variant:{name}", essential=False)


def _has_room(state: MarketingAgentState, creative: AdCreative) -> bool:
    spec = spec_of(creative.platform)
    if creative.status != "active" or not own_remote_ids(state, creative.platform):
        return False
    if creative.platform not in state.ad_platforms or ChangeKind.AD_SWITCH not in spec.changes:
        return False
    newest = newest_days(state).get(creative.platform)
    if newest is None or len(ads_shown(creative)) >= spec.limits.ads:
        return False
    left = _end(state) - newest
    last = [
        one.seen[creative.platform]
        for one in state.actions
        if isinstance(one.action, NewVariant) and one.action.platform == creative.platform
        if creative.platform in one.seen
    ]
    return left >= timedelta(days=LEAST_LEFT) and all(newest - day >= timedelta(days=COOL_DOWN) for day in last)


def _end(state: MarketingAgentState) -> date:
    return (state.created_at + timedelta(days=state.campaign_config.schedule.days)).date()
