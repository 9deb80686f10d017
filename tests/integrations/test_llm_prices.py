"""Prices of the user's own, and upper bounds that are never below what a call then costs."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.llm.prices import PRICES, Price, cost, llm_upper_bound, parse_prices, price_of


def test_prices_of_the_users_own_go_first() -> None:
    own = parse_prices("llama3:8b=0.10:0.05:0.40, vendor/large=3:0.3:15,gpt-4.1=1:1:1,free=0:0:0")
    assert own["llama3:8b"] == Price(Decimal("0.10"), Decimal("0.05"), Decimal("0.40"))
    assert price_of("gpt-4.1-2025-04-14", own) == Price(Decimal(1), Decimal(1), Decimal(1))
    assert price_of("gpt-4.1-mini", own) == PRICES["gpt-4.1-mini"]
    assert price_of("nobody-knows", own) is None
    assert cost("vendor/large", input_tokens=1_000_000, output_tokens=0, prices=own) == 3
    assert cost("free", input_tokens=9, output_tokens=9, prices=own) == 0
    assert parse_prices(" ") == {}


@pytest.mark.parametrize(
    "text",
    ["llama", "llama=", "=1:1:1", "llama=1:2", "llama=1:2:3:4", "llama=a:b:c", "m=-1:0:0", "m=1:NaN:1", "m=1:1:1e9"],
)
def test_what_is_no_price_is_named(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_prices(f"good=1:1:1,{text}")
    assert str(caught.value) == text


def test_an_unknown_price_has_no_bound() -> None:
    assert llm_upper_bound(["hello"], 100, "nobody-knows") is None
    assert llm_upper_bound(["hello"], 100, "nobody-knows", parse_prices("nobody-knows=1:1:1")) is not None


def test_the_bound_of_a_known_call() -> None:
    # 5 bytes, two times 16 tokens around them, 100 tokens of answer.
    assert llm_upper_bound(["hello"], 100, "gpt-4.1-mini") == (37 * Decimal("0.40") + 100 * Decimal("1.60")) / 1_000_000


@given(
    texts=st.lists(st.text(max_size=40), max_size=4),
    said=st.integers(0, 500),
    cached=st.integers(0, 500),
    model=st.sampled_from(sorted(PRICES)),
)
def test_a_bound_is_never_below_the_cost(texts: list[str], said: int, cached: int, model: str) -> None:
    # The worst tokenizer there can be makes a token of every byte.
    tokens = sum(len(text.encode()) + 4 for text in texts) + 3
    paid = cost(model, input_tokens=tokens, output_tokens=said, cached_tokens=cached)
    bound = llm_upper_bound(texts, 500, model)
    assert paid is not None
    assert bound is not None
    assert paid <= bound
