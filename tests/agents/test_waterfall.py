"""The waterfall of enrichers: who is asked about what, what is paid, and what the result says about it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from agent_context import Execution
from lead_campaigns import WORLD, check, execution_of, from_file, state, worker
from memory_leads import MemoryLeads

from agents.base import run_unit
from agents.config import CampaignConfig
from agents.config_problems import ConfigError
from agents.lead_generation import LeadGeneration, enricher_registry
from agents.lead_generation.enrich import COMPANIES, CompaniesInput
from agents.lead_generation.enricher import AskedCompany, CompanyFound, Enricher, employees
from agents.unit import UnitResult
from integrations import plugins
from integrations.retry import RetryPolicy
from integrations.sandbox.clearbit import ClearbitSandbox
from integrations.sandbox.world import Company, Mail

AGENT = LeadGeneration()
CLEARBIT = ClearbitSandbox()
BOTH = {"providers": ["clearbit", "hunter"], "verify": "none"}


@pytest.fixture
def leads() -> MemoryLeads:
    return MemoryLeads()


@pytest.fixture
def execution(leads: MemoryLeads) -> Execution:
    return execution_of(leads)


def companies(count: int, *, known: bool) -> list[Company]:
    """Companies that Clearbit knows, or doesn't."""
    found = [c for c in WORLD.companies if c.mail is Mail.MX and CLEARBIT.knows(c.domain) is known]
    return [c for c in found if not CLEARBIT.slow(c.domain)][:count]


def rows(listed: list[Company]) -> list[dict[str, Any]]:
    """One person of each company, without the company's facts."""
    return [
        {"name": c.people[0].name, "email": c.people[0].email, "job_title": "CEO", "company": c.name} for c in listed
    ]


def test_the_second_is_asked_only_for_what_the_first_does_not_know(execution: Execution, leads: MemoryLeads) -> None:
    known, unknown = companies(6, known=True), companies(4, known=False)
    after = AGENT.execute(from_file(rows([*known, *unknown]), execution, enrichment=BOTH), execution)
    check(after)
    by_domain = {lead.domain: lead for lead in after.leads}
    for company in known:
        assert by_domain[company.domain].company_facts_from == ("clearbit",)
        assert by_domain[company.domain].company_size == company.size
    for company in unknown:
        assert by_domain[company.domain].company_facts_from == ("hunter",)
        assert by_domain[company.domain].company_size == company.headcount
    assert leads.counts == {"clearbit": 10, "hunter": 4}
    report = after.agent_messages[-1].payload
    assert report["company_facts_from"] == {"clearbit": 6, "hunter": 4}
    assert report["stand_ins"] == {}
    assert after.errors == ()


def test_the_order_is_the_campaigns(execution: Execution, leads: MemoryLeads) -> None:
    wanted = {**BOTH, "providers": ["hunter", "clearbit"]}
    after = AGENT.execute(from_file(rows(companies(5, known=True)), execution, enrichment=wanted), execution)
    assert {lead.company_facts_from for lead in after.leads} == {("hunter",)}
    assert leads.counts == {"hunter": 5}


def test_a_look_up_that_is_being_made_is_asked_for_again(execution: Execution, leads: MemoryLeads) -> None:
    slow = [c for c in WORLD.companies if CLEARBIT.knows(c.domain) and CLEARBIT.slow(c.domain)][:3]
    after = AGENT.execute(from_file(rows(slow), execution, enrichment=BOTH), execution)
    assert {lead.company_facts_from for lead in after.leads} == {("clearbit",)}
    assert Counter(leads.statuses("clearbit")) == {202: 3, 200: 3}
    assert "hunter" not in leads.counts


def test_addresses_without_a_person_are_described_and_people_without_address_found(
    execution: Execution, leads: MemoryLeads
) -> None:
    person = worker()
    known = next(
        p
        for c in WORLD.companies
        for p in c.people
        if CLEARBIT.knows(p.email) and not (CLEARBIT.slow(p.email) or p.objected) and p != person
    )
    employer = next(c for c in WORLD.companies if person in c.people)
    file = [{"email": known.email}, {"name": person.name, "company": employer.name, "job_title": person.title}]
    after = AGENT.execute(from_file(file, execution, enrichment=BOTH), execution)
    found = {lead.email: lead for lead in after.leads}
    assert (found[known.email].name, found[known.email].job_title) == (known.name, known.title)
    assert set(found[known.email].sources) == {"file:mine.csv", "clearbit"}
    assert found[person.email].sources == ("file:mine.csv", "hunter")


def unit_of(asked: list[Company]) -> Any:
    given = tuple(AskedCompany(domain=c.domain, company=c.name, people=False) for c in asked)
    (unit,) = [COMPANIES.unit("companies:0000", CompaniesInput(companies=given), provider="clearbit", essential=False)]
    return unit


