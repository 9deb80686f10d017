"""What a campaign may judge its leads by, and how one fact of a lead is judged.

Each function answers for one criterion; which of them count, and how much, is :mod:`agents.scoring`'s business.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from agents.fit.asked_titles import fits_title
from agents.fit.company_size import Employees, parse_size
from agents.fit.industries import in_industries, in_industry, matching_target
from agents.fit.places import in_places
from agents.fit.text import words
from agents.fit.titles import is_executive
from agents.fit.verdict import Judged, Verdict

if TYPE_CHECKING:
    from agents.state import Lead

_SHOWN = 3  #: values asked for that a reason repeats


class Criterion(StrEnum):
    """A fact of a lead that is judged, by its name in a campaign file."""

    SIZE = "size"
    TITLE = "title"
    INDUSTRY = "industry"
    PLACE = "place"
    KEYWORD = "keyword"


def executive(lead: Lead) -> Judged:
    """Judge a title where none was asked for: executives are wanted."""
    if not lead.job_title:
        return Judged(Verdict.UNKNOWN, "job title unknown")
    if is_executive(lead.job_title):
        return Judged(Verdict.YES, f"executive title: {lead.job_title}")
    return Judged(Verdict.NO, f"not an executive title: {lead.job_title}")


def title(lead: Lead, asked: Sequence[str]) -> Judged:
    """Judge a title by those asked for."""
    if not lead.job_title:
        return Judged(Verdict.UNKNOWN, "job title unknown")
    verdict = Verdict.of(fits_title(lead.job_title, asked, lead.industry))
    match verdict:
        case Verdict.YES:
            fitting = next((one for one in asked if fits_title(lead.job_title, (one,), lead.industry)), asked[0])
            return Judged(verdict, f"title {lead.job_title} is one of {fitting}")
        case Verdict.NO:
            return Judged(verdict, f"title {lead.job_title} is none of {_listed(asked)}")
        case _:
            return Judged(verdict, f"title {lead.job_title} may be one of {_listed(asked)}")


def more_employees(lead: Lead, limit: int) -> Judged:
    """Judge a company's size where none was asked for: more than so many employees are wanted."""
    employees = parse_size(lead.company_size)
    verdict = Verdict.of(employees.more_than(limit) if employees else None)
    if employees is None:
        return Judged(verdict, "company size unknown")
    said = {
        Verdict.YES: f"company size {lead.company_size} is above {limit} employees",
        Verdict.NO: f"company size {lead.company_size} is not above {limit} employees",
        Verdict.UNKNOWN: f"company size {lead.company_size} may be above or below {limit} employees",
    }
    return Judged(verdict, said[verdict])


def size(lead: Lead, asked: Employees) -> Judged:
    """Judge a company's size by the range asked for."""
    employees = parse_size(lead.company_size)
    if employees is None:
        return Judged(Verdict.UNKNOWN, "company size unknown")
    verdict = Verdict.of(employees.within(asked))
    said = {Verdict.YES: "is within", Verdict.NO: "is not within", Verdict.UNKNOWN: "may be within or outside"}
    return Judged(verdict, f"company size {lead.company_size} {said[verdict]} {asked} employees")


def place(lead: Lead, asked: Sequence[str]) -> Judged:
    """Judge where a lead is by the places asked for."""
    if not lead.location:
        return Judged(Verdict.UNKNOWN, "place unknown")
    verdict = Verdict.of(in_places(lead.location, asked))
    said = {Verdict.YES: "is in", Verdict.NO: "is not in", Verdict.UNKNOWN: "may be in or outside"}
    return Judged(verdict, f"{lead.location} {said[verdict]} {_listed(asked)}")


def industry(lead: Lead, asked: Sequence[str]) -> Judged:
    """Judge a company's industry by those asked for."""
    if not lead.industry:
        return Judged(Verdict.UNKNOWN, "industry unknown")
    target = matching_target(lead.industry, asked)
    if target is not None:
        return Judged(Verdict.YES, f"industry {lead.industry} matches {target}")
    if in_industries(lead.industry, asked) is None:
        vague = next((one for one in asked if in_industry(lead.industry, one) is None), asked[0])
        return Judged(Verdict.UNKNOWN, f"industry {lead.industry} may be {vague}")
    return Judged(Verdict.NO, f"industry {lead.industry} is none of {', '.join(asked)}")


def keyword(lead: Lead, asked: Sequence[str]) -> Judged:
    """Judge a lead by keywords: what is known of people is too little to say that one does not apply."""
    text = words(" ".join(fact for fact in (lead.job_title, lead.company, lead.industry) if fact))
    found = next((one for one in asked if words(one) and f" {words(one)} " in f" {text} "), None)
    if found is None:
        return Judged(Verdict.UNKNOWN, f"none of the keywords {_listed(asked)} is said of it")
    return Judged(Verdict.YES, f"keyword {found}")


def _listed(asked: Sequence[str]) -> str:
    shown = ", ".join(asked[:_SHOWN])
    return f"{shown} and {len(asked) - _SHOWN} more" if len(asked) > _SHOWN else shown
