"""The whole loop over the wire in worlds whose rules it has never seen: the goal's metric rises, or it says why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from looping import begin, week, weekly
from orchestrator_harness import Harness
from paused_ads import benches, settings_of

from agents.ad_figures import by_day
from agents.ad_management.daily_budgets import standing
from agents.analytics.indifference import indifferent, told
from agents.state import MarketingAgentState
from integrations.ads.registry import platform

pytestmark = pytest.mark.slow

RULES: Mapping[str, Mapping[str, Any]] = {
    "questions": {"ctr": {"base": 0.8, "question": 0.5, "number": -0.3}, "cvr": {"base": 1.0}},
    "proof": {"ctr": {"base": 0.8, "proof": 0.5, "question": -0.3, "urgent": -0.2}, "cvr": {"base": 1.0}},
    "price": {"ctr": {"base": 0.85, "price": 0.45, "proof": -0.2, "number": -0.2}, "cvr": {"base": 1.0}},
    "audience": {"ctr": {"base": 0.8, "audience": 0.6, "urgent": -0.3}, "cvr": {"base": 1.0}},
}
WEEKS = 10


@pytest.fixture
def bench(database_url: str, sandbox: Any) -> Iterator[Callable[..., Harness]]:
    with benches(database_url, settings_of(sandbox)) as make:
        yield make


def looped(one: Harness, sandbox: Any, **config: Any) -> MarketingAgentState:
    begin(one, **config)
    for _ in range(WEEKS):
        state = week(one, sandbox)
    return state


def click_rate(state: MarketingAgentState, weeks: slice) -> float:
    """Share of impressions at Facebook that were clicked in some weeks: texts alone have an effect on it."""
    days = by_day(one for one in state.campaign_performance.daily if one.platform == "facebook_ads")
    chosen = [one for each in [days[at : at + 7] for at in range(0, len(days), 7)][weeks] for one in each]
    return sum(one.clicks for one in chosen) / sum(one.impressions for one in chosen)


@pytest.mark.parametrize("rule", RULES)
def test_texts_get_better_where_texts_matter(bench: Callable[..., Harness], sandbox: Any, rule: str) -> None:
    sandbox.reset(1, {"texts": RULES[rule]})
    state = looped(bench(), sandbox, goal="traffic", name="Loop 1")
    assert click_rate(state, slice(-3, None)) > 1.15 * click_rate(state, slice(0, 1))
    found = weekly(state.campaign_performance.daily)
    first, last = found[0], [sum(column) for column in zip(*found[-3:], strict=True)]
    assert last[0] / last[2] > 1.5 * first[0] / first[2]  # visits for the money: texts and the split together


def test_where_texts_do_not_matter_it_says_so_and_stops(bench: Callable[..., Harness], sandbox: Any) -> None:
    sandbox.reset(1, {"texts": {}})
    state = looped(bench(), sandbox, goal="traffic", name="Loop 1")
    assert indifferent(state)
    assert told() in state.campaign_performance.suggestions
    assert not any(one.effect and one.effect.verdict == "improved" for one in state.campaign_performance.rounds)
    late = [one for one in state.actions if one.step > state.step - 4]
    assert {one.action.kind for one in late} <= {"shift_budget", "pause_ad"}


def test_money_is_split_as_who_knows_the_market_would(bench: Callable[..., Harness], sandbox: Any) -> None:
    one, names = bench(), ("facebook_ads", "google_ads", "linkedin_ads")
    begin(one, ad_platforms=list(names), budget=9000, goal=None)
    for _ in range(4):
        state = week(one, sandbox)
    now = standing(state)
    total = sum(now.values())
    best = max(_brings(split) for split in _splits(names, total))
    assert _brings(now) >= 0.97 * best
    equal = {name: total / len(names) for name in names}
    assert _brings(now) >= 1.3 * _brings(equal)


def _brings(split: Mapping[str, Decimal]) -> float:
    """Conversions a day of a split, by the sandbox's usual market, before noise and texts."""
    found = 0.0
    for name, daily in split.items():
        curve = platform(name).curve
        assert curve is not None
        found += curve.impressions(float(daily)) * curve.ctr * curve.cvr * curve.quality
    return found


def _splits(names: tuple[str, ...], total: Decimal) -> Iterator[Mapping[str, Decimal]]:
    parts = 50
    for some in product(range(parts + 1), repeat=len(names) - 1):
        if sum(some) <= parts:
            shares = (*some, parts - sum(some))
            yield {name: total * share / parts for name, share in zip(names, shares, strict=True)}
