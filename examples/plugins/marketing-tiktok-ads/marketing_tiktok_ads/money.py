"""Amounts as TikTok counts them: in hundredths, rounded down so that no budget is exceeded."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal, InvalidOperation


def daily(amount: Decimal) -> Decimal:
    """Return a daily budget in hundredths."""
    return amount.quantize(Decimal("0.01"), rounding=ROUND_DOWN)


def money(value: object) -> Decimal | None:
    """Return an amount that TikTok answers, None for none."""
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None
