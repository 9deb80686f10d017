"""Shapes that the answer to money may have: a fixed grid of curves, each with a weight before anything is seen.

In units of the day's whole budget, x = 1, the shapes are

    Hill          x^h / (x^h + k^h)       h <= 1 flattens from the start, h > 1 is an S
    logarithm     log(1 + x / k)
    exponential   1 - exp(-x / k)         saturates hard
    power         x^b

each divided by its value at a reference spend, so that the level of a curve is what the reference brings, whatever
its shape. Hill and exponential are the saturation curves of media mix models (Jin et al., "Bayesian Methods for Media
Mix Modeling with Carryover and Shape Effects", 2017); logarithm and power saturate more slowly than any Hill curve.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HALVES = np.geomspace(0.03, 6.0, 12)  #: k
SLOPES = ((0.6, 0.6), (0.8, 1.0), (1.0, 1.6), (1.4, 0.8), (2.0, 0.6), (3.0, 0.3))  #: h, and its weight
LARGEST_S = 0.7  #: k of an S at most: one that starts beyond the budget would be tried for ever
POWERS = (0.3, 0.45, 0.6, 0.75, 0.9)  #: b
WEIGHTS = {"hill": 0.5, "log": 0.2, "exponential": 0.15, "power": 0.15}  #: of each family as a whole


@dataclass(frozen=True, slots=True)
class Shapes:
    """Grid of curves, by its reference spend and the logarithms of the prior weights."""

    reference: float
    log_prior: Floats

    def at(self, spend: Floats) -> Floats:
        """Return the shapes' values at ``spend`` (in days' budgets), along a new last axis, each 1 at the reference."""
        found: Floats = _raw(spend) / _raw(np.array(self.reference))
        return found


def shapes(reference: float) -> Shapes:
    """Return the grid that is 1 at ``reference``."""
    slopes = np.array(
        [np.where((HALVES <= LARGEST_S) | (slope <= 1), weight, 1e-12) for slope, weight in SLOPES]
    ).ravel()
    parts = [
        WEIGHTS["hill"] * slopes / slopes.sum(),
        np.full(len(HALVES), WEIGHTS["log"] / len(HALVES)),
        np.full(len(HALVES), WEIGHTS["exponential"] / len(HALVES)),
        np.full(len(POWERS), WEIGHTS["power"] / len(POWERS)),
    ]
    return Shapes(reference=reference, log_prior=np.log(np.concatenate(parts)))


def _raw(spend: Floats) -> Floats:
    x = np.maximum(spend, 1e-12)[..., None]
    ratio = x / HALVES
    slopes = np.array([slope for slope, _ in SLOPES])
    steep = ratio[..., None, :] ** slopes[:, None]
    hill = (steep / (1.0 + steep)).reshape(*spend.shape, -1)
    found = np.concatenate([hill, np.log1p(ratio), -np.expm1(-ratio), x ** np.array(POWERS)], axis=-1)
    return np.where(spend[..., None] > 0, found, 0.0)
