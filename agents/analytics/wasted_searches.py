"""Searches that cost money and bring nothing, which become negative keywords.

Pure. A search is judged by its conversions per click against those of the platform's other searches: Beta posterior
with :data:`PRIOR_VISITS` visits' worth of belief in the usual share. Invariant: nothing is excluded that a keyword of
the campaign names by itself, and nothing before it has cost what a result may cost.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal

from agents.actions import NegativeKeyword
from agents.evidence.effect import SURE
from integrations.ads.keywords import keywords
from integrations.ads.search_term import SearchTerm

PRIOR_VISITS = 20.0
WORTHLESS = 0.5  #: of the usual share of clicks that convert: a search below that wastes money
MOST_WORDS = 3  #: that are excluded at once
MOST_SHARE = 0.4  #: of a platform's clicks that may be excluded at once


def wasted(
    platform: str, terms: Sequence[SearchTerm], cost: Decimal, kept: Collection[str], excluded: Collection[str]
) -> NegativeKeyword | None:
    """Return the searches of a platform that are surely worth less than half of the others, or None.

    ``cost``: what one result may cost, in the currency of the terms; ``kept``: the campaign's own keywords.
    """
    clicks, conversions = sum(one.clicks for one in terms), sum(one.conversions for one in terms)
    if not clicks or not conversions:
        return None
    own = {word.text for word in keywords(kept) if not word.negative}
    known = {word.text for word in keywords(f"-{one.removeprefix('-')}" for one in excluded)}
    found = [one for one in terms if one.text not in own | known and one.spend >= cost]
    rated = sorted((_chance(one, clicks, conversions), one) for one in found) if found else []
    chosen: list[SearchTerm] = []
    for chance, one in sorted(rated, key=lambda item: (-item[0], item[1].text)):
        share = sum(each.clicks for each in (*chosen, one)) / clicks
        if chance >= SURE and share <= MOST_SHARE and len(chosen) < MOST_WORDS and _exact(one.text):
            chosen.append(one)
    if not chosen:
        return None
    spent = sum((one.spend for one in chosen), Decimal(0))
    told = (
        f"{sum(one.clicks for one in chosen)} clicks for {spent:.2f} brought {sum(one.conversions for one in chosen)}"
    )
    return NegativeKeyword(
        platform=platform, words=tuple(f"[{one.text}]" for one in chosen), why=f"{told} conversions, {SURE:.0%} sure"
    )


def _chance(term: SearchTerm, clicks: int, conversions: int) -> float:
    """Return how sure it is that a search converts less than half as often as the others do."""
    from scipy.stats import beta

    others = max(clicks - term.clicks, 1)
    usual = min(max(conversions - term.conversions, 0) / others, 1.0)
    if usual <= 0:
        return 0.0
    yes, no = term.conversions + usual * PRIOR_VISITS, term.clicks - term.conversions + (1 - usual) * PRIOR_VISITS
    return float(beta.cdf(usual * WORTHLESS, yes, max(no, 1e-9)))


def _exact(text: str) -> bool:
    return bool(keywords([f"-[{text}]"]))
