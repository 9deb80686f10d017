"""Placement of a stage, beside its hop or spread over the queue's workers as a chord, and its pace under a limit.

A big stage under a limit of ten requests a second would otherwise be claimed and given back over and over, so the
process that saw a campaign throttled remembers it for a moment. Invariant: both choices change speed only: which units
run, and what comes of them, is the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum
from threading import Lock

LOCAL_UNITS = 8  #: "auto" keeps stages up to this size in the hop's own worker
CHORD_SLOTS = 16  #: header tasks of a chord at most; each takes unit after unit
LOCAL_BATCH = 16  #: a local stage claims at most this many units at once, so that it hoards none


class Placement(StrEnum):
    """Where the units of one stage run."""

    LOCAL = "local"
    CHORD = "chord"


def choose(setting: str, units: int, free_slots: int) -> Placement:
    """Return the placement of ``units`` due units under STAGE_PLACEMENT=``setting`` (auto, local or chord)."""
    if setting == "local" or units <= 1:
        return Placement.LOCAL
    if setting == "chord":
        return Placement.CHORD
    return Placement.LOCAL if units <= min(LOCAL_UNITS, max(1, free_slots)) else Placement.CHORD


def chord_slots(units: int) -> int:
    """Return the number of header tasks of a chord over ``units`` units."""
    return max(1, min(units, CHORD_SLOTS))


#: While a limit throttles a stage: the unit whose slot has come, and then one that reserves the slot it leaves.
THROTTLED_BATCH = 1
#: How long a stage counts as throttled after the last refusal.
REMEMBERED_S = 5.0
#: Wake-ups closer together than this are the same.
SAME_S = 0.02


class Pace:
    """Memory of one process of throttled campaigns and of their wake-ups, which several threads may use."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}
        self._wakes_at: dict[str, float] = {}
        self._lock = Lock()

    def throttle(self, campaign_id: str) -> None:
        """Remember that a limit has refused a unit of the campaign."""
        now = self._clock()
        with self._lock:
            self._until[campaign_id] = now + REMEMBERED_S
            if len(self._until) > 1000:
                self._until = {name: until for name, until in self._until.items() if until > now}

    def wake_needed(self, campaign_id: str, delay_s: float) -> bool:
        """Return whether to publish a wake-up in ``delay_s`` seconds: False if an earlier one was published here."""
        now = self._clock()
        with self._lock:
            if now < self._wakes_at.get(campaign_id, 0.0) <= now + delay_s + SAME_S:
                return False
            if len(self._wakes_at) > 1000:
                self._wakes_at = {name: at for name, at in self._wakes_at.items() if at > now}
            self._wakes_at[campaign_id] = now + delay_s
            return True

    def throttled(self, campaign_id: str) -> bool:
        """Return whether a limit has refused a unit of the campaign in the last seconds."""
        until = self._until.get(campaign_id)
        return until is not None and self._clock() < until
