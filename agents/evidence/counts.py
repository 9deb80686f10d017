"""Counts of ads over some days, and how much more they scatter than counts by chance would.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

#: Days' worth of belief that daily counts scatter as chance alone would have them (dispersion 1).
PRIOR_DAYS = 5.0


class Day(Protocol):
    """One day of an ad."""

    @property
    def clicks(self) -> int:
        """Clicks."""
        ...

    @property
    def conversions(self) -> int:
        """Conversions."""
        ...

    @property
    def spend(self) -> Decimal:
        """Money spent, in one currency over all days."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Sums over some days."""

    clicks: float
    conversions: float
    spend: float
    days: int = 0  #: on which money was spent
    dispersion: float = 1.0  #: variance of the daily clicks over that of a Poisson count, 1 or more


def counts(days: Iterable[Day]) -> Counts:
    """Sum days up, each of which is the sum of all ads that are looked at."""
    found = list(days)
    return Counts(
        clicks=float(sum(day.clicks for day in found)),
        conversions=float(sum(day.conversions for day in found)),
        spend=float(sum((day.spend for day in found), Decimal(0))),
        days=sum(day.spend > 0 for day in found),
        dispersion=dispersion([(day.clicks, float(day.spend)) for day in found]),
    )


def dispersion(days: Sequence[tuple[float, float]]) -> float:
    """Return how much daily (clicks, spend) scatter: Pearson's chi-square per degree of freedom, drawn towards 1.

    Source: McCullagh and Nelder, Generalized Linear Models (1989), section 6.2. Never below 1.
    """
    shown = [(clicks, spend) for clicks, spend in days if spend > 0]
    clicks, spend = sum(day[0] for day in shown), sum(day[1] for day in shown)
    if len(shown) < 2 or clicks <= 0:
        return 1.0
    expected = [clicks * day[1] / spend for day in shown]
    chi_square = sum((day[0] - mean) ** 2 / mean for day, mean in zip(shown, expected, strict=True))
    return max(1.0, (chi_square + PRIOR_DAYS) / (len(shown) - 1 + PRIOR_DAYS))


def split_dispersion(*pairs: tuple[Day, Day]) -> float:
    """Return how much the daily split of clicks between two sides scatters, where 1 is by chance alone.

    Each pair is one day of both. Expected is the split by each side's clicks per money over all days; else as
    :func:`dispersion`: what makes all ads dearer on a day moves both sides, and is no scatter here.
    """
    clicks = [float(sum(pair[side].clicks for pair in pairs)) for side in (0, 1)]
    spend = [float(sum((pair[side].spend for pair in pairs), Decimal(0))) for side in (0, 1)]
    if len(pairs) < 2 or not min(*clicks, *spend) > 0:
        return 1.0
    chi_square, days = 0.0, 0
    for pair in pairs:
        weights = [float(one.spend) * clicks[side] / spend[side] for side, one in enumerate(pair)]
        whole, weight = sum(one.clicks for one in pair), sum(weights)
        if whole <= 0 or not min(weights) > 0:
            continue
        days += 1
        for one, share in zip(pair, weights, strict=True):
            expected = whole * share / weight
            chi_square += (one.clicks - expected) ** 2 / expected
    return max(1.0, (chi_square + PRIOR_DAYS) / (days - 1 + PRIOR_DAYS)) if days > 1 else 1.0
