"""How good a lead is, by the campaign's rule, with the reasons (and, beside it, how good a campaign is).

Rule: more than 50 employees 0.3, an executive's title 0.4, a target industry 0.3; qualified from 0.7 on.
Invariant: computed in tenths as integers, so that 0.3 + 0.4 is 0.7 and never 0.6999; a fact that is missing or
unsure gives nothing and says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from agents.config import DEFAULT_INDUSTRIES, TargetAudience
from agents.lead_generation.company_size import parse_size
from agents.lead_generation.industries import matching_target
from agents.lead_generation.titles import is_executive
from agents.performance_score import overall_score
from agents.state import Lead

__all__ = ["LeadCriteria", "LeadScore", "lead_score", "overall_score"]

SIZE_POINTS = 3
TITLE_POINTS = 4
INDUSTRY_POINTS = 3
QUALIFIED_POINTS = 7
QUALIFIED_SCORE = QUALIFIED_POINTS / 10


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadCriteria:
    """What a good lead is for one campaign."""

    industries: tuple[str, ...] = DEFAULT_INDUSTRIES
    more_employees_than: int = 50

    @staticmethod
    def of(audience: TargetAudience) -> LeadCriteria:
        """Return the criteria of a campaign: its own industries, else the default ones."""
        return LeadCriteria(industries=audience.industries or DEFAULT_INDUSTRIES)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadScore:
    """``value`` in 0..1 and, for each of the three facts, why."""

    value: float
    reasons: tuple[str, ...]

    @property
    def qualified(self) -> bool:
        """Whether it is worth addressing."""
        return self.value >= QUALIFIED_SCORE


def lead_score(lead: Lead, criteria: LeadCriteria | None = None) -> LeadScore:
    """Score a lead by the module's rule, as a pure function."""
    criteria = criteria or LeadCriteria()
    size, size_reason = _size(lead, criteria)
    title, title_reason = _title(lead)
    industry, industry_reason = _industry(lead, criteria)
    return LeadScore(value=(size + title + industry) / 10, reasons=(size_reason, title_reason, industry_reason))


def _size(lead: Lead, criteria: LeadCriteria) -> tuple[int, str]:
    limit = criteria.more_employees_than
    employees = parse_size(lead.company_size)
    if employees is None:
        return 0, "company size unknown"
    verdict = employees.more_than(limit)
    if verdict is None:
        return 0, f"company size {lead.company_size} may be above or below {limit} employees"
    if not verdict:
        return 0, f"company size {lead.company_size} is not above {limit} employees"
    return SIZE_POINTS, f"company size {lead.company_size} is above {limit} employees (+0.3)"


def _title(lead: Lead) -> tuple[int, str]:
    if not lead.job_title:
        return 0, "job title unknown"
    if is_executive(lead.job_title):
        return TITLE_POINTS, f"executive title: {lead.job_title} (+0.4)"
    return 0, f"not an executive title: {lead.job_title}"


def _industry(lead: Lead, criteria: LeadCriteria) -> tuple[int, str]:
    if not lead.industry:
        return 0, "industry unknown"
    target = matching_target(lead.industry, criteria.industries)
    if target is None:
        return 0, f"industry {lead.industry} is none of {', '.join(criteria.industries)}"
    return INDUSTRY_POINTS, f"industry {lead.industry} matches {target} (+0.3)"
