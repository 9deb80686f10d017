"""Shares of a day's money, for arms of one kind: platforms, or the ads inside one.

Thompson sampling, tempered: :data:`SPLITS` times a market is drawn from the posterior, each of its curves the mean of
:data:`CURVES` draws; its best split is found exactly, and the mean of these splits is what is given. An arm of which
little is known is the best in some draws and so is tried; the more is known, the more the draws agree. Nothing is given
for being there.

Invariant: the draws come from the seed and all that is known, so that equal inputs give equal shares, and another day
draws anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.allocation.figures import Figures, read
from agents.allocation.knapsack import best_split
from agents.allocation.market import Draws, Market, learn
from agents.allocation.reasons import Range

Floats = NDArray[np.float64]

SPLITS, CURVES = 4, 32
UNITS = 100  #: of the day's money, in which splits are looked for
RECENTLY = 7  #: slots within which a change is told
BOUNDS = (0.1, 0.9)  #: quantiles of what is expected


@dataclass(frozen=True, slots=True)
class Known:
    """Market, curves drawn from it, and the figures that both come from."""

    figures: Figures
    market: Market
    draws: Draws

    def shares(self) -> dict[str, float]:
        """Return each arm's share of the day's money, 1 together."""
        arms = range(len(self.figures.arms))
        grid = np.arange(UNITS + 1) / UNITS
        curves = np.stack([self.draws.conversions(arm, grid) for arm in arms])
        markets = curves.reshape(len(arms), SPLITS, CURVES, UNITS + 1).mean(axis=2)
        equal = [UNITS / len(arms)] * len(arms)  # where all are dead, none is better than another
        splits = [best_split(market) if market.max() > 0 else equal for market in np.moveaxis(markets, 1, 0)]
        units = np.mean(splits, axis=0)
        return {name: float(units[arm]) / UNITS for arm, name in enumerate(self.figures.arms)}

    def expected(self, name: str, share: float) -> tuple[Range | None, Range]:
        """Return the clicks (None where they are not told) and conversions a day that ``share`` brings an arm."""
        arm, spend = self.figures.arms.index(name), np.array([share])
        conversions = _range(self.draws.conversions(arm, spend))
        return (_range(self.draws.clicks(arm, spend)) if self.figures.has_clicks else None), conversions

    def changed(self, name: str) -> float:
        """Return how likely an arm's market has changed within the newest :data:`RECENTLY` slots."""
        arm = self.figures.arms.index(name)
        tables = [self.market.levels, *([self.market.rates] if self.market.rates is not None else [])]
        same = [1.0 - float(one.changed(RECENTLY)[arm]) for one in tables]
        return float(1.0 - np.prod(same))


def know(history: Mapping[str, Sequence[Any]], daily: float, *, seed: int) -> Known:
    """Return what ``history`` says of each of its arms, for a day's money of ``daily`` > 0.

    ``history``: see :mod:`agents.allocation.figures`. Raises ValueError where nothing can be learned: no arms, no
    spend, or no money to split.
    """
    figures = read(history, sorted(history))
    if not figures.arms or figures.daily_spend <= 0 or not daily > 0:
        raise ValueError(f"nothing can be learned from {len(figures.arms)} arms without spend, or for {daily} a day")
    market = learn(figures, daily)
    parts = (figures.spend, figures.responses, figures.conversions, figures.days)
    key = sha256(repr((seed, figures.arms, daily)).encode())
    for part in parts:
        key.update(np.ascontiguousarray(part).tobytes())
    rng = np.random.default_rng(int.from_bytes(key.digest()[:8], "big"))
    return Known(figures=figures, market=market, draws=market.draw(SPLITS * CURVES, rng))


def _range(drawn: Floats) -> Range:
    low, high = np.quantile(drawn, BOUNDS)
    return Range(low=float(low), mean=float(drawn.mean()), high=float(high))
