"""Leads from LinkedIn by licensed routes: what is asked, what is stored, and that LinkedIn itself is never visited."""

from __future__ import annotations

import json
from typing import Any

import pytest
from agent_context import Execution
from lead_campaigns import WORLD, check, execution_of, state
from memory_leads import MemoryLeads
from raw_server import raw_server, saying
from stack import Sandbox

from agents.base import run_unit
from agents.config import CampaignConfig, TargetAudience
from agents.config_problems import ConfigError
from agents.lead_generation import LeadGeneration
from agents.lead_generation.profile_queries import people_sql, profile_queries
from agents.state import MarketingAgentState
from agents.unit import Unit
from integrations.errors import PolicyRefusedError
from integrations.settings import Settings
from integrations.web.fetch import WebFetcher

AGENT = LeadGeneration()
AUDIENCE = {"industry": "saas", "titles": ["CEO", "VP Marketing"]}
SAAS = TargetAudience(industries=("saas",), job_titles=("CEO", "VP Marketing"))
DRIVERS = pytest.mark.parametrize("driver", ["serpapi", "pdl"])


def campaign(driver: str, **more: Any) -> MarketingAgentState:
    sources = [{"type": "linkedin", "driver": driver, "limit": 30, **more}]
    return state(target_audience=AUDIENCE, lead_sources=sources, enrichment={"verify": "none"})


@pytest.fixture
def leads() -> MemoryLeads:
    return MemoryLeads()


@pytest.fixture
def execution(leads: MemoryLeads) -> Execution:
    return execution_of(leads)


def test_queries_name_the_site_the_title_and_the_place() -> None:
    assert profile_queries(SAAS, (), ()) == (
        'site:linkedin.com/in "CEO" "saas"',
        'site:linkedin.com/in "VP Marketing" "saas"',
    )
    assert profile_queries(SAAS, ("CTO",), ('Acme" site:evil.example', "Bolt")) == (
        'site:linkedin.com/in "CTO" "Acme site evil.example"',
        'site:linkedin.com/in "CTO" "Bolt"',
    )


def test_sql_asks_for_titles_and_industries_and_is_never_left() -> None:
    assert people_sql(SAAS, (), ()) == (
        "SELECT * FROM person WHERE (job_title LIKE '%ceo%' OR job_title LIKE '%vp marketing%')"
        " AND (job_company_industry = 'computer software' OR job_company_industry = 'internet')"
    )
    hostile = people_sql(SAAS, ("o'brien' OR name='x%_",), ("Acme",))
    assert hostile == (
        "SELECT * FROM person WHERE (job_title LIKE '%o''brien'' name=''x%') AND (job_company_name = 'acme')"
    )
    technology = people_sql(TargetAudience(industries=("technology",)), (), ())
    assert "'information technology and services'" in technology


@DRIVERS
def test_each_driver_brings_scored_leads_of_the_world(execution: Execution, leads: MemoryLeads, driver: str) -> None:
    after = AGENT.execute(campaign(driver), execution)
    check(after)
    source = f"linkedin:{driver}"
    found = [lead for lead in after.leads if source in lead.sources]
    assert len(found) > 10
    people = {(p.name, c.name): p for c in WORLD.companies for p in c.people}
    for lead in found:
        person = people[lead.name or "", lead.company or ""]
        assert lead.profile_url == f"https://www.linkedin.com/in/{person.handle}"
        assert lead.job_title == person.title
    assert after.qualified_leads
    assert after.agent_messages[-1].payload["leads_by_source"]["linkedin"] == len(found)
    assert leads.counts[driver] > 0
    assert "web" not in leads.counts


@DRIVERS
def test_over_the_wire_nothing_fetches_linkedin(sandbox: Sandbox, driver: str) -> None:
    execution = Execution.against(sandbox.url, sandbox.dns_resolver)
    after = AGENT.execute(campaign(driver), execution)
    assert any("linkedin" in (lead.profile_url or "") for lead in after.leads), "profiles were found"
    assert sandbox.get("/_sandbox/calls?provider=web") == []
    assert not any("linkedin" in call["endpoint"] for call in sandbox.get("/_sandbox/calls"))


