"""Find the exact split of units of money, a multiple-choice knapsack, by dynamic programming.

Curves that are an S have several optima, at which greedy and gradient methods stop; this finds the best.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def best_split(values: Floats) -> Sequence[int]:
    """Return how many units each arm gets, all of them together, so that the sum of values is greatest.

    ``values`` is arms x (units + 1): what an arm brings with 0, 1, ... units. It takes O(arms x units²). Of equal
    splits, it is the one that gives less to later arms. Raises ValueError without arms.
    """
    if values.ndim != 2 or not values.shape[0]:
        raise ValueError(f"values of shape {values.shape} are not arms x (units + 1)")
    units = values.shape[1] - 1
    best = values[0]
    taken = np.zeros(values.shape, dtype=np.intp)
    rest = np.arange(units + 1)[:, None] - np.arange(units + 1)[None, :]  # what is left of u units after giving g
    for arm in range(1, values.shape[0]):
        sums = np.where(rest >= 0, best[np.maximum(rest, 0)] + values[arm][None, :], -np.inf)
        taken[arm] = sums.argmax(axis=1)
        best = sums.max(axis=1)
    left, found = units, [0] * values.shape[0]
    for arm in range(values.shape[0] - 1, 0, -1):
        found[arm] = int(taken[arm, left])
        left -= found[arm]
    found[0] = left
    return found
