"""Figures of some ads and of the others beside them, on the same days.

Pure. What a day does to all ads (its weather, its budget) is on both sides, so it is no part of the difference: the
scatter is that of how a day's clicks split between the two. Invariant: a day counts only where both sides spent money.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date

from agents.ad_figures import Day, by_day
from agents.evidence.counts import Counts, counts, split_dispersion
from agents.state import AdDay


def on_same_days(days: Iterable[AdDay], chosen: Callable[[AdDay], bool]) -> tuple[Counts, Counts] | None:
    """Return the counts of the ads that are not ``chosen``, then of those that are, None where no day has both.

    ``days`` are of one platform. Days are counted once for each ad, so that spend over days is that of one ad.
    """
    found = [one for one in days if one.spend > 0]
    ours = [one for one in found if chosen(one)]
    others = [one for one in found if not chosen(one)]
    both = {one.day for one in ours} & {one.day for one in others}
    if not both:
        return None
    scatter = split_dispersion(*((_on(others, day), _on(ours, day)) for day in sorted(both)))
    one, other = (
        replace(
            counts(by_day(day for day in side if day.day in both)),
            days=sum(day.day in both for day in side),
            dispersion=scatter,
        )
        for side in (others, ours)
    )
    return one, other


def _on(days: Iterable[AdDay], day: date) -> Day:
    (found,) = by_day(one for one in days if one.day == day)
    return found
