"""A campaign that is optimised week after week in a world of the sandbox, on one worker and without waiting."""

from __future__ import annotations

from typing import Any

from orchestrator_harness import Harness
from paused_ads import PAST, status, tick

from agents.ad_figures import by_day
from agents.state import AdDay, MarketingAgentState
from orchestration.ledger.waiting import Deferrals


def begin(one: Harness, **config: Any) -> None:
    """Place the ads of a campaign that is measured each week."""
    plain = {
        "name": "Loop",
        "lead_sources": [{"type": "search", "limit": 3}],
        "ad_platforms": ["facebook", "linkedin"],
        "budget": 6000,
        "schedule": {"days": 84},
        "content_required": False,
        "optimize_every": "7d",
    }
    one.submit("c1", **{**plain, **config})
    one.orchestrator.run_hop("c1")
    one.deliver()


def week(one: Harness, sandbox: Any) -> MarketingAgentState:
    """Let seven days go by and the campaign be measured, and return its state."""
    sandbox.post("/_sandbox/advance", {"days": 7})
    assert status(one) == "waiting", one.reports.status("c1")
    one.database.run(f"UPDATE marketing.campaigns SET due_at = {PAST} WHERE status = 'waiting'")
    Deferrals(one.database).end_optimization_waits(one.ledger.mode)
    tick(one)
    one.deliver()
    return one.reports.row("c1").state


def weekly(daily: tuple[AdDay, ...]) -> list[tuple[float, float, float]]:
    """(clicks, conversions, money) of each seven days since the first, over all platforms."""
    days = by_day(daily)
    first = days[0].day
    found: dict[int, list[float]] = {}
    for one in days:
        sums = found.setdefault((one.day - first).days // 7, [0.0, 0.0, 0.0])
        sums[0] += one.clicks
        sums[1] += one.conversions
        sums[2] += float(one.spend)
    return [(sums[0], sums[1], sums[2]) for _, sums in sorted(found.items())]
