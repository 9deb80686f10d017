"""Clearbit as an enricher: facts of a company's domain, and who has an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.lead_generation.enricher import (
    AskedCompany,
    AskedPerson,
    CompanyFound,
    Enricher,
    PersonFound,
    day,
    employees,
)
from integrations.clearbit import Clearbit

if TYPE_CHECKING:
    from integrations.providers import Providers

NAME = "clearbit"


def company(providers: Providers, asked: AskedCompany, timeout: float) -> CompanyFound:
    """Return the facts of the company of a domain."""
    answer = providers.client(Clearbit).company(asked.domain or "", timeout=timeout)
    found = answer.company
    if found is None:
        return CompanyFound(pending=answer.pending)
    least, most = (found.employees, found.employees) if found.employees else employees(found.employees_range)
    return CompanyFound(
        company=found.name,
        domain=found.domain,
        industry=found.industry,
        employees_min=least,
        employees_max=most,
        location=", ".join(part for part in (found.city, found.country) if part) or None,
        as_of=day(found.indexed_at),
    )


def person(providers: Providers, asked: AskedPerson, timeout: float) -> PersonFound:
    """Return who has an address."""
    answer = providers.client(Clearbit).person(asked.email or "", timeout=timeout)
    found = answer.person
    if found is None:
        return PersonFound(pending=answer.pending)
    return PersonFound(
        email=asked.email,
        name=found.name,
        job_title=found.title,
        company=found.company,
        domain=found.domain,
        location=found.location,
        as_of=day(found.indexed_at),
    )


ENRICHER = Enricher(name=NAME, title="Clearbit", company=company, person=person)
