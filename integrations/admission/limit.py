"""How much of a provider's account the whole fleet may use.

Invariant: the slots handed out in time are a little wider apart than the limit asks for, so that a caller that comes
late for its slot rarely takes the room of the next one, and the queue behind it recovers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

#: The share of the limit that slots are handed out for.
HEADROOM = 0.95
#: One campaign holds reservations for so many seconds' worth of the rate, but two in any case.
SHARE_S = 2.0
#: From so many requests a period on, half of them may come in a burst.
SMALL = 20


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``requests`` in any ``period_s`` seconds, at most ``concurrency`` at the same time; None: no limit.

    ValueError when a figure is not positive.
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
        """Seconds from one slot to the next; 0 without a limit of requests."""
        return self.period_s / self.requests / HEADROOM if self.requests else 0.0

    @property
    def burst(self) -> int:
        """So many calls in a period need no slots of their own while nobody waits: a limit that is hardly used delays
        nobody. 0 for a limit so small that calls are best spread evenly."""
        return self.requests // 2 if self.requests and self.requests >= SMALL else 0

    @property
    def share(self) -> int:
        """How many slots to come one campaign may hold."""
        return max(2, int(SHARE_S / self.spacing_s)) if self.requests else 2


UNLIMITED = Limit()
