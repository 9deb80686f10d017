"""Outages in lead generation, with the sandbox's world in memory: what is left, what is tried again, what is paid."""

from __future__ import annotations

import pytest
from agent_context import Execution
from lead_campaigns import WORLD, check, execution_of, state
from memory_leads import MemoryLeads

from agents.base import HopFailedError, run_unit
from agents.lead_generation import LeadGeneration
from agents.unit import Unit, UnitStatus
from integrations.sandbox.world import Mail

AGENT = LeadGeneration()


@pytest.fixture
def leads() -> MemoryLeads:
    return MemoryLeads()


@pytest.fixture
def execution(leads: MemoryLeads) -> Execution:
    return execution_of(leads)


def test_search_down_fails_a_campaign_that_has_nothing_else(execution: Execution, leads: MemoryLeads) -> None:
    leads.trouble("serpapi")
    with pytest.raises(HopFailedError, match="serpapi"):
        AGENT.execute(state(), execution)


@pytest.mark.parametrize("provider", ["hunter", "web", "dns"])
def test_other_outages_leave_scored_leads_and_errors(execution: Execution, leads: MemoryLeads, provider: str) -> None:
    leads.trouble(provider)
    after = AGENT.execute(state(), execution)
    check(after)
    assert after.leads
    assert {error.provider for error in after.errors} <= {provider, "web"}
    assert after.errors
    assert not any("@" in error.message or "@" in error.unit for error in after.errors)


def test_a_second_attempt_pays_only_for_what_is_missing(execution: Execution, leads: MemoryLeads) -> None:
    emails = [
        p.email for c in WORLD.companies[:40] if c.mail is Mail.MX for p in c.people if not (p.slow or p.objected)
    ][:10]
    unit = Unit(key="verify:0000", kind="verify", provider="hunter", input={"emails": emails})
    leads.trouble("hunter", rate=0.3)
    attempts = 0
    while True:
        attempts += 1
        result = run_unit(AGENT, unit, execution.for_unit("c-1", 0, 4, unit))
        if result.ok:
            break
        assert attempts < 30
    assert attempts > 1
    assert leads.statuses("hunter").count(200) == len(emails)
    assert result.output is not None
    assert set(result.output["emails"].values()) == {"valid"}


def test_pages_of_search_results_are_paid_once(execution: Execution, leads: MemoryLeads) -> None:
    unit = Unit(key="search:1", kind="search", provider="serpapi", input={"query": "saas companies", "limit": 20})
    first = run_unit(AGENT, unit, execution.for_unit("c-1", 0, 0, unit))
    assert run_unit(AGENT, unit, execution.for_unit("c-1", 0, 0, unit)) == first
    assert first.status is UnitStatus.SUCCEEDED
    assert leads.counts == {"serpapi": 1}


def test_a_site_with_failing_pages_is_tried_again(execution: Execution, leads: MemoryLeads) -> None:
    company = next(c for c in WORLD.companies if c.mail is Mail.MX)
    url = f"http://{company.domain}/"
    unit = Unit(key="site:1", kind="site", provider="web", input={"url": url, "max_pages": 6, "given": True})
    leads.trouble("web", rate=0.3)
    attempts = 0
    while not (result := run_unit(AGENT, unit, execution.for_unit("c-1", 0, 0, unit))).ok:
        attempts += 1
        assert result.error is not None
        assert result.error["code"] == "transient"
        assert attempts < 30
    assert result.output is not None
    assert result.output["pages"] >= 1
