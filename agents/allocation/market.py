"""Response curves of all arms with their uncertainty: conversions a day at any daily spend, drawn from the posterior.

    clicks(x)      = level x shape(x)                     shapes of :mod:`agents.allocation.shapes`
    conversions(x) = clicks(x) x rate x wear(x)           wear: a rate that falls as more is spent, mostly none

Clicks are many, so they show the shape; conversions are few, so they show one rate. Where clicks are not told,
conversions show both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.allocation.delay import NONE, Delay, find_delay
from agents.allocation.figures import Figures
from agents.allocation.posterior import Posterior, posterior, tempering
from agents.allocation.shapes import Shapes, shapes

Floats = NDArray[np.float64]

STRENGTH = 1.0  #: how many clicks the common level is worth
RATE_STRENGTH = 1.5  #: how many conversions the common rate is worth
DEAD = 0.1  #: how likely an arm brings nothing at all, before anything is seen
WEAR = (0.0, 0.15, 0.3, 0.6)  #: exponents by which a rate falls with spend ...
WEAR_WEIGHT = (0.9, 0.04, 0.03, 0.03)  #: ... and how likely each is before anything is seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Posterior of all arms, in units of ``scale``, the day's whole budget."""

    scale: float
    grid: Shapes
    levels: Posterior
    rates: Posterior | None  #: None where clicks are not told
    delay: Delay
    scatter: float

    def draw(self, size: int, rng: np.random.Generator) -> Draws:
        """Draw ``size`` curves for each arm."""
        level, shape = self.levels.draw(size, rng)
        if self.rates is None:
            return Draws(market=self, level=level, shape=shape, rate=np.ones_like(level), wear=np.zeros_like(shape))
        rate, wear = self.rates.draw(size, rng)
        return Draws(market=self, level=level, shape=shape, rate=rate, wear=wear)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Curves, arms x draws."""

    market: Market
    level: Floats
    shape: NDArray[np.intp]
    rate: Floats
    wear: NDArray[np.intp]

    def clicks(self, arm: int, spend: Floats, count: int | None = None) -> Floats:
        """Return responses a day of an arm's first ``count`` curves at each ``spend`` (1 is the day's budget)."""
        kept = slice(count)
        return self.level[arm, kept, None] * self.market.grid.at(spend).T[self.shape[arm, kept]]

    def conversions(self, arm: int, spend: Floats, count: int | None = None) -> Floats:
        """Return conversions a day of an arm's first ``count`` curves at each ``spend``."""
        kept = slice(count)
        worn = _wear(spend, self.market.grid.reference).T[self.wear[arm, kept]]
        return self.clicks(arm, spend, count) * self.rate[arm, kept, None] * worn


def learn(figures: Figures, scale: float) -> Market:
    """Return what ``figures`` say of each arm, for a day's budget of ``scale``."""
    grid = shapes(1.0 / len(figures.arms))
    spend = figures.spend / scale
    clicks = grid.at(spend) * figures.days[..., None]
    typical = clicks @ np.exp(grid.log_prior)
    if not figures.has_clicks:
        delay = _delay(figures, typical)
        told = delay.reported(clicks)
        weight, scatter = tempering(figures.conversions, delay.reported(typical), figures.days)
        levels = posterior(
            figures.conversions, told, weight * figures.weight, grid.log_prior, strength=STRENGTH, dead=DEAD
        )
        return Market(scale=scale, grid=grid, levels=levels, rates=None, delay=delay, scatter=scatter)
    weight, scatter = tempering(figures.responses, typical, figures.days)
    levels = posterior(figures.responses, clicks, weight * figures.weight, grid.log_prior, strength=STRENGTH)
    delay = _delay(figures, figures.responses)
    worn = delay.reported(figures.responses[..., None] * _wear(spend, grid.reference))
    weight, _ = tempering(figures.conversions, delay.reported(figures.responses), figures.days)
    rates = posterior(
        figures.conversions,
        worn,
        weight * figures.weight,
        np.log(np.array(WEAR_WEIGHT)),
        strength=RATE_STRENGTH,
        dead=DEAD,
    )
    return Market(scale=scale, grid=grid, levels=levels, rates=rates, delay=delay, scatter=scatter)


def _delay(figures: Figures, exposure: Floats) -> Delay:
    if not figures.daily:
        return NONE
    weight, _ = tempering(figures.conversions, exposure, figures.days)
    return find_delay(exposure, figures.conversions, weight * figures.weight)


def _wear(spend: Floats, reference: float) -> Floats:
    found: Floats = (np.maximum(spend, 1e-3 * reference)[..., None] / reference) ** -np.array(WEAR)
    return found
