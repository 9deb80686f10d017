"""Which ads a platform gets next: the one that stays, and the angles of those that are written.

Pure. Where texts are rewritten, the best of the ads that run stays as it is among the new ones, so that old and new run
side by side on the same days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agents.ad_figures import by_day, number_of
from agents.ad_management.cutting import says_any
from agents.ad_management.fitting import Ad
from agents.ad_management.running import creative_on
from agents.angles.angle import Angle, known
from agents.angles.choice import next_angles
from agents.angles.learned import learned
from agents.contacts import foreign_contacts
from agents.contacts.brief import brief_contacts
from agents.evidence.counts import counts
from agents.evidence.effect import effect
from agents.state import AdCreative, AdDay, MarketingAgentState
from agents.wanted import counted
from integrations.ads.platform import split
from integrations.ads.registry import platform as platform_spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Variants:
    """What the ads of one platform shall be."""

    angles: tuple[Angle, ...]  #: of the ads that are written
    control: Ad | None = None  #: the ad that stays beside them


def variants(state: MarketingAgentState, platform: str) -> Variants:
    """Return the ad of ``platform`` that stays, if one runs, and the angles of the others."""
    count, previous = platform_spec(platform).limits.ads, creative_on(state, platform)
    control = _control(state, previous) if previous is not None and count > 1 else None
    found = learned(state.campaign_performance.daily, counted(state.campaign_config))
    angles = next_angles(
        state.campaign_config.name,
        state.ad_platforms.index(platform) if platform in state.ad_platforms else 0,
        count - (control is not None),
        found,
        kept=known(control.angle) if control else None,
        tried=[angle for name in (previous.angles if previous else ()) if (angle := known(name)) is not None],
    )
    return Variants(angles=angles or (Angle.PLAIN,), control=control)


def ads_of(creative: AdCreative) -> list[Ad]:
    """Return the ads of a creative, of number 1 first."""
    texts = zip(
        creative.angles,
        split(creative.headlines, max(1, len(creative.angles))),
        split(creative.descriptions, max(1, len(creative.angles))),
        strict=False,
    )
    return [Ad(angle=angle, headlines=heads, descriptions=bodies) for angle, heads, bodies in texts]


def _control(state: MarketingAgentState, creative: AdCreative) -> Ad | None:
    """Return the ad that brings most of those that run, the first of them when nothing is known."""
    if "campaign" not in creative.remote_ids:
        return None
    refused = next((m.refused for m in state.campaign_performance.platforms if m.platform == creative.platform), {})
    off = {number_of(step) for step in (*creative.paused_ads, *refused)}
    running = {number: ad for number, ad in enumerate(ads_of(creative), start=1) if number not in off}
    allowed = {number: ad for number, ad in running.items() if _allowed(state, ad)}
    figures = _means(state, creative, allowed)
    best = max(allowed, key=lambda number: (figures.get(number, 0.0), -number), default=None)
    return allowed[best] if best is not None else None


def _means(state: MarketingAgentState, creative: AdCreative, ads: Mapping[int, Ad]) -> Mapping[int, float]:
    """Return what each ad brings for the money against all of them, as a change, of those with figures."""
    days: dict[int, list[AdDay]] = {}
    for one in state.campaign_performance.daily:
        number = number_of(one.ad)
        own = (one.platform, one.revision) == (creative.platform, creative.revision)
        if own and number is not None and number in ads:
            days.setdefault(number, []).append(one)
    whole = counts(by_day(one for each in days.values() for one in each))
    what = counted(state.campaign_config)
    return {number: effect([(whole, counts(by_day(each)))], what).mean for number, each in days.items()}


def _allowed(state: MarketingAgentState, ad: Ad) -> bool:
    """Return whether the brief still allows the texts: no banned word, no contact that it lacks."""
    config, said = state.campaign_config, "\n".join((*ad.headlines, *ad.descriptions))
    return not says_any(said, config.brand.banned_words) and not foreign_contacts(said, brief_contacts(config))
