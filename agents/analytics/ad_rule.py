"""Rule by which ads of one platform are paused and resumed: what is surely or harmlessly worse rests.

Pure. An ad is paused where it is surer than :data:`SURE` that the best brings more, or where it would bring next to
nothing more (:data:`LOSS`). The latter is safe because it is taken back: a paused ad runs again once the figures of the
best, which go on, make it likely enough that the paused one is better (:data:`HOPEFUL`). Invariants: the best always
runs; no ad is paused before it has run :data:`LEAST_DAYS` days since it was last switched on, nor on fewer than
:data:`LEAST_CLICKS` clicks; a paused one rests for :data:`COOL_DOWN` days, longer each time; one switch at a time. All
figures below were chosen in simulations (decision 0045).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from agents.evidence.effect import SURE, EffectBelief
from agents.evidence.side_by_side import Day, SideBySide, side_by_side
from agents.wanted import Counted

LOSS = 0.03  #: share of an ad's results that may be lost on average by pausing it
HOPEFUL = 0.30  #: probability of being better than the best from which on a paused ad runs again
LEAST_DAYS = 3  #: that an ad has run, since it was last switched on, before it is paused
LEAST_CLICKS = 8  #: of both ads together before one is paused
COOL_DOWN = 3  #: days that an ad rests at least when it is paused for the first time ...
LONGER = 3  #: ... and so many times longer each time that it is paused again


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """One ad that is switched off or on, and why."""

    ad: str
    on: bool
    best: str  #: the running ad that it was compared with
    belief: EffectBelief  #: of what it brings for the same money, over what the best brings


def best_of(found: SideBySide, running: Collection[str], what: Counted) -> str:
    """Return the ad of ``running``, not empty, that is believed to bring most for money."""
    best, *others = sorted(running)
    for ad in others:
        if found.better(ad, best, what).better > 0.5:
            best = ad
    return best


def switch(
    figures: Mapping[str, Sequence[Day]], running: Collection[str], paused: Collection[str], what: Counted
) -> Switch | None:
    """Return the switch that is worth making on a platform, or None.

    ``figures``: the days of each ad, by step name; ``running`` and ``paused`` name those that may be switched.
    """
    shown = {ad for ad, days in figures.items() if any(one.spend > 0 for one in days)}
    running, paused = shown.intersection(running), shown.intersection(paused)
    if not running:
        return None
    found = side_by_side({ad: figures[ad] for ad in running | paused})
    dates = sorted({day for one in found.days.values() for day in one})
    best = best_of(found, running, what)
    beliefs = {ad: found.better(ad, best, what) for ad in sorted(running | paused) if ad != best}
    worse = [ad for ad in beliefs if ad in running and _known(found, ad, best, dates) and _worse(beliefs[ad])]
    if worse:
        ad = min(worse, key=lambda one: beliefs[one].better)
        return Switch(ad=ad, on=False, best=best, belief=beliefs[ad])
    rested = [ad for ad in beliefs if ad in paused and dates[-1] - max(found.days[ad]) >= _rest(found.days[ad])]
    ad = max(rested, key=lambda one: beliefs[one].better, default="")
    if ad and beliefs[ad].better >= HOPEFUL:
        return Switch(ad=ad, on=True, best=best, belief=beliefs[ad])
    return None


def _rest(ran: Collection[date]) -> timedelta:
    """Return how long an ad rests that ran on some days, by how often it was shown again before."""
    days = sorted(ran)
    stretches = 1 + sum((later - earlier).days > LEAST_DAYS for earlier, later in pairwise(days))
    return timedelta(days=COOL_DOWN * LONGER ** (stretches - 1))


def _worse(belief: EffectBelief) -> bool:
    return belief.better <= 1 - SURE or belief.forgone <= LOSS


def _known(found: SideBySide, ad: str, best: str, dates: Sequence[date]) -> bool:
    """Return whether there is enough to judge ``ad`` by: days since it was last switched on, and clicks."""
    clicks = sum(day.clicks for one in (ad, best) for day in found.days[one].values())
    newest = dates[-LEAST_DAYS:]
    return clicks >= LEAST_CLICKS and len(newest) == LEAST_DAYS and found.days[ad].keys() >= set(newest)
