"""Ads that run side by side: what each brings for money against another, also where they did not run on the same days.

Pure. The ads of a platform share its market, so days on which several ran tell the ads apart from the market. Days are
cut into periods (at most :data:`PERIOD` days, and a new one wherever an ad comes or goes). Clicks of an ad in a period
are a Poisson count with more scatter, whose rate per money is the ad's factor times the period's market; market and
factors are drawn towards "as usual" (normal on the logarithm), and old days say less of today, for ads wear out. The
posterior is Laplace's (penalised iteratively reweighted least squares: McCullagh and Nelder, Generalized Linear Models,
1989, chapter 9; Breslow and Clayton, JASA 88, 1993). Conversions per click are compared as those of a change are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Protocol

from agents.evidence.counts import PRIOR_DAYS, Counts, counts
from agents.evidence.counts import Day as Figures
from agents.evidence.effect import CLICKS_SD, EffectBelief, belief
from agents.wanted import Counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PERIOD = 7  #: days of one period at most
MARKET_SD = 0.10  #: of the logarithm of a period's market around the platform's level
WEAR_SD = 0.12  #: that an ad's own factor moves in :data:`PERIOD` days, as the logarithm
_STEPS = 8  #: of the fit, which is still after five


class Day(Figures, Protocol):
    """One day of an ad, with its date."""

    @property
    def day(self) -> date:
        """Date, of the ad account's time zone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """What the figures of a platform's ads say of them, by step name."""

    days: Mapping[str, Mapping[date, Day]]  #: days on which money was spent on the ad
    means: Mapping[str, float]  #: logarithm of clicks per money, against each other
    covariances: Mapping[tuple[str, str], float]

    def better(self, ad: str, other: str, what: Counted) -> EffectBelief:
        """Return the belief about the ratio of results per money of ``ad`` to those of ``other``."""
        cov = self.covariances
        variance = cov[ad, ad] + cov[other, other] - 2 * cov[ad, other]
        return belief(self.means[ad] - self.means[other], variance, *self._converting(ad, other), what)

    def common(self, ad: str, other: str) -> list[date]:
        """Return the days on which both ran, oldest first."""
        return sorted(self.days[ad].keys() & self.days[other].keys())

    def _converting(self, ad: str, other: str) -> tuple[Counts, Counts]:
        """Return the counts of (other, ad): of their common days, where there are none, of each one's own."""
        common = self.common(ad, other)
        before, after = (counts(self.days[one][day] for day in common or self.days[one]) for one in (other, ad))
        return before, after


def side_by_side(figures: Mapping[str, Sequence[Day]]) -> SideBySide:
    """Return what the days of each ad say, each day once.

    An ad without spend is as unknown as a new one.
    """
    import numpy as np

    days = {ad: {one.day: one for one in found if one.spend > 0} for ad, found in sorted(figures.items())}
    ads, periods = list(days), _periods(days)
    cells = [
        (row, column, counts(days[ad][day] for day in period if day in days[ad]))
        for column, period in enumerate(periods)
        for row, ad in enumerate(ads)
        if period[0] in days[ad]
    ]
    if not cells:
        prior = {(a, b): (CLICKS_SD**2 / 2 if a == b else 0.0) for a in ads for b in ads}
        return SideBySide(days=days, means=dict.fromkeys(ads, 0.0), covariances=prior)
    newest = periods[-1][-1]
    design = np.zeros((len(cells), len(ads) + len(periods) + 1))
    for at, (row, column, _) in enumerate(cells):
        design[at, [row, len(ads) + column, -1]] = 1.0
    clicks = np.array([cell.clicks for _, _, cell in cells])
    spend = np.array([cell.spend for _, _, cell in cells])
    age = np.array([(newest - periods[column][-1]).days for _, column, _ in cells])
    level = float(np.log((clicks.sum() + 0.5) / spend.sum()))
    precision = np.diag([2 / CLICKS_SD**2] * len(ads) + [MARKET_SD**-2] * len(periods) + [1e-2])
    mean, covariance = _fit(
        design, clicks, np.log(spend) + level, precision, _scatter(days, periods), WEAR_SD**2 * age / PERIOD
    )
    return SideBySide(
        days=days,
        means={ad: float(mean[row]) for row, ad in enumerate(ads)},
        covariances={(a, b): float(covariance[i, j]) for i, a in enumerate(ads) for j, b in enumerate(ads)},
    )


def _periods(days: Mapping[str, Mapping[date, Day]]) -> list[list[date]]:
    """Return the days on which anything ran, cut where the set of ads changes and after :data:`PERIOD` days."""
    found: list[list[date]] = []
    before: frozenset[str] = frozenset()
    for day in sorted({day for one in days.values() for day in one}):
        running = frozenset(ad for ad, one in days.items() if day in one)
        if not found or running != before or (day - found[-1][0]).days >= PERIOD:
            found.append([])
        found[-1].append(day)
        before = running
    return found


def _scatter(days: Mapping[str, Mapping[date, Day]], periods: Sequence[Sequence[date]]) -> float:
    """Return how much daily clicks scatter around each ad's rate in a period, 1 or more, drawn towards 1."""
    chi_square, freedom = PRIOR_DAYS, PRIOR_DAYS
    for period in periods:
        for one in days.values():
            shown = [one[day] for day in period if day in one]
            whole = counts(shown)
            if len(shown) < 2 or whole.clicks <= 0:
                continue
            for day in shown:
                expected = whole.clicks * float(day.spend) / whole.spend
                chi_square += (day.clicks - expected) ** 2 / expected
            freedom += len(shown) - 1
    return max(1.0, chi_square / freedom)


def _fit(
    design: Floats, clicks: Floats, offset: Floats, precision: Floats, scatter: float, wear: Floats
) -> tuple[Floats, Floats]:
    """Return mean and covariance of the unknowns of ``log rate = design @ unknowns + offset``, normal around 0.

    The variance of a count is ``scatter * mean + wear * mean**2``.
    """
    import numpy as np

    at: Floats = np.zeros(design.shape[1])
    covariance: Floats = np.asarray(np.linalg.inv(precision), dtype=np.float64)
    for _ in range(_STEPS):
        fitted = np.clip(design @ at, -5.0, 5.0)
        rate = np.exp(fitted + offset)
        weight = 1 / (scatter / rate + wear)
        inverse = np.linalg.inv(design.T @ (weight[:, None] * design) + precision)
        covariance = np.asarray(inverse, dtype=np.float64)
        at = covariance @ (design.T @ (weight * (fitted + (clicks - rate) / rate)))
    return at, covariance
