"""Limits of requests and of concurrent calls that the whole fleet keeps for one account of a provider.

Invariant: time slots are reserved a little wider apart than the limit asks for, so that a caller that comes late for
its slot rarely takes the room of the next one, and the queue behind it recovers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

#: Part of the limit that slots are reserved for.
HEADROOM = 0.95
#: One campaign may hold reservations for so many seconds of the rate, and always two.
SHARE_S = 2.0
#: Limits of fewer requests than this per period allow no bursts.
MIN_REQUESTS_FOR_BURST = 20


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of ``requests`` in any ``period_s`` seconds and of ``concurrency`` calls at the same time.

    None means no limit. Raises ValueError when a figure is not positive.
    """

    requests: int | None = None
    period_s: float = 1.0
    concurrency: int | None = None

    def __post_init__(self) -> None:
        if not (self.period_s > 0 and isfinite(self.period_s)):
            raise ValueError(f"period_s is a positive number of seconds, not {self.period_s}")
        for name in ("requests", "concurrency"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is at least 1, or None for no limit; not {value}")

    @property
    def spacing_s(self) -> float:
        """Seconds from one slot to the next, 0 without a limit of requests."""
        return self.period_s / self.requests / HEADROOM if self.requests else 0.0

    @property
    def burst(self) -> int:
        """Number of calls in a period that need no slot of their own while no caller waits.

        With it, a limit of which little is used delays no call. It is 0 for limits so small that calls are best spread
        evenly.
        """
        return self.requests // 2 if self.requests and self.requests >= MIN_REQUESTS_FOR_BURST else 0

    @property
    def share(self) -> int:
        """Number of future slots that one campaign may hold."""
        return max(2, int(SHARE_S / self.spacing_s)) if self.requests else 2


UNLIMITED = Limit()
