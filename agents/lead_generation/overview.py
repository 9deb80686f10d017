"""What people are told about the leads of a campaign: how many, and the best of them or why there are none.

Pure. Invariant: no lead's name or address is told.
"""

from __future__ import annotations

from agents.fit.shortfall import Shortfall, shortfall
from agents.overview import Block, Count, Line, Points, Ranked, Ranking, Score, Section
from agents.scoring import LeadCriteria, lead_score
from agents.state import Lead, MarketingAgentState

TOP_LEADS = 5


def sections(state: MarketingAgentState) -> tuple[Section, ...]:
    """Tell how many leads were found and qualified, and why the best are the best, or what all are short of."""
    if not state.campaign_config.lead_sources:
        return ()
    qualified = state.qualified_leads
    best = sorted(qualified, key=lambda lead: -(lead.score or 0.0))[:TOP_LEADS]
    blocks: list[Block] = [Line((Count(len(state.leads)), " found, ", Count(len(qualified)), " qualified"))]
    if best:
        places = tuple(Ranked(Score(lead.score), _who(lead), "; ".join(lead.score_reasons)) for lead in best)
        blocks.append(Ranking(places, more=len(qualified) - len(best)))
    elif lines := missing(state).words():
        blocks.append(Points(tuple((line,) for line in lines)))
    return (Section("Leads", tuple(blocks)),)


def missing(state: MarketingAgentState) -> Shortfall:
    """Return what the leads that don't qualify are short of, but for those of whom nothing is kept any more."""
    criteria = LeadCriteria.of(state.target_audience, state.campaign_config.qualification)
    short = (lead for lead in state.leads if lead.qualified_at is None and lead.score_reasons)
    return shortfall(lead_score(lead, criteria).verdicts for lead in short)


def _who(lead: Lead) -> str:
    company = lead.company or lead.domain or "a company without a name"
    return f"{lead.job_title} at {company}" if lead.job_title else company
