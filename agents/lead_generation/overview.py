"""What people are told about the leads of a campaign: how many, and the best of them by company and title.

Pure. Invariant: no lead's name or address is told.
"""

from __future__ import annotations

from agents.overview import Block, Count, Line, Ranked, Ranking, Score, Section
from agents.state import Lead, MarketingAgentState

TOP_LEADS = 5


def sections(state: MarketingAgentState) -> tuple[Section, ...]:
    """Tell how many leads were found and qualified, and why the best are the best."""
    qualified = state.qualified_leads
    best = sorted(qualified, key=lambda lead: -(lead.score or 0.0))[:TOP_LEADS]
    blocks: list[Block] = [Line((Count(len(state.leads)), " found, ", Count(len(qualified)), " qualified"))]
    if best:
        places = tuple(Ranked(Score(lead.score), _who(lead), "; ".join(lead.score_reasons)) for lead in best)
        blocks.append(Ranking(places, more=len(qualified) - len(best)))
    return (Section("Leads", tuple(blocks)),)


def _who(lead: Lead) -> str:
    company = lead.company or lead.domain or "a company without a name"
    return f"{lead.job_title} at {company}" if lead.job_title else company
