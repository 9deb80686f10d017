"""Daily figures that a campaign keeps: every ad and day once, and the sums that decisions read.

Pure. Invariant: a day that a platform reports again replaces what it had said of that day, so nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from agents.state import AdDay
from integrations.ads.platform import DayReport

MAX_DAYS = 120  #: the newest days of a platform that are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Figures of one day, over the ads that were asked for."""

    day: date
    impressions: int = 0
    clicks: int = 0
    conversions: int = 0
    spend: Decimal = Decimal(0)


def number_of(ad: str) -> int | None:
    """Return the number of an ad (from 1) in its step name, such as "ad.2", None where ads can't be told apart."""
    number = ad.rpartition(".")[2]
    return int(number) if number.isdecimal() else None


def reported(platform: str, revision: int, days: Iterable[DayReport], angles: Sequence[str] = ()) -> list[AdDay]:
    """Return what a platform has reported of the ads of one revision, per ad and day.

    ``angles``: of each of its ads, of number 1 first.
    """
    return [
        AdDay(
            platform=platform,
            revision=revision,
            ad=day.ad,
            angle=_angle(day.ad, angles),
            day=day.day,
            impressions=day.impressions,
            clicks=day.clicks,
            conversions=day.conversions,
            spend=day.spend,
        )
        for day in days
    ]


def _angle(ad: str, angles: Sequence[str]) -> str:
    number = number_of(ad)
    return angles[number - 1] if number is not None and 1 <= number <= len(angles) else ""


def kept(earlier: Sequence[AdDay], new: Iterable[AdDay]) -> tuple[AdDay, ...]:
    """Return all ad days after a report, by platform, day, revision and ad, the newest :data:`MAX_DAYS` of each."""
    found = {(one.platform, one.day, one.revision, one.ad): one for one in (*earlier, *new)}
    ordered = [found[key] for key in sorted(found)]
    newest: dict[str, date] = {one.platform: one.day for one in ordered}  # sorted by day, so the last one stays
    return tuple(one for one in ordered if (newest[one.platform] - one.day).days < MAX_DAYS)


def by_day(days: Iterable[AdDay]) -> list[Day]:
    """Return the sums per day, oldest first."""
    sums: dict[date, Day] = {}
    for one in days:
        before = sums.get(one.day, Day(day=one.day))
        sums[one.day] = Day(
            day=one.day,
            impressions=before.impressions + one.impressions,
            clicks=before.clicks + one.clicks,
            conversions=before.conversions + one.conversions,
            spend=before.spend + one.spend,
        )
    return [sums[day] for day in sorted(sums)]


def history(days: Iterable[AdDay], platforms: Iterable[str]) -> Mapping[str, list[Day]]:
    """Return each platform's days, oldest first, over all that ran there."""
    found: dict[str, list[AdDay]] = {name: [] for name in platforms}
    for one in days:
        if one.platform in found:
            found[one.platform].append(one)
    return {name: by_day(each) for name, each in found.items()}
