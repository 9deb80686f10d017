"""What tokens cost, so that a campaign's spend can be shown and capped.

Prices come from the data that the library genai-prices brings along; LLM_PRICES goes before them. Invariants:
nothing is ever downloaded; a model that nobody has given a price has none (None), never a price of 0, and its tokens
are still counted; an upper bound is never below what the call then costs. The first question loads the library.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, TieredPrices

_MILLION = Decimal(1_000_000)
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")
#: Whose price list a server's models are looked up in when its address belongs to nobody the library knows.
_PROVIDER = "openai"
#: What a chat completion is billed by, in the library's words; its other prices are for audio, images and searches.
_INPUT = ("input_mtok", "cache_read_mtok", "cache_write_mtok")
_BILLED = (*_INPUT, "output_mtok", "requests_kcount")
#: Prices may change by date or hour: a call that begins now is over by then.
_LONGEST_CALL = timedelta(hours=1)
#: Tokens of a chat message beside its text: role, separators, name (OpenAI counts 3 or 4; other servers' templates
#: spend some more), and once as many for the beginning of the answer.
MESSAGE_TOKENS = 16
MOST_PER_MILLION = Decimal(1_000_000)  #: USD; a price above it is a slip of the pen


@dataclass(frozen=True, slots=True)
class Price:
    """A price of the user's own, in USD per million tokens: new input, input read from a cache, output."""

    input: Decimal
    cached: Decimal
    output: Decimal


