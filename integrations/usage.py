"""Tokens and money that a call consumed, on which cost accounting is built.

Invariant: money is Decimal with a currency. An unknown price is ``None`` and shown as tokens, never as 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Consumption of one call to a provider."""

    provider: str
    model: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None  #: None when the price is unknown
    currency: str = "USD"
