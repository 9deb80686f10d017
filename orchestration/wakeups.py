"""Ports of the orchestrator towards the broker and the screen.

Invariant: a wake-up carries ids only and may be lost, doubled or late without harm.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

#: No longer countdown is put on the broker: Redis redelivers messages that wait (visibility timeout).
MAX_COUNTDOWN_S = 60.0


class Wakeups(Protocol):
    """Messages that wake the fleet."""

    def hop(self, campaign_id: str, agent: str, step: int, *, delay_s: float = 0.0) -> bool:
        """Wake a worker of the agent's queue for this campaign, and return whether the broker took the message."""
        ...

    def chord(self, campaign_id: str, agent: str, step: int, stage: int, slots: int) -> None:
        """Spread a stage over the workers of the agent's queue, as a Celery chord of ``slots`` headers."""
        ...


class Observer:
    """Base of observers of hops and units that run without a message of their own, which sees nothing itself."""

    def hop(self, campaign_id: str, agent: str, step: int) -> AbstractContextManager[None]:
        """Return a context to enter around a hop that goes on in the same worker."""
        return nullcontext()

    def unit(self, campaign_id: str, agent: str, key: str) -> AbstractContextManager[None]:
        """Return a context to enter around a unit that runs beside its hop."""
        return nullcontext()
