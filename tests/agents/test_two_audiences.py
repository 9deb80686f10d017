"""Two audiences that once got the wrong people: owners of German restaurants, and runners in Berlin."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from agent_context import Execution
from lead_campaigns import WORLD, check, execution_of, from_file, state
from memory_leads import MemoryLeads

from agents.ad_management import AdManagement, specs
from agents.ad_management.creative import Texts
from agents.content_creation import ContentCreation
from agents.fit.places import in_places
from agents.lead_generation import LeadGeneration
from agents.overview import Points
from agents.registry import agents
from agents.state import Lead, MarketingAgentState
from orchestration.flow.routing import next_agent, route
from orchestration.flow.transition import next_cycle, start

RESTAURANTS = {
    "titles": ["restaurant owner"],
    "locations": ["Germany"],
    "industries": ["restaurants"],
    "company_size": "10-200",
}
TEXTS = Texts(headlines=("Run",), descriptions=("Far",), call_to_action="Go", angles=("plain",))
RUNNERS = {"interests": ["running"], "locations": ["Berlin"], "description": "Runners in Berlin"}


def found(audience: dict[str, Any]) -> MarketingAgentState:
    after = LeadGeneration().execute(state(target_audience=audience), execution_of(MemoryLeads()))
    check(after)
    return after


def is_owner(lead: Lead) -> bool:
    """Whether the world says that a lead is whom the restaurants' audience asks for."""
    return any(
        person.name == lead.name and person.level == "owner"
        for company in WORLD.companies
        if company.industry == "restaurants" and 10 <= company.size <= 200 and in_places(company.city, ["Germany"])
        for person in company.people
    )


def test_owners_of_german_restaurants() -> None:
    after = found(RESTAURANTS)
    assert len(after.qualified_leads) >= 5
    assert [lead.name for lead in after.qualified_leads if not is_owner(lead)] == []
    assert {lead.score for lead in after.qualified_leads} == {1.0}
    known = [lead for lead in after.leads if lead.location and lead.company_size and is_owner(lead)]
    assert {lead.lead_id for lead in known} == {lead.lead_id for lead in after.qualified_leads}


def test_nobody_qualified_says_what_was_missed() -> None:
    after = found({**RESTAURANTS, "locations": ["Iceland"]})
    assert after.leads
    assert after.qualified_leads == ()
    agent = LeadGeneration()
    reason = agent.end_reason(after)
    assert reason is not None
    assert reason.startswith(f"no lead qualified of {len(after.leads)} found: place: {len(after.leads)} not as asked")
    assert "missed by one criterion (place" in reason
    figures = agent.summary(after, after)["nobody_qualified"]
    assert figures["missed"]["place"] == len(after.leads)
    assert 0 < figures["missed_by_one"]["place"] < len(after.leads)
    points = agent.overview(after)[0].blocks[-1]
    assert isinstance(points, Points)
    assert all(lead.name not in str(points) for lead in after.leads if lead.name)
    # When retention has taken what was known of them, nothing is said of them either.
    emptied = after.evolve(leads=tuple(Lead(lead_id=lead.lead_id, score=lead.score) for lead in after.leads))
    assert len(agent.overview(emptied)[0].blocks) == 1
    assert agent.end_reason(found(RESTAURANTS)) is None


def test_runners_in_berlin_get_content_and_ads_and_no_business_leads() -> None:
    given = {
        "lead_sources": [],
        "ad_platforms": ["facebook"],
        "budget": 900,
        "brand": {"website": "https://run.example/"},
    }
    begun = state(target_audience=RUNNERS, **given)
    assert next_agent(begun) == "content_creation"
    assert start(begun, agents(), begun.created_at)[0].current_agent == "content_creation"
    execution = Execution.in_memory()
    written = ContentCreation().execute(begun.evolve(current_agent="content_creation"), execution)
    assert written.generated_content
    placed = AdManagement().execute(written.evolve(current_agent="ad_management"), execution)
    assert [creative.status for creative in placed.ad_creatives] == ["active"]
    wanted = specs.spec(placed, "facebook_ads", TEXTS, Decimal(30))
    assert (wanted.audience.interests, wanted.audience.locations) == (("running",), ("Berlin",))
    assert placed.leads == ()
    # Its end is no failure to find leads, and it may be optimised again like any other.
    assert [agent.end_reason(placed) for agent in agents().values()] == [None] * len(agents())
    assert LeadGeneration().overview(placed) == ()


def test_without_content_the_ads_come_first() -> None:
    begun = state(
        target_audience=RUNNERS, lead_sources=[], ad_platforms=["facebook"], budget=900, content_required=False
    )
    assert next_agent(begun) == "ad_management"
    assert route(begun, agents()).next_agent == "ad_management"


def test_runners_of_an_own_list_are_taken_as_they_are() -> None:
    execution = execution_of(MemoryLeads())
    rows = [
        {"email": "ann@mailbox.example.net", "name": "Ann Berg", "location": "Berlin"},
        {"email": "ben@mailbox.example.net", "name": "Ben Dorf"},
        {"email": "cem@mailbox.example.net", "name": "Cem Tal", "location": "Paris, France"},
    ]
    begun = from_file(rows, execution, target_audience=RUNNERS, enrichment={"find_emails": False, "verify": "none"})
    after = LeadGeneration().execute(begun, execution)
    assert {lead.name for lead in after.qualified_leads} == {"Ann Berg", "Ben Dorf"}
    assert next_cycle(after.evolve(qualified_leads=()), agents(), after.updated_at) is None