@pytest.mark.parametrize(
    "url",
    [
        "https://www.linkedin.com/in/jane-doe",
        "http://linkedin.com/in/jane",
        "https://de.linkedin.com./in/jane",
        "https://LINKEDIN.COM/company/acme",
    ],
)
def test_linkedin_is_refused_before_anything_is_sent(sandbox: Sandbox, url: str) -> None:
    web = WebFetcher(Settings.from_env({"SANDBOX_URL": sandbox.url, "DNS_RESOLVER": sandbox.dns_resolver or ""}))
    with pytest.raises(PolicyRefusedError, match="never fetched"):
        web.fetch(url, timeout=5)
    with pytest.raises(PolicyRefusedError, match="never fetched"):
        web.crawl(url, max_pages=3, timeout=5)
    assert sandbox.get("/_sandbox/calls") == []
    with pytest.raises(ConfigError, match=r"lead_sources\.0\.url.*is never fetched; people on LinkedIn"):
        CampaignConfig.parse({"target_audience": AUDIENCE, "lead_sources": [{"type": "web", "url": url}]})


def test_of_a_result_only_title_snippet_and_url_are_stored(execution: Execution) -> None:
    given = {"query": 'site:linkedin.com/in "CEO" "saas"', "limit": 5}
    unit = Unit(key="profiles:1", kind="profiles", provider="serpapi", input=given)
    done = run_unit(AGENT, unit, execution.for_unit("c-1", 0, 0, unit))
    assert done.output is not None
    assert len(done.output["results"]) == 5
    for result in done.output["results"]:
        assert {key for key, value in result.items() if value} == {"title", "link", "snippet"}
    kept = json.dumps(done.output)
    assert kept.count("linkedin.com/in/") == 5


def test_a_result_that_is_no_profile_is_not_stored() -> None:
    links = ["https://www.linkedin.com/company/acme", "https://acme.example/in/jane", "https://no.linkedin.com/in/jane"]
    results = [{"title": "Jane Roe - CEO - Acme | LinkedIn", "link": link, "snippet": "s"} for link in links]
    text = json.dumps({"search_metadata": {"status": "Success"}, "organic_results": results})
    given = {"query": 'site:linkedin.com/in "CEO" "saas"', "limit": 20}
    unit = Unit(key="profiles:1", kind="profiles", provider="serpapi", input=given)
    with raw_server(saying(f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())) as server:
        execution = Execution.against(server.url, SERPAPI_BASE_URL=server.url, SERPAPI_API_KEY="k")
        done = run_unit(AGENT, unit, execution.for_unit("c-1", 0, 0, unit))
    assert done.output is not None
    assert [result["link"] for result in done.output["results"]] == links[2:]


@DRIVERS
def test_pages_are_paid_once(execution: Execution, leads: MemoryLeads, driver: str) -> None:
    given: dict[str, Any] = {"query": 'site:linkedin.com/in "CEO" "saas"', "limit": 150}
    if driver == "pdl":
        given = {"sql": people_sql(TargetAudience(industries=("saas",), job_titles=("e",)), (), ()), "limit": 150}
    unit = Unit(key="one", kind="profiles" if driver == "serpapi" else "licensed", provider=driver, input=given)
    first = run_unit(AGENT, unit, execution.for_unit("c-1", 0, 0, unit))
    assert first.ok
    calls = leads.counts[driver]
    assert run_unit(AGENT, unit, execution.for_unit("c-1", 0, 0, unit)) == first
    assert leads.counts[driver] == calls
    assert calls == (2 if driver == "pdl" else 1)


@DRIVERS
def test_a_live_campaign_needs_the_key_of_its_driver(driver: str) -> None:
    needed = AGENT.needs(campaign(driver).campaign_config)
    assert needed == (driver, "hunter")


def test_companies_of_ones_own_are_asked_about(execution: Execution) -> None:
    company = next(c for c in WORLD.companies if len(c.people) > 4)
    after = AGENT.execute(campaign("serpapi", companies=[company.name], titles=["CEO"]), execution)
    assert {lead.company for lead in after.leads if "linkedin:serpapi" in lead.sources} == {company.name}


def test_licensed_data_complete_leads_too(execution: Execution, leads: MemoryLeads) -> None:
    wanted = {"providers": ["clearbit", "pdl"], "verify": "none"}
    source = [{"type": "linkedin", "limit": 20}]
    after = AGENT.execute(state(target_audience=AUDIENCE, lead_sources=source, enrichment=wanted), execution)
    check(after)
    assert any("pdl" in lead.sources and lead.email for lead in after.leads)
    assert any("pdl" in lead.company_facts_from for lead in after.leads)
    assert "hunter" not in leads.counts
