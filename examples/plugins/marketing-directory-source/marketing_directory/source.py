"""The source: one unit per industry reads the directory's companies and their people.

Invariant: a page is journalled before it is used, since it was paid for: a retry asks for the missing ones only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from agents.config import DEFAULT_INDUSTRIES, SourceConfig, TargetAudience
from agents.config_values import Texts
from agents.lead_generation.answers import Company, Screened
from agents.lead_generation.clean import CompanyFacts, Record, record_of
from agents.lead_generation.screen import screen
from agents.lead_generation.source import LeadSource
from agents.unit import Unit, short_hash
from agents.unit_kind import Part, UnitKind
from marketing_directory.client import NAME, PROVIDER, Directory, Listing, Page

if TYPE_CHECKING:
    from agents.ports import UnitContext
    from integrations.sandbox.protocol import SandboxProvider


class DirectorySource(SourceConfig):
    """Leads from the business directory."""

    type: Literal["directory"] = "directory"
    industries: Texts = Field(default=(), description="default: those of the audience")
    limit: int = Field(default=20, ge=1, le=500, description="companies per industry")


class IndustryInput(Part):
    """An industry, and how many companies of it are wanted at most."""

    industry: str
    limit: int


class IndustryAnswer(Screened):
    """The people of an industry's companies, and facts of the companies."""

    companies: tuple[Company, ...] = ()

    def about_companies(self) -> Sequence[CompanyFacts]:
        """Return the facts of the companies."""
        return tuple(company.facts(NAME) for company in self.companies)


def run_industry(given: IndustryInput, ctx: UnitContext) -> IndustryAnswer:
    """Read an industry's companies, page by page."""
    listings: list[Listing] = []
    start: int | None = 0
    while start is not None and len(listings) < given.limit:
        page = _page(ctx, given.industry, start, given.limit - len(listings))
        listings += page.companies
        start = page.next if page.companies else None
    listings = listings[: given.limit]
    found = screen(ctx, [record for listing in listings for record in _records(listing)])
    return IndustryAnswer(
        records=found.records,
        suppressed=found.suppressed,
        companies=tuple(_company(listing) for listing in listings),
    )


def _page(ctx: UnitContext, industry: str, start: int, limit: int) -> Page:
    entry = f"page.{start}"
    journaled = ctx.journaled(entry)
    if journaled is not None:
        return Page.model_validate(journaled)
    directory = ctx.providers.client(Directory)
    page = ctx.call(NAME, lambda timeout: directory.companies(industry, start=start, limit=limit, timeout=timeout))
    ctx.journal(entry, page.model_dump(mode="json"))
    return page


def _records(listing: Listing) -> list[Record]:
    company = dict(_company(listing))
    return [
        record_of({**company, "name": contact.name, "job_title": contact.title, "email": contact.email}, NAME)
        for contact in listing.contacts
    ]


def _company(listing: Listing) -> Company:
    return Company(
        company=listing.name,
        domain=listing.website,
        industry=listing.industry,
        company_size=listing.employees,
        location=listing.city,
    )


INDUSTRY = UnitKind(name="directory", input=IndustryInput, output=IndustryAnswer, run=run_industry)


def industry_units(config: DirectorySource, audience: TargetAudience) -> list[Unit]:
    """Plan one unit per industry: the configured ones, else the audience's."""
    return [
        INDUSTRY.unit(
            f"directory:{short_hash(industry.lower())}",
            IndustryInput(industry=industry, limit=config.limit),
            provider=NAME,
        )
        for industry in config.industries or audience.industries or DEFAULT_INDUSTRIES
    ]


def sandbox() -> SandboxProvider:
    """Make the directory's half of the sandbox world."""
    from marketing_directory.sandbox import DirectorySandbox

    return DirectorySandbox()


SOURCE = LeadSource(
    name="directory",
    title="Business directory",
    config=DirectorySource,
    kinds=(INDUSTRY,),
    units=industry_units,
    providers=(NAME,),
    provider=PROVIDER,
    sandbox=sandbox,
)
