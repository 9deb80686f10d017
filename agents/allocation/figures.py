"""What is known of each arm, as arrays: one row an arm, one column a slot of time, the newest last.

Where all entries are of single days and say which, a slot is a calendar day, and of several reports of one day the last
counts. Otherwise slots are counted back from the newest entry of each arm. Entries that tell their ``day`` and cover
several may overlap (a sum over seven days, read every day): each then weighs only as much as is new in it.

Invariant: every figure is finite and within 0..:data:`LARGEST`, also where the reports are odd.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LARGEST = 1e15
LONGEST = 90  #: slots that are looked at; what is older says nothing that the market would still keep to


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Figures of all arms, each array arms x slots."""

    arms: tuple[str, ...]
    spend: Floats  #: money a day
    responses: Floats  #: clicks, or conversions where clicks are not told
    conversions: Floats
    days: Floats  #: how many days an entry covers; 0 where there is none
    weight: Floats  #: how much of an entry is new, 0..1
    has_clicks: bool  #: whether ``responses`` are clicks
    daily: bool  #: whether each slot is one day

    @property
    def slots(self) -> int:
        """Number of slots."""
        return int(self.spend.shape[1])

    @property
    def daily_spend(self) -> float:
        """What all arms together spent a day lately: the mean over the newest seven slots in which anything was."""
        a_day = self.spend.sum(axis=0)
        recent = a_day[a_day > 0][-7:]
        return float(recent.mean()) if recent.size else 0.0


@dataclass(frozen=True, slots=True)
class _Entry:
    spend: float
    clicks: float
    conversions: float
    days: int
    day: int | None
    weight: float = 1.0


def read(history: Mapping[str, Sequence[Any]], arms: Sequence[str]) -> Figures:
    """Return the figures of ``arms``, each of whose entries in ``history`` are oldest first.

    An entry has ``spend`` and ``conversions``, and may have ``clicks``, ``day`` and ``days``.
    """
    entries = [[_entry(one) for one in history[arm][-20 * LONGEST :]] for arm in arms]
    everything = [one for row in entries for one in row]
    dated = all(one.day is not None and one.days == 1 for one in everything)
    rows = [_placed_by_day(row, everything) if dated else _placed_in_order(row) for row in entries]
    slots = max((at + 1 for row in rows for at in row), default=0)
    shape = (len(arms), slots)
    spend, clicks, conversions, days, weight = (np.zeros(shape) for _ in range(5))
    for arm, row in enumerate(rows):
        for back, one in row.items():
            at = slots - 1 - back
            spend[arm, at] = one.spend / one.days
            clicks[arm, at], conversions[arm, at] = one.clicks, one.conversions
            days[arm, at], weight[arm, at] = one.days, one.weight
    # An arm whose conversions come from no clicks does not tell its clicks: then only conversions can be compared.
    has_clicks = bool(clicks.sum() > 0 and (clicks.sum(axis=1) >= conversions.sum(axis=1)).all())
    return Figures(
        arms=tuple(arms),
        spend=spend,
        responses=clicks if has_clicks else conversions,
        conversions=conversions,
        days=days,
        weight=weight,
        has_clicks=has_clicks,
        daily=all(one.days == 1 for one in everything),
    )


def amount(value: Any) -> float:
    """Return a finite number of 0..:data:`LARGEST`, 0 for what is none, is negative or is not there."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return min(found, LARGEST) if math.isfinite(found) and found > 0 else 0.0


def _entry(one: Any) -> _Entry:
    day = getattr(one, "day", None)
    return _Entry(
        spend=amount(one.spend),
        clicks=amount(getattr(one, "clicks", 0)),
        conversions=amount(one.conversions),
        days=max(1, int(min(amount(getattr(one, "days", 1)), 3660))),
        day=day.toordinal() if isinstance(day, date) else day if isinstance(day, int) else None,
    )


def _placed_by_day(row: Sequence[_Entry], everything: Sequence[_Entry]) -> dict[int, _Entry]:
    """Return an arm's entries by how many days before the newest of all arms they are.

    Of several reports of one day, the last counts.
    """
    newest = max((one.day or 0 for one in everything), default=0)
    found = {newest - (one.day or 0): one for one in row}
    return {back: one for back, one in found.items() if back < LONGEST}


def _placed_in_order(row: Sequence[_Entry]) -> dict[int, _Entry]:
    """Return an arm's entries counted back from its newest."""
    found: dict[int, _Entry] = {}
    following: int | None = None
    for one in reversed(row):
        if len(found) == LONGEST:
            break
        new = 1.0
        if one.day is not None and following is not None:
            new = min(1.0, max(0, following - one.day) / one.days)
        following = one.day if one.day is not None else following
        if new > 0:
            found[len(found)] = _Entry(one.spend, one.clicks, one.conversions, one.days, one.day, new)
    return found
