"""How much of a campaign's money is for today.

Pure. Invariant: days that each spend at most what this says never spend more than the budget together.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

CENT = Decimal("0.01")


def todays_money(budget: Decimal, spent: Decimal, days_left: int) -> Decimal:
    """Return what is left of ``budget`` after ``spent``, per day of the ``days_left`` (today included), to the cent.

    What earlier days left over is spread over all that remain, and so is what they took too much. It is 0 when nothing
    is left, or no day. Raises ValueError for amounts that are none or are negative.
    """
    for name, value in (("budget", budget), ("spent", spent)):
        if not value.is_finite() or value < 0:
            raise ValueError(f"{name}={value} is not an amount of money >= 0")
    if days_left < 1 or spent >= budget:
        return Decimal("0.00")
    return ((budget - spent) / days_left).quantize(CENT, rounding=ROUND_DOWN)
