"""Hunter as an enricher: facts and people of a company's domain, and addresses of named people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.lead_generation.clean import record_of
from agents.lead_generation.enricher import AskedCompany, AskedPerson, CompanyFound, Enricher, PersonFound, employees

if TYPE_CHECKING:
    from integrations.providers import Providers

NAME = "hunter"


def company(providers: Providers, asked: AskedCompany, timeout: float) -> CompanyFound:
    """Return the facts of a company, with its people where they are wanted."""
    found = providers.hunter.domain_search(asked.domain, company=asked.company, timeout=timeout)
    least, most = employees(found.headcount)
    known = CompanyFound(
        company=found.organization or asked.company,
        domain=found.domain or asked.domain,
        industry=found.industry,
        employees_min=least,
        employees_max=most,
        location=found.city,
    )
    facts = known.facts(NAME)
    shared = {"company": facts.company, "domain": facts.domain, "industry": facts.industry}
    people = tuple(
        record_of(
            {
                **shared,
                "company_size": facts.company_size,
                "location": facts.location,
                "name": " ".join(part for part in (person.first_name, person.last_name) if part),
                "email": person.email,
                "job_title": person.position,
            },
            NAME,
        )
        for person in (found.people if asked.people else ())
    )
    return known.model_copy(update={"people": people})


def address(providers: Providers, asked: AskedPerson, timeout: float) -> PersonFound:
    """Return the address of a person of a company."""
    first, _, last = (asked.name or "").partition(" ")
    found = providers.hunter.find_email(asked.domain, first, last, company=asked.company, timeout=timeout)
    return PersonFound(
        email=found.email,
        job_title=found.position,
        company=found.company,
        domain=found.domain,
        objected=found.suppressed,
    )


ENRICHER = Enricher(name=NAME, title="Hunter", company=company, by_name=True, lists_people=True, address=address)
