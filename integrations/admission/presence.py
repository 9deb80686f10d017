"""Whether Redis answers, and the few calls that go on while it doesn't.

Invariant: a Redis that is away costs a process one time-out per :data:`AWAY_S`, not one per call; and each provider
gets at most one unguarded call at a time from each process.
"""

from __future__ import annotations

import logging
from threading import Lock
from time import monotonic

from integrations.admission.refusal import AWAY_S

logger = logging.getLogger(__name__)


class Presence:
    """What one process knows of Redis. Thread-safe; a forked child starts with its own."""

    def __init__(self) -> None:
        self.here = True
        self._lock = Lock()
        self._ask_at = 0.0
        self._unguarded: dict[str, tuple[str, float]] = {}  # provider -> token, when it is taken to be over

    def worth_asking(self) -> bool:
        """Ask Redis now? While it is away one caller per AWAY_S finds out."""
        if self.here:
            return True
        with self._lock:
            if monotonic() < self._ask_at:
                return False
            self._ask_at = monotonic() + AWAY_S
            return True

    def answered(self) -> None:
        """Redis answered."""
        if self.here:
            return
        with self._lock:
            returned, self.here = not self.here, True
        if returned:
            logger.warning("Redis answers again: limits and circuit breakers hold for the whole fleet")

    def silent(self, error: Exception) -> None:
        """Redis did not answer, or not in a way we can use."""
        with self._lock:
            lost, self.here = self.here, False
            self._ask_at = monotonic() + AWAY_S
        if lost:
            logger.warning(
                "Redis is away (%s: %s): reading calls go on one at a time, all others wait",
                type(error).__name__,
                error,
            )

    def take(self, provider: str, token: str, lease_s: float) -> bool:
        """Begin the provider's one unguarded call; False while another is under way (for ``lease_s`` at most)."""
        with self._lock:
            now = monotonic()
            if now < self._unguarded.get(provider, ("", 0.0))[1]:
                return False
            self._unguarded[provider] = (token, now + lease_s)
            return True

    def give_back(self, provider: str, token: str) -> None:
        """End the unguarded call ``token``."""
        with self._lock:
            if self._unguarded.get(provider, ("", 0.0))[0] == token:
                del self._unguarded[provider]
