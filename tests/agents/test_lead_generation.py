"""Lead generation in one process, with the sandbox's world in memory: what a hop gives, its bounds and switches."""

from __future__ import annotations

import json
from typing import Any

import pytest
from agent_context import Execution
from lead_campaigns import NOW, WORLD, check, execution_of, state
from memory_leads import MemoryLeads

from agents.base import HopFailedError, run_unit
from agents.lead_generation import LeadGeneration
from agents.unit import Stage, StageResult, UnitResult
from integrations.sandbox.sites import SitesSandbox
from integrations.sandbox.world import Mail

AGENT = LeadGeneration()


@pytest.fixture
def leads() -> MemoryLeads:
    return MemoryLeads()


@pytest.fixture
def execution(leads: MemoryLeads) -> Execution:
    return execution_of(leads)


def test_a_plain_audience_gives_qualified_leads(execution: Execution) -> None:
    after = AGENT.execute(state(), execution)
    check(after)
    assert 0 < len(after.qualified_leads) < len(after.leads)
    assert after.errors == ()
    assert {source for lead in after.leads for source in lead.sources} == {"search", "web", "hunter"}
    assert any(lead.email_status == "valid" for lead in after.leads)
    assert all(lead.collected_at == execution.clock.now() for lead in after.leads)
    report = after.agent_messages[-1].payload
    assert report["leads"] == len(after.leads)
    assert report["set_aside"]["duplicate"] > 0


def test_the_same_campaign_ends_equal(execution: Execution) -> None:
    first = AGENT.execute(state(), execution)
    again = execution_of(MemoryLeads())
    assert AGENT.execute(state(), again) == first
    assert [unit.key for unit in again.units] == [unit.key for unit in execution.units]


def test_planning_is_pure_and_keys_hold_no_personal_data(execution: Execution) -> None:
    before = state()
    done: list[StageResult] = []
    while (stage := AGENT.plan(before, done)) is not None:
        assert AGENT.plan(before, done) == stage
        assert len({unit.key for unit in stage.units}) == len(stage.units) > 0
        assert not any("@" in unit.key for unit in stage.units)
        done.append(finish(stage, execution, len(done)))
    assert [stage.name for stage in done] == ["discover", "scrape", "enrich", "resolve", "verify"]
    # The ledger gives results back as JSON.
    stored = [
        StageResult(
            name=stage.name,
            results=[
                UnitResult(unit=r.unit, status=r.status, output=json.loads(json.dumps(r.output))) for r in stage.results
            ],
        )
        for stage in done
    ]
    assert AGENT.update_state(before, stored, NOW) == AGENT.update_state(before, done, NOW)


def finish(stage: Stage, execution: Execution, number: int) -> StageResult:
    results = [run_unit(AGENT, unit, execution.for_unit("c-1", 0, number, unit)) for unit in stage.units]
    return StageResult(name=stage.name, results=results)


def test_a_given_site_that_is_closed_fails_visibly(execution: Execution) -> None:
    rules = SitesSandbox()
    closed = next(c for c in WORLD.companies if rules.robots(c).endswith("*\nDisallow: /\n") and c.mail is Mail.MX)
    url = f"http://{closed.domain}/"
    with pytest.raises(HopFailedError, match=r"robots\.txt"):
        AGENT.execute(state(lead_sources=[{"type": "web", "url": url}]), execution)


# Bounds and switches


def test_paid_lookups_are_bounded(execution: Execution, leads: MemoryLeads) -> None:
    after = AGENT.execute(state(enrichment={"max_lookups": 25}), execution)
    check(after)
    assert leads.counts["hunter"] <= 25 + 3  # a verification that is still running is asked for again, free of charge
    assert any(lead.email_status == "unverified" for lead in after.leads)


@pytest.mark.parametrize(
    ("enrichment", "providers"),
    [
        ({"find_emails": False, "verify": "none"}, {"serpapi", "web"}),
        ({"find_emails": False, "verify": "dns"}, {"serpapi", "web", "dns"}),
        ({"find_emails": False, "max_lookups": 0}, {"serpapi", "web", "dns"}),
        ({"max_lookups": 0}, {"serpapi", "web", "dns"}),
    ],
)
def test_enrichment_can_be_switched_off(execution: Execution, enrichment: dict[str, Any], providers: set[str]) -> None:
    after = AGENT.execute(state(enrichment=enrichment), execution)
    check(after)
    assert set(execution.calls) == providers
    assert {lead.email_status for lead in after.leads} == {"unverified"}


def test_an_audience_nobody_serves_gives_no_leads(execution: Execution) -> None:
    after = AGENT.execute(state(target_audience={"industry": "xyzzy"}), execution)
    assert after.leads == ()
    assert after.errors == ()


def test_the_agent_describes_itself() -> None:
    before = state()
    assert AGENT.tools == ()
    assert "objected" in AGENT.get_system_prompt(before)
    assert AGENT.build_input(before)["sources"] == ["search"]
