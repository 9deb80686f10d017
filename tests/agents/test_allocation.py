"""The parts that a split is made of, and how near its splits come to the best in simulated markets."""

from __future__ import annotations

from decimal import Decimal
from itertools import product

import numpy as np
import pytest
from allocation_quality import UNSEEN, mean, measured, ours, proportional, quality
from hypothesis import given
from hypothesis import strategies as st

from agents.allocation.delay import NONE, Delay, find_delay
from agents.allocation.knapsack import best_split
from agents.allocation.pacing import todays_money
from agents.allocation.posterior import posterior
from agents.allocation.shapes import shapes
from agents.budget import at_least

money = st.decimals(min_value=0, max_value=10**6, places=2)


@given(st.lists(st.lists(st.integers(0, 50), min_size=6, max_size=6), min_size=1, max_size=3))
def test_no_split_is_better(values: list[list[int]]) -> None:
    found = best_split(np.array(values, dtype=np.float64))
    splits = [units for units in product(range(6), repeat=len(values)) if sum(units) == 5]
    best = max(sum(row[u] for row, u in zip(values, units, strict=True)) for units in splits)
    assert sum(found) == 5
    assert sum(row[u] for row, u in zip(values, found, strict=True)) == best


def test_a_split_among_none() -> None:
    with pytest.raises(ValueError, match="not arms"):
        best_split(np.zeros((0, 3)))


def test_shapes_are_one_at_the_reference_and_never_fall() -> None:
    grid = shapes(0.2)
    assert np.allclose(grid.at(np.array([0.2])), 1.0)
    assert (np.diff(grid.at(np.linspace(0, 1, 20)), axis=0) >= 0).all()
    assert (grid.at(np.array([0.0])) == 0).all()
    assert np.exp(grid.log_prior).sum() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("on_click_day", [True, False])
@pytest.mark.parametrize("days", [0, 2, 5])
def test_a_delay_is_found(days: int, on_click_day: bool) -> None:
    rng = np.random.default_rng(days)
    clicks = rng.integers(40, 200, (2, 15)).astype(np.float64)
    true = Delay(parts=(*(0.0 for _ in range(days)), 1.0), on_click_day=on_click_day)
    conversions = rng.poisson(0.1 * true.reported(clicks)).astype(np.float64)
    found = find_delay(clicks, conversions, np.ones_like(clicks))
    assert found == (NONE if days == 0 else true)


def test_a_level_is_forgotten_only_where_it_has_changed() -> None:
    exposure, log_prior = np.ones((2, 20, 1)), np.zeros(1)
    counts = np.array([[10.0] * 15 + [40.0] * 5, [10.0] * 20])
    found = posterior(counts, exposure, np.ones((2, 20)), log_prior, strength=1.0)
    levels, _ = found.draw(500, np.random.default_rng(1))
    assert levels.mean(axis=1) == pytest.approx([40, 10], rel=0.1)
    assert found.changed(7)[0] > 0.99
    assert found.changed(7)[1] < 0.3


def test_who_has_never_brought_anything_is_taken_for_dead_until_it_wakes() -> None:
    exposure, log_prior = np.full((3, 20, 1), 2.0), np.zeros(1)
    counts = np.array([[0.0] * 20, [2.0] * 20, [0.0] * 17 + [2.0] * 3])
    found = posterior(counts, exposure, np.ones((3, 20)), log_prior, strength=1.5, dead=0.1)
    levels, shape = found.draw(2000, np.random.default_rng(1))
    dead = (levels == 0).mean(axis=1)
    assert dead[0] > 0.75
    assert dead[1:].max() < 0.01
    assert levels[2].mean() > 0.5
    assert (shape == 0).all()
    never = posterior(counts, exposure, np.ones((3, 20)), log_prior, strength=1.5).draw(50, np.random.default_rng(1))
    assert (never[0] > 0).all()


@given(money, st.lists(st.integers(0, 100), min_size=1, max_size=40))
def test_days_paced_to_the_end_never_exceed_the_budget(budget: Decimal, shares: list[int]) -> None:
    spent = Decimal(0)
    for day, share in enumerate(shares):
        spent += todays_money(budget, spent, len(shares) - day) * share / 100
    assert spent <= budget
    assert budget - spent - todays_money(budget, spent, 1) < Decimal("0.01")


def test_pacing_makes_up_for_what_earlier_days_left_over() -> None:
    assert todays_money(Decimal(100), Decimal(0), 3) == Decimal("33.33")
    assert todays_money(Decimal(100), Decimal(20), 2) == Decimal(40)
    assert todays_money(Decimal(100), Decimal(120), 2) == 0
    assert todays_money(Decimal(100), Decimal(0), 0) == 0
    with pytest.raises(ValueError, match="spent=-1 is not an amount"):
        todays_money(Decimal(100), Decimal(-1), 2)


@given(st.dictionaries(st.sampled_from("abcd"), st.tuples(money, money), min_size=1))
def test_what_can_be_spent_at_all_is_given_from_what_others_have(given_: dict[str, tuple[Decimal, Decimal]]) -> None:
    amounts, least = ({name: pair[at] for name, pair in given_.items()} for at in (0, 1))
    found = at_least(amounts, least)
    assert sum(found.values()) <= sum(amounts.values())
    if sum(least.values()) <= sum(amounts.values()):
        assert all(found[name] >= least[name] for name in found)
        assert sum(amounts.values()) - sum(found.values()) <= Decimal("0.01") * len(found)
    else:
        assert found == amounts


@pytest.mark.parametrize(
    ("family", "share", "last_week"), [("hill", 0.90, 0.95), ("dead", 0.92, 0.96), ("turning", 0.86, 0.84)]
)
def test_splits_are_near_the_best(family: str, share: float, last_week: float) -> None:
    found = quality(ours, family, 3, range(UNSEEN, UNSEEN + 3))
    assert found.share >= share
    assert found.last_week >= last_week
    assert not found.overspent


@pytest.mark.slow
def test_splits_are_near_the_best_in_all_markets() -> None:
    seeds = range(UNSEEN, UNSEEN + 6)
    found, plain = measured(ours, seeds), measured(proportional, seeds)
    whole = mean(list(found.values()))
    assert (whole.share >= 0.93, whole.last_week >= 0.95, whole.overspent) == (True, True, False)
    families = {name: mean([one for (family, _), one in found.items() if family == name]) for name, _ in found}
    assert families["dead"].share >= 0.95
    assert families["dead"].last_week >= 0.97
    assert families["turning"].share >= 0.86
    assert families["turning"].last_week >= 0.84
    assert families["noisy"].share >= mean([one for (family, _), one in plain.items() if family == "noisy"]).share
