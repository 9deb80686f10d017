"""What tests of lead generation share: states to begin with, people of the sandbox's world, what every result holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from agent_context import Execution
from memory_leads import MemoryLeads

from agents.config import CampaignConfig
from agents.scoring import QUALIFIED_SCORE, LeadCriteria, lead_score
from agents.state import MarketingAgentState
from integrations.sandbox.hunter import KNOWN_SHARE
from integrations.sandbox.world import Mail, Person, World, chance

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WORLD = World.build(7)


def state(campaign_id: str = "c-1", **config: Any) -> MarketingAgentState:
    """A new campaign for SaaS companies, unless ``config`` says otherwise."""
    given = {"target_audience": {"industry": "saas"}, **config}
    return MarketingAgentState.initial(CampaignConfig.parse(given), campaign_id=campaign_id, now=NOW)


def from_file(rows: list[Mapping[str, Any]], execution: Execution, **config: Any) -> MarketingAgentState:
    """A new campaign whose leads are these rows of the user's own file."""
    execution.lead_files.files["f-1"] = rows
    return state(lead_sources=[{"type": "file", "path": "mine.csv", "file_id": "f-1"}], **config)


def execution_of(leads: MemoryLeads) -> Execution:
    """An execution that asks ``leads``."""
    return Execution.in_memory(settings=leads.settings, **leads.clients)


def worker(*, known: bool = True, **wanted: Any) -> Person:
    """Somebody whose company takes mail, whom Hunter knows or not."""
    return next(
        person
        for company in WORLD.companies
        if company.mail is Mail.MX
        for person in company.people
        if (chance("hunter", 7, person.email) < KNOWN_SHARE) is known
        and {"objected": person.objected, "slow": person.slow} == {"objected": False, "slow": False, **wanted}
    )


def check(after: MarketingAgentState) -> None:
    """What holds for every finished hop."""
    assert {lead.lead_id for lead in after.qualified_leads} == {
        lead.lead_id for lead in after.leads if (lead.score or 0) >= QUALIFIED_SCORE
    }
    assert len({lead.lead_id for lead in after.leads}) == len(after.leads)
    criteria = LeadCriteria.of(after.target_audience, after.campaign_config.qualification)
    for lead in after.leads:
        score = lead_score(lead, criteria)
        assert (lead.score, lead.score_reasons) == (score.value, score.reasons)
        assert (lead.qualified_at is not None) is score.qualified
        assert lead.email or (lead.name and (lead.company or lead.domain or lead.profile_url))
        assert lead.sources
    emails = [lead.email for lead in after.leads if lead.email]
    assert len(emails) == len(set(emails))
