"""What people are told about the leads of a campaign: how many, the best or why there are none, and what was lost.

Pure. Invariant: no lead's name or address is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agents.fit.shortfall import Shortfall, shortfall
from agents.lead_generation.clean import BROKEN, DISPOSABLE
from agents.lead_generation.gather import UNDELIVERABLE
from agents.overview import Block, Count, Line, Phrase, Points, Ranked, Ranking, Score, Section
from agents.own_rows import newest_report
from agents.scoring import LeadCriteria, lead_score
from agents.state import Lead, MarketingAgentState

TOP_LEADS = 5
#: Reasons for which an address is lost -> how it is told.
LOST = {
    BROKEN: "broken",
    DISPOSABLE: "thrown away after use",
    UNDELIVERABLE: "refused by their mail domain or provider",
}


def sections(state: MarketingAgentState) -> tuple[Section, ...]:
    """Tell how many leads were found and qualified, the best or what all are short of, and what went wrong."""
    if not state.campaign_config.lead_sources:
        return ()
    qualified = state.qualified_leads
    best = sorted(qualified, key=lambda lead: -(lead.score or 0.0))[:TOP_LEADS]
    blocks: list[Block] = [Line((Count(len(state.leads)), " found, ", Count(len(qualified)), " qualified"))]
    if troubles := tuple(_troubles(state)):
        blocks.append(Points(troubles, trouble=True))
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


def _troubles(state: MarketingAgentState) -> Iterator[Phrase]:
    """Yield what was lost: addresses, parts of files, sites."""
    report = newest_report(state)
    lost = {reason: int(count) for reason, count in _mapping(report, "set_aside").items() if reason in LOST}
    if total := sum(lost.values()):
        kept = sum(len((lead.email, *lead.other_emails)) for lead in state.leads if lead.email)
        yield (
            Count(total), " of ", Count(total + kept), " e-mail addresses can't be used: ",
            *_listed({LOST[reason]: count for reason, count in lost.items()}),
        )  # fmt: skip
    for name, told in _mapping(report, "files").items():
        if left_out := _mapping(told, "left_out"):
            yield (f"{name}: rows left out: ", *_listed(left_out))
        for warning in told.get("warnings", ()):
            yield (f"{name}: {warning}",)
    not_read = _mapping(report, "sites_not_read")
    if reasons := _mapping(not_read, "by_reason"):
        yield ("sites that were not read: ", *_listed(reasons))
    for host, reason in _mapping(not_read, "named").items():
        yield (f"{host}: {reason}",)


def _listed(counts: Mapping[str, int]) -> Iterator[str | Count]:
    for place, (what, count) in enumerate(sorted(counts.items())):
        yield from (*((", ",) if place else ()), Count(count), f" {what}")


def _mapping(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = found.get(name)
    return inner if isinstance(inner, Mapping) else {}


def _who(lead: Lead) -> str:
    company = lead.company or lead.domain or "a company without a name"
    return f"{lead.job_title} at {company}" if lead.job_title else company
