"""What a change has done: results for money after it over those before it, with an interval.

Pure. The effect is the product of that on clicks per money and that on conversions per click, as logarithms. The priors
say what changes of texts and settings usually do. On clicks: normal around no effect. On conversions per click: mostly
next to nothing, for people convert on the landing page, but sometimes much, as ads that draw the wrong people do (a
mixture of two normals, :data:`CVR_PRIOR`); so few conversions leave the judgement to the clicks, and many overrule
them.
Platforms are compared each with itself, and the ratios averaged by how sure they are.

More money buys dearer clicks: where the daily spend has changed, clicks per money are expected to have changed by its
power :data:`ELASTICITY`, give or take :data:`ELASTICITY_SD`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import NormalDist

from agents.evidence.counts import Counts
from agents.wanted import Counted

CLICKS_SD = 0.30
CVR_PRIOR = ((0.90, 0.04), (0.10, 0.40))  #: (probability, standard deviation) of each kind of change
ELASTICITY, ELASTICITY_SD = -0.3, 0.15  #: of clicks per money in daily spend; 0 is a market without an end
INTERVAL = 0.90  #: probability that the interval holds the truth
SURE = 0.95  #: probability from which on a difference is said to be one: the interval excludes "nothing happened"

_CDF = NormalDist().cdf
_TINY = 1e-9  #: less money than that is none


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectBelief:
    """Belief about the ratio of after to before, whose logarithm is a mixture of normals.

    ``parts``: (probability, mean, standard deviation) of each.
    """

    parts: tuple[tuple[float, float, float], ...]

    @property
    def mean(self) -> float:
        """Middle of the belief as a change: 0.1 is 10 % more for the same money."""
        return exp(self._quantile(0.5)) - 1

    @property
    def interval(self) -> tuple[float, float]:
        """Changes between which the truth lies with probability :data:`INTERVAL`."""
        rest = (1 - INTERVAL) / 2
        return exp(self._quantile(rest)) - 1, exp(self._quantile(1 - rest)) - 1

    @property
    def better(self) -> float:
        """Probability that there is more for the same money, from 0 to 1."""
        return 1 - self._below(0.0)

    @property
    def loss(self) -> float:
        """Share of results that keeping the change loses on average, as far as it may be for the worse."""
        # E[max(0, 1 - exp(X))] of each normal X.
        return sum(
            share * (_CDF(-mean / sd) - exp(mean + sd * sd / 2) * _CDF(-mean / sd - sd))
            for share, mean, sd in self.parts
        )

    @property
    def forgone(self) -> float:
        """Share of the results after the change that going without it loses on average, as far as it is for the better.

        This is :attr:`loss` of the change back.
        """
        return EffectBelief(parts=tuple((share, -mean, sd) for share, mean, sd in self.parts)).loss

    def _below(self, value: float) -> float:
        return sum(share * _CDF((value - mean) / sd) for share, mean, sd in self.parts)

    def _quantile(self, share: float) -> float:
        from scipy.optimize import brentq

        low = min(mean - 9 * sd for _, mean, sd in self.parts)
        high = max(mean + 9 * sd for _, mean, sd in self.parts)
        return float(brentq(lambda value: self._below(value) - share, low, high, xtol=1e-6))


def effect(pairs: Sequence[tuple[Counts, Counts]], counted: Counted) -> EffectBelief:
    """Return what the figures say of a change, by (before, after) of each platform that it was made on.

    Without spend on one side it is the prior: nothing is known.
    """
    of_clicks = _pooled([_clicks(before, after) for before, after in pairs])
    _, mean, variance = _posterior(of_clicks, CLICKS_SD)
    return _of_results(mean, variance, _pooled([_conversions(before, after) for before, after in pairs]), counted)


def belief(mean: float, variance: float, before: Counts, after: Counts, counted: Counted) -> EffectBelief:
    """Return what is believed of results, where the logarithm of the ratio of clicks per money is known.

    It is normal around ``mean``; ``before`` and ``after`` say how many of the clicks converted.
    """
    return _of_results(mean, variance, _conversions(before, after), counted)


#: The logarithm of a ratio as it was seen, and the variance of its noise; None where nothing was seen.
_Seen = tuple[float, float] | None


def _of_results(mean: float, variance: float, of_visits: _Seen, counted: Counted) -> EffectBelief:
    """Return the belief about results by that about clicks per money, and what was seen of conversions per click."""
    if counted is Counted.CLICKS:
        return EffectBelief(parts=((1.0, mean, sqrt(variance)),))
    found = [(share, *_posterior(of_visits, sd)) for share, sd in CVR_PRIOR]
    weights = [share * likely for share, likely, _, _ in found]
    return EffectBelief(
        parts=tuple(
            (weight / sum(weights), mean + more, sqrt(variance + spread))
            for weight, (_, _, more, spread) in zip(weights, found, strict=True)
        )
    )


def _clicks(before: Counts, after: Counts) -> _Seen:
    """Return what was seen of clicks per money, at the same daily spend."""
    scatter = max(before.dispersion, after.dispersion)
    seen = _ratio(before.clicks, before.spend, after.clicks, after.spend, scatter)
    if seen is None or not before.days or not after.days:
        return None
    more = log(after.spend / after.days) - log(before.spend / before.days)
    return seen[0] - ELASTICITY * more, seen[1] + (ELASTICITY_SD * more) ** 2


def _conversions(before: Counts, after: Counts) -> _Seen:
    """Return what was seen of conversions per click."""
    return _ratio(before.conversions, before.clicks, after.conversions, after.clicks, 1.0)


def _ratio(events_a: float, of_a: float, events_b: float, of_b: float, scatter: float) -> _Seen:
    if not min(of_a, of_b) > _TINY:
        return None
    # Half an event more on both sides keeps a count of 0 finite (Haldane's correction).
    seen = log((events_b + 0.5) / of_b) - log((events_a + 0.5) / of_a)
    return seen, scatter * (1 / (events_a + 0.5) + 1 / (events_b + 0.5))


def _pooled(seen: Sequence[_Seen]) -> _Seen:
    """Return the average of what was seen, by precision."""
    known = [one for one in seen if one is not None]
    if not known:
        return None
    precision = sum(1 / variance for _, variance in known)
    return sum(value / variance for value, variance in known) / precision, 1 / precision


def _posterior(seen: _Seen, prior_sd: float) -> tuple[float, float, float]:
    """Return how likely what was seen is under a prior around 0, and mean and variance of the truth after it."""
    prior = prior_sd**2
    if seen is None:
        return 1.0, 0.0, prior
    value, noise = seen
    likely = exp(-(value**2) / (2 * (prior + noise))) / sqrt(prior + noise)
    kept = prior / (prior + noise)
    return likely, kept * value, kept * noise
