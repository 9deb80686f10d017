"""Ads of one platform against each other: which of them are paused, for they bring less, and which run again.

Pure. The ads of a campaign run on the same days under one budget, so they are each other's control; what is worth
switching says :mod:`agents.analytics.ad_rule`. Invariants: one ad a platform at a time, and the best always runs; no
more ads run than the platform lets run; only where the campaign is measured again, for a pause may have to be taken
back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

from agents.action_log import ActionRecord
from agents.actions import PauseAd, ResumeAd
from agents.ad_management.running import creative_on, own_remote_ids
from agents.analytics.ad_rule import Switch, switch
from agents.analytics.changing import change_unit, refused
from agents.analytics.indifference import indifferent
from agents.state import AdCreative, AdDay, CampaignPerformance, MarketingAgentState
from agents.unit import Stage, StageResult, short_hash
from agents.wanted import Counted, counted
from integrations.ads.change_kind import ChangeKind
from integrations.ads.changes import AdSwitch
from integrations.ads.registry import platform

SWITCH_ADS = "switch_ads"  #: stage

SwitchAd: TypeAlias = PauseAd | ResumeAd


def switches(state: MarketingAgentState, measured: CampaignPerformance) -> tuple[SwitchAd, ...]:
    """Return the ads that are worth pausing or resuming after a measurement, at most one on each platform.

    Where texts make no difference, ads that rest go on resting.
    """
    if state.campaign_config.optimize_every is None:
        return ()
    found = []
    for metrics in measured.platforms:
        creative = creative_on(state, metrics.platform)
        if creative is None or creative.status != "active" or not _switchable(state, creative):
            continue
        own = [one for one in measured.daily if one.platform == creative.platform and one.revision == creative.revision]
        action = _action(creative, own, counted(state.campaign_config))
        if action is not None and not (isinstance(action, ResumeAd) and indifferent(state)):
            found.append(action)
    return tuple(found)


def switch_stage(state: MarketingAgentState, actions: Sequence[SwitchAd]) -> Stage | None:
    """Plan one effect for each ad that is paused or resumed."""
    units = [
        change_unit(
            state,
            f"{one.kind}:{one.platform}:{one.ad}",
            one.platform,
            AdSwitch(ad=one.ad, on=isinstance(one, ResumeAd)),
        )
        for one in actions
    ]
    return Stage(name=SWITCH_ADS, units=units) if units else None


def switch_records(
    state: MarketingAgentState, actions: Sequence[SwitchAd], stage: StageResult | None, now: datetime
) -> tuple[ActionRecord, ...]:
    """Return what became of each switch that was planned in ``stage``."""
    if stage is None:
        return ()
    failed = refused(stage)
    return tuple(
        ActionRecord(
            action_id=short_hash(state.campaign_id, str(state.step), action.kind, action.platform, action.ad),
            step=state.step,
            at=now,
            action=action,
            done=() if action.platform in failed else (action.platform,),
            failed={name: why for name, why in failed.items() if name == action.platform},
        )
        for action in actions
    )


def _switchable(state: MarketingAgentState, creative: AdCreative) -> bool:
    return (
        bool(own_remote_ids(state, creative.platform)) and ChangeKind.AD_SWITCH in platform(creative.platform).changes
    )


def _action(creative: AdCreative, days: Sequence[AdDay], what: Counted) -> SwitchAd | None:
    """Return the switch of an ad that has figures and can be switched, if one is worth making."""
    figures: dict[str, list[AdDay]] = {}
    for one in days:
        if one.ad in creative.remote_ids:
            figures.setdefault(one.ad, []).append(one)
    paused = figures.keys() & set(creative.paused_ads)
    found = switch(figures, figures.keys() - paused, {ad for ad in paused if _has_room(creative, ad)}, what)
    if found is None:
        return None
    kind = ResumeAd if found.on else PauseAd
    return kind(platform=creative.platform, ad=found.ad, best=found.best, why=_why(found))


def _has_room(creative: AdCreative, ad: str) -> bool:
    """Return whether the platform lets one more ad of the kind of ``ad`` run."""
    most = platform(creative.platform).most_running
    alike = {one for one in creative.remote_ids if one.partition(".")[0] == ad.partition(".")[0]}
    return most is None or len(alike - set(creative.paused_ads)) < most


def _why(found: Switch) -> str:
    low, high = found.belief.interval
    said = f"against the best ad it brings {found.belief.mean:+.0%} for the same money ({low:+.0%} to {high:+.0%}); "
    if found.on:
        return said + f"{found.belief.better:.0%} likely that it is more by now"
    return said + f"{1 - found.belief.better:.0%} sure that it is less, {found.belief.forgone:.1%} may be forgone"
