"""Stages that a limit holds back: taken unit by unit, each in its own slot in time, until the limit has room again.

A big stage under a limit of ten requests a second would otherwise be claimed and given back over and over. What was
seen of a campaign's limit is remembered for a moment by the process that saw it; forgetting it costs one batch of
refusals. Invariant: it changes how many units are taken at once, never which or whether.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

#: While a limit holds a stage back: the unit whose slot has come, and then one that reserves the slot it leaves.
HELD_BACK_BATCH = 1
#: How long a stage counts as held back after the last refusal.
REMEMBERED_S = 5.0
#: Wake-ups closer together than this are the same.
SAME_S = 0.02


class Pace:
    """Of one process; safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}
        self._wakes_at: dict[str, float] = {}
        self._lock = Lock()

    def hold_back(self, campaign_id: str) -> None:
        """A limit has refused a unit of the campaign."""
        now = self._clock()
        with self._lock:
            self._until[campaign_id] = now + REMEMBERED_S
            if len(self._until) > 1000:
                self._until = {name: until for name, until in self._until.items() if until > now}

    def wake_needed(self, campaign_id: str, delay_s: float) -> bool:
        """Is the campaign's next wake-up, in ``delay_s`` seconds, ours to publish? Not when an earlier one is due."""
        now = self._clock()
        with self._lock:
            if now < self._wakes_at.get(campaign_id, 0.0) <= now + delay_s + SAME_S:
                return False
            if len(self._wakes_at) > 1000:
                self._wakes_at = {name: at for name, at in self._wakes_at.items() if at > now}
            self._wakes_at[campaign_id] = now + delay_s
            return True

    def held_back(self, campaign_id: str) -> bool:
        """Has a limit refused a unit of the campaign just now?"""
        until = self._until.get(campaign_id)
        return until is not None and self._clock() < until
