"""How long conversions take to be reported after what caused them, found from the figures of all arms together.

Two ways of reporting are told apart. In one a conversion counts on the day of its click, so that the newest days are
not full yet; in the other on the day on which it happened, so that the first days are not. Either way a conversion rate
that is read off the sums is too low, and lowest for an arm that has just been given more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

Floats = NDArray[np.float64]

LONGEST_DELAY = 14  #: days; a longer one shows as a low rate
PROMPT = 0.6  #: how likely it is, before anything is seen, that there is none
LEAST_SLOTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """Which part of the conversions is reported after 0, 1, ... days."""

    parts: tuple[float, ...]
    on_click_day: bool  #: whether a conversion counts on the day of its click

    @property
    def mean_days(self) -> float:
        """Mean delay."""
        return float(sum(days * part for days, part in enumerate(self.parts)))

    def reported(self, exposure: Floats) -> Floats:
        """Return how much of ``exposure`` (arms x slots, or arms x slots x shapes) each slot's conversions speak of."""
        parts, slots = np.array(self.parts), exposure.shape[1]
        if self.on_click_day:
            age = np.arange(slots)[::-1]
            known = np.concatenate([np.cumsum(parts), np.ones(max(0, slots - parts.size))])
            scale: Floats = known[age]
            return exposure * (scale[:, None] if exposure.ndim == 3 else scale)
        found = np.zeros_like(exposure)
        for days, part in enumerate(self.parts[:slots]):
            if part > 0:
                found[:, days:] += part * exposure[:, : slots - days]
        return found


NONE = Delay(parts=(1.0,), on_click_day=True)


@cache
def _candidates() -> Sequence[Delay]:
    fixed = [(*(0.0 for _ in range(days)), 1.0) for days in (1, 2, 3, 4, 5, 6, 7, 10, 14)]
    spread = []
    for mean in (1.0, 2.5, 5.0):
        parts = (mean / (1.0 + mean)) ** np.arange(LONGEST_DELAY + 1)  # geometric
        spread.append(tuple((parts / parts.sum()).tolist()))
    spread += [tuple(1.0 / (days + 1) for _ in range(days + 1)) for days in (3, 7)]
    return [NONE, *(Delay(parts=parts, on_click_day=on) for parts in (*fixed, *spread) for on in (True, False))]


def find_delay(exposure: Floats, conversions: Floats, weight: Floats) -> Delay:
    """Return the delay that explains ``conversions`` best, given what they come of (both arms x slots, a slot a day).

    Each arm has a rate of its own, with a Gamma prior that is integrated out; ``weight`` (arms x slots) tempers what
    each slot says. Without a conversion, or before :data:`LEAST_SLOTS` slots, that is no delay.
    """
    if exposure.shape[1] < LEAST_SLOTS or not conversions.sum() > 0 or not exposure.sum() > 0:
        return NONE
    counted = (conversions * weight).sum(axis=1)
    nothing = 1e-6 * exposure.max()
    rate = float((conversions * weight).sum() / (exposure * weight).sum())

    def evidence(delay: Delay) -> float:
        told = delay.reported(exposure)
        fits = (conversions * weight * np.log(np.maximum(told, nothing))).sum()
        each = gammaln(1.0 + counted) - (1.0 + counted) * np.log(1.0 / rate + (told * weight).sum(axis=1))
        return float(fits + each.sum())

    candidates = _candidates()
    others = np.log((1.0 - PROMPT) / (len(candidates) - 1))
    scores = [evidence(one) + (np.log(PROMPT) if one is NONE else others) for one in candidates]
    return candidates[int(np.argmax(scores))]
