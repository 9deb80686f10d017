"""How near the allocator comes to the best split: `python tests/support/allocation_quality.py [worlds]` prints a table.

Each cell is the mean share of the oracle's conversions, over 30 days / in the last week. 40 worlds of each family and
size take about five minutes on one core, for both sets of seeds.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from statistics import fmean

from market_simulator import FAMILIES, Allocator, History, share_of_oracle, world

from agents.budget import allocate_budget

SIZES = (2, 3, 5)  #: platforms
SEEN = 0  #: first of the seeds that were looked at while the allocator was made
UNSEEN = 1000  #: first of those that were not


@dataclass(frozen=True)
class Quality:
    """What an allocator made of several worlds of one kind."""

    share: float
    last_week: float
    overspent: bool

    def __str__(self) -> str:
        return f"{self.share:.3f}/{self.last_week:.3f}{' OVER' if self.overspent else ''}"


def ours(history: History, money: Decimal, seed: int) -> dict[str, Decimal]:
    """Split as the product does."""
    return allocate_budget(history, money, seed=seed)


def proportional(history: History, money: Decimal, seed: int) -> dict[str, Decimal]:
    """Split by conversions per money, all days alike."""
    rates = {
        name: (sum(day.conversions for day in days) + 0.5) / (float(sum(day.spend for day in days)) or 1.0)
        for name, days in history.items()
    }
    whole = sum(rates.values())
    return {
        name: (money * Decimal(rate / whole)).quantize(Decimal("0.01"), "ROUND_DOWN") for name, rate in rates.items()
    }


def quality(allocator: Allocator, family: str, platforms: int, seeds: Sequence[int]) -> Quality:
    """Return the means over the worlds of ``seeds``."""
    runs = [share_of_oracle(allocator, world(family, platforms, seed), seed) for seed in seeds]
    return Quality(
        fmean(run.share for run in runs), fmean(run.last_week for run in runs), any(run.overspent for run in runs)
    )


def measured(allocator: Allocator, seeds: Sequence[int]) -> dict[tuple[str, int], Quality]:
    """Return the quality for each family and number of platforms."""
    return {(family, size): quality(allocator, family, size, seeds) for family, size in product(FAMILIES, SIZES)}


def mean(cells: Sequence[Quality]) -> Quality:
    """Return the mean of several cells."""
    return Quality(
        fmean(one.share for one in cells), fmean(one.last_week for one in cells), any(one.overspent for one in cells)
    )


def main(worlds: int) -> None:
    """Print the tables of both allocators, for both sets of seeds."""
    for allocator, first in product((ours, proportional), (SEEN, UNSEEN)):
        found = measured(allocator, range(first, first + worlds))
        print(f"\n{allocator.__name__}, seeds {first}..{first + worlds - 1}; platforms: {SIZES}, then all")
        for family in FAMILIES:
            row = [found[family, size] for size in SIZES]
            print(f"{family:10}", *row, mean(row), sep="  ")
        print(f"{'all':10}", mean(list(found.values())), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
