"""Amounts as Facebook counts them: in minor units of the account's currency.

Pure. Invariant: an amount is rounded down, so that no budget is exceeded.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

#: Facebook counts these currencies in whole units, all others in hundredths
#: (Marketing API documentation, "Currencies", column "offset").
WHOLE_UNIT_CURRENCIES = frozenset({"CLP", "COP", "CRC", "HUF", "ISK", "IDR", "JPY", "KRW", "PYG", "TWD", "VND"})


def minor_units(amount: Decimal, currency: str) -> int:
    """Return an amount in the account's units, rounded down."""
    return int((amount * _factor(currency)).quantize(Decimal(1), rounding=ROUND_DOWN))


def major_units(minor: int, currency: str) -> Decimal:
    """Return an amount of the account's units as people write it."""
    factor = _factor(currency)
    return Decimal(minor) if factor == 1 else (Decimal(minor) / factor).quantize(Decimal("0.01"))


def _factor(currency: str) -> int:
    return 1 if currency.upper() in WHOLE_UNIT_CURRENCIES else 100
