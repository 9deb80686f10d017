"""What tokens cost, so that a campaign's spend can be shown and capped.

Prices are US dollars per million tokens as OpenAI lists them (developers.openai.com/api/docs/pricing,
standard tier, text tokens; the table was last brought up to date on 2026-11-05). Invariant: a model that
is not in the table has no price (None), never a price of 0; its tokens are still counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

PRICES_AS_OF = "2026-11-05"
_MILLION = Decimal(1_000_000)
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens: new input, input read from the provider's cache, output."""

    input: Decimal
    cached: Decimal
    output: Decimal


def _price(fresh: str, cached: str, output: str) -> Price:
    return Price(Decimal(fresh), Decimal(cached), Decimal(output))


PRICES: Mapping[str, Price] = MappingProxyType(
    {
        "gpt-4.1": _price("2.00", "0.50", "8.00"),
        "gpt-4.1-mini": _price("0.40", "0.10", "1.60"),
        "gpt-4.1-nano": _price("0.10", "0.025", "0.40"),
        "gpt-4o": _price("2.50", "1.25", "10.00"),
        "gpt-4o-mini": _price("0.15", "0.075", "0.60"),
        "gpt-5": _price("1.25", "0.125", "10.00"),
        "gpt-5-mini": _price("0.25", "0.025", "2.00"),
        "gpt-5-nano": _price("0.05", "0.005", "0.40"),
        "gpt-5.1": _price("1.25", "0.125", "10.00"),
        "gpt-5.2": _price("1.75", "0.175", "14.00"),
        "gpt-5.4": _price("2.50", "0.25", "15.00"),
        "gpt-5.4-mini": _price("0.75", "0.075", "4.50"),
        "o3": _price("2.00", "0.50", "8.00"),
        "o4-mini": _price("1.10", "0.275", "4.40"),
        # The sandbox has a small model's price, so that spending and its caps can be tried for nothing.
        "sandbox-1": _price("0.40", "0.10", "1.60"),
    }
)


def cost(model: str, *, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> Decimal | None:
    """USD for one call; ``cached_tokens`` are part of ``input_tokens``. None when nobody knows the price.

    A dated snapshot ("gpt-4.1-mini-2025-04-14") costs what its model costs.
    """
    price = PRICES.get(model) or PRICES.get(_SNAPSHOT.sub("", model))
    if price is None:
        return None
    cached = min(cached_tokens, input_tokens)
    total = price.input * (input_tokens - cached) + price.cached * cached + price.output * output_tokens
    return total / _MILLION
