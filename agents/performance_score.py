"""How good a campaign is, as one number in [0, 1].

    overall = mean of the platforms' scores, weighted by spend      (equally when nothing was spent,
                                                                     or when they count in different currencies)
            = the content's own score                               without ads
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
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from agents.state import CampaignPerformance, PlatformMetrics

GOOD = 0.7  #: what meeting the benchmarks is worth; below it a campaign is optimised
PRIOR_IMPRESSIONS = 500
PRIOR_CLICKS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """What a typical campaign reaches."""

    ctr: float  #: clicks per impression
    cvr: float  #: conversions per click
    cpa: float | None = None  #: money per conversion, in ``currency``
    currency: str = "USD"


#: Facebook: CTR of traffic campaigns, CVR and cost per lead of lead campaigns; Google: search campaigns (all
#: industries, US accounts; WordStream by LocaliQ, Facebook and Google Ads Benchmarks 2025).
#: LinkedIn: CTR of single image sponsored content (The B2B House, LinkedIn Ad Benchmarks: 0.56 %, formats from
#: 0.44 to 0.65 %); conversions on a web site have no reliable published average: 4 % is our convention, and its
#: CPA follows from the lower end of the usual click price ($5.50; Stackmatix, LinkedIn Ads Benchmarks 2026).
BENCHMARKS: Mapping[str, Benchmark] = MappingProxyType(
    {
        "facebook_ads": Benchmark(ctr=0.0171, cvr=0.0772, cpa=27.66),
        "google_ads": Benchmark(ctr=0.0666, cvr=0.0752, cpa=70.11),
        "linkedin_ads": Benchmark(ctr=0.0056, cvr=0.04, cpa=137.5),
    }
)
DEFAULT_BENCHMARK = Benchmark(ctr=0.01, cvr=0.05)


def overall_score(performance: CampaignPerformance) -> float:
    """The campaign's score in [0, 1]; see the module for the formula."""
    if performance.platforms:
        currencies = {metrics.currency for metrics in performance.platforms}
        weights = [_number(metrics.spend) if len(currencies) == 1 else 1.0 for metrics in performance.platforms]
        scores = [platform_score(metrics) for metrics in performance.platforms]
        # Through shares, for a sum of huge weights may overflow.
        largest = max(weights)
        shares = [weight / largest for weight in weights] if largest > 0 else [1.0] * len(scores)
        return _unit(sum(w * s for w, s in zip(shares, scores, strict=True)) / sum(shares))
    return _unit(_number(performance.content_score))


def platform_score(metrics: PlatformMetrics) -> float:
    """One platform's score in [0, 1]."""
    benchmark = BENCHMARKS.get(metrics.platform, DEFAULT_BENCHMARK)
    impressions, clicks, conversions = (
        _number(metrics.impressions),
        _number(metrics.clicks),
        _number(metrics.conversions),
    )
    if impressions > 0:
        ctr = (clicks + benchmark.ctr * PRIOR_IMPRESSIONS) / (impressions + PRIOR_IMPRESSIONS)
    else:
        ctr = _number(metrics.ctr)
    if ctr <= 0:
        return 0.0
    if clicks > 0:
        cvr = (conversions + benchmark.cvr * PRIOR_CLICKS) / (clicks + PRIOR_CLICKS)
    else:
        cvr = 0.0 if impressions > 0 else _number(metrics.cvr)
    found = [_worth(ctr / benchmark.ctr), _worth(cvr / benchmark.cvr)]
    if benchmark.cpa is None or metrics.currency != benchmark.currency:
        return _unit(sum(found) / 2)
    cpa = (_number(metrics.spend) + benchmark.cpa) / (conversions + 1)
    return _unit(0.4 * found[0] + 0.4 * found[1] + 0.2 * _worth(benchmark.cpa / cpa))


def content_score(qualities: list[float]) -> float | None:
    """The mean quality of the pieces in [0, 1]; None without pieces."""
    return _unit(sum(_unit(quality) for quality in qualities) / len(qualities)) if qualities else None


def _worth(ratio: float) -> float:
    if not ratio > 0:  # also NaN
        return 0.0
    return GOOD * ratio if ratio <= 1 else GOOD + (1 - GOOD) * (1 - math.exp(1 - ratio))


def _number(value: Any) -> float:
    """A finite figure >= 0; everything else is 0."""
    if not isinstance(value, int | float | Decimal):
        return 0.0
    try:
        found = float(value)
    except (OverflowError, ValueError):  # beyond a float, or a signalling NaN
        return 0.0
    return found if math.isfinite(found) and found > 0 else 0.0


def _unit(value: float) -> float:
    return min(1.0, max(0.0, value)) if math.isfinite(value) else 0.0
