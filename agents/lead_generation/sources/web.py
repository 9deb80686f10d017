"""Leads from company web sites: facts and people of the pages that robots.txt lets us read.

Invariant: a site is read within its page budget and robots.txt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field

from agents.config import SourceConfig, TargetAudience
from agents.config_values import HttpUrl, listed
from agents.lead_generation.answers import Company, Screened
from agents.lead_generation.clean import CompanyFacts, record_of
from agents.lead_generation.screen import screen
from agents.lead_generation.source import LeadSource
from agents.unit import Unit, short_hash
from agents.unit_kind import Part, UnitKind
from integrations.errors import IntegrationError, PolicyRefusedError, TransientError
from integrations.outbound import Reach
from integrations.retry import RetryPolicy
from integrations.web.guard import check_url

if TYPE_CHECKING:
    from agents.ports import UnitContext

MAX_TRIES = 2  #: tries to get the pages that failed, before the others are taken as they are


def _fetchable(urls: tuple[str, ...]) -> tuple[str, ...]:
    for url in urls:
        try:
            check_url(url, Reach.LOOPBACK)
        except IntegrationError as error:
            hint = "; people on LinkedIn: {type: linkedin}" if "linkedin.com" in url.lower() else ""
            raise ValueError(f"{error.message}{hint}") from None
    return urls


class WebSource(SourceConfig):
    """Leads from web sites, within their robots.txt."""

    type: Literal["web"] = "web"
    urls: Annotated[
        tuple[HttpUrl, ...], BeforeValidator(listed), Field(min_length=1, max_length=100), AfterValidator(_fetchable)
    ] = Field(validation_alias=AliasChoices("urls", "url"))
    max_pages: int = Field(default=20, ge=1, le=200, description="pages per site")


class SiteInput(Part):
    """A site to read."""

    url: str
    max_pages: int
    given: bool  #: by the user; a site that search found may be closed to us without a failure


class SiteAnswer(Screened):
    """Facts and people of one site."""

    company: Company | None = None  #: None for a site that is closed to us
    pages: int | None = None  #: pages that were read
    forbidden: int | None = None  #: links that robots.txt forbids
    failed: int | None = None  #: pages that could not be read
    closed: Literal[True] | None = None  #: robots.txt forbids the whole site

    def about_companies(self) -> Sequence[CompanyFacts]:
        """Return the facts of the site's own company."""
        return (self.company.facts("web"),) if self.company else ()


def run_site(given: SiteInput, ctx: UnitContext) -> SiteAnswer:
    """Read one site.

    Raises TransientError while pages fail and there are tries left.
    """
    from agents.lead_generation.extract import extract

    web = ctx.providers.web
    try:
        site = web.crawl(
            given.url,
            max_pages=given.max_pages,
            timeout=ctx.providers.settings.http_timeout_s,
            fetch=lambda page: ctx.call("web", lambda left: web.fetch(page, timeout=left), scope=urlsplit(page).netloc),
        )
    except PolicyRefusedError as error:
        if error.detail == "robots" and not given.given:
            return SiteAnswer(closed=True)  # they don't want to be read: no failure
        raise
    tries = int(ctx.journaled("tries") or 0) + 1
    if site.failed and tries <= MAX_TRIES:
        ctx.journal("tries", tries)
        raise TransientError("web", f"{site.failed} pages of a site can't be read now")
    facts = extract([(page.url, page.html) for page in site.pages])
    company = Company(
        company=facts.company,
        domain=facts.domain,
        industry=facts.industry,
        company_size=facts.company_size,
        location=facts.location,
    )
    records = [
        record_of({**dict(company), **asdict(person), "source_url": person.page}, "web", given.url)
        for person in facts.people
    ]
    found = screen(ctx, records)
    return SiteAnswer(
        records=found.records,
        suppressed=found.suppressed,
        company=company,
        pages=len(site.pages),
        forbidden=site.forbidden,
        failed=site.failed,
    )


SITE = UnitKind(name="site", input=SiteInput, output=SiteAnswer, run=run_site)


def site_unit(url: str, max_pages: int, *, given: bool) -> Unit:
    """Plan the reading of one site, which the user has ``given`` or a search has found."""
    return SITE.unit(
        f"site:{short_hash(url.lower().rstrip('/'))}",
        SiteInput(url=url, max_pages=max_pages, given=given),
        provider="web",
        essential=given,
        # A site that is down is one source less, and not waited for.
        policy=RetryPolicy(max_wait_s=0.0),
    )


def web_units(config: WebSource, audience: TargetAudience) -> list[Unit]:
    """Plan one unit per site."""
    del audience
    return [site_unit(url, config.max_pages, given=True) for url in config.urls]


SOURCE = LeadSource(name="web", title="Web sites", config=WebSource, kinds=(SITE,), units=web_units)
