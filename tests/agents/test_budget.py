"""The split of a budget: exact, bounded, repeatable, and towards what works."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.budget import MAX_CHANGE, allocate_budget, daily_budget
from agents.state import PlatformMetrics


@dataclass(frozen=True)
class Day:
    conversions: int
    spend: Decimal


odd_money = st.one_of(
    st.decimals(min_value=0, max_value=10**6, places=2),
    st.sampled_from([Decimal("NaN"), Decimal("Infinity"), Decimal(-5), Decimal(0), Decimal("1E+400")]),
)
odd_days = st.lists(st.builds(Day, conversions=st.integers(-5, 10**9), spend=odd_money), max_size=10)


@given(
    st.dictionaries(st.sampled_from(["facebook_ads", "google_ads", "linkedin_ads", "x", "y"]), odd_days, min_size=1),
    st.decimals(min_value=0, max_value=10**9, places=2),
    st.integers(),
)
def test_shares_sum_to_the_total_to_the_cent(history: dict[str, list[Day]], total: Decimal, seed: int) -> None:
    found = allocate_budget(history, total, seed=seed)
    assert sum(found.values()) == total
    assert all(amount >= 0 and amount == amount.quantize(Decimal("0.01")) for amount in found.values())
    assert list(found) == sorted(history)
    assert found == allocate_budget(dict(reversed(history.items())), total, seed=seed)


@given(st.dictionaries(st.sampled_from("abcdef"), st.just([]), min_size=1), st.integers(0, 10**6))
def test_without_a_past_all_get_the_same(history: dict[str, list[Day]], cents: int) -> None:
    found = allocate_budget(history, Decimal(cents) / 100, seed=7)
    assert max(found.values()) - min(found.values()) <= Decimal("0.01")


def test_what_works_gets_more_but_not_at_once() -> None:
    history = {
        "good": [Day(30, Decimal(100))] * 7,
        "poor": [Day(2, Decimal(100))] * 7,
    }
    found = allocate_budget(history, Decimal(1000), seed=7)
    assert found["good"] == Decimal("650.00")  # half, and 30 % of it more
    assert found["poor"] == Decimal("350.00")


def test_little_evidence_moves_little() -> None:
    little = allocate_budget({"a": [Day(1, Decimal(5))], "b": [Day(0, Decimal(5))]}, Decimal(100), seed=7)
    much = allocate_budget({"a": [Day(10, Decimal(50))], "b": [Day(0, Decimal(50))]}, Decimal(100), seed=7)
    assert Decimal(50) < little["a"] < much["a"]


def test_a_platform_is_never_starved() -> None:
    shares = {"good": Decimal(500), "poor": Decimal(500)}
    for _ in range(30):
        history = {
            "good": [Day(int(shares["good"] / 5), shares["good"])],
            "poor": [Day(0, shares["poor"])],
        }
        shares = allocate_budget(history, Decimal(1000), seed=7)
    assert shares["poor"] == Decimal("150.00")  # 30 % of an equal share


def test_change_is_capped_for_every_platform() -> None:
    last = {"a": Decimal(600), "b": Decimal(300), "c": Decimal(100)}
    history = {name: [Day({"a": 1, "b": 5, "c": 90}[name], spend)] for name, spend in last.items()}
    found = allocate_budget(history, Decimal(1000), seed=7)
    for name, spend in last.items():
        assert abs(found[name] - spend) <= spend * Decimal(MAX_CHANGE) + Decimal("0.01"), name


def test_measured_rounds_are_read_too() -> None:
    rounds = [PlatformMetrics(platform="a", days=7, conversions=9, spend=Decimal(70))]
    worse = [PlatformMetrics(platform="b", days=7, conversions=1, spend=Decimal(70))]
    found = allocate_budget({"a": rounds, "b": worse}, Decimal(100), seed=7)
    assert found["a"] > found["b"]


def test_nobody_to_give_to() -> None:
    assert allocate_budget({}, Decimal(100), seed=7) == {}


@pytest.mark.parametrize("total", [Decimal(-1), Decimal("NaN"), Decimal("Infinity")])
def test_a_total_that_is_none(total: Decimal) -> None:
    with pytest.raises(ValueError, match="is not an amount of money"):
        allocate_budget({"a": []}, total, seed=7)


def test_fractions_of_a_cent_are_not_spent() -> None:
    assert sum(allocate_budget({"a": [], "b": [], "c": []}, Decimal("100.019"), seed=7).values()) == Decimal("100.01")


def test_spare_cents_depend_on_the_seed_only() -> None:
    given_to = {
        tuple(allocate_budget({"a": [], "b": [], "c": []}, Decimal("100.00"), seed=seed).values()) for seed in range(20)
    }
    assert len(given_to) == 3


@given(st.decimals(min_value=0, max_value=10**9, places=2), st.integers(1, 365))
def test_days_never_exceed_the_total(total: Decimal, days: int) -> None:
    assert total - Decimal("0.01") * days < daily_budget(total, days) * days <= total


def test_no_days() -> None:
    with pytest.raises(ValueError, match="days=0"):
        daily_budget(Decimal(1), 0)