_NONE: Mapping[str, Price] = MappingProxyType({})
#: The sandbox has a small model's price, so that spending and its caps can be tried for nothing.
_SANDBOX = {
    "sandbox-1": Price(Decimal("0.40"), Decimal("0.10"), Decimal("1.60")),
    "sandbox-embedding-1": Price(Decimal("0.02"), Decimal("0.02"), Decimal(0)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CostBound:
    """Most that one model call can cost, known before it is made."""

    entry: str  #: the journal entry that the answer goes to: with the unit, the call's identity
    model: str
    amount: Decimal | None  #: USD; None when nobody knows the model's price


def price_of(
    model: str, prices: Mapping[str, Price] = _NONE, *, base_url: str = "", at: datetime | None = None
) -> ModelPrice | None:
    """Find the price in ``prices`` (LLM_PRICES), else in the library's list, or return None when it is not known.

    A dated snapshot ("gpt-4.1-mini-2025-04-14") costs what its model costs, unless it has a price of its own.
    ``base_url`` tells whose list it is; a server that the library does not know asks OpenAI's prices for OpenAI's
    models. ``at`` is the moment that the price is asked for; None: now.
    """
    base = _SNAPSHOT.sub("", model)
    for name in (model, base):
        if own := prices.get(name) or _SANDBOX.get(name):
            return _as_listed(own)
    for name in (model, base):
        if found := _listed(name, base_url):
            return _billed(found.get_prices(at or datetime.now(UTC)))
    return None


def cost(
    model: str,
    *,
    input_tokens: int,
    output_tokens: int,
    cached_tokens: int = 0,
    written_tokens: int = 0,
    prices: Mapping[str, Price] = _NONE,
    base_url: str = "",
    at: datetime | None = None,
) -> Decimal | None:
    """Return the USD for one call that ended at ``at`` (None: now), or None when the price is not known.

    ``cached_tokens`` (read from the provider's cache) and ``written_tokens`` (written to it) are parts of
    ``input_tokens``.
    """
    price = price_of(model, prices, base_url=base_url, at=at)
    if price is None:
        return None
    from genai_prices import Usage

    cached = min(cached_tokens, input_tokens)
    written = min(written_tokens, input_tokens - cached)
    usage = Usage(
        input_tokens=input_tokens, cache_read_tokens=cached, cache_write_tokens=written, output_tokens=output_tokens
    )
    return price.calc_price(usage)["total_price"]


def embedding_cost(
    model: str, tokens: int, prices: Mapping[str, Price] = _NONE, *, base_url: str = ""
) -> Decimal | None:
    """Return the USD for embedding ``tokens``, or None when the model's price is not known: it has a price of input."""
    own = prices.get(model) or _SANDBOX.get(model)
    listed = None if own else _listed(model, base_url)
    rate = own.input if own else listed.get_prices(datetime.now(UTC)).input_mtok if listed else None
    return None if rate is None else _dearest(rate) * tokens / _MILLION


def llm_upper_bound(
    texts: Iterable[str],
    max_tokens: int,
    model: str,
    prices: Mapping[str, Price] = _NONE,
    *,
    base_url: str = "",
    at: datetime | None = None,
) -> Decimal | None:
    """Return the USD that a call of ``model`` can cost at most, or None when the price is not known.

    It is made at ``at`` (None: now). ``texts``: all that is sent, one per message (a schema counts as one).
    ``max_tokens`` bounds the answer, reasoning included. A tokenizer that works on bytes (GPT's BPE, and SentencePiece
    where it falls back to bytes) makes at least one byte of text into each token, so a text has at most as many tokens
    as UTF-8 bytes. English has about four bytes a token, but hashes, URLs and rare scripts come near one, and a bound
    that is now and then too low is none. The input is the smaller part of what a call can cost. Each token counts at
    the dearest rate that it may get: of all tiers, cached or not, now or when the call is over.
    """
    begun = at or datetime.now(UTC)
    known = [price_of(model, prices, base_url=base_url, at=moment) for moment in (begun, begun + _LONGEST_CALL)]
    if known[0] is None:
        return None
    sent = tokens_upper_bound(texts)
    return max(_most(price, sent, max_tokens) for price in known if price is not None)


def tokens_upper_bound(texts: Iterable[str]) -> int:
    """Return the most tokens that messages with these texts can have (see :func:`llm_upper_bound`)."""
    return sum(len(text.encode("utf-8", "surrogatepass")) + MESSAGE_TOKENS for text in texts) + MESSAGE_TOKENS


def _most(price: ModelPrice, sent: int, said: int) -> Decimal:
    dearest = max(_dearest(getattr(price, key)) for key in _INPUT)
    tokens = (dearest * sent + _dearest(price.output_mtok) * said) / _MILLION
    return tokens + _dearest(price.requests_kcount) / 1000


def _dearest(rate: Decimal | TieredPrices | None) -> Decimal:
    if rate is None or isinstance(rate, Decimal):
        return rate or Decimal(0)
    return max((rate.base, *(tier.price for tier in rate.tiers)))


def _as_listed(own: Price) -> ModelPrice:
    from genai_prices.types import ModelPrice

    return ModelPrice(input_mtok=own.input, cache_read_mtok=own.cached, output_mtok=own.output)


def _listed(model: str, base_url: str) -> ModelInfo | None:
    """Return what the library says about a model, or None when it knows nothing."""
    from genai_prices.data_snapshot import get_snapshot

    snapshot = get_snapshot()
    try:
        provider = snapshot.find_provider(None, None, base_url)
    except LookupError:
        provider = snapshot.find_provider(None, _PROVIDER, None)
    try:
        return snapshot.find_provider_model(model, provider, None, None)[1]
    except LookupError:
        return None


def _billed(price: ModelPrice) -> ModelPrice | None:
    """Return the part of a price that a chat completion is billed by.

    That is None when it has no rate for text, in or out. The library lists models that are billed by the hour or by the
    image, too: their tokens have no price, which is not a price of 0.
    """
    if price.input_mtok is None or price.output_mtok is None:
        return None
    from genai_prices.types import ModelPrice

    return ModelPrice(**{key: rate for key in _BILLED if (rate := getattr(price, key)) is not None})


def parse_prices(text: str) -> Mapping[str, Price]:
    """Parse prices from ``model=input:cached:output,...`` in USD per million tokens.

    A model's name may hold colons and slashes: ``llama3:8b=0:0:0,vendor/large=3:0.3:15``. Raises ValueError, which
    names the bad part.
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
