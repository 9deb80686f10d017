"""Whether Redis is up, as one process knows it, and the few calls that go on while it is down.

Invariant: a Redis that is down costs a process one time-out per :data:`REDIS_RETRY_S`, not one per call, and each
provider gets at most one unguarded call at a time from each process.
"""

from __future__ import annotations

import logging
from threading import Lock
from time import monotonic

from integrations.admission.refusal import REDIS_RETRY_S

logger = logging.getLogger(__name__)


class RedisHealth:
    """Health of Redis as seen by one process, safe to use from several threads.

    A forked child makes one of its own: the lock may be held by a thread that the child doesn't have.
    """

    def __init__(self) -> None:
        self.up = True
        self._lock = Lock()
        self._retry_at = 0.0
        self._unguarded: dict[str, tuple[str, float]] = {}  # provider -> (token, end of its lease)

    def should_try(self) -> bool:
        """Return whether to send Redis a command now: while it is down, one caller per REDIS_RETRY_S does."""
        if self.up:
            return True
        with self._lock:
            if monotonic() < self._retry_at:
                return False
            self._retry_at = monotonic() + REDIS_RETRY_S
            return True

    def mark_up(self) -> None:
        """Note that Redis answered."""
        if self.up:
            return
        with self._lock:
            returned, self.up = not self.up, True
        if returned:
            logger.warning("Redis answers again: limits and circuit breakers hold for the whole fleet")

    def mark_down(self, error: Exception) -> None:
        """Note that Redis did not answer, or answered with an error."""
        with self._lock:
            lost, self.up = self.up, False
            self._retry_at = monotonic() + REDIS_RETRY_S
        if lost:
            logger.warning(
                "Redis is away (%s: %s): reading calls go on one at a time, all others wait",
                type(error).__name__,
                error,
            )

    def begin_unguarded(self, provider: str, token: str, lease_s: float) -> bool:
        """Begin the provider's one unguarded call, or return False while another one holds its lease.

        The lease ends after ``lease_s`` seconds, also when the call is never ended.
        """
        with self._lock:
            now = monotonic()
            if now < self._unguarded.get(provider, ("", 0.0))[1]:
                return False
            self._unguarded[provider] = (token, now + lease_s)
            return True

    def end_unguarded(self, provider: str, token: str) -> None:
        """End the unguarded call ``token``."""
        with self._lock:
            if self._unguarded.get(provider, ("", 0.0))[0] == token:
                del self._unguarded[provider]
