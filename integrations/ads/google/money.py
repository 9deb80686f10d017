"""Amounts as Google counts them: in micros, millionths of one unit of the account's currency.

Pure. Invariant: an amount is rounded down to one that the currency has, so that no budget is exceeded and Google
refuses none as NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

from integrations.currencies import smallest

MICROS = Decimal(1_000_000)


def micros(amount: Decimal, currency: str) -> int:
    """Return an amount in micros, rounded down to a whole number of the currency's smallest unit (two decimals)."""
    unit = max(smallest(currency), Decimal("0.01"))
    return int(amount.quantize(unit, rounding=ROUND_DOWN) * MICROS)


def major_units(amount_micros: int) -> Decimal:
    """Return an amount of micros as people write it, with all its decimals."""
    return Decimal(amount_micros) / MICROS
