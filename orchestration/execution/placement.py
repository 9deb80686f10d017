"""Where a stage runs: beside its hop, or spread over the queue's workers as a chord.

Pure. Invariant: the choice changes speed only; ledger, code and outcome are the same.
"""

from __future__ import annotations

from enum import StrEnum

LOCAL_UNITS = 8  #: "auto" keeps stages up to this size in the hop's own worker
CHORD_SLOTS = 16  #: header tasks of a chord at most; each takes unit after unit
LOCAL_BATCH = 16  #: a local stage claims at most this many units at once, so that it hoards none


class Placement(StrEnum):
    """Where the units of one stage run."""

    LOCAL = "local"
    CHORD = "chord"


def choose(setting: str, units: int, free_slots: int) -> Placement:
    """The placement of ``units`` due units under STAGE_PLACEMENT=``setting`` (auto, local or chord)."""
    if setting == "local" or units <= 1:
        return Placement.LOCAL
    if setting == "chord":
        return Placement.CHORD
    return Placement.LOCAL if units <= min(LOCAL_UNITS, max(1, free_slots)) else Placement.CHORD


def chord_slots(units: int) -> int:
    """Header tasks of a chord over ``units`` units."""
    return max(1, min(units, CHORD_SLOTS))
