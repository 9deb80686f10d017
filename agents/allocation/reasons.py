"""What a split was based on and what it is expected to bring, as values and in sentences.

Light: this module loads no numerics, so showing an :class:`Allocation` doesn't either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

CHANGED = 0.5  #: from which likelihood on a change is told


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A figure that is not known exactly: its mean, and bounds between which it lies in 8 of 10 cases."""

    low: float
    mean: float
    high: float

    def times(self, factor: float) -> Range:
        """Return the range of ``factor`` times the figure."""
        return Range(low=self.low * factor, mean=self.mean * factor, high=self.high * factor)

    def __str__(self) -> str:
        return f"{_figure(self.mean)} ({_figure(self.low)} to {_figure(self.high)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What an arm's money is expected to bring over the days that it is for, delayed conversions included."""

    clicks: Range | None  #: None where clicks are not told
    conversions: Range


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why one arm gets its amount."""

    amount: Decimal
    days: int  #: over how many days it is spent
    reports: int  #: entries that were counted, each day once
    spent: float  #: in these
    clicks: float | None
    conversions: float
    delay_days: float = 0.0  #: assumed mean delay from click to conversion
    scatter: float = 0.0  #: assumed relative deviation of a day's figures beyond chance
    changed: float = 0.0  #: how likely the arm's market has changed lately, 0..1
    expected: Expected | None  #: None where nothing has been spent by any arm

    def sentences(self) -> tuple[str, ...]:
        """Return the reason in words, first what was seen, then what is assumed, then what is expected."""
        if self.expected is None:
            return ("No arm has spent anything yet, so all get the same.",)
        return (*self._seen(), *self._assumed(), self._awaited(self.expected))

    def __str__(self) -> str:
        return " ".join(self.sentences())

    def _seen(self) -> tuple[str, ...]:
        if not self.reports:
            return ("Nothing has been spent here yet; it is assumed to do as the others do.",)
        clicks = "" if self.clicks is None else f"{_figure(self.clicks)} clicks and "
        return (f"{self.reports} reports: {self.spent:.2f} spent, {clicks}{_figure(self.conversions)} conversions.",)

    def _assumed(self) -> tuple[str, ...]:
        found = [f"Days are assumed to scatter by {self.scatter:.0%} beyond chance."]
        if self.delay_days > 0:
            found.append(f"Conversions are assumed to come {self.delay_days:.1f} days after their click.")
        if self.changed >= CHANGED:
            found.append(f"This market has lately changed ({self.changed:.0%} likely), so what was before counts less.")
        return tuple(found)

    def _awaited(self, expected: Expected) -> str:
        days = "a day" if self.days == 1 else f"{self.days} days"
        clicks = "" if expected.clicks is None else f"{expected.clicks} clicks and "
        return f"{self.amount} over {days} is expected to bring {clicks}{expected.conversions} conversions."


class Allocation(dict[str, Decimal]):
    """Amount of each arm, in the order of names, with the reason of each."""

    def __init__(self, amounts: Mapping[str, Decimal], reasons: Mapping[str, Reason]) -> None:
        super().__init__(amounts)
        self.reasons: dict[str, Reason] = dict(reasons)

    @property
    def expected(self) -> dict[str, Expected]:
        """What each arm is expected to bring, empty where nothing is known."""
        return {name: one.expected for name, one in self.reasons.items() if one.expected is not None}


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"
