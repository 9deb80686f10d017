"""How much a campaign gets for its money, against what it should get, with how sure that is.

Pure. Results per money are worked out per platform, for each has its own usual rates: clicks per money drawn towards
the usual ones by :data:`PRIOR_CLICKS` clicks, conversions per click by :data:`PRIOR_VISITS` visits (empirical Bayes:
Gamma and Beta posteriors), then summed up. The ratio to the bar is taken for log-normal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import NormalDist

from agents.evidence.counts import Counts
from agents.wanted import Counted

PRIOR_CLICKS = 5.0  #: clicks' worth of belief in the usual price of a click
PRIOR_VISITS = 60.0  #: visits' worth of belief in the usual share that converts


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """What is usual on a platform."""

    cvr: float  #: conversions per click, above 0
    cpc: float | None = None  #: money per click in the campaign's currency; None: not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Efficiency:
    """Results for money over what the bar asks for, as a belief: the logarithm is normal."""

    log_mean: float
    log_sd: float

    @property
    def mean(self) -> float:
        """Middle of the belief, where 1 is the bar."""
        return exp(self.log_mean)

    @property
    def below(self) -> float:
        """Probability that the truth is below the bar, from 0 to 1."""
        return NormalDist(self.log_mean, self.log_sd).cdf(0.0)


def efficiency(
    figures: Mapping[str, Counts], usual: Mapping[str, Usual], cost: float, counted: Counted
) -> Efficiency | None:
    """Return what ``figures`` (by platform) say of the results per money, where one may cost ``cost``, above 0.

    None where nothing was spent, so that there is nothing to say.
    """
    spend = sum(one.spend for one in figures.values())
    if spend <= 0 or cost <= 0:
        return None
    results, variance = 0.0, 0.0
    for name, one in figures.items():
        if one.spend <= 0:
            continue
        found, var = _results(one, usual[name], counted)
        results, variance = results + found, variance + var
    return Efficiency(log_mean=log(results * cost / spend), log_sd=sqrt(variance) / results)


def _results(one: Counts, usual: Usual, counted: Counted) -> tuple[float, float]:
    """Return the mean and the variance of the results that so much money brings by what is believed now."""
    shape = one.clicks / one.dispersion + (PRIOR_CLICKS if usual.cpc else 0.5)
    scale = one.spend / one.dispersion + (PRIOR_CLICKS * usual.cpc if usual.cpc else 0.0)
    clicks, var_clicks = one.spend * shape / scale, one.spend**2 * shape / scale**2
    if counted is Counted.CLICKS:
        return clicks, var_clicks
    yes = one.conversions + usual.cvr * PRIOR_VISITS
    visits = max(one.clicks, one.conversions) + PRIOR_VISITS
    share = min(yes / visits, 1.0)
    var_share = share * (1 - share) / (visits + 1) * one.dispersion
    return clicks * share, var_clicks * share**2 + var_share * clicks**2
