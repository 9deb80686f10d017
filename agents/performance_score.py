"""How good a campaign is, as one number in [0, 1].

    overall = s(x), x = what a result may cost / what it costs       over all platforms together
            = mean of the platforms' scores                          where money can't be compared: several currencies,
                                                                     or nothing was spent
            = the content's own score                                without ads, or where none was shown because the
                                                                     platforms' reviews refused them: that is a
                                                                     person's business, not a low score
            = 0                                                      without anything

    x = (results + k) · cost / (spend + k · cost)                    cost and what a result is: agents.yardstick

    platform = 0.4 · s(CTR / benchmark) + 0.4 · s(CVR / benchmark) + 0.2 · s(benchmark CPA / CPA)
               (0.5 and 0.5 where the CPA's benchmark is in another currency or unknown; 0 without impressions)

    s(x) = 0.7 · x                        for x <= 1: a campaign at its target is worth 0.7, the bar of the loop
         = 0.7 + 0.3 · (1 - exp(1 - x))   above: twice as good is 0.89, and 1 is never reached by luck

The overall score is the progress towards the user's goal and grows with its results for the same money; as it looks at
all money together, moving some to a dearer platform lowers it. A platform's score tells how it stands among its kind.

Small numbers prove little, so each rate is drawn towards what is usual by a few imaginary observations
(:data:`PRIOR_RESULTS`, :data:`PRIOR_IMPRESSIONS`, :data:`PRIOR_CLICKS`), as in empirical Bayes: 0 conversions out of 3
clicks is no disaster, 0 out of 300 is.

Invariants: pure; in [0, 1] for every input, also with missing, zero, negative or non-finite figures; only counts and
money are read where they exist, so a stale ratio can't contradict them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from agents.state import CampaignPerformance, PlatformMetrics, Yardstick
from agents.wanted import Counted
from agents.yardstick import benchmark, usual_yardstick

GOOD = 0.7  #: what a campaign at its target is worth; below it a campaign is optimised
#: Results' worth of belief that a campaign is at its target.
PRIOR_RESULTS: Mapping[Counted, float] = {Counted.CONVERSIONS: 1.0, Counted.CLICKS: 15.0}
PRIOR_IMPRESSIONS = 500
PRIOR_CLICKS = 15


def overall_score(performance: CampaignPerformance) -> float:
    """Return the campaign's score in [0, 1] by the module's formula."""
    judged = [metrics for metrics in performance.platforms if metrics.judged]
    if not judged:
        return _unit(_number(performance.content_score))
    measure = performance.yardstick or usual_yardstick([_plain(metrics) for metrics in judged], Counted.CONVERSIONS)
    ratio = progress(judged, measure) if measure is not None else None
    if ratio is not None:
        return _unit(_worth(ratio))
    scores = [platform_score(metrics) for metrics in judged]
    return _unit(sum(scores) / len(scores))


def progress(figures: Sequence[PlatformMetrics], measure: Yardstick) -> float | None:
    """Return how far the goal is reached, 1 at the target, or None where ``figures`` can't be measured by it."""
    if {metrics.currency for metrics in figures} != {measure.currency}:
        return None
    cost, spend = _number(measure.cost), sum(_number(metrics.spend) for metrics in figures)
    results = sum(_number(getattr(metrics, measure.counts)) for metrics in figures)
    prior = PRIOR_RESULTS[measure.counts]
    if spend <= 0 or cost <= 0 or not math.isfinite(spend + results + prior * cost):
        return None
    return (results + prior) * cost / (spend + prior * cost)


def platform_score(metrics: PlatformMetrics) -> float:
    """Return one platform's score in [0, 1]."""
    usual = benchmark(metrics.platform)
    impressions, clicks, conversions = (
        _number(metrics.impressions),
        _number(metrics.clicks),
        _number(metrics.conversions),
    )
    if impressions > 0:
        ctr = (clicks + usual.ctr * PRIOR_IMPRESSIONS) / (impressions + PRIOR_IMPRESSIONS)
    else:
        ctr = _number(metrics.ctr)
    if ctr <= 0:
        return 0.0
    if clicks > 0:
        cvr = (conversions + usual.cvr * PRIOR_CLICKS) / (clicks + PRIOR_CLICKS)
    else:
        cvr = 0.0 if impressions > 0 else _number(metrics.cvr)
    found = [_worth(ctr / usual.ctr), _worth(cvr / usual.cvr)]
    if usual.cpa is None or metrics.currency != usual.currency:
        return _unit(sum(found) / 2)
    cpa = (_number(metrics.spend) + usual.cpa) / (conversions + 1)
    return _unit(0.4 * found[0] + 0.4 * found[1] + 0.2 * _worth(usual.cpa / cpa))


def content_score(qualities: list[float]) -> float | None:
    """Return the mean quality of the pieces in [0, 1], or None without pieces."""
    return _unit(sum(_unit(quality) for quality in qualities) / len(qualities)) if qualities else None


def _plain(metrics: PlatformMetrics) -> PlatformMetrics:
    """Return figures without what no report should have."""
    return metrics.model_copy(
        update={"spend": Decimal(_number(metrics.spend)), "impressions": _number(metrics.impressions)}
    )


def _worth(ratio: float) -> float:
    if not ratio > 0:  # also NaN
        return 0.0
    return GOOD * ratio if ratio <= 1 else GOOD + (1 - GOOD) * (1 - math.exp(1 - ratio))


def _number(value: Any) -> float:
    """Return a finite figure >= 0, or 0 for everything else."""
    if not isinstance(value, int | float | Decimal):
        return 0.0
    try:
        found = float(value)
    except (OverflowError, ValueError):  # beyond a float, or a signalling NaN
        return 0.0
    return found if math.isfinite(found) and found > 0 else 0.0


def _unit(value: float) -> float:
    return min(1.0, max(0.0, value)) if math.isfinite(value) else 0.0
