"""Ads of known quality that share a platform's daily money, to measure what a rule of switching makes of them.

A day's money is split evenly over the ads that run. Figures are drawn around the truth:

    clicks      ~ Poisson(money / price of a click x the ad's factor x the market's x the day's scatter)
    conversions ~ Binomial(clicks, rate)

Regret is the share of expected results that is lost against showing only the best ad, over all days. ``python
tests/support/ad_simulator.py`` prints the share of runs that find the best ad, and the regret, for every setting.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from agents.analytics.ad_rule import best_of, switch
from agents.evidence.side_by_side import side_by_side
from agents.wanted import Counted

START = date(2026, 1, 1)
NEAR = 0.95  #: an ad that brings so much of the best one's results counts as found
THREE = (0.7, 1.0, 1.3)
#: Per platform: USD a click and conversions per click, of its benchmark.
PRICES = {"facebook": (1.05, 0.0772), "google": (5.26, 0.0752), "linkedin": (5.50, 0.04)}


@dataclass(frozen=True)
class Day:
    """One day of one ad."""

    day: date
    clicks: int
    conversions: int
    spend: Decimal


@dataclass(frozen=True)
class Setting:
    """One platform, its ads, and how often it is measured."""

    platform: str = "facebook"
    money: float = 500.0  #: USD over all days
    days: int = 30
    every: int = 1  #: days from one measurement to the next
    what: Counted = Counted.CONVERSIONS
    scatter: float = 0.15  #: standard deviation of a day's factor of an ad
    market: float = 0.0  #: standard deviation of the step of a market's random walk, a day
    factors: tuple[float, ...] | None = THREE  #: None: log-normal around 1 with sd 0.3
    starts: tuple[int, ...] = (0, 0, 0)  #: the day on which each ad begins
    later: tuple[float, ...] = (1.0, 1.0, 1.0)  #: what each ad's factor is multiplied by from day ``turn`` on
    turn: int = 1000


@dataclass
class Run:
    """What came of one run."""

    found: bool  #: whether the ad that is believed best in the end is the best, or nearly
    alone: bool  #: whether no other ran in the end
    got: float  #: results that could be expected
    best: float  #: results of the best ad alone
    switched: list[tuple[int, str, bool]] = field(default_factory=list)  #: day, ad, on


def run(setting: Setting, seed: Sequence[int]) -> Run:
    """Let the rule choose among the ads of a setting."""
    rng = np.random.default_rng(list(seed))
    price, rate = PRICES[setting.platform]
    factors = np.exp(rng.normal(0.0, 0.3, 3)) if setting.factors is None else np.array(setting.factors)
    if setting.turn >= setting.days and not any(setting.starts):
        factors = rng.permutation(factors)  # so that no name is the best one's
    names = [f"ad.{number + 1}" for number in range(len(factors))]
    figures: dict[str, list[Day]] = {name: [] for name in names}
    off: set[str] = set()
    done = Run(False, False, 0.0, 0.0)
    daily, market = setting.money / setting.days, 0.0
    for day in range(setting.days):
        now = factors * (np.array(setting.later) if day >= setting.turn else 1.0)
        there = [at for at, start in enumerate(setting.starts) if start <= day]
        shown = [at for at in there if names[at] not in off]
        market += rng.normal(0.0, setting.market)
        done.best += daily * max(now[at] for at in there)
        for at in shown:
            spend = daily / len(shown)
            done.got += spend * now[at]
            scatter = np.exp(rng.normal(-(setting.scatter**2) / 2, setting.scatter) + market)
            clicks = int(rng.poisson(spend / price * now[at] * scatter))
            yes = int(rng.binomial(clicks, rate))
            figures[names[at]].append(Day(START + timedelta(day), clicks, yes, Decimal(f"{spend:.2f}")))
        if (day + 1) % setting.every == 0 and day + 1 < setting.days:
            action = switch(figures, [names[at] for at in shown], sorted(off), setting.what)
            if action is not None:
                (off.discard if action.on else off.add)(action.ad)
                done.switched.append((day, action.ad, action.on))
    running = [name for name in names if name not in off]
    chosen = best_of(side_by_side(figures), running, setting.what)
    done.found = bool(now[names.index(chosen)] >= NEAR * now.max())
    done.alone = len(running) == 1
    done.got, done.best = done.got / price * rate, done.best / price * rate
    return done


@dataclass(frozen=True)
class Summary:
    """What came of many runs."""

    found: float
    alone: float
    regret: float
    paused: float  #: share of runs in which an ad was switched off
    resumed: float

    def __str__(self) -> str:
        """Say it in a line."""
        return (
            f"found {self.found:6.1%}  alone {self.alone:6.1%}  regret {self.regret:6.1%}  "
            f"paused {self.paused:6.1%}  resumed {self.resumed:6.1%}"
        )


def summary(runs: Sequence[Run]) -> Summary:
    """Sum runs up."""
    return Summary(
        found=float(np.mean([one.found for one in runs])),
        alone=float(np.mean([one.alone for one in runs])),
        regret=1 - sum(one.got for one in runs) / sum(one.best for one in runs),
        paused=float(np.mean([any(not on for _, _, on in one.switched) for one in runs])),
        resumed=float(np.mean([any(on for _, _, on in one.switched) for one in runs])),
    )


def many(setting: Setting, times: int, seed: int = 1) -> list[Run]:
    """Run a setting so many times."""
    return [run(setting, (seed, at)) for at in range(times)]


def both(cheap: Sequence[Run], dear: Sequence[Run]) -> tuple[float, float]:
    """Return in how many runs both platforms' best was found, and the regret over both."""
    found = float(np.mean([a.found and b.found for a, b in zip(cheap, dear, strict=True)]))
    every = [*cheap, *dear]
    return found, 1 - sum(one.got for one in every) / sum(one.best for one in every)


def table(times: int, seed: int, say: Callable[[str], None] = print) -> None:
    """Print what comes of every setting."""
    for factors in (THREE, None):
        for what in Counted:
            for every in (1, 3):
                for money in (500.0, 300.0):
                    kind = "0.7/1/1.3" if factors else "drawn"
                    common = {"what": what, "every": every, "factors": factors}
                    cheap = many(Setting("facebook", money, **common), times, seed)  # type: ignore[arg-type]
                    say(f"{kind:9} {what:11} every {every}  facebook {money:4.0f}: {summary(cheap)}")
                    for name in ("google", "linkedin"):
                        dear = many(Setting(name, 1000 - money, **common), times, seed)  # type: ignore[arg-type]
                        found, regret = both(cheap, dear)
                        say(f"{'':31}{name:8} {1000 - money:4.0f}: {summary(dear)}")
                        say(f"{'':31}both: found {found:6.1%}  regret {regret:6.1%}")


if __name__ == "__main__":
    table(200, 1)
