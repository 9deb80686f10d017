"""Whole campaigns in the sandbox under spend caps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from orchestrator_harness import Harness
from spend_bench import verbs
from stack import Sandbox

from agents.registry import agents
from integrations.settings import Settings
from orchestration.control.limits import change_limits
from orchestration.execution.context import Resources
from orchestration.ledger.waiting import Deferrals
from orchestration.reports.spend import campaign_spend

CONFIG: dict[str, Any] = {
    "target_audience": {"industry": "saas"},
    "lead_sources": [{"type": "search", "limit": 5}],
    "ad_platforms": ["facebook", "linkedin"],
    "budget": 300,
    "limits": {"ads": "300", "ads_per_day": "10", "llm": "1"},
}


@pytest.fixture
def whole(database_url: str, sandbox: Sandbox) -> Iterator[Callable[..., Harness]]:
    made: list[Harness] = []

    def make(**keys: Any) -> Harness:
        one = Harness(database_url, agents())
        dns = {"DNS_RESOLVER": sandbox.dns_resolver} if sandbox.dns_resolver else {}
        settings = Settings.from_env({"SANDBOX_URL": sandbox.url, **dns}).model_copy(update=keys)
        one.orchestrator = replace(one.orchestrator, resources=Resources.of(settings, one.database))
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


def rests(one: Harness, rounds: int = 1) -> str:
    """Its status once nothing of it is due any more; each further round lets its deferred units come due first."""
    for number in range(rounds):
        if number:
            one.database.run("UPDATE marketing.units SET due_at = now() WHERE due_at IS NOT NULL")
            one.database.run("UPDATE marketing.campaigns SET due_at = now() WHERE hold ->> 'kind' = 'budget'")
        Deferrals(one.database).tick()
        one.orchestrator.run_hop("c1")
        one.deliver()
        Deferrals(one.database).tick()
    return one.reports.status("c1")[0]


def test_a_campaign_waits_at_its_cap_and_goes_on_when_it_is_raised(whole: Callable[..., Harness]) -> None:
    one = whole()
    one.submit(**{**CONFIG, "limits": {**CONFIG["limits"], "llm": "0.01"}})
    assert rests(one) == "waiting"
    reason = one.reports.status("c1")[1] or ""
    assert reason.startswith("over_budget: openai: limits.llm of 0.01 USD has ")
    assert 0 < Decimal(campaign_spend(one.database, "c1")["limits"][0]["taken"]) <= Decimal("0.01")
    change_limits(verbs(one), "c1", actor="ann", llm=1)
    assert rests(one, rounds=3) == "completed"
    found = campaign_spend(one.database, "c1")
    llm, ads = found["totals"]["llm"]["USD"], found["ads"]
    assert Decimal(llm["settled"]) == one.database.rows("SELECT sum(cost) FROM marketing.units")[0][0] > 0
    assert Decimal(llm["held"]) == 0
    assert {row["agent"] for row in found["llm"]} == {"content_creation", "ad_management", "analytics"}
    runs = [c.daily_budget or Decimal(0) for c in one.reports.row("c1").state.ad_creatives]
    assert sorted(Decimal(ad["daily"]) for ad in ads) == sorted(runs)
    assert all(Decimal(ad["settled"]) > 0 for ad in ads)
    assert all(Decimal(one["taken"]) <= Decimal(one["cap"]) for one in found["limits"])
    # Going back places the same ads again: nothing is counted twice, and the raised limit is still the limit.
    verbs(one).retry("c1", actor="ann", from_step=2)
    assert rests(one, rounds=4) == "completed"
    again = campaign_spend(one.database, "c1")
    assert one.database.rows("SELECT count(*) FROM marketing.spend WHERE kind = 'ads'") == [(2,)]
    assert all(Decimal(one["taken"]) <= Decimal(one["cap"]) for one in again["limits"])
    assert again["limits"][0]["cap"] == "1.00"


def test_a_campaign_waits_for_a_price(whole: Callable[..., Harness]) -> None:
    one = whole(llm_daily_cap=Decimal(5), llm_model="gpt-unknown")
    one.submit(**CONFIG)
    assert rests(one) == "waiting"
    assert "LLM_PRICES=gpt-unknown=" in (one.reports.status("c1")[1] or "")
    assert one.orchestrator.resources.spend.with_room(["c1"]) == frozenset()


def test_no_ad_starts_beyond_the_fleets_cap(whole: Callable[..., Harness], sandbox: Sandbox) -> None:
    one = whole(ads_daily_cap=(Decimal(5), "USD"))
    one.submit(**CONFIG)
    assert rests(one) == "waiting"
    assert "DAILY_CAP_ADS of 5.00 USD has 0.00 a day left" in (one.reports.status("c1")[1] or "")
    placed = sandbox.get("/_sandbox/state")["ad_campaigns"]
    assert [Decimal(ad["daily_budget"]) for ad in placed] == [5]