def run(unit: Any, execution: Execution) -> UnitResult:
    return run_unit(AGENT, unit, execution.for_unit("c-1", 0, 2, unit))


def test_what_the_first_has_answered_is_not_paid_again_when_the_second_takes_over(
    execution: Execution, leads: MemoryLeads
) -> None:
    unit = replace(unit_of(companies(8, known=True)), policy=RetryPolicy(fallback=("hunter",)))
    leads.trouble("clearbit", rate=0.3)
    failed = run(unit, execution)
    assert failed.error is not None
    assert failed.error["code"] == "transient"
    answered = leads.statuses("clearbit").count(200)
    assert 0 < answered < 8
    leads.trouble("clearbit")
    execution.fallback = "hunter"
    done = run(unit, execution)
    assert done.output is not None
    assert done.output["stood_in"] == "hunter"
    assert done.output["by"] == ["clearbit"] * answered + ["hunter"] * (8 - answered)
    assert leads.counts["hunter"] == 8 - answered
    assert all(found["employees_min"] and found["as_of"] for found in done.output["companies"])


def test_one_refused_question_spoils_no_other_and_all_refused_are_an_error(
    execution: Execution, leads: MemoryLeads
) -> None:
    good = companies(2, known=True)
    unit = unit_of(good)
    bad = AskedCompany(domain="no domain", company=None, people=False)
    asked = COMPANIES.given(unit).companies
    mixed = COMPANIES.unit("companies:0001", CompaniesInput(companies=(bad, *asked)), provider="clearbit")
    done = run(mixed, execution)
    assert done.output is not None
    assert [found["company"] for found in done.output["companies"]] == [None, *(c.name for c in good)]
    refused = run(COMPANIES.unit("companies:0002", CompaniesInput(companies=(bad,)), provider="clearbit"), execution)
    assert refused.error is not None
    assert refused.error["code"] == "bad_request"


def test_a_unit_that_failed_is_not_asked_for_again(execution: Execution, leads: MemoryLeads) -> None:
    leads.trouble("clearbit")
    after = AGENT.execute(from_file(rows(companies(3, known=True)), execution, enrichment=BOTH), execution)
    assert {error.provider for error in after.errors} == {"clearbit"}
    assert "hunter" not in leads.counts, "the unit's own fallback is what asks it"


def test_units_fall_back_to_those_behind_them(execution: Execution) -> None:
    AGENT.execute(from_file(rows(companies(3, known=True)), execution, enrichment=BOTH), execution)
    (unit,) = [unit for unit in execution.units if unit.kind == "companies"]
    assert (unit.provider, unit.policy.fallback, unit.policy.max_retries) == ("clearbit", ("hunter",), 1)


@pytest.mark.parametrize(
    ("enrichment", "said"),
    [
        (
            {"providers": ["clearbitt"]},
            "enrichment.providers: 'clearbitt' completes no leads; use clearbit, hunter or pdl",
        ),
        ({"provider": ["hunter"]}, "enrichment.provider: unknown key; did you mean 'providers'?"),
        ({"providers": ["a", "b", "c", "d", "e", "f"]}, "enrichment.providers"),
    ],
)
def test_what_no_waterfall_is_made_of_is_refused_in_words(enrichment: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        CampaignConfig.parse({"target_audience": {"industry": "saas"}, "enrichment": enrichment})
    assert said in str(caught.value)


def test_a_waterfall_needs_the_keys_of_its_enrichers() -> None:
    config = state(enrichment=BOTH).campaign_config
    assert AGENT.needs(config) == ("serpapi", "clearbit", "hunter")
    assert AGENT.needs(state(enrichment={"find_emails": False, "verify": "dns"}).campaign_config) == ("serpapi",)


@pytest.mark.parametrize(
    ("brought", "said"),
    [
        ("no enricher", "'other' is a str, not an Enricher"),
        (Enricher(name="another", title="Another"), "calls itself 'another'"),
        (Enricher(name="other", title="Other"), "can't be asked anything"),
    ],
)
def test_what_is_no_enricher_is_refused(monkeypatch: pytest.MonkeyPatch, brought: object, said: str) -> None:
    monkeypatch.setattr(plugins, "load", lambda group, name: brought)
    with pytest.raises(plugins.PluginError, match=said):
        enricher_registry.enricher.__wrapped__("other")


@pytest.mark.parametrize(
    ("text", "bounds", "again"),
    [
        ("51-200", (51, 200), "51-200"),
        ("10001+", (10001, None), "10001+"),
        ("120", (120, 120), "120"),
        ("a few", (None, None), None),
        (None, (None, None), None),
    ],
)
def test_sizes_are_numbers(text: str | None, bounds: tuple[int | None, int | None], again: str | None) -> None:
    assert employees(text) == bounds
    assert CompanyFound(employees_min=bounds[0], employees_max=bounds[1]).company_size == again
