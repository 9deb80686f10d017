"""How good a campaign is, as one number in [0, 1].

    overall = mean of the platforms' scores, weighted by spend      (equally when nothing was spent,
                                                                     or when they count in different currencies)
            = the content's own score                               without ads, or where none was shown because the
                                                                     platforms' reviews refused them: that is a
                                                                     person's business, not a low score
            = 0                                                     without anything

    platform = 0.4 · s(CTR / benchmark) + 0.4 · s(CVR / benchmark) + 0.2 · s(benchmark CPA / CPA)
               (0.5 and 0.5 where the CPA's benchmark is in another currency or unknown; 0 without impressions)

    s(x) = 0.7 · x                        for x <= 1: a typical campaign is worth 0.7, the bar of the loop
         = 0.7 + 0.3 · (1 - exp(1 - x))   above: twice as good is 0.89, and 1 is never reached by luck

Small numbers prove little, so each rate is drawn towards its benchmark by a few imaginary observations
(:data:`PRIOR_IMPRESSIONS`, :data:`PRIOR_CLICKS`, one conversion), as in empirical Bayes: 0 conversions
out of 3 clicks is no disaster, 0 out of 300 is.

Invariants: pure; in [0, 1] for every input, also with missing, zero, negative or non-finite figures;
only counts and money are read where they exist, so a stale ratio can't contradict them.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from agents.state import CampaignPerformance, PlatformMetrics
from integrations.ads.benchmark import Benchmark
from integrations.ads.registry import platforms

GOOD = 0.7  #: what meeting the benchmarks is worth; below it a campaign is optimised
PRIOR_IMPRESSIONS = 500
PRIOR_CLICKS = 15


#: Of a platform that is not installed any more.
DEFAULT_BENCHMARK = Benchmark(ctr=0.01, cvr=0.05)


def benchmark(platform: str) -> Benchmark:
    """Return what a typical campaign reaches on ``platform``."""
    spec = platforms().get(platform)
    return spec.benchmark if spec else DEFAULT_BENCHMARK


def overall_score(performance: CampaignPerformance) -> float:
    """Return the campaign's score in [0, 1] by the module's formula."""
    judged = [metrics for metrics in performance.platforms if metrics.judged]
    if judged:
        currencies = {metrics.currency for metrics in judged}
        weights = [_number(metrics.spend) if len(currencies) == 1 else 1.0 for metrics in judged]
        scores = [platform_score(metrics) for metrics in judged]
        # Through shares, for a sum of huge weights may overflow.
        largest = max(weights)
        shares = [weight / largest for weight in weights] if largest > 0 else [1.0] * len(scores)
        return _unit(sum(w * s for w, s in zip(shares, scores, strict=True)) / sum(shares))
    return _unit(_number(performance.content_score))


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
