"""What people are told about the delivery of a campaign's leads: where, and how many.

Pure. Invariant: no lead is named.
"""

from __future__ import annotations

from agents.overview import Count, Points, Section
from agents.state import MarketingAgentState


def sections(state: MarketingAgentState) -> tuple[Section, ...]:
    """Tell for each place of ``deliver`` how many qualified leads are there, once the campaign came to it."""
    labels = [target.label for target in state.campaign_config.deliver]
    counts = {label: sum(label in lead.delivered for lead in state.qualified_leads) for label in labels}
    if not any(counts.values()):
        return ()
    total = len(state.qualified_leads)
    lines = tuple((Count(number), " of ", Count(total), f" leads at {label}") for label, number in counts.items())
    return (Section("Delivery", (Points(lines),)),)
