"""People Data Labs as an enricher: facts of companies, work addresses of named people, who has an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.lead_generation.enricher import AskedCompany, AskedPerson, CompanyFound, Enricher, PersonFound, employees
from integrations.pdl import PdlPerson, PeopleDataLabs

if TYPE_CHECKING:
    from integrations.providers import Providers

NAME = "pdl"


def company(providers: Providers, asked: AskedCompany, timeout: float) -> CompanyFound:
    """Return the facts of a company, of whose range of employees the count is no better known."""
    found = providers.client(PeopleDataLabs).company(website=asked.domain, name=asked.company, timeout=timeout)
    if found is None:
        return CompanyFound()
    least, most = employees(found.size)
    return CompanyFound(
        company=found.name,
        domain=found.domain or asked.domain,
        industry=found.industry,
        employees_min=least if least is not None else found.employees,
        employees_max=most if least is not None else found.employees,
        location=found.location,
    )


def address(providers: Providers, asked: AskedPerson, timeout: float) -> PersonFound:
    """Return the work address of a person of a company."""
    place = asked.domain or asked.company
    found = providers.client(PeopleDataLabs).person(name=asked.name, company=place, timeout=timeout)
    return _found(found, found.work_email if found else None)


def person(providers: Providers, asked: AskedPerson, timeout: float) -> PersonFound:
    """Return who has an address."""
    found = providers.client(PeopleDataLabs).person(email=asked.email, timeout=timeout)
    return _found(found, asked.email)


def _found(found: PdlPerson | None, email: str | None) -> PersonFound:
    if found is None:
        return PersonFound()
    return PersonFound(
        email=email,
        name=found.name,
        job_title=found.title,
        company=found.company,
        domain=found.domain,
        location=found.location,
        profile_url=f"https://www.{found.profile.removeprefix('www.')}" if found.profile else None,
    )


ENRICHER = Enricher(name=NAME, title="People Data Labs", company=company, by_name=True, address=address, person=person)
