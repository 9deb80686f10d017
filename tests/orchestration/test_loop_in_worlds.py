"""The whole loop over the wire in worlds whose rules it has never seen: the goal's metric rises, or it says why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from looping import begin, week, weekly
from orchestrator_harness import Harness
from paused_ads import benches, settings_of

WORLDS: dict[str, dict[str, Any]] = {
    "questions": {"ctr": {"base": 0.8, "question": 0.5, "number": -0.3}, "cvr": {"base": 1.0}},
    "proof": {
        "ctr": {"base": 0.8, "proof": 0.5, "question": -0.3, "urgent": -0.2},
        "cvr": {"base": 0.95, "proof": 0.15},
    },
    "price": {"ctr": {"base": 0.85, "price": 0.45, "proof": -0.2, "number": -0.2}, "cvr": {"base": 1.0, "price": 0.1}},
    "audience": {"ctr": {"base": 0.8, "audience": 0.6, "urgent": -0.3}, "cvr": {"base": 1.0}},
    "nothing": {},
}


@pytest.fixture
def bench(database_url: str, sandbox: Any) -> Iterator[Callable[..., Harness]]:
    with benches(database_url, settings_of(sandbox)) as make:
        yield make


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_x(bench: Callable[..., Harness], sandbox: Any, name: str, seed: int) -> None:
    sandbox.reset(seed, {"texts": WORLDS[name]})
    one = bench()
    begin(one, models={"seed": seed}, name=f"Loop {seed}", goal="traffic")
    for _ in range(10):
        state = week(one, sandbox)
    from agents.analytics.new_variants import wanted
    found = weekly(state.campaign_performance.daily)
    print("\n", name, seed, [f"{c / m:.3f}/{1000 * k / m:.1f}" for c, k, m in found if m])
    print("   wanted", wanted(state), state.errors[-3:], state.campaign_performance.suggestions[:1])
    for c in state.ad_creatives:
        print("  ", c.platform, c.headlines, c.added_ads, c.angles_by_number, c.paused_ads)
    print("  ", [(a.step, a.action.kind, getattr(a.action, "angle", "") or getattr(a.action, "ad", "")) for a in state.actions if a.action.kind != "shift_budget"])
