"""What one enricher brings: what it can be asked, and the provider that it asks.

An enricher is one object of this class, found through the entry-point group ``marketing_agents.enrichers``; built-in
and foreign ones come the same way. A campaign's ``enrichment.providers`` names them in the order of the waterfall.
Invariant: each function makes exactly one wire call to the enricher's provider, and gives its answer as values of this
module, whatever the provider's own shapes are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from agents.fit.company_size import parse_size
from agents.lead_generation.answers import Records
from agents.lead_generation.clean import CompanyFacts
from agents.unit_kind import Part

if TYPE_CHECKING:
    from integrations.provider_specs import ProviderSpec
    from integrations.providers import Providers
    from integrations.sandbox.protocol import SandboxProvider


class AskedCompany(Part):
    """A company to look up, by its domain or else its name."""

    domain: str | None
    company: str | None
    people: bool  #: whether its people are wanted too


class AskedPerson(Part):
    """A person of whom something is missing: the address when ``email`` is None, else name or title."""

    name: str | None
    email: str | None = None
    company: str | None
    domain: str | None


class CompanyFound(Part):
    """What an enricher knows about a company, which is nothing when all is empty."""

    company: str | None = None
    domain: str | None = None
    industry: str | None = None
    employees_min: int | None = None
    employees_max: int | None = None  #: None beside a least number: no upper bound is known
    location: str | None = None
    as_of: date | None = None  #: when the provider looked last; None: it doesn't say
    people: Records = ()
    pending: bool = False  #: the provider is still looking

    def facts(self, source: str) -> CompanyFacts:
        """Return the facts under the name of their source."""
        return CompanyFacts(
            source=source,
            company=self.company,
            domain=self.domain,
            industry=self.industry,
            company_size=self.company_size,
            location=self.location,
        )

    @property
    def company_size(self) -> str | None:
        """Employees as a text: "120", "51-200", "10001+"."""
        least, most = self.employees_min, self.employees_max
        if least is None:
            return None
        return f"{least}+" if most is None else str(least) if least == most else f"{least}-{most}"


class PersonFound(Part):
    """What an enricher knows about a person, which is nothing when all is empty."""

    email: str | None = None
    name: str | None = None
    job_title: str | None = None
    company: str | None = None
    domain: str | None = None
    location: str | None = None
    profile_url: str | None = None
    as_of: date | None = None
    objected: bool = False  #: the person asked not to be processed
    pending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Enricher:
    """One enricher, each of whose functions takes (clients, question, time-out in seconds)."""

    name: str  #: in a campaign file, of its entry point and of its provider; compatibility data
    title: str  #: for people
    company: Callable[[Providers, AskedCompany, float], CompanyFound] | None = None  #: facts of a company
    by_name: bool = False  #: whether a company without a known domain can be asked about
    lists_people: bool = False  #: whether the facts of a company come with its people
    address: Callable[[Providers, AskedPerson, float], PersonFound] | None = None  #: the address of a named person
    person: Callable[[Providers, AskedPerson, float], PersonFound] | None = None  #: who has an address
    provider: ProviderSpec | None = None  #: address and keys of a provider that the enricher brings along
    sandbox: Callable[[], SandboxProvider] | None = None  #: makes that provider's half of the sandbox world


def employees(text: str | None) -> tuple[int | None, int | None]:
    """Return the least and the greatest number of employees that a text tells, such as "51-200"."""
    found = parse_size(text)
    return (found.least, found.most) if found else (None, None)


def day(text: str | None) -> date | None:
    """Return the day of an ISO 8601 time, or None."""
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return None
