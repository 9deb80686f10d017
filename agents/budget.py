"""How a total budget is split over platforms, from what each of them brought so far.

What each platform brings at any spend is a curve of which only days are seen (:mod:`agents.allocation.market`): its
shape is learned from clicks, its level from conversions, both with their uncertainty, and what was before a change of
the market is forgotten as far as the figures speak for one. The split is the best one for such curves, found exactly, a
little moved towards what is not known well (:mod:`agents.allocation.split`). No platform has a fixed part.

Without any spend all platforms get the same.

Invariants: shares sum to the total to the cent, never above it; equal inputs give equal outputs; no figure, however odd
(zero, negative, NaN), raises or breaks the sum. numpy and scipy are loaded by the first split that has a past.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from agents.allocation.reasons import Allocation, Expected, Reason

if TYPE_CHECKING:
    from agents.allocation.split import Known

CENT = Decimal("0.01")
SEVERAL_DAYS = 3.0  #: times what was spent a day: a total above it is taken to be for several days
LONGEST = 3660  #: days that such a total is taken to be for at most
_LARGEST = 1e15  #: a day's money, in the curves' arithmetic


class Outcome(Protocol):
    """What was spent and what came of it, over a day (``DayReport``) or over ``days`` (``PlatformMetrics``).

    ``clicks``, ``day`` and ``days`` are used where an outcome has them (:mod:`agents.allocation.figures`).
    """

    @property
    def conversions(self) -> int:
        """Conversions."""
        ...

    @property
    def spend(self) -> Decimal:
        """Money spent, for all platforms in the same currency."""
        ...


def allocate_budget(
    history: Mapping[str, Sequence[Outcome]], total: Decimal, *, seed: int, days: int | None = None
) -> Allocation:
    """Split ``total`` over the platforms of ``history``, its keys, where a platform without past has an empty list.

    ``history`` is oldest first; names may as well be those of one platform's ads. ``total`` is spent over ``days``, as
    curves are of a day's spend. Without ``days`` it is one day's money, unless it is more than :data:`SEVERAL_DAYS`
    times what all platforms together spent on a recent day: then it is for as many days as it lasts at that pace.

    The result has the platforms in the order of their names and sums to ``total`` rounded down to the cent; its
    ``reasons`` say of each platform what was assumed and is expected. Raises ValueError for a total that is negative or
    not a number, and for days < 1.
    """
    if not total.is_finite() or total < 0:
        raise ValueError(f"total={total} is not an amount of money >= 0")
    if days is not None and days < 1:
        raise ValueError(f"days={days} is not a number of days >= 1")
    platforms = sorted(history)
    if not platforms:
        return Allocation({}, {})
    cents = int(Fraction(total) * 100)
    known, days = _known(history, cents / Fraction(100), seed, days)
    equal = Fraction(1, len(platforms))
    shares = dict.fromkeys(platforms, equal)
    if known is not None:
        shares = {name: Fraction(share) for name, share in known.shares().items()}
    amounts = _cents(cents, shares, seed)
    return Allocation(amounts, {name: _reason(name, amounts[name], days, cents, known) for name in platforms})


def daily_budget(total: Decimal, days: int) -> Decimal:
    """``total`` per day, rounded down to the cent, so that ``days`` of it never exceed the total."""
    if days < 1:
        raise ValueError(f"days={days} is not a number of days >= 1")
    return (total / days).quantize(CENT, rounding=ROUND_DOWN)


def at_least(amounts: Mapping[str, Decimal], least: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Lift amounts to the ``least`` that can be spent at all, with money of the others above theirs, in proportion.

    The sum stays, or is some cents lower. Where it is too small for all, amounts are returned as they are.
    """
    missing = sum((max(Decimal(0), least[name] - amount) for name, amount in amounts.items()), Decimal(0))
    spare = sum((max(Decimal(0), amount - least[name]) for name, amount in amounts.items()), Decimal(0))
    if not missing or missing > spare:
        return dict(amounts)
    return {
        name: max(
            least[name].quantize(CENT),
            (amount - max(Decimal(0), amount - least[name]) * missing / spare).quantize(CENT, ROUND_DOWN),
        )
        for name, amount in amounts.items()
    }


def _known(
    history: Mapping[str, Sequence[Outcome]], total: Fraction, seed: int, days: int | None
) -> tuple[Known | None, int]:
    """Return what the past says (None where there is none, or nothing to split), and over how many days."""
    if not total or not any(history.values()):
        return None, days or 1
    from agents.allocation.figures import read
    from agents.allocation.split import know

    pace = read(history, sorted(history)).daily_spend
    if pace <= 0:
        return None, days or 1
    if days is None:
        lasts = total / Fraction(pace)
        days = min(round(lasts), LONGEST) if lasts > SEVERAL_DAYS else 1
    return know(history, float(min(total / days, Fraction(_LARGEST))), seed=seed), days


def _reason(name: str, given: Decimal, days: int, cents: int, known: Known | None) -> Reason:
    if known is None:
        return Reason(amount=given, days=days, reports=0, spent=0.0, clicks=None, conversions=0.0, expected=None)
    figures, market = known.figures, known.market
    arm = figures.arms.index(name)
    clicks, conversions = known.expected(name, float(Fraction(given) * 100 / cents))
    counted = figures.weight[arm]
    return Reason(
        amount=given,
        days=days,
        reports=int((figures.days[arm] > 0).sum()),
        spent=float((figures.spend[arm] * figures.days[arm] * counted).sum()),
        clicks=float((figures.responses[arm] * counted).sum()) if figures.has_clicks else None,
        conversions=float((figures.conversions[arm] * counted).sum()),
        delay_days=market.delay.mean_days,
        scatter=market.scatter,
        changed=known.changed(name),
        expected=Expected(
            clicks=clicks.times(days) if clicks is not None else None, conversions=conversions.times(days)
        ),
    )


def _cents(cents: int, shares: Mapping[str, Fraction], seed: int) -> dict[str, Decimal]:
    """Return amounts by largest remainder, where ``seed`` decides which of equal remainders gets a spare cent."""
    whole = sum(shares.values())
    exact = {name: cents * share / whole for name, share in shares.items()}
    given = {name: int(amount) for name, amount in exact.items()}

    def turn(name: str) -> tuple[Fraction, bytes]:
        return (given[name] - exact[name], sha256(f"{seed}/{name}".encode()).digest())

    for name in sorted(given, key=turn)[: cents - sum(given.values())]:
        given[name] += 1
    return {name: Decimal(f"{amount // 100}.{amount % 100:02d}") for name, amount in given.items()}
