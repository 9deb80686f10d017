"""Markets that an allocator has to find its way in: platforms whose true answer to money is known to the test alone.

A world is a number of platforms of one family of curves. A day's figures are drawn around the truth:

    clicks      ~ Poisson(curve(spend) x day's noise)      noise: log-normal, mean 1
    conversions ~ Binomial(clicks, rate)                   reported ``delay`` days after the click

``share_of_oracle`` runs an allocator day by day and compares the conversions that its splits can expect with those of
the best split of the same money, found on the true curves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
History = Mapping[str, Sequence["Day"]]
Allocator = Callable[[History, Decimal, int], Mapping[str, Decimal]]  #: history, the day's money, seed -> split

DAYS = 30
START = date(2026, 1, 1)
FAMILIES = ("log", "hill", "power", "noisy", "dead", "delayed", "turning", "sparse")
UNITS = 200  #: of money, in the oracle's search


@dataclass(frozen=True)
class Day:
    """What one platform reported of one day."""

    day: date
    impressions: int
    clicks: int
    conversions: int
    spend: Decimal
    currency: str = "USD"


@dataclass(frozen=True)
class Platform:
    """One platform's truth."""

    family: str  #: ``log``, ``hill``, ``power`` or ``exponential``
    ceiling: float  #: clicks a day, at the family's scale
    half: float  #: spend a day at which the curve bends
    slope: float
    rate: float  #: conversions per click

    def clicks(self, spend: Floats) -> Floats:
        """Return expected clicks at a day's ``spend``."""
        x = np.asarray(spend, dtype=np.float64) / self.half
        found = {
            "log": lambda: np.log1p(x),
            "hill": lambda: x**self.slope / (1 + x**self.slope),
            "power": lambda: x**self.slope,
            "exponential": lambda: -np.expm1(-x),
        }[self.family]()
        return np.asarray(self.ceiling * found, dtype=np.float64)


@dataclass(frozen=True)
class World:
    """Platforms, and what befalls them."""

    platforms: Mapping[str, Platform]
    daily: Decimal  #: money a day
    noise: float = 0.1  #: relative deviation of a day's clicks
    delay: int = 0  #: days from a click to its conversion's report
    turned: Mapping[str, Platform] = field(default_factory=dict)  #: the platforms from day :data:`TURN` on

    def on(self, day: int) -> Mapping[str, Platform]:
        """Return the platforms as they are on a day."""
        return self.turned if self.turned and day >= TURN else self.platforms


TURN = 15


def world(family: str, platforms: int, seed: int) -> World:
    """Return a world of ``family`` (one of :data:`FAMILIES`)."""
    rng = np.random.default_rng([seed, platforms, FAMILIES.index(family)])
    daily = float(rng.choice([40.0, 100.0, 300.0, 1000.0]))
    shape = {"noisy": "exponential"}.get(family, family)
    if family in ("dead", "delayed", "turning", "sparse"):
        shape = str(rng.choice(["log", "hill", "power", "exponential"]))
    clicks = 60.0 if family == "sparse" else 400.0
    names = [f"p{number}" for number in range(platforms)]
    made = {name: _platform(shape, daily, clicks / platforms, platforms, rng) for name in names}
    turned: dict[str, Platform] = {}
    if family == "dead":
        dead = str(rng.choice(names))
        gone = made[dead]
        made[dead] = Platform(gone.family, gone.ceiling, gone.half, gone.slope, 0.0)
    if family == "turning":
        by_rate = sorted(names, key=lambda name: made[name].rate * made[name].clicks(np.array(daily / platforms)))
        turned = {name: made[other] for name, other in zip(by_rate, reversed(by_rate), strict=True)}
    return World(
        platforms=made,
        daily=Decimal(str(daily)),
        noise=0.4 if family == "noisy" else 0.1,
        delay=5 if family == "delayed" else 0,
        turned=turned,
    )


def _platform(shape: str, daily: float, clicks: float, platforms: int, rng: np.random.Generator) -> Platform:
    """Return a platform that brings about ``clicks`` a day at an equal share of ``daily``."""
    equal = daily / platforms
    found = Platform(
        family=shape,
        ceiling=1.0,
        half=equal * math.exp(rng.uniform(math.log(0.1), math.log(5.0))),
        slope={"hill": rng.uniform(0.6, 3.0), "power": rng.uniform(0.25, 0.9)}.get(shape, 1.0),
        rate=0.03 * math.exp(rng.normal(0.0, 0.9)),
    )
    level = clicks * math.exp(rng.normal(0.0, 0.9)) / float(found.clicks(np.array(equal)))
    return Platform(found.family, level, found.half, found.slope, found.rate)


def expected(platforms: Mapping[str, Platform], split: Mapping[str, float]) -> float:
    """Return conversions that a day's ``split`` can expect."""
    return sum(float(one.clicks(np.array(split[name]))) * one.rate for name, one in platforms.items())


def oracle(platforms: Mapping[str, Platform], daily: float) -> float:
    """Return conversions of the best split of ``daily``, in :data:`UNITS` units."""
    grid = np.linspace(0.0, daily, UNITS + 1)
    best = np.zeros(1)
    for one in platforms.values():
        value = one.clicks(grid) * one.rate
        if best.size == 1:
            best = value
            continue
        best = np.array([(best[: u + 1] + value[u::-1]).max() for u in range(UNITS + 1)])
    return float(best[-1])


@dataclass(frozen=True)
class Run:
    """What an allocator made of a world."""

    share: float  #: of the oracle's conversions, over all days
    last_week: float
    overspent: bool  #: whether a day's split was above the day's money


def share_of_oracle(allocator: Allocator, made: World, seed: int, days: int = DAYS) -> Run:
    """Run ``allocator`` for ``days``; on each it sees the reports of the days before."""
    rng = np.random.default_rng([seed, 7])
    names = sorted(made.platforms)
    clicked = {name: np.zeros(days, dtype=np.int64) for name in names}
    converted = {name: np.zeros(days, dtype=np.int64) for name in names}
    spent: dict[str, list[Decimal]] = {name: [] for name in names}
    got, best, overspent = np.zeros(days), np.zeros(days), False
    for day in range(days):
        history = {
            name: [
                Day(
                    day=START + timedelta(days=at),
                    impressions=int(clicked[name][at]) * 60,
                    clicks=int(clicked[name][at]),
                    conversions=int(converted[name][at - made.delay]) if at >= made.delay else 0,
                    spend=spent[name][at],
                )
                for at in range(day)
            ]
            for name in names
        }
        split = allocator(history, made.daily, seed)
        overspent |= sum(split.values()) > made.daily or any(amount < 0 for amount in split.values())
        truth = made.on(day)
        got[day] = expected(truth, {name: float(split[name]) for name in names})
        best[day] = oracle(truth, float(made.daily))
        for name in names:
            spent[name].append(split[name])
            mean = float(truth[name].clicks(np.array(float(split[name]))))
            spread = math.sqrt(math.log1p(made.noise**2))
            clicked[name][day] = rng.poisson(mean * math.exp(rng.normal(-(spread**2) / 2, spread)))
            converted[name][day] = rng.binomial(clicked[name][day], min(1.0, truth[name].rate))
    return Run(got.sum() / best.sum(), got[-7:].sum() / best[-7:].sum(), overspent)
