"""Score of an ad account's calls, which grows with each call and is forgotten evenly.

Invariant: a call that is refused for the score adds nothing to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class Score:
    """Score of one account, of at most ``most`` points, all of which are forgotten in ``decay_s`` seconds."""

    def __init__(self, most: float, decay_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._decay_s, self._clock = most, decay_s, clock
        self._points, self._at = 0.0, clock()

    def spend(self, points: float) -> bool:
        """Add the points of one call, and return False when there is no room for them."""
        now = self._clock()
        self._points = max(0.0, self._points - (now - self._at) * self._most / self._decay_s)
        self._at = now
        if self._points + points > self._most:
            return False
        self._points += points
        return True

    @property
    def percent(self) -> float:
        """Percent of the score that is used."""
        return round(100 * self._points / self._most, 2)

    @property
    def reset_s(self) -> float:
        """Seconds until nothing of it is used."""
        return round(self._decay_s * self._points / self._most, 3)
