"""What tokens cost, so that a campaign's spend can be shown and capped.

Prices are US dollars per million tokens as OpenAI lists them (developers.openai.com/api/docs/pricing,
standard tier, text tokens; the table was last brought up to date on 2026-11-05). LLM_PRICES adds to the table
and goes before it. Invariants: a model that nobody has given a price has none (None), never a price of 0, and
its tokens are still counted; an upper bound is never below what the call then costs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from types import MappingProxyType

PRICES_AS_OF = "2026-11-05"
_MILLION = Decimal(1_000_000)
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")
#: Tokens of a chat message beside its text: role, separators, name (OpenAI counts 3 or 4; other servers' templates
#: spend some more), and once as many for the beginning of the answer.
MESSAGE_TOKENS = 16
MOST_PER_MILLION = Decimal(1_000_000)  #: USD; a price above it is a slip of the pen


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CostBound:
    """The most that one model call can cost, known before it is made."""

    entry: str  #: the journal entry that the answer goes to: with the unit, the call's identity
    model: str
    amount: Decimal | None  #: USD; None when nobody knows the model's price


def price_of(model: str, prices: Mapping[str, Price] = MappingProxyType({})) -> Price | None:
    """The price in ``prices`` (LLM_PRICES), else in :data:`PRICES`; None when nobody knows it.

    A dated snapshot ("gpt-4.1-mini-2025-04-14") costs what its model costs.
    """
    base = _SNAPSHOT.sub("", model)
    return prices.get(model) or prices.get(base) or PRICES.get(model) or PRICES.get(base)


def cost(
    model: str,
    *,
    input_tokens: int,
    output_tokens: int,
    cached_tokens: int = 0,
    prices: Mapping[str, Price] = MappingProxyType({}),
) -> Decimal | None:
    """USD for one call; ``cached_tokens`` are part of ``input_tokens``. None when nobody knows the price."""
    price = price_of(model, prices)
    if price is None:
        return None
    cached = min(cached_tokens, input_tokens)
    total = price.input * (input_tokens - cached) + price.cached * cached + price.output * output_tokens
    return total / _MILLION


def llm_upper_bound(
    texts: Iterable[str], max_tokens: int, model: str, prices: Mapping[str, Price] = MappingProxyType({})
) -> Decimal | None:
    """USD that a call of ``model`` can cost at most; None when nobody knows the price.

    ``texts``: all that is sent, one per message (a schema counts as one). ``max_tokens`` bounds the answer,
    reasoning included. A tokenizer that works on bytes (GPT's BPE, and SentencePiece where it falls back to bytes)
    makes at least one byte of text into each token, so a text has at most as many tokens as UTF-8 bytes. English
    has about four bytes a token, but hashes, URLs and rare scripts come near one, and a bound that is now and then
    too low is none. The input is the smaller part of what a call can cost.
    """
    price = price_of(model, prices)
    if price is None:
        return None
    sent = [len(text.encode("utf-8", "surrogatepass")) + MESSAGE_TOKENS for text in texts]
    dearest = max(price.input, price.cached)
    return (dearest * (sum(sent) + MESSAGE_TOKENS) + price.output * max_tokens) / _MILLION


def parse_prices(text: str) -> Mapping[str, Price]:
    """Prices from ``model=input:cached:output,...`` in USD per million tokens; ValueError names the bad part.

    A model's name may hold colons and slashes: ``llama3:8b=0:0:0,vendor/large=3:0.3:15``.
    """
    found: dict[str, Price] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        model, _, figures = part.rpartition("=")
        numbers = [_amount(figure) for figure in figures.split(":")]
        if not model.strip() or len(numbers) != 3 or None in numbers:
            raise ValueError(part)
        fresh, cached, output = (number for number in numbers if number is not None)
        found[model.strip()] = Price(fresh, cached, output)
    return found


def _amount(figure: str) -> Decimal | None:
    try:
        value = Decimal(figure.strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() and 0 <= value <= MOST_PER_MILLION else None
