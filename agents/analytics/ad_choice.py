"""Ads of one platform against each other: which of them surely bring less for the money, and are paused.

Pure. The ads of a campaign run on the same days under one budget, so they are each other's control. Invariants: an ad
is paused only when it is surer than :data:`SURE` that it brings less than the best; one a platform at a time, and the
best always runs; only where the campaign is measured again, for a paused ad shows nothing any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import comb

from agents.action_log import ActionRecord
from agents.actions import PauseAd
from agents.ad_figures import by_day
from agents.ad_management.running import creative_on, own_remote_ids
from agents.analytics.changing import CHANGE, change_unit, refused
from agents.evidence.counts import Counts, counts
from agents.evidence.effect import SURE, EffectBelief, effect
from agents.state import AdCreative, AdDay, CampaignPerformance, MarketingAgentState
from agents.unit import Stage, StageResult, short_hash
from agents.wanted import Counted, counted
from integrations.ads.change_kind import ChangeKind
from integrations.ads.changes import AdSwitch
from integrations.ads.registry import platform

PAUSE_ADS = "pause_ads"  #: stage


def losers(state: MarketingAgentState, measured: CampaignPerformance) -> tuple[PauseAd, ...]:
    """Return the ads that are worth pausing after a measurement, at most one on each platform."""
    if state.campaign_config.optimize_every is None:
        return ()
    found = []
    for metrics in measured.platforms:
        creative = creative_on(state, metrics.platform)
        if creative is None or creative.status != "active" or not _switchable(state, creative):
            continue
        own = [one for one in measured.daily if one.platform == creative.platform and one.revision == creative.revision]
        action = _loser(creative, own, counted(state.campaign_config))
        if action is not None:
            found.append(action)
    return tuple(found)


def pause_stage(state: MarketingAgentState, actions: Sequence[PauseAd]) -> Stage | None:
    """Plan one effect for each ad that is paused."""
    units = [
        change_unit(state, f"pause:{one.platform}:{one.ad}", one.platform, AdSwitch(ad=one.ad, on=False))
        for one in actions
    ]
    return Stage(name=PAUSE_ADS, units=units) if units else None


def pause_records(
    state: MarketingAgentState, actions: Sequence[PauseAd], stage: StageResult | None, now: datetime
) -> tuple[ActionRecord, ...]:
    """Return what became of each pause that was planned in ``stage``."""
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


def with_paused(state: MarketingAgentState, stage: StageResult | None) -> MarketingAgentState:
    """Return the state that knows which ads are paused now."""
    paused: dict[str, list[str]] = {}
    for given, _ in CHANGE.answers([stage]) if stage else []:
        if isinstance(given.change, AdSwitch):
            paused.setdefault(given.platform, []).append(given.change.ad)
    if not paused:
        return state
    return state.evolve(
        ad_creatives=tuple(
            one.model_copy(update={"paused_ads": (*one.paused_ads, *paused.get(one.platform, ()))})
            for one in state.ad_creatives
        )
    )


def _switchable(state: MarketingAgentState, creative: AdCreative) -> bool:
    return (
        bool(own_remote_ids(state, creative.platform)) and ChangeKind.AD_SWITCH in platform(creative.platform).changes
    )


def _loser(creative: AdCreative, days: Sequence[AdDay], what: Counted) -> PauseAd | None:
    """Return the pause of the ad that most surely brings less than the best one, if any surely does.

    As both are chosen by their figures, any two of the ads could have been compared: the chance of an error is divided
    by the number of pairs (Bonferroni).
    """
    running = _running(creative, days)
    if len(running) < 2:
        return None
    whole = counts(by_day(one for one in days if one.ad in running))
    best = max(running, key=lambda ad: (effect([(whole, running[ad])], what).mean, ad))
    beliefs = {ad: effect([(running[best], figures)], what) for ad, figures in running.items() if ad != best}
    worst = min(beliefs, key=lambda ad: (beliefs[ad].better, ad))
    if beliefs[worst].better > (1 - SURE) / comb(len(running), 2):
        return None
    return PauseAd(platform=creative.platform, ad=worst, best=best, why=_why(beliefs[worst]))


def _running(creative: AdCreative, days: Sequence[AdDay]) -> Mapping[str, Counts]:
    """Return the figures of each ad that can be switched and still runs."""
    names = sorted({one.ad for one in days if one.ad in creative.remote_ids and one.ad not in creative.paused_ads})
    return {ad: counts(by_day(one for one in days if one.ad == ad)) for ad in names}


def _why(belief: EffectBelief) -> str:
    low, high = belief.interval
    return (
        f"against the best ad it brings {belief.mean:+.0%} for the same money ({low:+.0%} to {high:+.0%}); "
        f"{1 - belief.better:.0%} sure that it is less"
    )
