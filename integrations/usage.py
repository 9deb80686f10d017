"""Tokens and money that a call consumed, on which cost accounting is built.

Invariants: money is Decimal with a currency. An unknown price is ``None`` and shown as tokens, never as 0. A figure can
always be stored, so that a call is booked whatever a meter says.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from integrations.values import clean_text

MAX_TOKENS = 10**12  #: of one call
MAX_COST = Decimal(10**8)  #: of one call
MAX_NAME = 200  #: characters kept of a provider's or model's name


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Consumption of one call to a provider, in which a figure that can't be true is bounded or unknown."""

    provider: str
    model: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None  #: None when the price is unknown
    currency: str = "USD"

    def __post_init__(self) -> None:
        """Bound the figures and clean the names."""
        known = self.cost is not None and self.cost.is_finite() and 0 <= self.cost <= MAX_COST
        bounded = {
            "provider": clean_text(self.provider)[:MAX_NAME],
            "model": clean_text(self.model)[:MAX_NAME] if self.model is not None else None,
            "input_tokens": max(0, min(self.input_tokens, MAX_TOKENS)),
            "output_tokens": max(0, min(self.output_tokens, MAX_TOKENS)),
            "cost": self.cost if known else None,
        }
        for name, value in bounded.items():
            object.__setattr__(self, name, value)
